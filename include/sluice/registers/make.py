"""Make a register as of a date, from papers and exchanges as they were known then. Nothing is written."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from sluice.agreement.clauses.annexes import own_party
from sluice.agreement.in_force.store import find_contract_by_hash, list_agreements, list_contracts
from sluice.agreement.model import DataContract
from sluice.db import Connection, transaction
from sluice.registers.model import Article, Center, Papers, Register
from sluice.registers.rules import ContractOf, ends_of, findings_of, rows_of, turns_of
from sluice.registers.store import count_open, find_sightings
from sluice.registers.tables import empty_cells
from sluice.rights.case.facts import register_years
from sluice.settings import Settings
from sluice.times import midnight

_DAY = timedelta(days=1)


def make_register(conn: Connection, settings: Settings, article: Article, at: date, known_at: datetime) -> Register:
    """The register of a Brussels date, from what was known at an instant."""
    [register] = make_registers(conn, settings, (article,), at, known_at)
    return register


def make_registers(
    conn: Connection, settings: Settings, articles: Iterable[Article], at: date, known_at: datetime
) -> list[Register]:
    """Several registers of one snapshot: papers and exchanges are read once for all of them."""
    with transaction(conn):
        conn.execute("set transaction isolation level repeatable read, read only")
        papers = Papers(list_agreements(conn, known_at), list_contracts(conn, known_at))
        seen = find_sightings(conn, at, known_at, turns_of(papers), ends_of(papers))
        still_open = count_open(conn, at, known_at)
        contract_of = contract_reader(conn)
        rows = {each: rows_of(each, papers, seen, contract_of, at, register_years(at)) for each in articles}
    center = center_of(settings, papers)
    return [
        _completed(
            Register(
                article=article,
                at=at,
                known_at=known_at,
                center=center,
                rows=own,
                findings=findings_of(own, papers, center),
                open=still_open,
            )
        )
        for article, own in rows.items()
    ]


def _completed(register: Register) -> Register:
    return replace(register, findings=(*register.findings, *empty_cells(register)))


def contract_reader(conn: Connection) -> ContractOf:
    """A function that finds contracts by the hash in a record, and reads each only once."""

    @cache
    def contract_of(sha256: str | None) -> DataContract | None:
        return find_contract_by_hash(conn, sha256) if sha256 else None

    return contract_of


def known_then(at: date, now: datetime) -> datetime:
    """The instant to ask what was known on a Brussels date: its last one, or ``now`` if that is still to come."""
    end = midnight(at + _DAY).astimezone(UTC) - timedelta(microseconds=1)
    return min(end, now)


def center_of(settings: Settings, papers: Papers) -> Center:
    """The center itself, as the youngest known agreement names it; else as the settings do."""
    party = own_party(papers.agreements, settings.center, settings.center_name)
    return Center(settings.center, settings.center_country, party)
