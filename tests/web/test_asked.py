"""What is asked for in the same way everywhere: a window, the beginning of a number; and what it is read on."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from sluice.documents.words import words
from sluice.errors import DatabaseError, DatabaseUnready, NotFound, NotMigrated
from sluice.exchange.read import show_exchange
from sluice.web.read_model import AGENT_EXAMPLE
from sluice.web.reading import reading
from web.house import Web

AGENT = "0f3a5c7e9b1d2f4a6c8e0a1b3d5f7092"
WRONG = (("2026-11-24T18:00", "2026-11-24T08:00"), ("2026-11-24T18:00", "2026-11-24T18:00"))


def test_a_window_that_does_not_end_after_it_begins_is_told_so_by_the_api(town_api: Web) -> None:
    for since, until in WRONG:
        answer = town_api.post("/breach/agents", {**AGENT_EXAMPLE, "since": f"{since}:00Z", "until": f"{until}:00Z"})
        assert (answer.status_code, answer.json()["code"]) == (422, "SLU-607")
        assert answer.json()["errors"] == [{"where": "body", "pointer": "/until", "reason": "not_after_since"}]
    assert town_api.post("/breach/agents", AGENT_EXAMPLE).status_code == 409, "the control: nobody is in it"


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


@pytest.mark.parametrize("doors", ["town_pages", "town_api"])
def test_a_table_that_a_migration_has_yet_to_make_is_said_by_its_code(
    doors: str, request: pytest.FixtureRequest
) -> None:
    web: Web = request.getfixturevalue(doors)
    assert web.get("/exchanges").status_code == 200, "the control"

    with before_a_migration(web):
        answer = web.get("/exchanges")

    assert (answer.status_code, NotMigrated.code in answer.text) == (503, True)
