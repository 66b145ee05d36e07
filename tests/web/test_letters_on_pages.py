"""Letters are taken out of the vault from the page of their case, as by command: what it is, by whom, and when."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from documents.test_receipt import text_of
from returns.commands import sluice
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import Case, CaseId, LetterKind, Right, State
from sluice.rights.case.next_step import letters_to_post
from sluice.rights.case.steps import desk_order, withdraw
from sluice.rights.case.store import get_case
from sluice.rights.letters.write import write_owed
from support.night import Night
from web.desk_work import case_of, said, send, token_of
from web.house import Web
from web.test_again import ALERT
from web.test_page_actions import entry

pytestmark = pytest.mark.stores
FORM = re.compile(r'<form method="post" action="[^"]*/letter[^"]*" class="draft">(.*?)</form>', re.DOTALL)


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk, at the pages."""
    return at_work.as_("bert:USER")


@pytest.fixture
def case(night: Night) -> Case:
    """A case whose receipt lies in the vault."""
    write_owed(night.desk.house, datetime.now(UTC))
    return get_case(night.desk.house.conn, case_of(night, Right.ACCESS, "ACKNOWLEDGED"))


def offered(pages: Web, case_id: CaseId) -> list[dict[str, str]]:
    """What the button beside each letter sends."""
    forms = FORM.findall(pages.get(f"/cases/{case_id}").text)
    return [dict(re.findall(r'name="(\w+)" value="([^"]+)"', form)) for form in forms]


def asked(pages: Web, case_id: CaseId, page_in: str = "nl", **fields: str) -> Any:
    return send(pages, f"/cases/{case_id}/letter?lang={page_in}", token_of(pages, f"/cases/{case_id}"), **fields)


def opened(night: Night, case_id: CaseId) -> list[tuple[object, ...]]:
    rows = night.desk.sql(
        f"select kind, language, opened_by from case_letter_opened where case_id = '{case_id}' order by opened_at"
    )
    return [tuple(row.values()) for row in rows]


def test_a_letter_is_taken_out_as_the_command_takes_it_out(pages: Web, night: Night, case: Case) -> None:
    [letter], viewer = letters_to_post(case), pages.as_("vera:VIEWER").get(f"/cases/{case.case_id}").text
    assert letter.sha256 in viewer and "/letter" not in viewer, "who only reads takes none"
    assert pages.get(f"/cases/{case.case_id}/letter").status_code == 404, "nothing is taken out by opening an address"
    [form] = offered(pages, case.case_id)
    answer = send(pages, f"/cases/{case.case_id}/letter", form.pop("token"), **form)
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    name = f"receipt-{case.case_id[:8]}.nl.pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert hashlib.sha256(answer.content).hexdigest() == letter.sha256 and text_of(answer.content)
    by_page = entry(night, "case.letter_opened")
    assert opened(night, case.case_id) == [("receipt", "nl", "bert")]
    assert letters_to_post(get_case(night.desk.house.conn, case.case_id)) == [], "it counts as taken out"

    sluice("case", "letter", case.case_id, "--kind", "receipt", "--to", str(night.desk.folder / "r.pdf"), "--by", "an")
    by_command = entry(night, "case.letter_opened")
    assert {name for name in by_page if by_page[name] != by_command[name]} == {"by", "at"}, "logged in the same way"
    assert (night.desk.folder / "r.pdf").read_bytes() == answer.content
    assert opened(night, case.case_id) == [("receipt", "nl", "bert"), ("receipt", "nl", "an")]


def test_a_letter_that_is_owed_is_written_and_one_in_another_language_is_a_courtesy(pages: Web, night: Night) -> None:
    case_id = case_of(night, Right.PORTABILITY)
    courtesy = asked(pages, case_id, kind="receipt", language="fr")
    assert courtesy.status_code == 200 and courtesy.headers["content-disposition"].endswith('.fr.pdf"')
    assert get_case(night.desk.house.conn, case_id).state is State.RECEIVED
    assert asked(pages, case_id, kind="receipt", language="nl").status_code == 200
    case = get_case(night.desk.house.conn, case_id)
    assert case.state is State.ACKNOWLEDGED and letters_to_post(case) == []
    assert entry(night, "case.transitioned")["actor"] == "bert"
    assert [form["language"] for form in offered(pages, case_id)] == ["fr", "nl"]


def test_what_has_nothing_to_say_is_not_written(pages: Web, night: Night, case: Case) -> None:
    text = pages.get(f"/cases/{case.case_id}").text
    [choice] = re.findall(r'<select id="letter-kind".*?</select>', text, re.DOTALL)
    assert re.findall(r'<option value="(\w+)"', choice) == ["receipt"], "what can be written is offered"
    for kind in (LetterKind.REFUSAL, LetterKind.LIFTING, LetterKind.COMPLETION):
        for language in LANGUAGES:
            answer = asked(pages, case.case_id, language, kind=kind, language="nl")
            [alert] = ALERT.findall(answer.text)
            assert answer.status_code == 409 and "SLU-571" in alert
            assert words(language).say("pages.said.SLU-571") in said(alert)
    for wrong in ({"kind": "love"}, {"kind": "receipt", "language": "de"}, {"kind": "receipt", "part": "x"}):
        answer = asked(pages, case.case_id, **wrong)
        assert answer.status_code == 422 and "SLU-607" in ALERT.findall(answer.text)[0]
    nobody = CaseId("00000000-0000-4000-8000-000000000000")
    answer = send(pages, f"/cases/{nobody}/letter", token_of(pages, f"/cases/{case.case_id}"), kind="receipt")
    assert answer.status_code == 404
    assert opened(night, case.case_id) == [] and len(get_case(night.desk.house.conn, case.case_id).letters) == 1

    withdraw(night.desk.house.conn, case.case_id, desk_order("anna", datetime.now(UTC), "SUBJECT_ASKED"))
    assert 'id="letter-kind"' not in pages.get(f"/cases/{case.case_id}").text
    [form] = offered(pages, case.case_id)
    answer = send(pages, f"/cases/{case.case_id}/letter", form.pop("token"), **form)
    assert answer.status_code == 200, "of a request that was taken back what was written can still be read"
    gone = "insert into case_tidied (case_id, objects, asked_by, begun_at) values (%s, 3, 'anna', now())"
    night.desk.house.conn.execute(gone, (case.case_id,))
    text = pages.get(f"/cases/{case.case_id}?lang=en").text
    assert offered(pages, case.case_id) == [] and 'id="letter-kind"' not in text
    assert words("en").say("pages.letters.gone") in said(text)
