"""What a breach slice reads from the database, besides ledger and catalogue. Nothing is written."""

from collections.abc import Sequence
from datetime import date, datetime

from sluice.db import Connection
from sluice.exchange.keep import DUPLICATE
from sluice.ledger.copy_kinds import HELD_ROWS, REFUSED_RECORDS, REFUSED_ROWS
from sluice.ledger.record import DIAL
from sluice.terms import ACCEPTED_DECISIONS, Decision

SEALED = (REFUSED_ROWS, HELD_ROWS, REFUSED_RECORDS)
"""Kinds of copies with rows that were held or refused although their file was accepted."""


def find_results(conn: Connection, first: date, last: date, until: datetime) -> dict[str, bool]:
    """Agents' results that may have contacts on these Brussels days, both inclusive.

    The value is False if only sealed rows may have some. Besides exchanges with accepted contacts on those days, these
    are files that came from the first day until ``until`` and that are open, refused, undecided or have sealed rows. A
    file refused because it had come before is left out.
    """
    rows = conn.execute(
        """with found as (
               select exchange_id, true as is_of_day from result_day where day between %(first)s and %(last)s
               union all
               select exchange_id, false from exchange e
               where direction = 'internal'
                 and opened_at >= %(first)s::timestamp at time zone 'Europe/Brussels' and opened_at < %(until)s
                 and reason_code is distinct from %(again)s and (
                     decision = any(%(unjudged)s) or exists (
                         select from copy c where c.exchange_id = e.exchange_id and kind = any(%(sealed)s))))
           select e.exchange_id::text as id, bool_or(is_of_day) or decision = any(%(unjudged)s) as is_whole
           from found join exchange e using (exchange_id)
           where direction = 'internal' and split_part(key, '/', 2) <> %(dial)s
           group by e.exchange_id order by opened_at, 1""",
        {
            "first": first,
            "last": last,
            "until": until,
            "dial": DIAL,
            "again": DUPLICATE,
            "sealed": list(SEALED),
            "unjudged": [each for each in Decision if each not in ACCEPTED_DECISIONS],
        },
    ).fetchall()
    return {row["id"]: row["is_whole"] for row in rows}


def find_principals(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, str]:
    """The principal of each exchange."""
    rows = conn.execute(
        "select exchange_id::text as id, principal from exchange where exchange_id = any(%s::uuid[])",
        (list(exchange_ids),),
    ).fetchall()
    return {row["id"]: row["principal"] for row in rows}


def find_gone(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, dict[str, int | None]]:
    """Removed copies of these exchanges: how many rows they had, by exchange and kind; None if that is not known."""
    rows = conn.execute(
        """select exchange_id::text as id, kind, rows from copy
           where exchange_id = any(%s::uuid[]) and gone_at is not null order by exchange_id, kind""",
        (list(exchange_ids),),
    ).fetchall()
    found: dict[str, dict[str, int | None]] = {}
    for row in rows:
        found.setdefault(row["id"], {})[row["kind"]] = row["rows"]
    return found


def find_erased(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many rows erasures took out of copies that are still there, by exchange and kind."""
    rows = conn.execute(
        """select exchange_id::text as id, kind, sum(rows_before - rows_after)::bigint as rows
           from erasure_outcome join copy using (exchange_id, kind)
           where exchange_id = any(%s::uuid[]) and outcome = 'erased' and gone_at is null
           group by exchange_id, kind having sum(rows_before - rows_after) > 0 order by 1, 2""",
        (list(exchange_ids),),
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["id"], {})[row["kind"]] = row["rows"]
    return found
