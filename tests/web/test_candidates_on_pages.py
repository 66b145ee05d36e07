"""A case of a name and a birth date waits: its page shows who may be meant, and a human says who it is, or nobody."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from returns.commands import sluice
from rights.copies.test_candidates import ENERGY, namesakes, waiting
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import CaseId
from sluice.rights.case.store import get_case, list_steps
from sluice.rights.confirm_candidate import CONFIRMED, NOBODY, candidates_of
from sluice.rights.person.sealed import open_sealed
from sluice.web.pages.app import MOUNT
from support.copies import Copies
from support.night import Night
from web.desk_work import lent_night, said, send, token_of
from web.house import Web, open_pages
from web.test_again import ALERT

pytestmark = pytest.mark.stores
VALUES = ("Bossche", "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", "1980", "0470123", "namesake", "E00000090")
BOX = re.compile(r'<input type="checkbox" name="candidate" value="([^"]+)"')


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with lent_night(copies, tmp_path, namesakes) as opened:
        yield opened


@pytest.fixture
def pages(night: Night, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Bert, a clerk, at the pages."""
    with open_pages(night.desk, monkeypatch) as opened:
        yield opened.as_("bert:USER")


def page_of(case_id: CaseId) -> str:
    return f"/cases/{case_id}/candidates"


def say(pages: Web, case_id: CaseId, page_in: str = "nl", **fields: Any) -> Any:
    page = page_of(case_id)
    return send(pages, f"{page}?lang={page_in}", token_of(pages, page), **fields)


def test_the_page_shows_what_the_command_prints_and_nobody(pages: Web, night: Night) -> None:
    case_id = waiting(night)
    assert f'href="{MOUNT}{page_of(case_id)}?lang=en"' in pages.get(f"/cases/{case_id}?lang=en").text
    assert page_of(case_id) not in pages.as_("vera:VIEWER").get(f"/cases/{case_id}").text
    text = pages.get(f"{page_of(case_id)}?lang=en").text
    [told] = sluice("case", "candidates", case_id).document["persons"]
    printed = [f"{one['principal']}:{one['candidate']}" for one in told["candidates"]]
    assert BOX.findall(text) == printed and len(printed) == 2
    for one in told["candidates"]:
        for place in one["places"]:
            assert place["object"] in text and f"/exchanges/{place['exchange']}" in text
    assert [value for value in VALUES if value in text + json.dumps(told)] == []
    assert "telecom01" in said(text), "where nobody could be found is said"
    assert "checked" not in text, "nobody is chosen beforehand"


def test_the_one_who_was_chosen_is_whom_the_case_is_about(pages: Web, night: Night) -> None:
    case_id, house = waiting(night), night.desk.house
    one, other = (f"{each.principal}:{each.candidate}" for each in candidates_of(house, case_id).candidates)
    answer = say(pages, case_id, candidate=[one])
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{MOUNT}/cases/{case_id}?done=confirm&lang=nl"
    assert words("nl").say("pages.done.confirm") in said(pages.get(f"/cases/{case_id}?done=confirm&lang=nl").text)
    case = get_case(house.conn, case_id)
    assert {part.principal for part in case.sub_cases} == {ENERGY} and all(part.has_hit for part in case.sub_cases)
    assert ("bert", CONFIRMED) in {(step.actor, step.reason_code) for step in list_steps(house.conn, case_id)}

    assert page_of(case_id) not in pages.get(f"/cases/{case_id}").text
    assert pages.get(page_of(case_id)).status_code == 409
    fresh = waiting(night, "Piet Peeters", "04/04/1980")
    late = send(pages, page_of(case_id), token_of(pages, page_of(fresh)), candidate=[other])
    assert late.status_code == 409 and "SLU-526" in late.text, "the first word counts"


def test_nobody_of_them_is_somebody_unknown(pages: Web, night: Night) -> None:
    case_id, house = waiting(night), night.desk.house
    answer = say(pages, case_id, "fr", nobody="true")
    assert answer.status_code == 303 and "done=confirm_nobody" in answer.headers["location"]
    case = get_case(house.conn, case_id)
    assert case.sub_cases and not any(part.has_hit for part in case.sub_cases)
    assert open_sealed(house, case.subject_key).envelope.identifiers == ()
    assert NOBODY in {step.reason_code for step in list_steps(house.conn, case_id)}


def test_what_is_no_answer_changes_nothing_and_is_told(pages: Web, night: Night) -> None:
    case_id, house = waiting(night), night.desk.house
    [one, _] = BOX.findall(pages.get(page_of(case_id)).text)
    for language in LANGUAGES:
        neither, both = say(pages, case_id, language), say(pages, case_id, language, candidate=[one], nobody="true")
        for answer in (neither, both):
            assert answer.status_code == 422 and "SLU-607" in ALERT.findall(answer.text)[0]
            assert words(language).say("pages.fault.unchosen") in said(ALERT.findall(answer.text)[0])
        assert f'value="{one}" checked' in both.text and "checked" not in neither.text
    for wrong in ("energy01:nobody", "Jan Peeters", f"energy01:{'0' * 31}g", "<script>alert(1)</script>"):
        answer = say(pages, case_id, candidate=[wrong])
        assert answer.status_code == 422 and wrong not in answer.text, wrong
    stranger = say(pages, case_id, candidate=[f"energy01:{'0' * 32}"])
    assert stranger.status_code == 404 and ALERT.findall(stranger.text), "no candidate of this case"
    assert get_case(house.conn, case_id).sub_cases == ()
    assert night.desk.sql("select count(*) as n from suppression_run") == [{"n": 0}]


def test_a_case_that_does_not_wait_has_no_candidates(pages: Web, night: Night) -> None:
    nobody = CaseId("00000000-0000-4000-8000-000000000000")
    assert pages.get(page_of(nobody)).status_code == 404
    none = waiting(night, "Nemo Niemand", "1980-04-03")
    for language in LANGUAGES:
        text = pages.get(f"{page_of(none)}?lang={language}").text
        assert BOX.findall(text) == [] and words(language).say("pages.candidates.none") in said(text)
        assert "Nemo" not in text
    assert say(pages, none, nobody="true").status_code == 303
