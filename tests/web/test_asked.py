"""What is asked for in the same way everywhere: a window, the beginning of a number; and what it is read on."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from pydantic import TypeAdapter, ValidationError

from rights.town import Town
from sluice.documents.words import words
from sluice.errors import DatabaseError, DatabaseUnready, NotFound, NotMigrated
from sluice.exchange.read import show_exchange
from sluice.web.asked import Beginning
from sluice.web.errors import RequestInvalid
from sluice.web.pages.asked import on_clock
from sluice.web.pages.breach import _asked
from sluice.web.reading import reading
from web.house import Web, open_pages, open_web

AGENT = "0f3a5c7e9b1d2f4a6c8e0a1b3d5f7092"
WRONG = (("2026-11-24T18:00", "2026-11-24T08:00"), ("2026-11-24T18:00", "2026-11-24T18:00"))


def test_a_window_that_does_not_end_after_it_begins_is_told_so_by_the_pages(town_pages: Web) -> None:
    pages, number = town_pages.as_("anna:USER"), town_pages.desk.lines()[0].id
    for asked in ({"agent": AGENT}, {"exchange": number}):
        for since, until in WRONG:
            answer = pages.get("/breach", params={**asked, "since": since, "until": until})
            assert answer.status_code == 422 and "SLU-607" in answer.text, asked
            assert words("nl").say("pages.fault.not_after_since") in answer.text, asked
        right = {"since": "2026-11-24T08:00", "until": "2026-11-24T18:00"}
        assert pages.get("/breach", params={**asked, **right}).status_code in (200, 409), "the control"
    assert pages.get("/breach", params={"agent": AGENT}).status_code == 422, "without a window"


def test_a_number_is_found_however_it_was_copied(town_pages: Web) -> None:
    number = town_pages.desk.lines()[0].id
    for place in ("exchanges", "lineage"):
        answer = town_pages.get(f"/{place}/find", params={"number": f" {number[:13].upper()} "}, follow_redirects=False)
        assert answer.status_code == 303 and answer.headers["location"].endswith(f"/{place}/{number}")


def test_a_connection_is_kept_and_replaced_when_its_server_cut_it(town_pages: Web) -> None:
    def process() -> int:
        with reading() as conn:
            [row] = conn.execute("select pg_backend_pid() as pid").fetchall()
        return int(row["pid"])

    first = process()
    assert process() == first
    with pytest.raises(NotFound), reading() as conn:
        show_exchange(conn, "no number")
    with pytest.raises(DatabaseError, match="22012"), reading() as conn:
        conn.execute("begin")
        conn.execute("select 1 / 0")
    assert process() == first, "an error does not spoil it"
    with reading() as conn:
        assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE

    with pytest.raises(DatabaseUnready, match="25006"), reading() as conn:
        conn.execute("delete from mail")
    with pytest.raises(NotMigrated), reading() as conn:
        conn.execute("select 1 from what_a_migration_makes_later")

    town_pages.desk.sql(f"select pg_terminate_backend({first})")
    assert process() != first
    assert town_pages.get("/exchanges").status_code == 200


@contextmanager
def before_a_migration(web: Web) -> Iterator[None]:
    """A database in which a table of the newest migration is missing."""
    owner = web.desk.settings.database_admin_url
    assert owner is not None
    with closing(psycopg.connect(owner.get_secret_value(), autocommit=True)) as admin:
        admin.execute("alter table exchange rename to exchange_of_later")
        yield
        admin.execute("alter table exchange_of_later rename to exchange")


def test_a_table_that_a_migration_has_yet_to_make_is_said_by_its_code(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    for doors in (open_pages, open_web):
        with doors(town.desk, monkeypatch) as web:
            assert web.get("/exchanges").status_code == 200, "the control"
            with before_a_migration(web):
                answer = web.get("/exchanges")
            assert (answer.status_code, NotMigrated.code in answer.text) == (503, True)


FORM = Path(__file__).parents[2] / "include/sluice/web/pages/templates/breach.html"
REPEATED, SKIPPED = datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)
AT_HALF_PAST = {"agent": "a" * 64}


@pytest.mark.parametrize(
    ("said", "ends", "hour"),
    [(REPEATED, False, 0), (REPEATED, True, 1), (SKIPPED, False, 0), (SKIPPED, True, 1)],
)
def test_the_earlier_moment_counts_and_of_an_end_the_later(said: datetime, ends: bool, hour: int) -> None:
    found = on_clock(said, ends=ends)
    assert found is not None and found.astimezone(UTC) == said.replace(hour=hour, tzinfo=UTC)
    plain = datetime(2026, 6, 1, 2, 30)
    assert on_clock(plain) == on_clock(plain, ends=True) == datetime(2026, 6, 1, 0, 30, tzinfo=UTC), "the control"
    assert on_clock(plain.replace(tzinfo=UTC), ends=True) == plain.replace(tzinfo=UTC), "the control"


def test_a_window_of_a_breach_that_ends_in_the_doubled_hour_leaves_none_of_it_out() -> None:
    asked = _asked(**AT_HALF_PAST, since=REPEATED, until=REPEATED, aware=REPEATED)
    assert asked.until is not None and asked.until.astimezone(UTC).hour == 1
    assert asked.aware.astimezone(UTC).hour == 0, "72 hours from the earlier one"
    with pytest.raises(RequestInvalid):
        _asked(**AT_HALF_PAST, since=datetime(2026, 6, 1), until=datetime(2026, 6, 1))


def test_the_number_of_an_exchange_is_taken_as_somebody_copied_it() -> None:
    number = TypeAdapter(Beginning)
    assert number.validate_python(" 7B0D3F1E-00 ab\n") == "7b0d3f1e-00ab"
    for wrong in ("", "0470 12 34 5x", "a" * 37):
        with pytest.raises(ValidationError):
            number.validate_python(wrong)


def test_the_form_of_a_breach_lets_such_a_number_through() -> None:
    [pattern] = re.findall(r'name="exchange".* pattern="([^"]+)"', FORM.read_text())
    assert re.fullmatch(pattern, " 7B0D3F1E-00ab ")
    assert not re.fullmatch(pattern, "energy01"), "the control"
