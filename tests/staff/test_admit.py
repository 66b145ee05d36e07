"""Imports on a real PostgreSQL: nothing lost, nothing twice, nothing changed, nobody named."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import psycopg
import pytest

from sluice.db import Connection, connect_to
from sluice.errors import DatabaseError
from sluice.staff.admit import admit
from sluice.staff.contacts import agents_of, ready_at
from sluice.staff.model import CodeCalendarUnclear, Imported, Reason, StaffFile
from sluice.staff.refs import agent_ref
from sluice.staff.store import last_import_seq, read_codes, read_directory, read_intervals, read_people
from support.stores import Database

KEY = bytes(range(32))
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINIMUM = Decimal("90.0")
HEAD = "kind,agent,at,version,whole,score,platform,account,withdrawn\n"
COURSE = "course,A-1,2026-11-01T10:00Z,gdpr,yes,,,,\n"
EXAM = "exam,A-1,2026-11-02T10:00Z,gdpr,yes,90,,,\n"
SIGNED = "signature,A-1,2026-11-03T10:00Z,coc-1,,,,,\n"
CODE = "code_version,,2026-01-01T00:00Z,coc-1,,,,,\n"
WHOLE = HEAD + COURSE + EXAM + SIGNED + CODE
TABLES = ("staff_import", "staff_credential", "staff_code_version", "staff_account")


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    with connect_to(database.app_url) as conn:
        yield conn


def put(conn: Connection, text: str, now: datetime = NOW) -> Imported:
    return admit(conn, StaffFile(text.encode(), "file"), key=KEY, controller="center", now=now)


def rows_of(conn: Connection) -> list[int]:
    counts = (conn.execute(f"select count(*) as n from sluice.{table}").fetchone() for table in TABLES)
    return [row["n"] for row in counts if row]


def is_ready(conn: Connection, at: datetime = NOW, known_at: datetime | None = None) -> bool:
    people = read_people(conn, at, MINIMUM, known_at)
    return any(person.readiness.ready for person in people if person.agent_ref == agent_ref(KEY, "A-1"))


def test_an_import_makes_an_agent_ready_from_the_second_of_the_signature(conn: Connection) -> None:
    done = put(conn, WHOLE)
    signed = datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert (done.rows_new, done.is_repeated, done.judged.findings) == (4, False, ())
    assert [is_ready(conn, at) for at in (signed - timedelta(seconds=1), signed)] == [False, True]


def test_the_same_file_again_changes_nothing(conn: Connection) -> None:
    first = put(conn, WHOLE)
    before, seq = rows_of(conn), last_import_seq(conn)
    again = put(conn, WHOLE, NOW + timedelta(days=1))
    assert (again.is_repeated, again.rows_new, again.seq) == (True, 0, first.seq)
    assert (rows_of(conn), last_import_seq(conn)) == (before, seq) == ([1, 3, 1, 0], 1)


def test_the_same_rows_in_another_file_add_no_statement_but_an_entry(conn: Connection) -> None:
    put(conn, WHOLE)
    again = put(conn, HEAD + COURSE + EXAM.replace(",90,", ",90.00,") + SIGNED + CODE)
    assert (again.is_repeated, again.rows_new, len(again.judged.accepted)) == (False, 0, 4)
    assert rows_of(conn) == [2, 3, 1, 0] and last_import_seq(conn) == 2


def test_bad_rows_are_refused_and_counted_and_the_rest_is_recorded(conn: Connection) -> None:
    done = put(conn, WHOLE + "exam,A-2,yesterday,gdpr,yes,90,,,\n" + CODE.replace("2026", "2025"))
    row = conn.execute("select rows_in, rows_accepted, rows_refused from sluice.staff_import").fetchone()
    assert row == {"rows_in": 6, "rows_accepted": 4, "rows_refused": 2}
    assert [(f.code, f.row) for f in done.judged.findings] == [("VALUE_TIME_FORMAT", 5), ("DUPLICATE_VALUE", 6)]
    assert is_ready(conn)


def test_a_repeated_file_says_again_what_was_refused(conn: Connection) -> None:
    text = WHOLE + CODE.replace("2026", "2025")
    first, again = put(conn, text), put(conn, text)
    assert first.judged == again.judged and again.judged.rows_refused == 1


def test_a_row_that_was_refused_counts_once_it_is_right_and_its_file_comes_again(conn: Connection) -> None:
    future = HEAD + COURSE + EXAM + CODE
    early = datetime(2026, 11, 2, 9, 58, tzinfo=UTC)
    first, later = put(conn, future, early), put(conn, future)
    assert [f.code for f in first.judged.findings] == ["VALUE_TIME_FUTURE"]
    assert (later.judged.findings, later.rows_new, later.is_repeated) == ((), 1, False)
    assert rows_of(conn) == [2, 2, 1, 0] and last_import_seq(conn) == 2
    assert put(conn, future).is_repeated, "control: nothing in it is new any more"

    moved = HEAD + CODE.replace("2026-01", "2026-02")
    assert put(conn, moved).judged.rows_refused == 1, "it contradicts"
    put(conn, HEAD + CODE.replace(",,,,,\n", ",,,,,yes\n"))
    assert (put(conn, moved).rows_new, put(conn, moved).is_repeated) == (1, True)


def test_the_ledger_entry_answers_why_and_what_and_names_nobody(conn: Connection) -> None:
    put(conn, WHOLE + "account,A-1,,,,,five9,jan.peeters,\n" + "exam,A-2,yesterday,gdpr,yes,90,,,\n")
    entry = conn.execute(
        "select chain, kind, exchange_id, convert_from(body, 'UTF8') as body from ledger.entry"
    ).fetchone()
    assert entry and (entry["chain"], entry["kind"], entry["exchange_id"]) == ("center.staff", "staff.imported", None)
    body = json.loads(entry["body"])
    assert (body["direction"], body["role_profile"], body["controller"]) == ("staff", "STAFF", "center")
    assert {each["iri"].rsplit("#")[-1] for each in body["purposes"]} == {
        "PersonnelPerformanceEvaluation",
        "LegalCompliance",
    }
    assert (body["rows_in"], body["rows_accepted"], body["rows_refused"], body["rows_new"]) == (6, 5, 1, 5)
    assert body["kinds"] == {"account": 1, "code_version": 1, "course": 1, "exam": 1, "signature": 1}
    assert [(each["code"], each["column"], each["rows"]) for each in body["reasons"]] == [
        ("VALUE_TIME_FORMAT", "at", [6])
    ]
    for secret in ("A-1", "peeters", agent_ref(KEY, "A-1")):
        assert secret not in entry["body"]


def test_no_number_and_no_account_is_in_the_database(conn: Connection) -> None:
    put(conn, WHOLE.replace("A-1", "Agent-Z-77") + "account,Agent-Z-77,,,,,five9,jan.peeters,\n")
    stored = [str(conn.execute(f"select * from sluice.{table}").fetchall()) for table in TABLES]
    assert agent_ref(KEY, "Agent-Z-77") in "".join(stored)
    assert "Agent-Z" not in "".join(stored) and "peeters" not in "".join(stored)


def test_a_file_that_cannot_be_read_is_recorded_as_refused(conn: Connection) -> None:
    done = put(conn, "name,score\nJan,90\n")
    assert (done.judged.rows_in, done.judged.rows_refused, done.seq) == (1, 1, 1)
    assert rows_of(conn) == [1, 0, 0, 0]


def test_a_withdrawal_counts_from_its_recording_and_the_past_stays_known(conn: Connection) -> None:
    put(conn, WHOLE)
    later = NOW + timedelta(days=1)
    put(conn, HEAD + EXAM.replace(",,,\n", ",,,yes\n"), later)
    assert (is_ready(conn), is_ready(conn, known_at=NOW), is_ready(conn, known_at=later)) == (False, True, False)


def test_a_late_course_makes_an_earlier_contact_ready_but_not_as_known_before(conn: Connection) -> None:
    put(conn, HEAD + EXAM + SIGNED + CODE)
    late = NOW + timedelta(days=2)
    put(conn, HEAD + COURSE, late)
    assert (is_ready(conn), is_ready(conn, known_at=NOW)) == (True, False)


def test_a_code_version_can_be_corrected_by_taking_the_wrong_row_back(conn: Connection) -> None:
    put(conn, WHOLE)
    put(conn, HEAD + CODE.replace(",,,,,\n", ",,,,,yes\n") + CODE.replace("2026-01-01", "2026-12-01"))
    assert [code.current_from.month for code in read_codes(conn)] == [12]
    assert not is_ready(conn)


def test_eight_imports_of_one_file_at_once_record_it_once(database: Database) -> None:
    start = threading.Barrier(8)

    def one(_: int) -> bool:
        with connect_to(database.app_url) as conn:
            start.wait()
            return put(conn, WHOLE).is_repeated

    with ThreadPoolExecutor(8) as pool:
        repeated = list(pool.map(one, range(8)))
    with connect_to(database.app_url) as conn:
        assert (sorted(repeated), rows_of(conn)) == ([False] + [True] * 7, [1, 3, 1, 0])
        assert last_import_seq(conn) == 1


def test_a_calendar_that_contradicts_itself_is_not_guessed(conn: Connection) -> None:
    """Only by another road than an import; the control of what imports prevent."""
    put(conn, WHOLE)
    conn.execute(
        """insert into sluice.staff_code_version (import_id, row_number, version, current_from, withdrawn, recorded_at)
           select import_id, 9, 'coc-2', current_from, false, recorded_at from sluice.staff_code_version"""
    )
    with pytest.raises(CodeCalendarUnclear, match="SLU-512"):
        read_intervals(conn, MINIMUM)


def test_the_application_role_cannot_change_or_remove_a_row_and_the_owner_of_the_server_can(
    database: Database, conn: Connection
) -> None:
    put(conn, WHOLE)
    for table in TABLES:
        for change in ("update sluice.{} set recorded_at = now()", "delete from sluice.{}", "truncate sluice.{}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(change.format(table))
    with connect_to(database.admin_url) as admin:
        assert admin.execute("delete from sluice.staff_credential").rowcount == 3, "control: it is the role's"


def test_a_failed_import_leaves_nothing(database: Database, conn: Connection) -> None:
    with connect_to(database.admin_url) as admin:
        admin.execute("revoke execute on function ledger.append(text, text, uuid, bytea) from sluice_app")
    with pytest.raises(DatabaseError, match="42501"):
        put(conn, WHOLE)
    assert rows_of(conn) == [0, 0, 0, 0]


def test_accounts_of_calls_are_agents_and_each_is_ready_or_not_for_its_reason(conn: Connection) -> None:
    told = {
        "A-1": None,
        "A-2": Reason.EXAM_BELOW_MINIMUM,
        "A-3": Reason.NO_SIGNATURE,
        "A-4": Reason.OLD_CODE_VERSION,
    }
    rows = {
        "A-2": COURSE + EXAM.replace(",90,", ",89.99,") + SIGNED,
        "A-3": COURSE + EXAM,
        "A-4": COURSE + EXAM + SIGNED.replace("coc-1", "coc-0"),
    }
    old = CODE.replace("2026", "2025").replace("coc-1", "coc-0")
    accounts = "".join(f"account,{agent},,,,,five9,acc-{agent},\n" for agent in told)
    others = "".join(text.replace("A-1", agent) for agent, text in rows.items())
    assert put(conn, WHOLE + old + others + accounts).judged.findings == ()
    people = {person.agent_ref: person.readiness.ready for person in read_people(conn, NOW, MINIMUM)}
    assert people == {agent_ref(KEY, agent): reason is None for agent, reason in told.items()}
    asked = pl.DataFrame(
        [("five9", f"acc-{agent}", "2026-11-25T12:00:00.000000Z") for agent in told],
        schema=dict.fromkeys(("platform", "account", "started_at"), pl.String), orient="row",
    )  # fmt: skip
    asked = asked.with_columns(agents_of(asked, read_directory(conn), KEY).alias("agent"))
    assert ready_at(asked, read_intervals(conn, MINIMUM)).to_list() == list(told.values())
