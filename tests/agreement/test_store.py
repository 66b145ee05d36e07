"""Registered papers on the real PostgreSQL: two clocks, every reason, and nothing that can be undone."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, OLD_AGREEMENT, PRINCIPALS, write_folder
from sluice.agreement.folder.load import find_on_file
from sluice.agreement.in_force.activate import activate_all, activate_principal
from sluice.agreement.in_force.ended import read_ends
from sluice.agreement.in_force.store import activate, find_agreement, find_contracts, in_force
from sluice.agreement.papers import Paper, PaperMissing, PaperReason, Registration
from sluice.db import Connection, connect_to
from sluice.errors import DatabaseError
from sluice.terms import Direction, Flow, Principal, Sha256
from support.effort import effort
from support.stores import Database, Databases

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TODAY = date(2026, 11, 25)
FLOW = Flow("renewal_campaign")


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Database]:
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture
def conn(shared: Database) -> Iterator[Connection]:
    """All that a test does is undone after it."""
    with connect_to(shared.app_url) as connection, connection.transaction(force_rollback=True):
        yield connection


def ask(
    conn: Connection, on: date = TODAY, known_at: datetime = NOW, principal: str = "energy01", flow: str = FLOW
) -> Paper | PaperMissing:
    return in_force(conn, Principal(principal), Direction.INBOUND, Flow(flow), on, known_at)


def reason(answer: Paper | PaperMissing) -> PaperReason | None:
    return answer.reason if isinstance(answer, PaperMissing) else None


def test_the_principals_are_put_in_force_once_and_each_missing_paper_has_its_reason(conn, tmp_path):
    first = activate_all(conn, PRINCIPALS, NOW)
    again = activate_all(conn, PRINCIPALS, NOW + timedelta(hours=1))
    assert [each.principal for each in first if each.is_refused] == []
    assert sum(len(each.activated) for each in first) == 15
    assert [each.activated for each in again] == [()] * len(again)
    paper = ask(conn)
    assert isinstance(paper, Paper)
    assert (paper.agreement.version, paper.contract.version) == ("3.0.0", "1.0.0")
    assert paper.contract.sha256 == hashlib.sha256(CONTRACT.encode()).hexdigest()
    assert paper.agreement.path == "energy01/agreement-3.0.0.yaml"
    assert reason(ask(conn, principal="nobody")) is PaperReason.NO_AGREEMENT
    assert reason(ask(conn, principal="water01", flow="meter_contacts")) is PaperReason.AGREEMENT_EXPIRED
    assert reason(ask(conn, on=date(2023, 6, 1))) is PaperReason.AGREEMENT_NOT_YET
    assert reason(ask(conn, flow="other")) is PaperReason.NO_CONTRACT
    assert reason(ask(conn, known_at=NOW - timedelta(seconds=1))) is PaperReason.NO_AGREEMENT
    expired = ask(conn, principal="water01", flow="meter_contacts")
    assert expired.agreement is not None and expired.agreement.agreement_id == "DPA-WATER01"


def test_a_version_with_a_last_day_ends_the_agreement(conn: Connection, tmp_path: Path) -> None:
    """The version before it has no last day, and came back on the day after: the agreement never ended."""
    folder = write_folder(tmp_path)
    activate_principal(conn, folder, NOW)
    before = read_ends(conn, Principal("energy01"), TODAY + timedelta(days=2), NOW)
    text = AGREEMENT.replace("version: 3.0.0", "version: 3.1.0").replace("supersedes: 2.4.0", "supersedes: 3.0.0")
    text = text.replace("validFrom: 2026-01-01\nvalidTo: null", f"validFrom: {TODAY}\nvalidTo: {TODAY}")
    (folder / "agreement-3.1.0.yaml").write_text(text, encoding="utf-8")
    activate_principal(conn, folder, later := NOW + timedelta(minutes=1))
    after = TODAY + timedelta(days=1)
    assert (before.last, find_agreement(conn, "DPA-ENERGY01", after, NOW) is None) == (None, False), "the control"
    ended = read_ends(conn, Principal("energy01"), after, later)
    assert (ended.last and ended.last.version, find_agreement(conn, "DPA-ENERGY01", after, later)) == ("3.1.0", None)
    assert reason(ask(conn, on=after, known_at=later)) is PaperReason.AGREEMENT_EXPIRED
    assert find_on_file(tmp_path, "DPA-ENERGY01", after) is None


def test_a_retired_contract_and_a_gap_say_so(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace("value: consent}", "value: OPEN}"))
    gap = activate_principal(conn, folder, NOW)
    assert gap.has_errors and not gap.is_refused
    assert "energy01.inbound.renewal_campaign 1.0.0 (gap)" in gap.activated
    assert reason(ask(conn)) is PaperReason.CONTRACT_GAP
    (folder / CONTRACT_NAME).write_text(CONTRACT.replace("1.0.0\nstatus: active", "1.0.1\nstatus: active"))
    activate_principal(conn, folder, NOW + timedelta(hours=1))
    assert reason(ask(conn, known_at=NOW + timedelta(hours=1))) is None
    (folder / CONTRACT_NAME).write_text(CONTRACT.replace("1.0.0\nstatus: active", "1.1.0\nstatus: retired"))
    activate_principal(conn, folder, NOW + timedelta(hours=2))
    assert reason(ask(conn, known_at=NOW + timedelta(hours=2))) is PaperReason.CONTRACT_RETIRED
    assert reason(ask(conn)) is PaperReason.CONTRACT_GAP


def test_a_gap_never_takes_the_place_of_a_contract_that_works(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    activate_principal(conn, folder, NOW)
    (folder / CONTRACT_NAME).write_text(CONTRACT.replace("value: consent}", "value: OPEN}"))
    done = activate_principal(conn, folder, NOW + timedelta(hours=1))
    assert done.activated == ()
    assert reason(ask(conn, known_at=NOW + timedelta(hours=1))) is None


def test_a_principal_with_a_problem_stays_as_it_was_and_the_others_go_on(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    other = write_folder(
        tmp_path / "x",
        AGREEMENT.replace("energy01", "energy02").replace("ENERGY01", "ENERGY02"),
        CONTRACT.replace("energy01", "energy02").replace("ENERGY01", "ENERGY02"),
    )
    other.rename(tmp_path / "energy02")
    (folder / CONTRACT_NAME).write_text(CONTRACT.replace("format: csv", "format: pdf"))
    done = {each.principal: each for each in activate_all(conn, tmp_path, NOW)}
    assert done["energy01"].is_refused and done["energy01"].activated == ()
    assert reason(ask(conn)) is PaperReason.NO_AGREEMENT
    assert reason(ask(conn, principal="energy02")) is None


def test_a_signed_version_that_was_edited_and_an_id_of_another_principal_are_refused(conn, tmp_path):
    folder = write_folder(tmp_path)
    activate_principal(conn, folder, NOW)
    (folder / "agreement-3.0.0.yaml").write_text(AGREEMENT.replace("forwardHours: 24", "forwardHours: 48"))
    done = activate_principal(conn, folder, NOW + timedelta(hours=1))
    assert [p.code for p in done.problems if p.code == "AGR-028"] == ["AGR-028"]
    paper = ask(conn, known_at=NOW + timedelta(hours=1))
    assert isinstance(paper, Paper) and paper.agreement.forward_hours == 24
    folder = write_folder(tmp_path / "x", AGREEMENT.replace("energy01", "energy02").replace("3.0.0", "3.0.1"), None)
    folder = folder.rename(tmp_path / "energy02")
    done = activate_principal(conn, folder, NOW)
    assert "AGR-029" in {problem.code for problem in done.problems}
    assert reason(ask(conn, principal="energy02")) is PaperReason.NO_AGREEMENT


def test_a_contract_of_a_superseded_version_stops_when_the_new_one_starts(conn: Connection, tmp_path: Path) -> None:
    """The contract must be issued anew under the new version; the old answer stays askable."""
    contract = CONTRACT.replace("agreementVersion, value: 3.0.0", "agreementVersion, value: 2.4.0")
    folder = write_folder(tmp_path, OLD_AGREEMENT.replace("2025-12-31", "null"), contract)
    (folder / "agreement-3.0.0.yaml").rename(folder / "agreement-2.4.0.yaml")
    activate_principal(conn, folder, NOW)
    assert reason(ask(conn)) is None
    (folder / "agreement-3.0.0.yaml").write_text(AGREEMENT)
    later = NOW + timedelta(hours=1)
    activate_principal(conn, folder, later)
    assert reason(ask(conn, known_at=later)) is PaperReason.AGREEMENT_EXPIRED
    assert reason(ask(conn)) is None


def test_order_and_repetition_of_agreements_do_not_matter(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    activate_principal(conn, folder, NOW)
    (folder / "agreement-2.4.0.yaml").write_text(OLD_AGREEMENT.replace("2025-12-31", "null"))
    later = NOW + timedelta(hours=1)
    activate_principal(conn, folder, later)
    assert [
        agreement.version if (agreement := find_agreement(conn, "DPA-ENERGY01", day, later)) else None
        for day in (date(2023, 12, 31), date(2024, 1, 1), date(2025, 12, 31), date(2026, 1, 1))
    ] == [None, "2.4.0", "2.4.0", "3.0.0"]


def test_the_contracts_of_an_agreement_are_found_as_known(conn: Connection) -> None:
    activate_all(conn, PRINCIPALS, NOW)
    agreement = find_agreement(conn, "DPA-ENERGY01", TODAY, NOW)
    assert agreement is not None
    assert FLOW in [contract.flow for contract in find_contracts(conn, agreement, TODAY, NOW)]
    assert find_contracts(conn, agreement, TODAY - timedelta(days=1), NOW) == ()


BODY = CONTRACT.encode()
MOMENTS = st.integers(0, 6)


def registration(number: int, first: int) -> Registration:
    body = BODY + f"# {number}\n".encode()
    return Registration(
        "contract", "energy01.inbound.renewal_campaign", f"1.0.{number}", Principal("energy01"), "active",
        date(2026, 1, 1) + timedelta(first), None, "energy01/c.odcs.yaml", body,
        Sha256(hashlib.sha256(body).hexdigest()), "DPA-ENERGY01", "3.0.0",
    )  # fmt: skip


@settings(max_examples=effort(6, 15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(laid=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=5))
def test_what_was_in_force_at_t_as_known_at_k(conn: Connection, tmp_path: Path, laid: list[tuple[int, int]]) -> None:
    """Contracts 0 to 3, each valid from some day on, activated hour by hour, against a list of events."""
    with conn.transaction(force_rollback=True):
        activate_principal(conn, PRINCIPALS / "energy01", datetime(2020, 1, 1, tzinfo=UTC))
        events: list[tuple[datetime, date, str]] = [(datetime(2020, 1, 1, tzinfo=UTC), date(2020, 1, 1), "1.0.0")]
        for hour, (number, first) in enumerate(laid):
            document = replace(registration(number, first), version=f"1.1.{number}")
            at = NOW + timedelta(hours=hour)
            if activate(conn, (document,), at):
                events.append((at, document.valid_from, document.version))
        for hour in range(-1, len(laid)):
            for offset in range(0, 25, 3):
                known_at, on = NOW + timedelta(hours=hour), date(2026, 1, 1) + timedelta(offset)
                wanted = [version for at, first, version in events if at <= known_at and first <= on][-1]
                answer = ask(conn, on, known_at)
                assert isinstance(answer, Paper) and answer.contract.sha256
                assert found_version(conn, on, known_at) == wanted


def found_version(conn: Connection, on: date, known_at: datetime) -> str:
    row = conn.execute(
        """select d.version from sluice.activation a join sluice.document d using (sha256)
           where a.kind = 'contract' and a.document_id = 'energy01.inbound.renewal_campaign'
             and a.valid_from <= %(on)s and (a.valid_to is null or %(on)s <= a.valid_to)
             and a.known_from <= %(at)s and (a.known_to is null or %(at)s < a.known_to)""",
        {"on": on, "at": known_at},
    ).fetchall()
    assert len(row) == 1
    return str(row[0]["version"])


REWRITING = (
    "update sluice.document set version = 'x'",
    "delete from sluice.document",
    "delete from sluice.activation",
    "truncate sluice.activation",
    "update sluice.activation set valid_to = current_date",
    "update sluice.activation set known_to = null where known_to is not null",
    "update sluice.activation set known_to = now() + interval '1 day' where known_to is not null",
    "insert into sluice.document select repeat('0', 64), kind, document_id, 'x', principal, path, body,"
    " agreement_id, agreement_version, now() from sluice.document limit 1",
    "alter table sluice.activation disable trigger all",
)


def test_the_application_cannot_rewrite_what_was_registered(conn, tmp_path):
    folder = write_folder(tmp_path)
    activate_principal(conn, folder, NOW)
    (folder / CONTRACT_NAME).write_text(CONTRACT.replace("version: 1.0.0", "version: 1.0.1"))
    activate_principal(conn, folder, NOW + timedelta(hours=1))
    for statement in REWRITING:
        with pytest.raises(psycopg.Error), conn.transaction():
            conn.execute(statement)


def test_the_owner_could_which_shows_that_the_rights_do_it(database: Database, tmp_path: Path) -> None:
    with connect_to(database.app_url) as conn:
        activate_principal(conn, write_folder(tmp_path), NOW)
    with connect_to(database.admin_url) as admin:
        changed = admin.execute("delete from sluice.activation").rowcount
    assert changed == 2


def test_a_body_that_is_not_its_hash_is_refused(conn: Connection) -> None:
    wrong = replace(registration(1, 0), body=b"something else")
    with pytest.raises(DatabaseError):
        activate(conn, (wrong,), NOW)


def test_activating_again_checks_nothing_anew_and_a_gap_is_shown_again(conn: Connection, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, contract=CONTRACT.replace("value: consent}", "value: OPEN}"))
    first = activate_principal(conn, folder, NOW)
    again = activate_principal(conn, folder, NOW + timedelta(hours=1))
    assert first.has_errors and again.has_errors and again.activated == ()
    checked: list[Path] = []
    check = partial(_noted, checked)
    activate_all(conn, PRINCIPALS, NOW + timedelta(hours=2), check)
    once = len(checked)
    settled = activate_all(conn, PRINCIPALS, NOW + timedelta(hours=3), check)
    assert sum(len(each.unchanged) for each in settled) == 15
    assert (once, len(checked)) == (len(settled), once)


def _noted(checked: list[Path], folder: Path) -> tuple[()]:
    checked.append(folder)
    return ()
