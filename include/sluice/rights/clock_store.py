"""Which clocks run, the nearest last day first: the SQL of it, a page at a time however many cases there are."""

from dataclasses import dataclass
from datetime import date

from sluice.db import Connection
from sluice.rights.due import ANSWERED
from sluice.rights.model import CaseId, LetterKind, Right

_RUNNING = """
    select c.case_id, c."right", c.received, c.opened_at, case when exists (
            select from sub_case p join case_letter l on l.case_id = p.case_id and p.sub_case_id = any(l.sub_cases)
            where p.case_id = c.case_id and p.extended_at is not null and l.kind = %(extension)s
              and l.language = c.language and (l.written_at at time zone 'Europe/Brussels')::date < c.legal_due)
        then c.extended_due else c.legal_due end as last_day
    from subject_case c
    where c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')
      and (exists (select from sub_case p where p.case_id = c.case_id and not p.state = any(%(answered)s))
           or not exists (select from sub_case p where p.case_id = c.case_id))"""
"""As ``due.is_answered`` and ``Case.is_extended`` say of one case."""
_WORDS = {
    "extension": LetterKind.EXTENSION.value,
    "answered": sorted({*(state.value for state in ANSWERED), "CLOSED", "WITHDRAWN_BY_SUBJECT"}),
}


@dataclass(frozen=True, slots=True)
class Running:
    """An open case without answer, and its last day on the strict clock (Art. 12(3)). All dates of Brussels."""

    case_id: CaseId
    right: Right
    received: date
    last_day: date


def find_running(conn: Connection, limit: int) -> list[Running]:
    """Clocks that run, the nearest last day first."""
    rows = conn.execute(
        f"""select case_id::text as case_id, "right", received, last_day from ({_RUNNING}) r
            order by last_day, opened_at, case_id limit %(limit)s""".encode(),
        {**_WORDS, "limit": limit},
    ).fetchall()
    return [Running(CaseId(row["case_id"]), Right(row["right"]), row["received"], row["last_day"]) for row in rows]


def count_running(conn: Connection, last_days: tuple[date, ...]) -> tuple[int, ...]:
    """How many clocks end before the first of these days, before each next one, and later."""
    row = conn.execute(
        f"""select array_agg(n order by bucket) as counts from (
                select b.bucket, count(r.place) as n from generate_series(0, cardinality(%(days)s::date[])) b(bucket)
                left join (select width_bucket(last_day, %(days)s::date[]) as place from ({_RUNNING}) c) r
                    on r.place = b.bucket
                group by b.bucket) counted""".encode(),
        {**_WORDS, "days": list(last_days)},
    ).fetchone()
    return tuple(row["counts"]) if row else ()
