"""A role profile is signed off from the page of its agreement: by whom, why, and by two where the paper says so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sluice.documents.words import LANGUAGES, words
from sluice.settings import Settings
from sluice.web.pages.app import MOUNT
from support.desk import open_desk
from support.night import AGREEMENT, Edit, with_papers
from web.desk_work import said, send, token_of
from web.house import Web, open_pages
from web.test_again import ALERT, form_of

pytestmark = pytest.mark.stores
PAGE = "/agreements/DPA-ENERGY01"
FORM = {"version": "3.0.0", "profile": "SEED_OWNER", "reason": "BOARD_2026_11"}
TWO = Edit(AGREEMENT, "seedOwner: {signOff: null", "seedOwner: {twoPersonSignOff: true, signOff: null")
NOBODY = {
    "nl": "niemand heeft ervoor getekend",
    "fr": "personne ne l\N{RIGHT SINGLE QUOTATION MARK}a approuvé",
    "en": "nobody has signed it off",
}


@pytest.fixture
def pages(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Papers of two principals; that of energy01 asks for two people."""
    with (
        open_desk(with_papers(store_settings, tmp_path, TWO), tmp_path) as desk,
        open_pages(desk, monkeypatch) as opened,
    ):
        yield opened


def sign(pages: Web, name: str, page: str = PAGE, **changes: str) -> Any:
    """Send the form of an agreement, with a token of this login: the page shows it only who may still sign."""
    clerk = pages.as_(f"{name}:USER")
    return send(clerk, f"{page}/sign-off?lang=en", token_of(clerk, "/breach"), **FORM | changes)


def test_two_people_sign_and_the_warning_ends(pages: Web) -> None:
    viewer = pages.as_("vera:VIEWER")
    assert "waits for 2 people" in said(viewer.get(f"{PAGE}?lang=en").text)
    assert f'{PAGE}/sign-off?lang=en"' in pages.as_("bert:USER").get(f"{PAGE}?lang=en").text
    assert 'method="post"' not in viewer.get(PAGE).text, "a viewer looks"

    first = sign(pages, "bert")
    assert (first.status_code, first.headers["location"]) == (303, f"{MOUNT}{PAGE}?done=sign_off_first&lang=en")
    own = said(pages.as_("bert:USER").get(first.headers["location"].removeprefix(MOUNT)).text)
    assert "a second person still has to sign" in own and "somebody else signs next" in own
    assert "waits for one person" in own and 'method="post"' not in pages.as_("bert:USER").get(PAGE).text
    same = sign(pages, "BERT")
    assert same.status_code == 409 and "SAME_PERSON" in same.text and f'href="{MOUNT}/agreements?lang=en"' in same.text
    for language in LANGUAGES:
        assert NOBODY[language] in said(viewer.get(f"/roles/DPA-ENERGY01?lang={language}").text)

    second = sign(pages, "carla")

    assert "done=sign_off&" in second.headers["location"]
    for language in LANGUAGES:
        assert NOBODY[language] not in said(viewer.get(f"/roles/DPA-ENERGY01?lang={language}").text)
        shown = said(viewer.get(f"{PAGE}?lang={language}").text)
        assert "bert" in shown and "carla" in shown and "BOARD_2026_11" in shown and "pages." not in shown
    rows = pages.desk.sql("select body from ledger.entry where kind = 'role.signed_off' order by seq")
    bodies = [json.loads(bytes(row["body"])) for row in rows]  # type: ignore[call-overload]
    assert [(each["signed_by"], each["number"], each["needed"], each["reason"]) for each in bodies] == [
        ("bert", 1, 2, "BOARD_2026_11"),
        ("carla", 2, 2, "BOARD_2026_11"),
    ]
    assert "SIGNED_OFF" in sign(pages, "dora").text


def test_what_cannot_be_followed_signs_nothing_and_is_not_repeated(pages: Web) -> None:
    for wrong, status in (
        ({"reason": "Jan signed it"}, 422),
        ({"profile": "0470123456"}, 422),
        ({"version": "0470123456x!"}, 422),
        ({"version": "9.9.9"}, 404),
        ({"profile": "JOINT"}, 409),
    ):
        answer = sign(pages, "bert", **wrong)
        assert (answer.status_code, "0470123456" in answer.text, "Jan signed" in answer.text) == (
            status,
            False,
            False,
        ), wrong
    assert sign(pages, "bert", "/agreements/DPA-NOBODY").status_code == 404
    assert pages.desk.sql("select from ledger.entry where kind = 'role.signed_off'") == []
    one = sign(pages, "bert", version="2.4.0")
    assert "done=sign_off&" in one.headers["location"], "the control: that version asks for one person"


def test_a_signature_that_is_not_taken_comes_back_in_its_form(pages: Web) -> None:
    """On top of the same page, with what was typed: of a bad reason nothing, of another version all."""
    bert = pages.as_("bert:USER")
    for changes, status, kept in (({"reason": "Jan signed it"}, 422, ""), ({"version": "9.9.9"}, 404, FORM["reason"])):
        answer = sign(pages, "bert", **changes)
        assert answer.status_code == status and len(ALERT.findall(answer.text)) == 1
        again = form_of(answer.text, f"{PAGE}/sign-off")
        assert (again["reason"], again["profile"]) == ([kept], ["SEED_OWNER"]) and "Jan signed" not in answer.text
        assert ('aria-invalid="true"' in answer.text) is (status == 422)
        assert f'href="{MOUNT}{PAGE}?lang=nl"' in answer.text, "the page is there in other languages"
    assert sign(pages, "bert").status_code == 303
    old = sign(pages, "bert")
    assert old.status_code == 409 and "SLU-445" in ALERT.findall(old.text)[0]
    assert words("en").say("pages.rule.SAME_PERSON") in said(ALERT.findall(old.text)[0])
    assert f"<h1>{PAGE.rpartition('/')[2]}</h1>" in old.text and not ALERT.findall(bert.get(PAGE).text), "the control"
