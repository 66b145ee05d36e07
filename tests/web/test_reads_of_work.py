"""What pages show of persons' ways, versions, staff and work is read over HTTP too, and says the same."""

from collections.abc import Iterator
from typing import Any

import pytest

from rights.town import Town
from sluice.exchange.read import list_exchanges, show_exchange
from sluice.exchange.review import list_open
from sluice.returns.waiting import list_prepared
from sluice.rights.erasure.control_store import find_unreleased
from sluice.rights.notices.notice_store import list_late
from support.night import Night
from web.desk_work import OWN
from web.house import Web, open_web
from web.test_reads import asked, printed

PATH = "/agreements/DPA-ENERGY01"
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def night_api(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The API of an installation in which something of every kind waits."""
    with open_web(night.desk, monkeypatch) as opened:
        yield opened


def test_the_way_of_whoever_a_case_is_about(place: Town, town_api: Web) -> None:
    person, *_, nobody_yet = place.people
    case = town_api.open(identifiers=[{"kind": "phone", "value": person.phone}], principal=None).json()["case"]
    told = asked(town_api, f"/cases/{case}/lineage")
    shown = printed("lineage", "show", "--subject", f"phone:{person.phone}")
    assert told["exchanges"] == [each["exchange"] for each in shown["exchanges"]]
    held = {line.id for line in list_exchanges(place.house.conn) if line.rows_accepted}
    assert set(told["exchanges"]) <= held and len(told["exchanges"]) > 2 and told["paths"]
    assert (told["searched"], told["lost"], told["persons"]) == (["energy01", "gas01"], [], 1)
    assert person.phone not in str(told)
    assert asked(town_api, f"/cases/{case}/lineage", moment=LONG_AGO)["exchanges"] == []

    waits = town_api.open(identifiers=[{"kind": "phone", "value": nobody_yet.phone}], principal=None).json()["case"]
    assert asked(town_api, f"/cases/{waits}/lineage")["exchanges"] == [], "their file waits"


def test_two_versions_and_when_each_was_to_hold(town_api: Web) -> None:
    found = asked(town_api, f"{PATH}/versions")
    assert found["principal"] == "energy01" and {"2.4.0", "3.0.0"} <= {each["version"] for each in found["versions"]}
    both = {"left": "2.4.0", "right": "3.0.0"}
    differs = asked(town_api, f"{PATH}/comparison", **both)["lines"]
    every = asked(town_api, f"{PATH}/comparison", **both, every=True)["lines"]
    assert differs == [line for line in every if line["change"] != "same"] and 0 < len(differs) < len(every)
    assert ["version"] in [line["path"] for line in differs]
    assert asked(town_api, f"{PATH}/comparison", left="3.0.0", right="3.0.0")["lines"] == []
    for path in ("/agreements/DPA-NOBODY/versions", f"{PATH}/comparison?left=2.4.0&right=9.9.9"):
        answer = town_api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "SLU-301"), path


def test_staff_stand_as_the_command_says_by_reference(night_api: Web) -> None:
    moment = "2026-11-24T10:00:00Z"
    page = asked(night_api, "/staff", moment=moment, limit=200)
    said = printed("staff", "readiness", "--at", moment)
    ready = {each["agent_ref"]: each["ready"] for each in said["people"]}
    assert {each["agent_ref"]: each["readiness"] != "not_ready" for each in page["people"]} == ready
    assert sum(page["counts"].values()) == len(ready) > 1
    order = [each["readiness"] for each in page["people"]]
    assert order == sorted(order, key=["not_ready", "soon", "ready"].index)

    seen, number = [], 1
    while number is not None:
        part = asked(night_api, "/staff", moment=moment, limit=1, page=number)
        seen, number = seen + part["people"], part["next_page"]
    assert seen == page["people"]
    for state, count in page["counts"].items():
        few = asked(night_api, "/staff", moment=moment, limit=200, readiness=state)["people"]
        assert [each["readiness"] for each in few] == [state] * count
    assert asked(night_api, "/staff", moment=moment, known_at=LONG_AGO)["people"] == []


@OWN
def test_what_waits_is_what_the_pages_list(night: Night, night_api: Web) -> None:
    conn = night.desk.house.conn
    exchanges, cases = asked(night_api, "/waiting/exchanges"), asked(night_api, "/waiting/cases")
    [prepared] = list_prepared(conn, 200)
    assert ids(exchanges["returns"]) == [prepared.exchange_id]
    assert ids(exchanges["reviews"]) == [each.exchange_id for each in list_open(conn, 200)] != []
    assert ids(exchanges["acknowledgements"]) == []
    late = [each.notice_id for each in list_late(conn, 200)]
    assert [line["notice_id"] for line in cases["notices"]["lines"]] == late != []
    plans = [(each.case_id, each.sha256) for each in find_unreleased(conn, 200)]
    assert [(line["case_id"], line["sha256"]) for line in cases["plans"]["lines"]] == plans != []

    night.release(show_exchange(conn, prepared.exchange_id).line, by="carl")
    conn.execute("update acknowledgement set due_at = now() - interval '1 day'")
    after = asked(night_api, "/waiting/exchanges")
    assert (ids(after["returns"]), ids(after["acknowledgements"])) == ([], [prepared.exchange_id])


def ids(matter: dict[str, Any]) -> list[str]:
    assert matter["count"] == len(matter["lines"])
    return [line["exchange_id"] for line in matter["lines"]]
