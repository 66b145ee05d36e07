"""An error is told in the language of its reader: fields by their labels, rules by a sentence, and where to mend it."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.api_fastapi.core_api.routes.public.auth import auth_router
from airflow.api_fastapi.core_api.security import is_safe_url
from fastapi import Request
from fastapi.routing import APIRoute

from sluice.documents.words import LANGUAGES, words
from sluice.errors import Ref
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.guards import BASE
from sluice.rights.case.model import Right, Role
from sluice.rights.case.transitions import FLAGS, TRANSITIONS
from sluice.web.errors import Fault, RequestInvalid
from sluice.web.pages.app import MOUNT
from sluice.web.pages.faults import KINDS, LABELS, told
from support.night import CALLED_AT, Night
from web.desk_work import READS, said, send, token_of
from web.house import Web
from web.test_again import ALERT, form_of
from web.test_page_actions import PART, PROOF, REASON, act, settled

SHOWN = (
    *("SLU-000", "SLU-101", "SLU-102", "SLU-116", "SLU-117", "SLU-201", "SLU-202", "SLU-204", "SLU-205", "SLU-301"),
    *("SLU-303", "SLU-304", "SLU-418", "SLU-445", "SLU-521", "SLU-522", "SLU-523", "SLU-524", "SLU-525", "SLU-527"),
    *("SLU-531", "SLU-541", "SLU-556", "SLU-561", "SLU-563", "SLU-566", "SLU-571"),
    *(*(f"SLU-60{last}" for last in range(1, 10)), "SLU-610", "SLU-526", "SLU-611", "SLU-612", "SLU-613", "SLU-641"),
)
"""Errors that a page may well show."""
DESK = [row for row in TRANSITIONS if Role.DESK in row.by]
GUARDS = sorted({guard.__name__ for row in DESK for guard in row.guards} | {each.__name__ for each in BASE})


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk, at the pages."""
    return at_work.as_("bert:USER")


def nobody_asks() -> Request:
    """A request to Airflow itself."""
    scope = {"type": "http", "method": "GET", "scheme": "http", "server": ("testserver", 80), "path": "/"}
    return Request({**scope, "root_path": "", "headers": [], "query_string": b""})


def alert(text: str) -> str:
    """What is told on top of a page, in words."""
    [found] = ALERT.findall(text)
    return said(found)


def test_what_a_page_may_tell_has_words() -> None:
    for language in LANGUAGES:
        say = words(language)
        flags = [
            guard.__name__ for _, held in FLAGS.values() for guard in held if guard.__name__ != "deadline_has_passed"
        ]
        names = [
            *(f"pages.{part}.{code}" for code in SHOWN for part in ("said", "cure")),
            *(f"pages.rule.{guard}" for guard in [*GUARDS, *flags, "no_such_step", "role"]),
            *(f"pages.fault.{kind}" for kind in KINDS.values()),
            *LABELS.values(),
        ]
        assert [name for name in names if say.find(name) is None] == [] and len(names) > 120
        assert say.find("pages.said.SLU-999") is None, "the control"


def test_a_field_has_its_label_and_a_rule_its_sentence() -> None:
    say = words("en")
    [line] = told(RequestInvalid([Fault("body", "/rows", "missing")]), say).fields
    assert (line.name, line.label, line.said) == ("rows", "Held rows", "nothing is chosen.")
    [line] = told(RequestInvalid([Fault("body", "/refuse/3", "no_word_of_ours")] * 2), say).fields
    assert (line.name, line.said) == ("refuse", "cannot be followed so.")
    [line] = told(RequestInvalid([Fault("query", "*", "extra_forbidden")]), say).fields
    assert line.label == "Something in the address or the form"
    outcomes = [
        told(RequestInvalid([Fault("body", "/outcome", "missing")]), say, page) for page in ("cases", "waiting")
    ]
    assert [each.fields[0].label for each in outcomes] == ["How did it end?", "What happened?"]
    refused = TransitionRefused(
        Ref("from", "ASSESSED"), Ref("to", "PARTIAL"), Ref("guard", "names_remedies, no_rule_of_ours"), Ref("case", "c")
    )
    shown = told(refused, say)
    assert shown.step == ("Assessed", "Partly accepted") and shown.refs == ("case c",)
    known = ("names_remedies", say.say("pages.rule.names_remedies"))
    assert shown.rules == (known, ("no_rule_of_ours", None)), "what has no words is not left out"


@READS
@pytest.mark.stores
def test_a_number_that_is_not_found_comes_back_in_its_form(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        say = words(language)
        for place in ("/exchanges", "/lineage"):
            answer = pages.get(f"{place}/find?number=DEADBEEF&lang={language}")
            assert answer.status_code == 404 and say.say("pages.find.none") in alert(answer.text), place
            assert 'name="number" value="DEADBEEF" aria-invalid="true" aria-describedby="fault-number"' in answer.text
            assert 'id="fault-number"' in answer.text and "openapi" not in answer.text
            assert f'href="{MOUNT}{place}/find?number=DEADBEEF&amp;lang=fr"' in answer.text, "and in another language"
            assert "aria-invalid" not in pages.get(place).text, "the control"
        phone = pages.get(f"/exchanges/find?number=0470123456&lang={language}")
        assert phone.status_code == 404 and alert(phone.text) and "470123456" not in phone.text, "it begins no number"
        wrong = pages.get(f"/exchanges/find?number=%2B3247&lang={language}")
        assert say.say("pages.number.form") in alert(wrong.text) and "3247" not in wrong.text


@pytest.mark.stores
def test_several_that_begin_so_are_told_apart_from_none(pages: Web, night: Night) -> None:
    [row] = night.desk.sql("select exchange_id::text as id from exchange limit 1")
    other = row["id"][:-1] + ("0" if row["id"][-1] != "0" else "1")
    night.desk.house.conn.execute(
        "insert into exchange select (jsonb_populate_record(e, jsonb_build_object("
        "'exchange_id', %s::text, 'version_id', 'another', 'sha256', repeat('0', 64)))).* "
        "from exchange e where exchange_id = %s",
        (other, row["id"]),
    )
    beginning = row["id"][:8]
    for path in ("/exchanges/find?number=", "/lineage/find?number=", "/breach?exchange="):
        answer = pages.get(f"{path}{beginning}&lang=nl")
        assert answer.status_code == 404 and "SLU-610" in alert(answer.text), path
        assert words("nl").say("pages.said.SLU-610") in alert(answer.text) and f'value="{beginning}"' in answer.text
    assert pages.get(f"/exchanges/find?number={row['id']}").status_code == 200, "the control"


@READS
@pytest.mark.stores
def test_fields_of_a_form_are_named_and_marked(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        say = words(language)
        agent = re.findall(r'<option value="([0-9a-f]{32})"', pages.get("/breach").text)[-1]
        day = CALLED_AT.date().isoformat()
        answer = pages.get(f"/breach?agent={agent}&since={day}T10:00&until={day}T09:00&lang={language}")
        told_so = f"{say.say('pages.breach.until')} {say.say('pages.fault.not_after_since')}"
        assert told_so in alert(answer.text) and "not_after_since" not in answer.text
        assert answer.text.count('aria-invalid="true"') == answer.text.count('aria-describedby="fault-until"') == 1

        [row] = night.desk.sql("select exchange_id::text as id from exchange where rows_to_review > 0")
        page = f"/waiting/reviews/{row['id']}"
        answer = send(pages, f"{page}?lang={language}", token_of(pages, page), choice="mask", reason="Jan said so")
        assert f"{say.say('pages.review.rows')} {say.say('pages.fault.unchosen')}" in alert(answer.text)
        assert say.say("pages.form.reason.hint") in alert(answer.text) and "Jan" not in answer.text
        assert re.search(r'name="rows"[^>]* aria-invalid="true" aria-describedby="fault-rows"', answer.text)
        assert 'aria-invalid="true" aria-describedby="review-reason-hint fault-reason"' in answer.text
        assert "aria-invalid" not in pages.get(page).text, "the control"


@pytest.mark.stores
def test_what_a_decision_breaks_is_a_sentence(pages: Web, night: Night) -> None:
    page = settled(pages, night, Right.PORTABILITY)
    text = pages.get(page).text
    groups = re.findall(r'value="([a-z_]+)=NotRequiredJustification"', text)
    every = {"part": sorted(set(PART.findall(text))), "refuse": [f"{each}=NotRequiredJustification" for each in groups]}
    form = {"action": "export", "reason": REASON, "evidence": PROOF, **every}
    for language in LANGUAGES:
        say = words(language)
        answer = send(pages, f"{page}/decide?lang={language}", token_of(pages, page), **form)
        shown = alert(answer.text)
        assert answer.status_code == 409 and "SLU-521" in shown
        assert f"{say.say('pages.rule.refuses_not_every_field')} refuses_not_every_field" in shown
        assert say.say("pages.said.SLU-521") in shown and say.say("state.PARTIAL") in shown
        assert "sluice case show" not in shown and form_of(answer.text, f"{page}/decide")["action"] == ["export"]


@READS
@pytest.mark.stores
def test_who_is_not_logged_in_finds_the_way_there_and_back(pages: Web, night: Night) -> None:
    nobody = pages.as_(None)
    number = night.desk.lines()[0].id
    for language in LANGUAGES:
        for path, back in (
            (f"/start?lang={language}", "/start"),
            (f"/exchanges/{number}?lang={language}&done=review", f"/exchanges/{number}"),
            (f"/waiting/returns?lang={language}", "/waiting/returns"),
            (f"/exchanges/find?number=0470123456&lang={language}", "/start"),
            (f"/agreements/Jan-Peeters?lang={language}", "/start"),
        ):
            answer = nobody.get(path)
            assert answer.status_code == 401 and words(language).say("pages.said.SLU-601") in said(answer.text), path
            assert "Bearer" not in answer.text and "0470123456" not in answer.text and "Jan" not in answer.text
            [link] = re.findall(r'href="([^"]*/auth/login[^"]*)"', answer.text)
            to = urlsplit(unescape(link))
            assert (to.netloc, to.path) == ("", "/api/v2/auth/login")
            assert parse_qs(to.query)["next"] == [f"{MOUNT}{back}?lang={language}"], path
            assert is_safe_url(parse_qs(to.query)["next"][0], nobody_asks()), "Airflow follows it"
        assert "/auth/login" in [route.path for route in auth_router.routes if isinstance(route, APIRoute)]
        assert not is_safe_url("https://elsewhere.example/", nobody_asks()), "the control"
        asked = nobody.get("/start", headers={"Accept-Language": language})
        assert words(language).say("pages.error.login") in said(asked.text), "the browser's language"
        assert "/auth/login" not in pages.get("/start").text, "the control"
        assert act(pages, "/breach", object="x").status_code == 422, "control: who is logged in gets the form again"
