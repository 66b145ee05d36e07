"""Whether a return holds rows of an agent who, by what is known now, was not ready: an exam was withdrawn since.

The rule of the center (GDPR Art. 28(3)(b), 29, 32(4)) is about the moment of the contact, so nothing that is said of a
later moment counts here.
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from sluice.agreement.papers import Paper
from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.lake_columns import EXCHANGE, ROW
from sluice.ledger.record import is_given_back
from sluice.returns import store
from sluice.returns.compose import results_of_day
from sluice.returns.held import find_held
from sluice.returns.make import day_bounds
from sluice.returns.model import Input, InputKind
from sluice.returns.paper import UTC_TEXT, rules_of
from sluice.returns.righting import Said, oldest_first
from sluice.returns.staffing import staff_of
from sluice.staff.contacts import ready_at
from sluice.staff.store import has_late, read_directory, read_intervals
from sluice.terms import Direction
from sluice.times import midnight


def holds_unready(house: House, opened: Opened) -> bool:
    """Whether an agent of a row that went was taken for ready when this return was made, and was not.

    If results that it was made of are gone, nobody can tell whose rows went: then any such agent of its day counts.
    """
    if opened.direction is not Direction.OUTBOUND_RETURN or is_given_back(opened.direction, opened.version_id):
        return False
    paper = paper_under(house.conn, opened)
    if not isinstance(paper, Paper):
        raise NotFound(Ref("paper of exchange", opened.exchange_id))
    if not has_late(house.conn, opened.opened_at, opened.opened_at) or not _has_lost(house.conn, opened, paper):
        return False
    if store.count_gone(house.conn, opened.exchange_id, InputKind.RESULTS):
        return True
    return _went(house, opened, paper, oldest_first(house, store.find_inputs(house.conn, opened.exchange_id)))


def _has_lost(conn: Connection, opened: Opened, paper: Paper) -> bool:
    """Whether somebody was taken for ready at a moment of the return's day and is not now, or an account changed.

    The moment at which the return was opened counts too: rows that waited for their agent may have gone by that.
    """
    minimum, at = paper.agreement.minimum_exam_score, opened.opened_at
    times, then = read_intervals(conn, minimum), read_intervals(conn, minimum, at)
    accounts, before = read_directory(conn).accounts, read_directory(conn, at).accounts
    known = accounts.join(before.select("ref").unique(), on="ref", how="semi")
    if not known.sort(known.columns).equals(before.sort(before.columns)):
        return True
    asked = _moments(pl.concat([times, then]), opened)
    return bool((ready_at(asked, then).is_null() & ready_at(asked, times).is_not_null()).any())


def _moments(times: pl.DataFrame, opened: Opened) -> pl.DataFrame:
    """Every agent at every moment at which the answer may change on the return's day, in columns of contacts."""
    assert opened.day is not None  # the table's own constraint
    since, until = (midnight(opened.day + timedelta(days=days)).astimezone(UTC) for days in (0, 1))
    within = times.filter(pl.col("start") >= since, pl.col("start") < until)["start"].to_list()
    moments = [each.astimezone(UTC).strftime(UTC_TEXT) for each in {since, opened.opened_at, *within}]
    texts = pl.DataFrame({"started_at": moments}, schema={"started_at": pl.String})
    return times.select(pl.col("agent_ref").alias("agent")).unique().join(texts, how="cross")


def _went(house: House, opened: Opened, paper: Paper, inputs: Sequence[tuple[Input, Said]]) -> bool:
    """Whether rows of such an agent are in the return: those of its results that nothing else held back."""
    results = [each for each, _ in inputs if each.kind is InputKind.RESULTS]
    if not results:
        return False
    read = [pl.scan_parquet(io.BytesIO(house.objects.read(each.bucket, each.key, each.version_id))) for each in results]
    found = results_of_day(read, rules_of(opened, paper, inputs), *day_bounds(opened))
    rows = found.select("agent", "started_at", EXCHANGE, ROW, pl.lit(False).alias("is_worked"))
    held = [(row.results_exchange, str(row.row)) for row in find_held(house, opened.exchange_id) or ()]
    stayed = pl.DataFrame(held, schema={EXCHANGE: pl.String, ROW: pl.String}, orient="row")
    rows = rows.with_columns(pl.col(ROW).cast(pl.String)).join(stayed, on=[EXCHANGE, ROW], how="anti")

    def reasons(known_at: datetime | None) -> pl.Series:
        return staff_of(house, opened, paper, inputs, known_at)(rows)["reason"]

    return bool((reasons(opened.opened_at).is_null() & reasons(None).is_not_null()).any())
