"""What compliance reads over HTTP is what the commands print, of the same installation, and nothing else."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from returns.commands import sluice
from sluice.exchange.open import arrival_of, open_exchange
from sluice.exchange.read import ExchangeLine, list_exchanges
from sluice.staff.refs import agent_ref
from sluice.terms import Direction
from sluice.times import BRUSSELS, brussels_day, brussels_today
from sluice.web.read_model import AGENT_EXAMPLE
from support.desk import ENERGY, Desk
from support.night import DUE_DAY
from web.house import PHONE, Web, open_pages, open_web

UNKNOWN = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ ]*")


def plain(said: Any) -> Any:
    """A document whose moments are written one way: the command separates the time by a space."""
    if isinstance(said, dict):
        return {name: plain(value) for name, value in said.items()}
    if isinstance(said, list):
        return [plain(value) for value in said]
    is_moment = isinstance(said, str) and MOMENT.fullmatch(said)
    return datetime.fromisoformat(said).astimezone(UTC) if is_moment else said


def printed(*words: str) -> Any:
    done = sluice(*words)
    assert done.exit == 0, (words, done)
    return plain(done.document)


def printed_slice(*words: str) -> Any:
    """Without the drafts, which the command writes as files."""
    document = printed("breach", "slice", *words)
    assert document.pop("drafts") == []
    return document


def asked(web: Web, path: str, **query: object) -> Any:
    answer = web.get(path, params=query)
    assert answer.status_code == 200, (path, answer.text)
    return plain(answer.json())


def lines(web: Web) -> list[ExchangeLine]:
    return list_exchanges(web.desk.house.conn)


def one(web: Web, **wanted: str) -> str:
    """The id of the newest exchange that fits these conditions."""
    return next(line.id for line in lines(web) if all(getattr(line, name) == it for name, it in wanted.items()))


def test_an_exchange_its_list_its_lineage_and_its_slice_are_what_the_commands_print(town_api: Web) -> None:
    listed = printed("exchange", "list")["exchanges"]
    assert asked(town_api, "/exchanges")["exchanges"] == listed and all(line["file"] for line in listed)
    for line in lines(town_api):
        assert asked(town_api, f"/exchanges/{line.id}") == printed("exchange", "show", line.id)
        if line.decision != "open":
            assert asked(town_api, f"/exchanges/{line.id}/lineage") == printed("lineage", "show", "--exchange", line.id)

    back, aware = one(town_api, direction="outbound_return"), "2026-11-24T10:00:00Z"
    sliced = asked(town_api, f"/breach/exchanges/{back}", aware=aware, risk="high")
    assert sliced == printed_slice("--exchange", back, "--aware", aware, "--risk", "high")
    assert sliced["subjects"] == 1 and sliced["parts"][0]["principal"] == "energy01"
    paths = asked(town_api, f"/exchanges/{back}/lineage")["paths"]
    assert paths and all(f"exchange:{back}" in path for path in paths)


def test_nobody_is_aware_of_a_breach_that_is_yet_to_come(town_api: Web) -> None:
    path = f"/breach/exchanges/{one(town_api, direction='outbound_return')}"
    now = datetime.now(UTC)
    for moment, status in ((now + timedelta(hours=5), 422), (now - timedelta(minutes=1), 200)):
        answer = town_api.get(path, params={"aware": moment.isoformat()})
        assert answer.status_code == status, moment
        if status == 422:
            assert answer.json()["code"] == "SLU-531" and "AWARE_IN_THE_FUTURE" in answer.json()["detail"]


def test_a_slice_by_window_or_object_asks_in_its_body(town_api: Web) -> None:
    ref = agent_ref(town_api.desk.house.keyring.staff_key(), "agent01")
    day = [datetime.combine(DUE_DAY + timedelta(days=more), time(), BRUSSELS).isoformat() for more in (0, 1)]
    body = {"agent": ref, "since": day[0], "until": day[1], "aware": day[1]}
    answer = town_api.post("/breach/agents", body)
    words = ("--agent", ref, "--between", *day, "--aware", day[1])
    assert plain(answer.json()) == printed_slice(*words) and answer.json()["principals"] == ["energy01"]

    [made] = [node for node in asked(town_api, f"/exchanges/{one(town_api, principal='gas01')}/lineage")["nodes"]
              if "/gas01/inbound/" in node["id"]]  # fmt: skip
    url = made["id"].removeprefix("object:")
    by_object = town_api.post("/breach/objects", {"object": url, "aware": day[1]})
    assert plain(by_object.json()) == printed_slice("--object", url, "--aware", day[1])
    nobody = town_api.post("/breach/agents", {**body, "agent": "0" * 32})
    assert (nobody.status_code, nobody.json()["code"]) == (409, "SLU-641")


SLICES: tuple[tuple[dict[str, object], int, str], ...] = (
    ({}, 409, "SLU-641"),
    ({"until": "2026-11-24T07:00:00Z"}, 422, "SLU-607"),
    ({"until": None}, 422, "SLU-607"),
    ({"agent": PHONE}, 422, "SLU-607"),
    ({"since": int(PHONE)}, 422, "SLU-607"),
    ({"since": "0001-01-01T00:00:00+14:00"}, 422, "SLU-531"),
    ({"aware": "9999-12-31T23:59:59-12:00"}, 422, "SLU-531"),
    ({"object": "s3://exchange/a.csv"}, 422, "SLU-607"),
)
NOWHERE = ("s3://[", "s3://exchange", "s3://exchange/nothing/there.csv", "s3:///x")


def test_a_slice_of_nobody_or_of_what_cannot_be_followed_is_refused(town_api: Web) -> None:
    body = {"agent": "0" * 32, "since": "2026-11-24T08:00:00Z", "until": "2026-11-24T09:00:00Z"}
    for changes, status, code in SLICES:
        answer = town_api.post("/breach/agents", body | changes)
        assert (answer.status_code, answer.json()["code"]) == (status, code), changes
        assert PHONE not in answer.text
    for url in NOWHERE:
        answer = town_api.post("/breach/objects", {"object": url})
        assert (answer.status_code, answer.json()["code"]) == (409, "SLU-641"), url


def test_the_receipt_is_the_one_that_was_given_and_holds_offline(town_api: Web, tmp_path: Path) -> None:
    objects, bucket = town_api.desk.house.objects, town_api.desk.settings.bucket_exchange
    for line in [line for line in lines(town_api) if line.direction != "internal" and line.receipt_at]:
        path = f"/exchanges/{line.id}/receipt"
        for ending in ("json", "pdf"):
            answer = town_api.get(f"{path}.{ending}")
            stored = objects.read(bucket, f"{line.principal}/receipts/{line.flow}/{line.id}.{ending}")
            assert answer.status_code == 200 and answer.content == stored, "byte for byte"
            (tmp_path / f"{line.id}.{ending}").write_bytes(answer.content)
        key = tmp_path / "key.pem"
        key.write_bytes(town_api.get("/exchanges/receipt-key.pem").content)
        checked = printed("receipt", "verify", str(tmp_path / f"{line.id}.json"), "--key", str(key))
        assert (checked["valid"], checked["pdf_checked"], checked["exchange"]) == (True, True, line.id)
    results = one(town_api, direction="internal")
    assert town_api.get(f"/exchanges/{results}/receipt.json").status_code == 200, "ours lies in our own bucket"
    waits = one(town_api, decision="open")
    for ending in ("json", "pdf"):
        assert town_api.get(f"/exchanges/{waits}/receipt.{ending}").status_code == 404


def test_a_list_is_narrowed_and_its_pages_follow_without_gap_or_double(town_api: Web) -> None:
    every = lines(town_api)
    narrowed: list[tuple[dict[str, object], Callable[[ExchangeLine], bool]]] = [
        ({"principal": "gas01"}, lambda line: line.principal == "gas01"),
        ({"direction": "outbound_return"}, lambda line: line.direction == "outbound_return"),
        ({"decision": "open"}, lambda line: line.decision == "open"),
        ({"since": brussels_today().isoformat()}, lambda line: brussels_day(line.opened_at) >= brussels_today()),
        ({"since": every[2].opened_at.isoformat()}, lambda line: line.opened_at >= every[2].opened_at),
        ({"since": "2999-01-01"}, lambda line: False),
        ({"principal": "nobody"}, lambda line: False),
    ]
    for query, keeps in narrowed:
        found = [line["id"] for line in asked(town_api, "/exchanges", **query)["exchanges"]]
        assert found == [line.id for line in every if keeps(line)], query

    seen, more = [], {}
    while more is not None:
        page = asked(town_api, "/exchanges", limit=2, **more)
        seen += [line["id"] for line in page["exchanges"]]
        more = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert seen == [line.id for line in every] and len(seen) > 4


def test_since_a_day_is_since_midnight_in_brussels_at_every_door(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page takes a day, the API moments with their zone too, the command either."""
    before, after = (opened_at(desk, datetime(2026, 11, 24, hour, 30, tzinfo=UTC)) for hour in (22, 23))
    day, moment = "2026-11-25", "2026-11-24T23:00:00Z"
    with open_web(desk, monkeypatch) as api:
        for since in (day, f"{day}T00:00", f"{day} 00:00:00", moment):
            assert [line["id"] for line in printed("exchange", "list", "--since", since)["exchanges"]] == [after]
        for since in (day, moment):
            assert [line["id"] for line in asked(api, "/exchanges", since=since)["exchanges"]] == [after]
    with open_pages(desk, monkeypatch) as pages:
        shown = pages.get(f"/exchanges?since={day}").text
    assert [each in shown for each in (before, after)] == [False, True]


def opened_at(desk: Desk, moment: datetime) -> str:
    """An exchange that was opened then."""
    dropped = desk.drop(b"x", f"{moment:%H}.csv")
    assert open_exchange(desk.house.conn, arrival_of(ENERGY[0], Direction.INBOUND, dropped), moment)
    return desk.line(dropped).id


def test_agreements_and_roles_are_those_of_the_day_as_it_was_known(town_api: Web) -> None:
    now = asked(town_api, "/agreements")
    held = [
        line
        for line in printed("agreement", "list")["agreements"]
        if line["valid_from"] <= brussels_today().isoformat()
    ]
    assert now["agreements"] == [line for line in held if (line["valid_to"] or "9") >= brussels_today().isoformat()]
    assert {line["principal"] for line in asked(town_api, "/agreements", principal="gas01")["agreements"]} == {"gas01"}
    before = asked(town_api, "/agreements", at="2025-06-01", principal="energy01")["agreements"]
    assert [line["version"] for line in before] == ["2.4.0"]
    unknown = asked(town_api, "/agreements", known_at="2020-01-01T00:00:00Z")
    assert unknown["agreements"] == [], "nothing was registered then"

    for group in ("contact_point", None):
        query, words = ({"group": group}, ("--group", group)) if group else ({}, ())
        matrix = asked(town_api, "/agreements/DPA-ENERGY01/roles", direction="inbound", **query)
        assert matrix == printed("agreement", "roles", "DPA-ENERGY01", "--direction", "inbound", *words)
    old = asked(town_api, "/agreements/DPA-ENERGY01/roles", direction="inbound", at="2025-06-01")
    assert old["version"] == "2.4.0"
    for path in (
        f"/agreements/{PHONE}/roles?direction=inbound",
        "/agreements/DPA-ENERGY01/roles?direction=inbound&at=2017-01-01",
    ):
        answer = town_api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "SLU-301") and PHONE not in answer.text


def test_a_register_is_the_document_that_the_command_writes(town_api: Web, tmp_path: Path) -> None:
    for article in ("30.1", "30.2"):
        made = asked(town_api, f"/registers/{article}", lang="fr")
        folder = tmp_path / article
        printed("register", "export", "--article", article, "--lang", "fr", "--to", "json", "--folder", str(folder))
        [file] = folder.glob("register-*.json")
        written = plain(json.loads(file.read_text()))
        assert list(made) == list(written), "nothing left out"
        assert {**made, "known_at": None} == {**written, "known_at": None}, "both were known a moment apart"
        known = {row["principal"] for row in made["seen"]}
        assert made["rows"] and (article == "30.1" or known >= {"energy01", "gas01"})
        empty = asked(town_api, f"/registers/{article}", known_at="2020-01-01T00:00:00Z")
        assert (empty["rows"], empty["exchanges"]) == ([], 0)


def test_the_clock_is_that_of_the_command(town_api: Web) -> None:
    for received, country in (("2026-03-05", "BE"), ("2026-03-04T23:30:00Z", "FR"), ("2027-01-31", "NL")):
        said = asked(town_api, "/clock/due", received=received, country=country)
        assert said == printed("clock", "due", received, "--country", country)
    assert asked(town_api, "/clock/due", received="2026-03-05")["legal_due"] == date(2026, 4, 7).isoformat()


PROBLEMS = (
    (f"/exchanges/{UNKNOWN}", 404, "SLU-301"),
    (f"/exchanges/{UNKNOWN}/lineage", 404, "SLU-301"),
    (f"/exchanges/{UNKNOWN}/receipt.pdf", 404, "SLU-301"),
    (f"/breach/exchanges/{UNKNOWN}", 404, "SLU-301"),
    (f"/exchanges/{PHONE}", 422, "SLU-607"),
    (f"/exchanges?principal={PHONE}%00", 422, "SLU-607"),
    (f"/exchanges?since={PHONE}", 422, "SLU-607"),
    (f"/exchanges?decision={PHONE}", 422, "SLU-607"),
    (f"/exchanges?cursor={PHONE}", 422, "SLU-607"),
    ("/exchanges?limit=201", 422, "SLU-607"),
    (f"/registers/{PHONE}", 422, "SLU-607"),
    ("/registers/30.1?at=9999-12-31", 422, "SLU-531"),
    ("/registers/30.1?known_at=2026-11-24", 422, "SLU-607"),
    ("/agreements/DPA-ENERGY01/roles", 422, "SLU-607"),
    ("/agreements?at=2026-11-24T10:00:00Z", 422, "SLU-607"),
    ("/clock/due?received=2016-01-01", 422, "SLU-531"),
    ("/clock/due?received=2026-01-01&country=US", 422, "SLU-531"),
    (f"/clock/due?received={PHONE}", 422, "SLU-607"),
    ("/clock/due?received=2026-03-04T23:30Z", 422, "SLU-607"),
    ("/clock/due?received=2026-03-04T23:30:00%2B12:60", 422, "SLU-607"),
)


def test_a_question_that_has_no_answer_is_a_problem(town_api: Web) -> None:
    for path, status, code in PROBLEMS:
        answer = town_api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
        assert answer.headers["content-type"] == "application/problem+json" and PHONE not in answer.text


def test_a_window_that_does_not_end_after_it_begins_is_told_so(town_api: Web) -> None:
    for since, until in (("18", "08"), ("18", "18")):
        window = {"since": f"2026-11-24T{since}:00:00Z", "until": f"2026-11-24T{until}:00:00Z"}
        answer = town_api.post("/breach/agents", {**AGENT_EXAMPLE, **window})
        assert (answer.status_code, answer.json()["code"]) == (422, "SLU-607")
        assert answer.json()["errors"] == [{"where": "body", "pointer": "/until", "reason": "not_after_since"}]
    assert town_api.post("/breach/agents", AGENT_EXAMPLE).status_code == 409, "the control: nobody is in it"
