"""Cases over HTTP on real PostgreSQL and S3: opened once, told as the command tells them, refused with a code."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN

from returns.commands import sluice
from sluice.rights.case.model import Actor, CaseId, Right, Role
from sluice.rights.opening import envelope_of
from sluice.rights.person.identifiers import KINDS, Identifier
from sluice.rights.person.sealed import case_id_of, find_sealed, seal, subject_key
from sluice.settings import get_settings
from sluice.terms import Principal, SubjectKind
from sluice.web.model import Kind
from support.desk import Desk
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


def test_a_moment_counts_by_its_day_in_brussels_and_a_customer_number_says_whose_it_is(web: Web) -> None:
    assert web.open(received="2026-03-04T23:30:00Z").json()["received"] == "2026-03-05"
    given = {name: value for name, value in BODY.items() if name not in ("received", "principal")}
    assert abs((date.fromisoformat(web.post("/cases", given).json()["received"]) - date.today()).days) <= 1

    def opened(**said: str) -> tuple[int, str | None]:
        asked = {name: value for name, value in BODY.items() if name != "principal"} | {"identifiers": [said]}
        answer = web.post("/cases", asked)
        return answer.status_code, answer.json().get("code")

    assert opened(kind="customer", value="C-000001", principal="energy01") == (201, None)
    assert opened(kind="customer", value="C-000001") == (201, None)
    assert opened(kind="customer", value="C-000001", principal="nobody01") == (422, "SLU-524")
    assert opened(kind="phone", value=PHONE, principal="energy01") == (422, "SLU-522")
    assert opened(kind="customer", value="C-000001", principal="0470 12 34 56")[0] == 422


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


REFUSED: tuple[tuple[dict[str, object], str, str | None], ...] = (
    ({"right": PHONE}, "SLU-607", "/right"),
    ({"identifiers": []}, "SLU-607", "/identifiers"),
    ({"identifiers": [{"kind": PHONE, "value": PHONE}]}, "SLU-607", "/identifiers/0/kind"),
    ({"identifiers": [{"kind": "phone", "value": [PHONE]}]}, "SLU-607", "/identifiers/0/value"),
    ({"identifiers": [{"kind": "phone", "value": PHONE, PHONE: 1}]}, "SLU-607", "/identifiers/0/*"),
    ({"identifiers": [{"kind": "phone", "value": f"{PHONE}x"}]}, "SLU-522", None),
    ({"principal": PHONE}, "SLU-524", None),
    ({"principal": f"{PHONE} "}, "SLU-607", "/principal"),
    ({"received": PHONE}, "SLU-607", "/received"),
    ({"received": int(PHONE)}, "SLU-607", "/received"),
    ({"received": "2999-01-01"}, "SLU-304", None),
    ({"received": "2017-01-01"}, "SLU-531", None),
    ({"received": "0001-01-01T00:00:00+14:00"}, "SLU-531", None),
    ({"channel": PHONE}, "SLU-607", "/channel"),
    ({"channel": "file"}, "SLU-607", "/channel"),
    ({"language": PHONE}, "SLU-607", "/language"),
    ({PHONE: PHONE}, "SLU-607", "/*"),
)


def test_what_cannot_be_followed_is_named_and_not_repeated(module_web: Web, caplog: pytest.LogCaptureFixture) -> None:
    for changes, code, fault in REFUSED:
        answer = module_web.open(**changes)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["status"]) == (422, code, 422), changes
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"].endswith(code) and problem["title"] and problem["cure"]
        assert (fault is None) == ("errors" not in problem)
        assert fault is None or fault in [error["pointer"] for error in problem["errors"]]
        assert PHONE not in answer.text + str(answer.headers) + caplog.text
    assert module_web.get("/cases").json()["cases"] == []
    assert module_web.desk.objects(module_web.desk.settings.bucket_vault) == []


BODIES = (
    (b"", "application/json", 422, "SLU-607"),
    (b'{"right": "0470123456', "application/json", 422, "SLU-607"),
    (b"[" * 60_000, "application/json", 400, "SLU-600"),
    (b'"' + b"0470123456" * 7_000 + b'"', "application/json", 413, "SLU-605"),
    (b'"\xff0470123456"', "application/json", 400, "SLU-600"),
    (json.dumps(BODY).encode(), "text/plain", 415, "SLU-606"),
    (b"right=erasure&identifiers=0470123456", "application/x-www-form-urlencoded", 415, "SLU-606"),
    (b"--x\r\n\r\n0470123456\r\n--x--", "multipart/form-data; boundary=x", 415, "SLU-606"),
)
NOWHERE = (
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
)


def test_a_body_that_is_no_small_json_and_an_address_that_leads_nowhere_are_problems(
    module_web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    for content, kind, status, code in BODIES:
        answer = module_web.ask("POST", "/cases", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["code"]) == (status, code), kind
        assert PHONE not in answer.text + caplog.text
    for path, status, code in NOWHERE:
        answer = module_web.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
        assert PHONE not in answer.text


def test_the_words_for_kinds_are_those_of_the_command() -> None:
    assert {each.value for each in Kind} == set(KINDS)


NAMES_OF_NOBODY = ("\u042d\u043c\u0438\u043b", "-", "a" * 101, "ann\u0430", "\u0430nn")


def test_who_is_nobody_or_has_a_name_that_no_record_can_hold_opens_and_seals_nothing(module_web: Web) -> None:
    nobody = module_web.as_(None)
    assert nobody.get("/cases").headers["www-authenticate"] == "Bearer" and nobody.open().status_code == 401
    for headers in ({"Authorization": "Bearer x.y.z"}, {"Cookie": f"{COOKIE_NAME_JWT_TOKEN}=x.y.z"}):
        answer = nobody.get("/cases", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "SLU-602"), "as Airflow's own API answers"
    for name in NAMES_OF_NOBODY:
        answer = module_web.as_(f"{name}:USER").open()
        assert (answer.status_code, answer.json()["code"]) == (403, "SLU-603")
    assert module_web.desk.sql("select 1 from subject_case") == []
    assert module_web.desk.objects(module_web.desk.settings.bucket_vault) == []


def test_a_name_is_taken_as_it_is_written_and_kept_in_one_spelling(web: Web) -> None:
    case = web.as_("E\u0301lodie  Maes:USER").open().json()["case"]
    steps = web.desk.sql(f"select distinct actor from case_transition where case_id = '{case}'")
    assert [row["actor"] for row in steps] == ["Élodie Maes"]


def test_a_store_that_is_away_is_a_503_that_says_when_to_try_again(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_DATABASE_URL", "postgresql://nobody:secretword@127.0.0.1:1/none")
    get_settings.cache_clear()
    for answer in (web.get("/cases"), web.open()):
        assert (answer.status_code, answer.json()["code"]) == (503, "SLU-102")
        assert answer.headers["retry-after"].isdigit() and "secretword" not in answer.text


def test_a_case_whose_opener_died_after_sealing_is_finished_by_the_same_key(web: Web, desk: Desk) -> None:
    key, person = uuid4(), (Identifier(SubjectKind.PHONE, PHONE),)
    case_id = case_id_of(desk.house.keyring, key)
    actor = Actor(Role.DESK, "anna")
    day, now = date(2026, 11, 20), datetime.now(UTC)
    envelope = envelope_of(case_id, Right.ERASURE, Principal("energy01"), (person,), day, now, actor)
    seal(desk.house, replace(envelope, channel="form"))
    assert web.get("/cases").json()["cases"] == []

    answer = web.open(str(key))

    assert (answer.status_code, answer.json()["case"]) == (200, case_id)
    assert len(web.get("/cases").json()["cases"]) == 1
    assert len(desk.objects(desk.settings.bucket_vault)) == 1
