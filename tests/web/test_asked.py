"""What is asked for in the same way everywhere: a window, the beginning of a number; and what it is read on."""

import psycopg
import pytest

from sluice.documents.words import words
from sluice.errors import NotFound
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
    with pytest.raises(psycopg.Error), reading() as conn:
        conn.execute("begin")
        conn.execute("select 1 / 0")
    assert process() == first, "an error does not spoil it"
    with reading() as conn:
        assert conn.info.transaction_status is psycopg.pq.TransactionStatus.IDLE

    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), reading() as conn:
        conn.execute("delete from mail")

    town_pages.desk.sql(f"select pg_terminate_backend({first})")
    assert process() != first
    assert town_pages.get("/exchanges").status_code == 200
