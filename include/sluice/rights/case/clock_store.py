"""Find the clocks that run, in SQL: the nearest last day first, one page at a time however many cases there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sluice.db import Connection
from sluice.rights.case.model import CaseId, LetterKind, Right
from sluice.rights.case.states import ANSWERED, OVER

LAST_DAY = """coalesce((
            select min(case when p.extended_at is not null and exists (
                    select from case_letter l
                    where l.case_id = p.case_id and p.sub_case_id = any(l.sub_cases) and l.kind = %(extension)s
                      and l.language = c.language and (l.written_at at time zone 'Europe/Brussels')::date < c.legal_due)
                then c.extended_due else c.legal_due end)
            from sub_case p where p.case_id = c.case_id and not p.state = any(%(answered)s)
        ), c.legal_due)"""
"""SQL of the last day of a case ``c`` whose clock runs; must agree with ``Case.last_day``."""
RUNS = """(c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')
      and (exists (select from sub_case p where p.case_id = c.case_id and not p.state = any(%(answered)s))
           or not exists (select from sub_case p where p.case_id = c.case_id)))"""
"""SQL of whether the clock of a case ``c`` runs: it is open, and ``due.is_answered`` would be False."""
_RUNNING = f"""
    select c.case_id, c."right", c.received, c.opened_at, {LAST_DAY} as last_day
    from subject_case c where {RUNS}"""
WORDS: Mapping[str, object] = {
    "extension": LetterKind.EXTENSION.value,
    "answered": sorted(state.value for state in ANSWERED | OVER),
}


@dataclass(frozen=True, slots=True)
class Running:
    """An open case without answer, and its last day on the strict clock (Art. 12(3)). All dates are Brussels dates."""

    case_id: CaseId
    right: Right
    received: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Clocks:
    """The running clocks with the nearest last days, and the counts of all running clocks by last day."""

    nearest: tuple[Running, ...]
    counts: tuple[int, ...]
    """How many end before the first of the days given, before each following one, and on the last one or later."""


def find_clocks(conn: Connection, limit: int, last_days: Sequence[date]) -> Clocks:
    """Find the ``limit`` nearest clocks and count all of them, in one query. ``last_days``: in ascending order."""
    rows = conn.execute(
        f"""with running as materialized ({_RUNNING})
            select null as case_id, null as "right", null as received, null as last_day,
                width_bucket(last_day, %(days)s::date[]) as bucket, count(*) as n from running group by bucket
            union all
            (select case_id::text, "right", received, last_day, null, null from running
             order by last_day, opened_at, case_id limit %(limit)s)""".encode(),
        {**WORDS, "days": list(last_days), "limit": limit},
    ).fetchall()
    counted = {row["bucket"]: row["n"] for row in rows if row["case_id"] is None}
    nearest = [
        Running(CaseId(row["case_id"]), Right(row["right"]), row["received"], row["last_day"])
        for row in rows
        if row["case_id"] is not None
    ]
    return Clocks(tuple(nearest), tuple(counted.get(place, 0) for place in range(len(last_days) + 1)))
