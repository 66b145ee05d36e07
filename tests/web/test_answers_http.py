"""An answer over HTTP: no login, a token in the address, a second word as a password, and one answer to all others."""

import base64
import io
import secrets
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rights.town import SHA
from sluice.answers.link import make_link
from sluice.answers.make import make
from sluice.answers.model import AnswerKind
from sluice.rights.case.model import Action, Actor, CaseId, Order, Role, State
from sluice.rights.case.steps import decide, settle_identity
from support.effort import effort
from web.house import BODY, Web

DESK = Actor(Role.DESK, "anna")
TRIES = effort(20, 200)


def word(code: str, name: str = "x") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{code}".encode()).decode()}


@pytest.fixture
def link(web: Web) -> tuple[str, str]:
    """Token and second word for a request for access that nobody's data answers."""
    case = CaseId(web.post("/cases", {**BODY, "right": "access", "principal": None}).json()["case"])
    house, now = web.desk.house, datetime.now(UTC)
    settle_identity(house.conn, case, True, Order(DESK, now, "IDENTITY_SHOWN", SHA))
    decide(house.conn, case, State.ACCEPTED, Order(DESK, now, "ACCEPTED", SHA, action=Action.GIVE))
    make(house, case, AnswerKind.ACCESS, now, DESK)
    made = make_link(house, case, now, DESK)
    return made.token, made.code


def test_a_browser_asks_for_the_word_and_gets_the_package(web: Web, link: tuple[str, str]) -> None:
    token, code = link
    nobody = web.as_(None)

    asked = nobody.get(f"/answers/{token}")
    assert (asked.status_code, asked.json()["code"]) == (401, "SLU-587")
    assert asked.headers["www-authenticate"].startswith("Basic ")
    got = nobody.get(f"/answers/{token}", headers=word(code))

    assert got.status_code == 200 and got.headers["content-type"] == "application/zip"
    assert got.headers["cache-control"] == "no-store" and "attachment" in got.headers["content-disposition"]
    assert "access.pdf" in zipfile.ZipFile(io.BytesIO(got.content)).namelist()
    [row] = web.desk.sql("select uses, failures from answer_link")
    assert (row["uses"], row["failures"]) == (1, 0), "to ask for the word is no wrong word"


@pytest.mark.evidence
def test_guessing_over_http_opens_nothing(
    web: Web, link: tuple[str, str], record_property: Callable[[str, object], None]
) -> None:
    token, code = link
    nobody, answers = web.as_(None), []
    for _ in range(TRIES):
        answers.append(nobody.get(f"/answers/{secrets.token_urlsafe(32)}", headers=word(code)))
        answers.append(nobody.get(f"/answers/{token}", headers=word(secrets.token_hex(4))))

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1, "nobody learns which of the two was wrong"
    assert web.desk.sql("select uses from answer_link")[0]["uses"] == 0
    assert nobody.get(f"/answers/{token}", headers=word(code)).status_code == 401, "wrong words have closed it"
    record_property("links: guessed over HTTP", f"0 of {len(answers):,} opened")


NO_WORD = (
    {},
    {"Authorization": "Bearer x.y.z"},
    {"Authorization": "Basic ===="},
    {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
    {"Authorization": "Basic " + base64.b64encode(b"x:").decode()},
    word("0" * 190),
)


def test_no_word_and_no_other_method_opens_and_one_that_is_over_says_so_to_its_person_only(
    web: Web, link: tuple[str, str]
) -> None:
    (token, code), nobody = link, web.as_(None)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert nobody.ask(method, f"/answers/{token}", headers=word(code), json={}).status_code == 405, method
    web.desk.sql("update answer_link set uses = most_uses returning 1")
    over = nobody.get(f"/answers/{token}", headers=word(code))
    assert (over.status_code, over.json()["code"]) == (410, "SLU-588")
    assert nobody.get(f"/answers/{token}", headers=word("another")).status_code == 401
    web.desk.sql("update answer_link set uses = 0, failures = 0 returning 1")
    for headers in NO_WORD:
        assert nobody.get(f"/answers/{token}", headers=headers).status_code == 401, headers
