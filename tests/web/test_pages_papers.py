"""Roles and agreements: the matrix with its flip, versions in both times, and two of them side by side."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desk import Desk, open_desk
from night import AGREEMENT, Edit, with_papers
from sluice.documents.words import LANGUAGES
from sluice.settings import Settings
from sluice.web.pages.app import MOUNT, make_pages
from web.house import Web, open_web
from web.test_pages import SCRIPT, said

pytestmark = pytest.mark.stores
DEEPER = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
PATHS = ("/roles", "/roles/DPA-ENERGY01", "/agreements", "/agreements/DPA-ENERGY01")


@pytest.fixture
def pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with open_web(desk, monkeypatch, make_pages(), MOUNT) as opened:
        yield opened.as_("vera:VIEWER")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_pages_is_there(pages: Web, language: str) -> None:
    for path in PATHS:
        answer = pages.get(f"{path}?lang={language}")
        assert answer.status_code == 200 and f'<html lang="{language}">' in answer.text
        assert not re.search(r"\b(pages|group|warning|basis|register)\.[a-z]", said(answer.text)), path
        assert not re.search(r"\son\w+=|style=", answer.text)


def test_the_matrix_shows_the_flip_and_what_is_missing(pages: Web) -> None:
    page = said(pages.get("/roles/DPA-ENERGY01?lang=en").text)
    assert "In 6 of 14 field groups roles flip" in page and "⇄ contact center energy01" in page
    assert "nobody has signed it off" in page
    assert "⇄ 6" in said(pages.get("/roles?lang=en").text)


def test_a_page_shows_what_was_in_force_and_known_then(pages: Web) -> None:
    assert "3.0.0" in pages.get("/roles/DPA-ENERGY01?lang=en").text
    assert "2.4.0" in pages.get("/roles/DPA-ENERGY01?lang=en&on=2025-06-30").text
    for query in ("on=2020-01-01", "known_at=2020-01-01T10:00"):
        assert "There was no agreement" in said(pages.get(f"/roles/DPA-ENERGY01?lang=en&{query}").text)
    assert "not known yet then" in said(pages.get("/agreements?lang=en&known_at=2020-01-01T10:00").text)
    assert "no version in force" in said(pages.get("/agreements?lang=en&on=2020-01-01").text)


def test_two_versions_stand_side_by_side(pages: Web) -> None:
    page = said(pages.get("/agreements/DPA-ENERGY01?lang=en").text)
    assert "≠ changed version 2.4.0 3.0.0" in page and f"+ added processing {DEEPER} purposes {DEEPER} P-CARE" in page
    assert f"= same processing {DEEPER} subjectMatter" not in page
    whole = said(pages.get("/agreements/DPA-ENERGY01?lang=en&every=1").text)
    assert f"= same processing {DEEPER} subjectMatter" in whole
    alike = said(pages.get("/agreements/DPA-ENERGY01?lang=en&left=3.0.0&right=3.0.0").text)
    assert "The two versions say the same" in alike


def test_what_was_known_before_stays_to_be_seen(pages: Web) -> None:
    """A later activation closes a line of the timeline, and takes nothing away."""
    desk, now = pages.desk, datetime.now(UTC)
    desk.house.conn.execute(
        "update sluice.activation set known_to = %s where document_id = 'DPA-ENERGY01' and valid_to is null", (now,)
    )
    page = said(pages.get("/agreements/DPA-ENERGY01?lang=en").text)
    assert "not known so" in page and "3.0.0" in page
    before = (now - timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert (
        "in force" in said(pages.get(f"/agreements/DPA-ENERGY01?lang=en&known_at={before}").text).partition("Side")[0]
    )


def test_only_who_may_look_sees_papers_and_an_unknown_one_is_not_there(pages: Web) -> None:
    for path in PATHS:
        assert pages.as_(None).get(path).status_code == 401 and pages.as_("somebody:").get(path).status_code == 403
    for path in ("/roles/DPA-NOBODY", "/agreements/DPA-NOBODY", "/agreements/DPA-ENERGY01?left=9.9.9", "/roles/%20x"):
        answer = pages.get(path)
        assert answer.status_code == 404 and "NOBODY" not in answer.text
    assert pages.get("/roles?on=0470123456x").status_code == 422


def test_a_hostile_name_in_a_paper_is_text(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit = Edit(AGREEMENT, "name: Energy One NV", f"name: '{SCRIPT}'")
    with (
        open_desk(with_papers(store_settings, tmp_path, edit), tmp_path) as desk,
        open_web(desk, monkeypatch, make_pages(), MOUNT) as opened,
    ):
        for path in (*PATHS, "/registers/30.2"):
            answer = opened.as_("vera:VIEWER").get(path)
            assert answer.status_code == 200 and SCRIPT not in answer.text
        assert "&lt;script&gt;" in opened.as_("vera:VIEWER").get("/roles").text
