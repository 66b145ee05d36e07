"""Which agent handled a contact, and whether it may go out: answers of the staff room, as reasons of a return."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from sluice.agreement.papers import Paper
from sluice.db import Connection
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.lake_columns import EXCHANGE
from sluice.returns.compose import Staff
from sluice.returns.model import STAFF, Held, Input, InputKind
from sluice.returns.righting import Said, oldest_first
from sluice.staff.contacts import Directory, agents_of, ready_at
from sluice.staff.model import Reason
from sluice.staff.store import last_import_seq, read_directory, read_intervals

NOW = "%Y-%m-%dT%H:%M:%S.%fZ"


def staff_of(
    house: House,
    opened: Opened,
    paper: Paper,
    inputs: Sequence[tuple[Input, Said]],
    known_at: datetime | None = None,
) -> Staff:
    """A function that finds the agent of every contact, and why the contact has to wait, if it has to.

    A contact without an agent (a dialler's attempt) needs nobody to be ready, unless the work of a human shows in it.
    If the agreement lets rows follow later, an agent who is ready when the return is made is enough. ``known_at``: use
    only what was recorded of staff up to then; None means now.
    """
    platforms = platforms_of(inputs)
    directory, key = read_directory(house.conn, known_at), house.keyring.staff_key()
    intervals = read_intervals(house.conn, paper.agreement.minimum_exam_score, known_at)
    now = opened.opened_at.strftime(NOW) if paper.agreement.delivery.release_when_ready_later else None

    def staff(contacts: pl.DataFrame) -> pl.DataFrame:
        agent = _agents(contacts, platforms, directory, key)
        moments = contacts["started_at"]
        reason = ready_at(pl.DataFrame({"agent": agent, "started_at": moments}), intervals)
        if now is not None:
            at_release = pl.DataFrame({"agent": agent}).with_columns(pl.lit(now).alias("started_at"))
            later = ready_at(at_release, intervals)
            reason = reason.zip_with(later.is_not_null(), later)
        return pl.DataFrame({"agent_ref": agent, "reason": _as_held(reason, contacts["is_worked"])})

    return staff


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed about staff. ``agents``: those ready at other times; ``has_accounts``: accounts changed owners."""

    agents: frozenset[str]
    has_accounts: bool

    def __bool__(self) -> bool:
        return self.has_accounts or bool(self.agents)

    def is_about(self, agents: Iterable[str | None]) -> bool:
        """Whether it may concern one of these agents. Accounts that changed owners may concern any named agent."""
        named = {agent for agent in agents if agent}
        return bool(named) and (self.has_accounts or not self.agents.isdisjoint(named))


class StaffNews:
    """What is known about staff now but was not earlier. Each moment is read once, however many days ask for it."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self.last = last_import_seq(conn)  # read first: an import that arrives meanwhile is news for the next poll
        self._told = dict[tuple[datetime, Decimal], Changed]()
        self._now = dict[Decimal, tuple[pl.DataFrame, pl.DataFrame]]()

    def name(self, minimum: Decimal) -> str:
        """A name for all news up to now under a minimum score, as the score changes what the same imports mean."""
        return f"staff-{self.last}.minimum-{minimum}"

    def since(self, at: datetime, minimum: Decimal) -> Changed:
        """What changed since a moment, under a minimum score."""
        if minimum not in self._now:
            self._now[minimum] = self._known(minimum, None)
        if (at, minimum) not in self._told:
            (times, accounts), (old_times, old_accounts) = self._now[minimum], self._known(minimum, at)
            self._told[at, minimum] = Changed(_other_agents(times, old_times), not accounts.equals(old_accounts))
        return self._told[at, minimum]

    def _known(self, minimum: Decimal, at: datetime | None) -> tuple[pl.DataFrame, pl.DataFrame]:
        accounts = read_directory(self._conn, at).accounts
        return read_intervals(self._conn, minimum, at), accounts.sort(accounts.columns)


def _other_agents(times: pl.DataFrame, before: pl.DataFrame) -> frozenset[str]:
    """Agents with a span of readiness that only one of the two frames has."""
    columns = times.columns
    here = times.join(before, on=columns, how="anti", nulls_equal=True)
    there = before.join(times, on=columns, how="anti", nulls_equal=True)
    return frozenset(pl.concat([here, there])["agent_ref"].to_list())


def _as_held(reason: pl.Series, is_worked: pl.Series) -> pl.Series:
    return pl.select(
        pl.when(reason == Reason.AGENT_UNKNOWN.value)
        .then(pl.lit(Held.AGENT_UNKNOWN.value))
        .when(is_worked | (reason != Reason.NO_AGENT.value))
        .then(pl.lit(STAFF) + reason)
    ).to_series()


def platforms_of(inputs: Iterable[tuple[Input, Said]]) -> dict[str, str | None]:
    """The platform of each results exchange, whose accounts its rows name: that of the mapping it was read with."""
    return {
        each.exchange_id: said.contract.result_mapping if said.contract else None
        for each, said in inputs
        if each.kind is InputKind.RESULTS
    }


def agents_of_results(house: House, inputs: Iterable[Input]) -> set[str]:
    """References of all agents who handled a contact in the results among these inputs."""
    results = oldest_first(house, (each for each in inputs if each.kind is InputKind.RESULTS))
    platforms, directory, key = platforms_of(results), read_directory(house.conn), house.keyring.staff_key()
    found = set[str]()
    for each, _ in results:
        content = io.BytesIO(house.objects.read(each.bucket, each.key, each.version_id))
        rows = pl.read_parquet(content, columns=["agent", "started_at", EXCHANGE])
        found.update(_agents(rows, platforms, directory, key).drop_nulls())
    return found


def _agents(contacts: pl.DataFrame, platforms: Mapping[str, str | None], directory: Directory, key: bytes) -> pl.Series:
    """References of the agents whose accounts the contacts name; null for a contact without one."""
    platform = pl.col(EXCHANGE).replace_strict(platforms, default=None, return_dtype=pl.String)
    asked = contacts.select(platform.alias("platform"), pl.col("agent").alias("account"), "started_at")
    return agents_of(asked, directory, key)
