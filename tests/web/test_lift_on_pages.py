"""A restriction ends from the page of its case by the rules of the command: never before the person was told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rights.instructing import current
from rights.notices.test_told_first import PAPERS, WE_ANSWER, restricted
from rights.town import Town, open_town, papers_of, swept
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case.model import Case, LetterKind, Right
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind
from sluice.web.pages.app import MOUNT
from web.desk_work import said, send, token_of
from web.house import Web, open_pages
from web.test_again import ALERT
from web.test_page_actions import PROOF

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY], *PAPERS, *getattr(request, "param", ()))
    with open_town(settings, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


@pytest.fixture
def pages(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Bert, a clerk, at the pages."""
    with open_pages(town.desk, monkeypatch) as opened:
        yield opened.as_("bert:USER")


def ended(pages: Web, case: Case, page_in: str = "nl", **fields: Any) -> Any:
    page = f"/cases/{case.case_id}"
    return send(pages, f"{page}/lift?lang={page_in}", token_of(pages, page), **fields)


def offered(pages: Web, case: Case) -> tuple[str, str]:
    """What the page says about the end of the restriction, and the form in it if there is one."""
    text = pages.get(f"/cases/{case.case_id}?lang=en").text
    heading = f"<summary>{words('en').say('pages.deed.lift')}</summary>"
    part = text.partition(heading)[2].partition("</details>")[0]
    return said(part), (re.findall(r'<form method="post".*?</form>', part, re.DOTALL) or [""])[0]


def in_force(town: Town) -> int:
    runs = find_runs(town.house.conn, ENERGY, in_force=True)
    return sum(run.reason is Suppression.RESTRICTED for run in runs)


def told(pages: Web, case: Case) -> None:
    page = f"/cases/{case.case_id}"
    assert send(pages, f"{page}/letter", token_of(pages, page), kind="lifting", language="nl").status_code == 200


def refused(pages: Web, case: Case, code: str, **fields: Any) -> None:
    for language in LANGUAGES:
        answer = ended(pages, case, language, **fields)
        [alert] = ALERT.findall(answer.text)
        assert answer.status_code == 409 and code in alert
        assert words(language).say(f"pages.said.{code}") in said(alert)


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_the_person_is_told_first_then_it_ends_once(pages: Web, town: Town) -> None:
    case, say = restricted(town), words("en").say
    assert offered(pages, case) == ("", ""), "nothing is restricted yet"
    refused(pages, case, "SLU-613")
    swept(town)
    assert in_force(town) == 2 and current(town, case).find_letter(LetterKind.LIFTING, None) is None
    text, form = offered(pages, case)
    assert say("pages.lift.untold") in text and form == ""
    refused(pages, case, "SLU-611")
    refused(pages, case, "SLU-611", evidence=PROOF)
    assert in_force(town) == 2, "the control"

    told(pages, case)
    _, form = offered(pages, case)
    assert form and "required" not in form
    answer = ended(pages, case)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{MOUNT}/cases/{case.case_id}?done=lift&lang=nl"
    assert in_force(town) == 0 and offered(pages, case) == ("", "")
    assert words("nl").say("pages.done.lift") in said(pages.get(f"/cases/{case.case_id}?done=lift&lang=nl").text)
    kind = "suppression.changed"
    [row] = town.desk.sql(f"select body from ledger.entry where kind = '{kind}' order by appended_at desc limit 1")
    last = json.loads(bytes(row["body"]))  # type: ignore[call-overload]
    assert (last["by"], last["change"], last["case_id"]) == ("bert", "lifted", case.case_id)
    refused(pages, case, "SLU-612")


def test_where_the_principal_answers_its_word_is_the_proof(pages: Web, town: Town) -> None:
    case, say = restricted(town), words("en").say
    swept(town)
    told(pages, case)
    text, form = offered(pages, case)
    assert say("pages.lift.theirs") in text and re.search(r'<input id="lift-evidence"[^>]* required', form)
    refused(pages, case, "SLU-611")
    wrong = ended(pages, case, evidence="Jan said so")
    assert wrong.status_code == 422 and "Jan" not in wrong.text and in_force(town) == 2
    assert ended(pages, case, evidence=PROOF).status_code == 303 and in_force(town) == 0
    assert words("nl").say("pages.deed.lift") not in said(pages.as_("vera:VIEWER").get(f"/cases/{case.case_id}").text)
    other = town.opened(Right.ACCESS, [(SubjectKind.PHONE, town.people[1].phone)], ENERGY)
    assert not other.state.is_over and offered(pages, other) == ("", "")
    refused(pages, other, "SLU-612")
