"""Staff in PostgreSQL: all SQL of this room. Rows are added, never changed.

``known_at``: use only what was recorded up to that moment, inclusive; None means now.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sluice.db import Connection
from sluice.errors import Ref
from sluice.locks import About, lock_until_commit
from sluice.staff.facts import exam_valid_until
from sluice.staff.model import Account, CodeCalendarUnclear, CodeVersion, Credential, Held, Kind, Person, StaffRow
from sluice.staff.rules import is_clear, readiness, timeline_of
from sluice.staff.standing import Standing, standing_of

if TYPE_CHECKING:
    import polars as pl

    from sluice.staff.contacts import Directory

CHAIN = "center.staff"
"""The ledger chain of staff imports."""

_KNOWN = "recorded_at <= coalesce(%(known_at)s, 'infinity'::timestamptz)"
_CREDENTIALS = f"""
    select agent_ref, kind, happened_at, version, whole, score, bool_or(withdrawn) as withdrawn
    from sluice.staff_credential where {_KNOWN}
    group by agent_ref, kind, happened_at, version, whole, score
    order by agent_ref, happened_at, kind, version, whole, score
"""
_CODES = f"""
    select version, current_from, grace_until, bool_or(withdrawn) as withdrawn
    from sluice.staff_code_version where {_KNOWN}
    group by version, current_from, grace_until order by current_from, version
"""
_ACCOUNTS = f"""
    select platform, account_ref, agent_ref, valid_from, bool_or(withdrawn) as withdrawn
    from sluice.staff_account where {_KNOWN}
    group by platform, account_ref, agent_ref, valid_from
    order by platform, account_ref, valid_from nulls first
"""
_INSERT_IMPORT = """
    insert into sluice.staff_import
        (file_sha256, source, size_bytes, rows_in, rows_accepted, rows_refused, recorded_at)
    values (%(sha256)s, %(source)s, %(size)s, %(rows_in)s, %(accepted)s, %(refused)s, %(at)s)
    returning import_id
"""
_INSERT_CREDENTIAL = """
    insert into sluice.staff_credential
        (import_id, row_number, agent_ref, kind, happened_at, version, whole, score, withdrawn, recorded_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_INSERT_CODE = """
    insert into sluice.staff_code_version
        (import_id, row_number, version, current_from, grace_until, withdrawn, recorded_at)
    values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""
_INSERT_ACCOUNT = """
    insert into sluice.staff_account
        (import_id, row_number, platform, account_ref, agent_ref, valid_from, withdrawn, recorded_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class _Statement:
    """One recorded statement, and whether it was withdrawn."""

    row: StaffRow
    withdrawn: bool


def read_intervals(conn: Connection, minimum: Decimal, known_at: datetime | None = None) -> "pl.DataFrame":
    """The timeline of every known agent, divided where the answer changes: ``agent_ref, start, end, reason``.

    reason: null when ready, else the code of the first reason. start and end (exclusive): microseconds in
    UTC, null when open. An agent who is known only by an account has one span. Raises CodeCalendarUnclear.
    """
    import polars as pl

    codes = read_codes(conn, known_at)
    rows = [
        (agent, span.start, span.end, str(span.reasons[0]) if span.reasons else None)
        for agent, events in _read_agents(conn, known_at).items()
        for span in timeline_of(events, codes, minimum)
    ]
    moment = pl.Datetime("us", "UTC")
    schema = pl.Schema({"agent_ref": pl.String(), "start": moment, "end": moment, "reason": pl.String()})
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_directory(conn: Connection, known_at: datetime | None = None) -> "Directory":
    """The directory of accounts, by which the agents of contacts are found."""
    from sluice.staff.contacts import make_directory

    return make_directory(_live_accounts(conn, known_at))


def read_people(
    conn: Connection, at: datetime, minimum: Decimal, known_at: datetime | None = None
) -> tuple[Person, ...]:
    """The readiness of every known agent at a moment, sorted by reference. Raises CodeCalendarUnclear."""
    codes = read_codes(conn, known_at)
    agents = _read_agents(conn, known_at)
    return tuple(Person(ref, readiness(events, codes, at, minimum)) for ref, events in sorted(agents.items()))


def read_standings(conn: Connection, at: datetime, minimum: Decimal, known_at: datetime) -> tuple[Standing, ...]:
    """The standing of every known agent at a moment, sorted by reference. Raises CodeCalendarUnclear."""
    codes = read_codes(conn, known_at)
    agents = _read_agents(conn, known_at)
    return tuple(standing_of(ref, events, codes, at, minimum) for ref, events in sorted(agents.items()))


def read_codes(conn: Connection, known_at: datetime | None = None) -> tuple[CodeVersion, ...]:
    """The calendar of the code of conduct. Raises CodeCalendarUnclear."""
    codes = tuple(each.row.code for each in _codes(conn, known_at) if each.row.code and not each.withdrawn)
    if not is_clear(codes):
        raise CodeCalendarUnclear(Ref("versions", len(codes)))
    return codes


def read_held(conn: Connection) -> Held:
    """All statements made so far, and those that were withdrawn."""
    found = [*_credentials(conn, None), *_codes(conn, None), *_accounts(conn, None)]
    return Held(
        frozenset(each.row.identity for each in found),
        frozenset(each.row.identity for each in found if each.withdrawn),
    )


def last_import_seq(conn: Connection) -> int:
    """Number of the last entry on the staff chain, 0 before the first. It identifies the state behind a readiness."""
    row = conn.execute("select head_seq from ledger.chain where name = %s", [CHAIN]).fetchone()
    return int(row["head_seq"]) if row else 0


def has_late(conn: Connection, after: datetime, about: datetime) -> bool:
    """Whether anything was recorded after a moment that is about a moment before ``about``.

    Nothing else can change whether somebody was ready by then: later events never change an earlier answer.
    """
    row = conn.execute(
        """select exists (select from sluice.staff_credential where recorded_at > %(after)s and happened_at < %(about)s)
            or exists (select from sluice.staff_code_version where recorded_at > %(after)s and current_from < %(about)s)
            or exists (select from sluice.staff_account where recorded_at > %(after)s
                and coalesce(valid_from, '-infinity') < %(about)s) as has""",
        {"after": after, "about": about},
    ).fetchone()
    return bool(row and row["has"])


def lock_imports(conn: Connection) -> None:
    """Lock out other imports until the transaction ends, because each must see what the one before recorded."""
    lock_until_commit(conn, About.STAFF, "")


def is_imported(conn: Connection, sha256: str) -> bool:
    """Whether a file with this content was recorded before."""
    return conn.execute("select 1 from sluice.staff_import where file_sha256 = %s", [sha256]).fetchone() is not None


def insert_import(
    conn: Connection, *, sha256: str, source: str, size: int, rows_in: int, accepted: int, at: datetime
) -> int:
    """Record that a file was read; return the number of the import."""
    values = {"sha256": sha256, "source": source, "size": size, "at": at}
    counts = {"rows_in": rows_in, "accepted": accepted, "refused": rows_in - accepted}
    row = conn.execute(_INSERT_IMPORT, {**values, **counts}).fetchone()
    assert row is not None
    return int(row["import_id"])


def insert_rows(conn: Connection, import_id: int, rows: Iterable[StaffRow], at: datetime) -> int:
    """Add statements; return how many were not there yet."""
    values: Mapping[str, list[tuple[object, ...]]] = defaultdict(list)
    for row in rows:
        statement, cells = _cells(row)
        values[statement].append((import_id, row.number, *cells, row.withdrawn, at))
    new = 0
    with conn.cursor() as cursor:
        for statement, parameters in values.items():
            cursor.executemany(statement, parameters)
            new += cursor.rowcount
    return new


def _cells(row: StaffRow) -> tuple[str, tuple[object, ...]]:
    if row.account:
        said = row.account
        return _INSERT_ACCOUNT, (said.platform, said.account_ref, said.agent_ref, said.valid_from)
    if row.code:
        return _INSERT_CODE, (row.code.version, row.code.current_from, row.code.grace_until)
    did = row.credential
    assert did is not None
    return _INSERT_CREDENTIAL, (row.agent_ref, did.kind, did.happened_at, did.version, did.whole, did.score)


def _read_agents(conn: Connection, known_at: datetime | None) -> dict[str, list[Credential]]:
    """The events, except withdrawn ones, of every agent known from a credential or an account."""
    agents: dict[str, list[Credential]] = {account.agent_ref: [] for account in _live_accounts(conn, known_at)}
    for each in _credentials(conn, known_at):
        if each.row.agent_ref and each.row.credential and not each.withdrawn:
            agents.setdefault(each.row.agent_ref, []).append(each.row.credential)
    return agents


def _live_accounts(conn: Connection, known_at: datetime | None) -> list[Account]:
    return [each.row.account for each in _accounts(conn, known_at) if each.row.account and not each.withdrawn]


def _credentials(conn: Connection, known_at: datetime | None) -> Iterator[_Statement]:
    for row in conn.execute(_CREDENTIALS, {"known_at": known_at}):
        kind, at = Kind(row["kind"]), row["happened_at"]
        until = exam_valid_until(at) if kind is Kind.EXAM else None
        did = Credential(kind, at, row["version"], row["whole"], row["score"], until)
        yield _Statement(StaffRow(0, False, agent_ref=row["agent_ref"], credential=did), row["withdrawn"])


def _codes(conn: Connection, known_at: datetime | None) -> Iterator[_Statement]:
    for row in conn.execute(_CODES, {"known_at": known_at}):
        code = CodeVersion(row["version"], row["current_from"], row["grace_until"])
        yield _Statement(StaffRow(0, False, code=code), row["withdrawn"])


def _accounts(conn: Connection, known_at: datetime | None) -> Iterator[_Statement]:
    for row in conn.execute(_ACCOUNTS, {"known_at": known_at}):
        account = Account(row["platform"], row["account_ref"], row["agent_ref"], row["valid_from"])
        yield _Statement(StaffRow(0, False, account=account), row["withdrawn"])
