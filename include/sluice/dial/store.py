"""The SQL of dial lists and of imported Do-Not-Call-Me lists. No decisions are made here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.dial.model import Channel, Input, NumberList, Request
from sluice.errors import NotFound, Ref
from sluice.exchange import outbox
from sluice.exchange.made_here import MadeHere, insert_made_here
from sluice.exchange.model import Opened
from sluice.exchange.store import COLUMNS, find_ages, opened_of
from sluice.ledger.copy_kinds import HELD_ROWS, REFUSED_ROWS
from sluice.terms import Direction, ExchangeId, Flow, Principal

NAME = "dial-"
"""Prefix to the id of a request, which takes the place of an object version, as no file arrives."""
NUMBERS = "sha256, dated_on, numbers, refused, bucket, key, version_id, imported_at, imported_by"


def find_inputs(conn: Connection, principal: Principal, flow: Flow) -> list[Input]:
    """Accepted files of contacts with a receipt, sorted by the age of their content, oldest first."""
    return _inputs(
        conn,
        """select a.exchange_id::text as exchange_id, a.bucket, a.key, a.version_id, a.sha256, a.rows, a.delete_after,
               a.closed_at, e.purposes, coalesce(s.said ->> 'contract', '') as contract_sha256
           from accepted_data a join exchange e using (exchange_id) left join said s using (said_id)
           where a.principal = %s and a.direction = %s and a.flow = %s""",
        (principal, Direction.INBOUND.value, flow),
    )


def find_sealed(conn: Connection, principal: Principal, flow: Flow) -> list[Input]:
    """Refused and held rows of files of contacts, sealed, sorted as :func:`find_inputs` does."""
    return _inputs(
        conn,
        """select e.exchange_id::text as exchange_id, c.bucket, c.key, c.version_id, c.sha256, c.rows, c.delete_after,
               e.closed_at, e.purposes, coalesce(s.said ->> 'contract', '') as contract_sha256
           from copy c join exchange e using (exchange_id) left join said s using (said_id)
           where e.principal = %s and e.direction = %s and e.flow = %s and c.kind = any(%s) and c.gone_at is null""",
        (principal, Direction.INBOUND.value, flow, [REFUSED_ROWS, HELD_ROWS]),
    )


def _inputs(conn: Connection, query: str, values: Sequence[object]) -> list[Input]:
    rows = conn.execute(query.encode(), values).fetchall()
    ages = find_ages(conn, [row["exchange_id"] for row in rows])
    found = [
        Input(**{**row, "rows": row["rows"] or 0, "purposes": tuple(row["purposes"])}, age=ages[row["exchange_id"]])
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.age.order, each.closed_at, each.exchange_id))


def insert_open(
    conn: Connection, request: Request, bucket: str, key: str, chain: str, opened_at: datetime
) -> Opened | None:
    """Open the exchange of a request; None if it has one. Call inside a transaction."""
    name = name_of(request)
    made = MadeHere(request.principal, Direction.INTERNAL, request.flow, bucket, key, name, chain, opened_at)
    opened = insert_made_here(conn, made)
    if opened is not None:
        conn.execute(
            "insert into dial_list (exchange_id, purpose, channel, format, asked_by) values (%s, %s, %s, %s, %s)",
            (opened.exchange_id, request.purpose, request.channel.value, request.format, request.asked_by),
        )
    return opened


def name_of(request: Request) -> str:
    """The name of a request, which takes the place of an object version."""
    return f"{NAME}{request.request_id}"


def find_opened(conn: Connection, request: Request) -> Opened | None:
    """The exchange of a request, if it has one."""
    row = conn.execute(
        f"""select {COLUMNS} from exchange
            where principal = %s and direction = %s and flow = %s and version_id = %s""".encode(),
        (request.principal, Direction.INTERNAL.value, request.flow, name_of(request)),
    ).fetchone()
    return opened_of(row) if row else None


def find_left(conn: Connection) -> list[Request]:
    """Requests whose list is still open, as a dead worker leaves it; oldest first."""
    rows = conn.execute(
        """select e.principal, e.flow, e.version_id, d.purpose, d.channel, d.format, d.asked_by
           from exchange e join dial_list d using (exchange_id) where e.decision = 'open' order by e.opened_at"""
    ).fetchall()
    return [_request(row) for row in rows]


def find_out(conn: Connection, kinds: Sequence[str]) -> list[tuple[ExchangeId, Request]]:
    """Lists that still have a copy of one of these kinds, oldest first."""
    rows = conn.execute(
        """select e.exchange_id::text as id, e.principal, e.flow, e.version_id, d.purpose, d.channel, d.format,
               d.asked_by
           from exchange e join dial_list d using (exchange_id)
           where exists (select from copy c
                where c.exchange_id = e.exchange_id and c.kind = any(%s) and c.gone_at is null)
           order by e.opened_at""",
        (list(kinds),),
    ).fetchall()
    return [(ExchangeId(row["id"]), _request(row)) for row in rows]


def mark_gone(conn: Connection, exchange_id: ExchangeId, kinds: Sequence[str], now: datetime) -> bool:
    """Mark copies of a list as gone; False if they already were. Call inside a transaction."""
    rows = conn.execute(
        """update copy set gone_at = %s where exchange_id = %s and kind = any(%s) and gone_at is null returning kind""",
        (now, exchange_id, list(kinds)),
    ).fetchall()
    if rows:
        outbox.tell_changed(conn, exchange_id)
    return bool(rows)


def _request(row: dict[str, Any]) -> Request:
    return Request(
        request_id=row["version_id"].removeprefix(NAME),
        principal=Principal(row["principal"]),
        flow=Flow(row["flow"]),
        purpose=row["purpose"],
        channel=Channel(row["channel"]),
        format=row["format"],
        asked_by=row["asked_by"],
    )


def note_list(conn: Connection, exchange_id: ExchangeId, sha256: str) -> None:
    """Store which Do-Not-Call-Me list a dial list was checked against."""
    conn.execute("update dial_list set dncm_sha256 = %s where exchange_id = %s", (sha256, exchange_id))


def insert_numbers(conn: Connection, found: NumberList) -> bool:
    """Store an imported list, or make it the youngest again; False if nothing changes. Call inside a transaction.

    A known list becomes the youngest again by a later date, or if another list of its date was imported since.
    """
    row = conn.execute(
        """insert into dncm_list (sha256, dated_on, numbers, refused, bucket, key, version_id, imported_at, imported_by)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict (sha256) do update set dated_on = excluded.dated_on,
                   imported_at = excluded.imported_at, imported_by = excluded.imported_by
               where excluded.dated_on > dncm_list.dated_on or excluded.dated_on = dncm_list.dated_on and exists (
                   select from dncm_list other
                   where other.dated_on = dncm_list.dated_on and other.imported_at > dncm_list.imported_at)
           returning 1""",
        (
            found.sha256,
            found.dated_on,
            found.numbers,
            found.refused,
            found.bucket,
            found.key,
            found.version_id,
            found.imported_at,
            found.imported_by,
        ),
    ).fetchone()
    return row is not None


def find_numbers(conn: Connection, sha256: str) -> NumberList | None:
    """An imported list by its hash, or None."""
    row = conn.execute(f"select {NUMBERS} from dncm_list where sha256 = %s".encode(), (sha256,)).fetchone()
    return NumberList(**row) if row else None


def get_numbers(conn: Connection, sha256: str) -> NumberList:
    """An imported list by its hash. Raises NotFound."""
    found = find_numbers(conn, sha256)
    if found is None:
        raise NotFound(Ref("Do-Not-Call-Me list", sha256))
    return found


def list_numbers(conn: Connection, limit: int = 50) -> list[NumberList]:
    """Imported lists, by date, the youngest first."""
    rows = conn.execute(
        f"select {NUMBERS} from dncm_list order by dated_on desc, imported_at desc limit %s".encode(),
        (limit,),
    ).fetchall()
    return [NumberList(**row) for row in rows]
