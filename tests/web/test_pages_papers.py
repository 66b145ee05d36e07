"""Roles and agreements: the matrix with its flip, versions in both times, and two of them side by side."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from rights.town import papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.agreement.in_force.store import find_agreement, find_contracts, list_laid
from sluice.agreement.roles.matrix import matrix_of
from sluice.documents.words import LANGUAGES
from support.desk import Desk
from web.house import Web, open_pages
from web.statements import heard
from web.test_pages import said

pytestmark = pytest.mark.stores
DEEPER = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
LISTED = re.compile(r'<th scope="row"><a href="[^"]+">(DPA-[^<]+)</a>')
PATHS = ("/roles", "/roles/DPA-ENERGY01", "/agreements", "/agreements/DPA-ENERGY01")


@pytest.fixture
def pages(module_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with open_pages(module_desk, monkeypatch) as opened:
        yield opened.as_("vera:VIEWER")


def test_every_word_of_the_pages_is_there(pages: Web) -> None:
    for language in LANGUAGES:
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


def statements(pages: Web, path: str) -> int:
    """The number of SQL statements that a page sends after its connection is open."""
    pages.get(path)
    with heard() as said:
        assert pages.get(path).status_code == 200
    return len(said)


def test_the_list_says_of_an_agreement_what_its_own_page_says(pages: Web) -> None:
    """At every day: the list reads all papers at once, the page those of one."""
    conn, now = pages.desk.house.conn, datetime.now(UTC)
    for on in ("2025-06-30", "2026-01-01", now.date().isoformat()):
        listed = pages.get(f"/roles?on={on}").text
        for name in {each.agreement_id for each in list_laid(conn)}:
            [row] = re.findall(rf"<tr>(?:(?!</tr>).)*>{name}</a>.*?</tr>", listed, re.DOTALL) or [""]
            paper = find_agreement(conn, name, date.fromisoformat(on), now)
            assert (paper is None) == (row == ""), (name, on)
            if paper:
                rows = matrix_of(paper, find_contracts(conn, paper, date.fromisoformat(on), now))
                groups, flips = ({each.group for each in rows if each.flips or every} for every in (True, False))
                told = (
                    f"{name} {paper.version} {paper.principal_name} {len(groups)} {f'⇄ {len(flips)}' if flips else 0}"
                )
                assert said(row).startswith(told), on


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


def test_only_who_may_look_sees_papers_and_an_unknown_one_is_not_there(pages: Web) -> None:
    for path in PATHS:
        assert pages.as_(None).get(path).status_code == 401 and pages.as_("somebody:").get(path).status_code == 403
    for path in ("/roles/DPA-NOBODY", "/agreements/DPA-NOBODY", "/agreements/DPA-ENERGY01?left=9.9.9", "/roles/%20x"):
        answer = pages.get(path)
        assert answer.status_code == 404 and "NOBODY" not in answer.text
    assert pages.get("/roles?on=0470123456x").status_code == 422


def test_more_agreements_ask_no_more_statements(pages: Web, tmp_path: Path) -> None:
    conn, before = pages.desk.house.conn, statements(pages, "/roles")
    were = LISTED.findall(pages.get("/roles").text)
    more = [f"energy{number}" for number in range(21, 25)]
    activate_all(conn, papers_of(pages.desk.settings, tmp_path, more).principals_dir, datetime.now(UTC))
    names = LISTED.findall(pages.get("/roles").text)
    assert names == sorted({*were, *(f"DPA-{name.upper()}" for name in more)}) != were
    assert statements(pages, "/roles") == before < 10
    each = [statements(pages, f"/roles/{name}") for name in names]
    assert sum(each) > before + 2 * len(more), "the control: one page of each asks more"


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
