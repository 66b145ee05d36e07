"""Whatever is sent: never a 5xx, never a word of it in an answer or a log; and the check itself can fail."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.web.api import make_api
from sluice.web.dsr_model import EXAMPLE
from sluice.web.guard import Guard
from support.desk import Desk
from support.effort import effort
from support.installation import Record
from web.house import BODY, Web, open_web

CANARY = "kanarie0470123456"
EXAMPLES = effort(100, 1_000)
EVERY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=20).map(lambda text: CANARY + text),
    st.just("\ud800"),
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5).map(lambda text: CANARY + text), inner, max_size=3)
    ),
    max_leaves=8,
)


def changed(whole: dict[str, Any]) -> st.SearchStrategy[object]:
    """A good body with one field gone, replaced or added, at the top or one level below."""

    @st.composite
    def build(draw: Callable[[st.SearchStrategy[Any]], Any]) -> object:
        body = json.loads(json.dumps(whole))
        target: Any = body
        if draw(st.booleans()):
            nested = [each for each in body.values() if isinstance(each, dict | list) and each]
            target = draw(st.sampled_from(nested)) if nested else body
            target = target[0] if isinstance(target, list) else target
        name = draw(st.sampled_from([*target, CANARY]))
        if draw(st.booleans()):
            target[name] = draw(trees)
        else:
            target.pop(name, None)
        return body

    return build()


def said(web: Web, path: str, body: object, caplog: pytest.LogCaptureFixture) -> tuple[int, str]:
    caplog.clear()
    answer = web.ask("POST", path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
    return answer.status_code, answer.text + str(answer.headers) + caplog.text


@pytest.mark.evidence
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("path", "whole"), [("/cases", BODY), ("/opendsr/requests", dict(EXAMPLE))])
def test_any_body_is_answered_and_not_repeated(
    web: Web, caplog: pytest.LogCaptureFixture, record_property: Record, path: str, whole: dict[str, Any]
) -> None:
    answers: Counter[int] = Counter()

    @EVERY
    @given(body=changed(whole) | trees)
    def ask(body: object) -> None:
        status, text = said(web, path, body, caplog)
        assert status < 500 and CANARY not in text
        answers[status] += 1

    ask()
    told = ", ".join(f"{status} x {count}" for status, count in sorted(answers.items()))
    record_property(f"bodies to POST {path}: 5xx or a value repeated", f"0 of {answers.total()} ({told})")


@EVERY
@given(
    content=st.binary(max_size=200),
    media_type=st.sampled_from(["application/json", "text/plain", "", "application/json; charset=x", "x"]),
    key=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    query=st.dictionaries(st.sampled_from(["limit", "cursor", "state", "open", "principal"]), st.text(max_size=30)),
)
def test_any_bytes_header_and_query(web: Web, content: bytes, media_type: str, key: str, query: dict[str, str]) -> None:
    headers = {"Content-Type": media_type, "Idempotency-Key": key}
    assert web.ask("POST", "/cases", content=content, headers=headers).status_code in (400, 415, 422)
    encoded = {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}
    assert web.get("/cases", params=encoded).status_code in (200, 422)


def test_an_app_that_answers_as_fastapi_does_is_found(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api()

    async def talkative(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return JSONResponse({"detail": error.errors()}, 422)

    api.add_exception_handler(RequestValidationError, talkative)
    with open_web(desk, monkeypatch, api) as web:
        status, text = said(web, "/cases", {**BODY, "language": CANARY}, caplog)
        assert status == 422 and CANARY in text


def add_failure(desk: Desk, api: FastAPI) -> None:
    """A route that fails for real and whose error quotes what it was given, as PostgreSQL's do."""

    def fail(word: str) -> None:
        desk.house.conn.execute("select cast(%s as integer)", (word,))

    api.add_api_route("/broken", fail, methods=["GET"])


def test_a_failure_is_told_as_a_code_and_logged_as_a_place(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api()
    add_failure(desk, api)
    with open_web(desk, monkeypatch, api) as web:
        caplog.clear()
        answer = web.get("/broken", headers={}, params={"word": CANARY})

    assert (answer.status_code, answer.json()["code"]) == (500, "SLU-000")
    ours = [record for record in caplog.records if record.name.startswith("sluice")]
    assert [record.getMessage().split(" at ")[0] for record in ours] == ["SLU-000 InvalidTextRepresentation"]
    assert CANARY not in answer.text + "".join(record.getMessage() for record in ours)


def test_without_the_wall_the_failure_gets_out_with_its_value(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api()
    api.user_middleware = [each for each in api.user_middleware if each.cls is not Guard]
    add_failure(desk, api)
    with open_web(desk, monkeypatch, api) as web, pytest.raises(Exception, match=CANARY):
        web.get("/broken", params={"word": CANARY})
