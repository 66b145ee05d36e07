"""A register of a date: papers and exchanges as they were known then, put together. Nothing is written."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from sluice.agreement.annexes import own_party
from sluice.agreement.model import DataContract
from sluice.agreement.store import find_contract_by_hash, list_agreements, list_contracts
from sluice.db import Connection, transaction
from sluice.registers.model import Article, Center, Papers, Register
from sluice.registers.rules import ContractOf, findings_of, rows_of
from sluice.registers.store import count_open, find_sightings
from sluice.registers.tables import empty_cells
from sluice.rights.facts import register_years
from sluice.settings import Settings

BRUSSELS = ZoneInfo("Europe/Brussels")
_DAY = timedelta(days=1)


def make_register(conn: Connection, settings: Settings, article: Article, at: date, known_at: datetime) -> Register:
    """The register of a Brussels date as everything was known at an instant."""
    with transaction(conn):
        conn.execute("set transaction isolation level repeatable read, read only")
        papers = Papers(list_agreements(conn, known_at), list_contracts(conn, known_at))
        seen = find_sightings(conn, at, known_at)
        still_open = count_open(conn, at, known_at)
        rows = rows_of(article, papers, seen, contract_reader(conn), at, register_years(at))
    center = center_of(settings, papers)
    register = Register(
        article=article,
        at=at,
        known_at=known_at,
        center=center,
        rows=rows,
        findings=findings_of(rows, papers, center),
        exchanges=sum(each.count for each in seen),
        open=still_open,
    )
    return replace(register, findings=(*register.findings, *empty_cells(register)))


def contract_reader(conn: Connection) -> ContractOf:
    """Contracts by the hash that records name, each read once."""

    @cache
    def contract_of(sha256: str | None) -> DataContract | None:
        return find_contract_by_hash(conn, sha256) if sha256 else None

    return contract_of


def known_then(at: date, now: datetime) -> datetime:
    """The last instant of a Brussels date, or now if that is yet to come: what was known then."""
    end = datetime.combine(at + _DAY, time(), BRUSSELS).astimezone(UTC) - timedelta(microseconds=1)
    return min(end, now)


def center_of(settings: Settings, papers: Papers) -> Center:
    """We ourselves, as the youngest agreement known names us; else as the settings do."""
    party = own_party(papers.agreements, settings.center, settings.center_name)
    return Center(settings.center, settings.center_country, party)
