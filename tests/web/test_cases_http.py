"""Cases over HTTP on real PostgreSQL and S3: opened once, told as the command tells them, refused with a code."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import pytest

from returns.commands import sluice
from sluice.rights.case.model import CaseId
from sluice.rights.person.identifiers import KINDS
from sluice.rights.person.sealed import find_sealed, subject_key
from sluice.web.model import Kind
from web.house import BODY, PHONE, Web

UNKNOWN = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"


def test_a_case_is_opened_protected_and_shown_as_the_command_shows_it(web: Web) -> None:
    answer = web.open()
    case = answer.json()["case"]

    assert (answer.status_code, answer.headers["location"]) == (201, f"/sluice/api/v1/cases/{case}")
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["received"], answer.json()["legal_due"]) == ("2026-11-20", "2026-12-21")
    assert len(web.desk.sql("select 1 from suppression_run where reason = 'soft_hold' and lifted_at is null")) == 1
    shown, printed = (
        web.client.get(answer.headers["location"], headers=web.headers).json(),
        sluice("case", "show", case),
    )
    assert list(shown) == list(printed.document)
    assert [each["step"] for each in shown["next"]] and shown["next"] == printed.document["next"]
    plain = [name for name in shown if name not in ("steps", "sub_cases")]
    assert {name: shown[name] for name in plain} == {name: printed.document[name] for name in plain}
    assert [list(part) for part in shown["sub_cases"]] == [list(part) for part in printed.document["sub_cases"]]
    assert {step["by"] for step in shown["steps"]} == {"anna"}
    roles = web.desk.sql("select distinct actor_role, actor from case_transition")
    assert roles == [{"actor_role": "desk", "actor": "anna"}]


def test_a_moment_counts_by_its_day_in_brussels_and_today_is_the_default(web: Web) -> None:
    assert web.open(received="2026-03-04T23:30:00Z").json()["received"] == "2026-03-05"
    given = {name: value for name, value in BODY.items() if name not in ("received", "principal")}
    assert abs((date.fromisoformat(web.post("/cases", given).json()["received"]) - date.today()).days) <= 1


def test_the_same_key_is_the_same_case_and_another_content_is_refused(web: Web) -> None:
    key = str(uuid4())
    first, again, quoted = web.open(key), web.open(key), web.open(f'"{key}"')

    assert [answer.status_code for answer in (first, again, quoted)] == [201, 200, 200]
    assert len({answer.headers["location"] for answer in (first, again, quoted)}) == 1
    for changes in (
        {"right": "access"},
        {"principal": "bank01"},
        {"language": "fr"},
        {"identifiers": [{"kind": "phone", "value": "0470123457"}]},
    ):
        refused = web.open(key, **changes)
        assert (refused.status_code, refused.json()["code"]) == (409, "SLU-525")
    assert len(web.get("/cases").json()["cases"]) == 1
    assert web.open(str(uuid4())).status_code == 201, "another key is another case"


def test_eight_at_once_with_one_key_open_one_case(web: Web) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: web.open(key), range(8)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["case"] for answer in answers}) == 1
    assert web.desk.sql("select count(*) as n from subject_case") == [{"n": 1}]
    assert web.desk.sql("select count(*) as n from case_transition where to_state = 'RECEIVED'") == [{"n": 1}]


def test_a_key_that_comes_after_the_envelope_was_removed_seals_nobody_again(web: Web) -> None:
    key = str(uuid4())
    case = CaseId(web.open(key).json()["case"])
    for item in web.desk.objects(web.desk.settings.bucket_vault):
        web.desk.house.objects.delete_version(item.bucket, item.key, item.version_id)

    assert web.open(key).status_code == 200
    assert find_sealed(web.desk.house, subject_key(case)) is None


def test_pages_follow_each_other_without_gap_or_repeat(web: Web) -> None:
    opened = [web.open(channel="phone").json()["case"] for _ in range(5)]
    web.post(f"/cases/{opened[0]}/withdraw", {})

    seen, cursor = [], None
    while True:
        page = web.get("/cases", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen.append([case["case"] for case in page["cases"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [case for page in seen for case in page] == opened[::-1]
    assert [len(page) for page in seen] == [2, 2, 1]
    assert len(web.get("/cases", params={"open": True}).json()["cases"]) == 4
    assert len(web.get("/cases", params={"state": "WITHDRAWN_BY_SUBJECT"}).json()["cases"]) == 1
    assert web.get("/cases", params={"principal": "bank01"}).json() == {"cases": [], "next_cursor": None}


def test_a_withdrawal_ends_every_part_once(web: Web) -> None:
    case = web.open().json()["case"]
    done = web.post(f"/cases/{case}/withdraw", {"evidence_sha256": "ab" * 32})

    assert (done.status_code, done.json()["state"]) == (200, "WITHDRAWN_BY_SUBJECT")
    steps = web.get(f"/cases/{case}").json()["steps"]
    assert {step["evidence"] for step in steps if step["to"] == "WITHDRAWN_BY_SUBJECT"} == {"ab" * 32}
    again = web.post(f"/cases/{case}/withdraw", {})
    assert (again.status_code, again.json()["code"]) == (409, "SLU-521")
    assert "guard no_such_step" in again.json()["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "code", "fault"),
    [
        ({"right": PHONE}, 422, "SLU-607", "/right"),
        ({"identifiers": []}, 422, "SLU-607", "/identifiers"),
        ({"identifiers": [{"kind": PHONE, "value": PHONE}]}, 422, "SLU-607", "/identifiers/0/kind"),
        ({"identifiers": [{"kind": "phone", "value": [PHONE]}]}, 422, "SLU-607", "/identifiers/0/value"),
        ({"identifiers": [{"kind": "phone", "value": PHONE, PHONE: 1}]}, 422, "SLU-607", "/identifiers/0/*"),
        ({"identifiers": [{"kind": "phone", "value": f"{PHONE}x"}]}, 422, "SLU-522", None),
        ({"principal": PHONE}, 422, "SLU-524", None),
        ({"principal": f"{PHONE} "}, 422, "SLU-607", "/principal"),
        ({"received": PHONE}, 422, "SLU-607", "/received"),
        ({"received": int(PHONE)}, 422, "SLU-607", "/received"),
        ({"received": "2999-01-01"}, 422, "SLU-304", None),
        ({"received": "2017-01-01"}, 422, "SLU-531", None),
        ({"received": "0001-01-01T00:00:00+14:00"}, 422, "SLU-531", None),
        ({"channel": PHONE}, 422, "SLU-607", "/channel"),
        ({"channel": "file"}, 422, "SLU-607", "/channel"),
        ({"language": PHONE}, 422, "SLU-607", "/language"),
        ({PHONE: PHONE}, 422, "SLU-607", "/*"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_followed_is_named_and_not_repeated(
    web: Web, changes: dict[str, object], status: int, code: str, fault: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    answer = web.open(**changes)
    problem = answer.json()

    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"].endswith(code) and problem["title"] and problem["cure"]
    assert (fault is None) == ("errors" not in problem)
    assert fault is None or fault in [error["pointer"] for error in problem["errors"]]
    assert PHONE not in answer.text + str(answer.headers) + caplog.text
    assert web.get("/cases").json()["cases"] == []
    assert web.desk.objects(web.desk.settings.bucket_vault) == []


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"", "application/json", 422, "SLU-607"),
        (b'{"right": "0470123456', "application/json", 422, "SLU-607"),
        (b"[" * 60_000, "application/json", 400, "SLU-600"),
        (b'"' + b"0470123456" * 7_000 + b'"', "application/json", 413, "SLU-605"),
        (b'"\xff0470123456"', "application/json", 400, "SLU-600"),
        (json.dumps(BODY).encode(), "text/plain", 415, "SLU-606"),
        (b"right=erasure&identifiers=0470123456", "application/x-www-form-urlencoded", 415, "SLU-606"),
        (b"--x\r\n\r\n0470123456\r\n--x--", "multipart/form-data; boundary=x", 415, "SLU-606"),
    ],
    ids=str,
)
def test_a_body_that_is_no_small_json_is_refused(
    web: Web, content: bytes, kind: str, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = web.ask("POST", "/cases", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert PHONE not in answer.text + caplog.text


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/cases/{UNKNOWN}", 404, "SLU-301"),
        (f"/cases/{PHONE}", 422, "SLU-607"),
        (f"/cases?cursor={PHONE}", 422, "SLU-607"),
        (f"/cases?state={PHONE}", 422, "SLU-607"),
        ("/cases?limit=0", 422, "SLU-607"),
        ("/cases?principal=%00", 422, "SLU-607"),
        ("/cases?limit=201", 422, "SLU-607"),
        (f"/{PHONE}", 404, "SLU-604"),
        ("/cases/", 404, "SLU-604"),
        ("/docs", 404, "SLU-604"),
        ("/redoc", 404, "SLU-604"),
        (f"/cases/{UNKNOWN}/withdraw", 405, "SLU-604"),
        (f"/opendsr/requests/{UNKNOWN}", 404, "SLU-301"),
    ],
)
def test_an_address_that_leads_nowhere_is_a_problem_too(web: Web, path: str, status: int, code: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert PHONE not in answer.text


def test_the_words_for_kinds_are_those_of_the_command() -> None:
    assert {each.value for each in Kind} == set(KINDS)


def test_a_customer_number_says_whose_it_is(web: Web) -> None:
    def opened(**said: str) -> tuple[int, str | None]:
        asked = {name: value for name, value in BODY.items() if name != "principal"} | {"identifiers": [said]}
        answer = web.post("/cases", asked)
        return answer.status_code, answer.json().get("code")

    assert opened(kind="customer", value="C-000001", principal="energy01") == (201, None)
    assert opened(kind="customer", value="C-000001") == (201, None)
    assert opened(kind="customer", value="C-000001", principal="nobody01") == (422, "SLU-524")
    assert opened(kind="phone", value=PHONE, principal="energy01") == (422, "SLU-522")
    assert opened(kind="customer", value="C-000001", principal="0470 12 34 56")[0] == 422
