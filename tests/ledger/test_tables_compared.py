"""Whatever somebody changes beside the ledger in a table that repeats it is named, by table, row and column."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from returns.commands import at_terminal
from rights.asking import DESK
from sluice.db import Connection
from sluice.exchange.compared import find_differing
from sluice.ledger.model import Difference, TableDiffers
from sluice.orchestration.operators import VerifyLedger
from sluice.rights.case.compared import find_differing as find_differing_cases
from sluice.rights.case.model import Right
from sluice.rights.opening import NewRequest, open_case
from sluice.sample.faults import FaultPlan
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY, Desk, open_desk

pytestmark = pytest.mark.stores
CLOSED = "where decision = 'partly_accepted'"
ROWS = {"rows_in", "rows_accepted"}
EXCHANGE = [
    ("principal = 'telecom01'", {"principal"}),
    ("direction = 'internal'", {"direction"}),
    ("flow = 'other'", {"flow"}),
    ("bucket = 'other'", {"bucket"}),
    ("version_id = 'other'", {"version_id"}),
    ("chain = 'other'", {"chain"}),
    ("opened_at = opened_at - interval '1 second'", {"opened_at"}),
    ("closed_at = closed_at + interval '1 second'", {"closed_at"}),
    ("decision = 'accepted'", {"decision"}),
    ("decision = 'open', closed_at = null", {"decision", "closed_at"}),
    ("reason_code = 'SHAPE_ROW_COUNT'", {"reason_code"}),
    ("purposes = '{P-OTHER}'", {"purposes"}),
    ("sha256 = repeat('0', 64)", {"sha256"}),
    ("rows_in = rows_in + 1, rows_accepted = rows_accepted + 1", ROWS),
    ("rows_in = rows_in + 1, rows_refused = rows_refused + 1", {"rows_in", "rows_refused"}),
    ("rows_in = rows_in + 1, rows_held = coalesce(rows_held, 0) + 1", {"rows_in", "rows_held"}),
    ("held_codes = '{SUPPRESSED}'", {"held_codes"}),
    ("entry_hash = repeat('0', 64)", {"entry_hash"}),
    ("said_id = (select min(said_id) from said s where s.said_id <> exchange.said_id)", {"said_id"}),
]
OTHERS = [
    ("update exchange_tally set n = n + 1", "exchange_tally", {"n"}),
    ("update exchange_tally set accepted = accepted + 1", "exchange_tally", {"accepted"}),
    ("delete from exchange_tally", "exchange_tally", {"n", "accepted"}),
    ('update said set said = said || \'{"dag": "other"}\'', "exchange", {"said_id"}),
    ("update case_transition set reason_code = 'OTHER'", "case_transition", {"not in the ledger", "not in the table"}),
    ("update case_transition set at = at - interval '1 day'", "case_transition", {"not in the ledger"}),
    ("update case_transition set actor = 'other'", "case_transition", {"not in the ledger"}),
    ("delete from case_transition where sub_case_id is not null", "case_transition", {"not in the table"}),
    ("update subject_case set state = 'CLOSED'", "subject_case", {"state"}),
    ("update sub_case set state = 'INSTRUCTED'", "sub_case", {"state"}),
]


def all_of(conn: Connection) -> list[Difference]:
    return [*find_differing(conn), *find_differing_cases(conn)]


@contextmanager
def changed(settings: Settings, statement: str) -> Iterator[Connection]:
    """A connection of the administrator in whose transaction, which is rolled back, something was changed."""
    assert settings.database_admin_url is not None
    url = settings.database_admin_url.get_secret_value()
    with psycopg.connect(url, row_factory=dict_row, options="-c search_path=sluice") as conn:
        conn.execute(statement.encode())
        yield conn
        conn.rollback()


def test_every_column_that_repeats_the_ledger_is_compared(store_settings: Settings, tmp_path: Path) -> None:
    with open_desk(store_settings, tmp_path) as desk:
        at_work(desk)
        assert all_of(desk.house.conn) == [], "the control: nothing was changed"
        [row] = desk.sql(f"select exchange_id::text as id from exchange {CLOSED}")
        for change, columns in EXCHANGE:
            with changed(store_settings, f"update exchange set {change} {CLOSED}") as conn:
                found = [each for each in all_of(conn) if each.table == "exchange"]
            assert {each.row for each in found} == {row["id"]}, change
            assert columns <= set(found[0].columns) and len(found[0].columns) <= len(columns) + 1, change
        for statement, table, columns in OTHERS:
            with changed(store_settings, statement) as conn:
                found = all_of(conn)
            assert table in {each.table for each in found}, statement
            said = {column for each in found if each.table == table for column in each.columns}
            assert columns <= said and all(each.row for each in found), statement
        assert all_of(desk.house.conn) == []


def at_work(desk: Desk) -> None:
    """A file that is accepted in part, one that is refused, one that waits, and a case of somebody."""
    desk.drop(desk.campaign(rows=40, faults=FaultPlan(bad_date=2))[0])
    desk.drop(b"no table", "other.csv")
    desk.work()
    desk.drop(desk.campaign(rows=20, seed=3)[0], "waits.csv")
    desk.open_new()
    now = datetime.now(UTC)
    asked = NewRequest(Right.ACCESS, [(SubjectKind.PHONE, "0470123456")], Principal(ENERGY[0]), now, "mail", "nl", DESK)
    open_case(desk.house, asked, now)


def test_an_exchange_that_was_made_up_or_whose_row_is_gone_is_named(store_settings: Settings, tmp_path: Path) -> None:
    with open_desk(store_settings, tmp_path) as desk:
        desk.drop(b"no table")
        desk.work()
        [row] = desk.sql("select exchange_id::text as id from exchange")
        made_up = """insert into exchange (principal, direction, flow, bucket, key, version_id, size_bytes, chain,
                decision, closed_at, said_id)
            select principal, direction, flow, bucket, key, 'other', 1, chain, 'accepted', now(), said_id
            from exchange"""
        with changed(store_settings, made_up) as conn:
            assert [(each.table, each.columns) for each in find_differing(conn)] == [
                ("exchange", ("not in the ledger",))
            ]
        gone = """do $$ declare t text; begin
            for t in select conrelid::regclass::text from pg_constraint where confrelid = 'exchange'::regclass loop
                execute format('alter table %s disable trigger all', t);
            end loop; end $$; alter table exchange disable trigger all; delete from exchange"""
        with changed(store_settings, gone) as conn:
            found = find_differing(conn)
        assert found[0] == Difference("exchange", row["id"], ("not in the table",))


def test_the_night_calls_the_desk_for_it(desk_at_work: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = desk_at_work
    nightly = VerifyLedger(task_id="ledger")
    with at_terminal(desk, monkeypatch):
        assert "entries" in nightly.work({}), "the control"
        [row] = desk.sql(
            "update exchange set reason_code = 'OTHER' where decision <> 'open' returning exchange_id::text as id"
        )
        with pytest.raises(TableDiffers, match=f"SLU-457 .*table exchange; row {row['id']}; rows 1"):
            nightly.work({})


@pytest.fixture
def desk_at_work(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as desk:
        desk.drop(b"no table")
        desk.work()
        yield desk
