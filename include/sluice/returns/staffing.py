"""Which agent handled a contact, and may it go? The staff room's answers, as reasons of a return."""

from datetime import datetime
from decimal import Decimal

import polars as pl

from sluice.agreement.model import Paper
from sluice.agreement.store import in_force
from sluice.db import Connection
from sluice.exchange.given_back import day_under
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.returns.compose import Staff
from sluice.returns.model import STAFF, Held
from sluice.staff.contacts import agents_of, ready_at
from sluice.staff.model import Reason
from sluice.staff.store import read_directory, read_intervals
from sluice.terms import Direction

NOW = "%Y-%m-%dT%H:%M:%S.%fZ"


def staff_of(house: House, opened: Opened, paper: Paper) -> Staff:
    """A function that names the agent of every contact and says why it has to wait, if it has to.

    A contact without agent (a dialler's attempt) needs nobody to be ready. Where the agreement lets
    rows follow later, an agent who is ready when the return is made is ready enough.
    """
    platform = _platform(house, opened, paper)
    directory, key = read_directory(house.conn), house.keyring.staff_key()
    intervals = read_intervals(house.conn, paper.agreement.minimum_exam_score)
    now = opened.opened_at.strftime(NOW) if paper.agreement.delivery.release_when_ready_later else None

    def staff(contacts: pl.DataFrame) -> pl.DataFrame:
        asked = contacts.select(
            pl.lit(platform, pl.String).alias("platform"), pl.col("agent").alias("account"), "started_at"
        )
        agent = agents_of(asked, directory, key)
        moments = contacts["started_at"]
        reason = ready_at(pl.DataFrame({"agent": agent, "started_at": moments}), intervals)
        if now is not None:
            at_release = pl.DataFrame({"agent": agent}).with_columns(pl.lit(now).alias("started_at"))
            later = ready_at(at_release, intervals)
            reason = reason.zip_with(later.is_not_null(), later)
        return pl.DataFrame({"agent_ref": agent, "reason": _as_held(reason)})

    return staff


def has_news(conn: Connection, agents: frozenset[str], minimum: Decimal, since: datetime) -> bool:
    """Whether these agents are ready at other times, or accounts are somebody else's, than was known at ``since``."""

    def known(at: datetime | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        times = read_intervals(conn, minimum, at).filter(pl.col("agent_ref").is_in(agents))
        accounts = read_directory(conn, at).accounts
        return times.sort("agent_ref", "start"), accounts.sort(accounts.columns)

    return not all(one.equals(other) for one, other in zip(known(None), known(since), strict=True))


def _as_held(reason: pl.Series) -> pl.Series:
    return pl.select(
        pl.when(reason == Reason.AGENT_UNKNOWN.value)
        .then(pl.lit(Held.AGENT_UNKNOWN.value))
        .when(reason != Reason.NO_AGENT.value)
        .then(pl.lit(STAFF) + reason)
    ).to_series()


def _platform(house: House, opened: Opened, paper: Paper) -> str | None:
    """The platform whose accounts the results name: that of the mapping their contract asks for."""
    assert paper.contract.recipe is not None
    flow = paper.contract.recipe.results_flow
    held = in_force(house.conn, opened.principal, Direction.INTERNAL, flow, day_under(opened), opened.opened_at)
    return held.contract.result_mapping if held.contract else None
