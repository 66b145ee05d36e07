"""The page of an exchange speaks to the center that reads it, and says what is there today: its receipt does not."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from desk import Desk
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.read import ExchangeLine
from sluice.web.pages.app import MOUNT, make_pages
from sluice.web.pages.picture import SIGNS
from web.house import Web, open_web
from web.test_pages import said

UNSAFE = "0470123456789.csv"


@pytest.fixture
def pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A viewer at a desk with an accepted file, one that could not be judged, and one whose name is withheld."""
    path, _ = desk.campaign(40)
    desk.drop(path, "good.csv")
    desk.drop(b"Klanten maart\n" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"), "titled.csv")
    desk.drop(path, UNSAFE)
    desk.work()
    with open_web(desk, monkeypatch, make_pages(), MOUNT) as opened:
        yield opened.as_("vera:VIEWER")


def line(pages: Web, decision: str) -> ExchangeLine:
    """The exchange that was decided so."""
    [found] = [each for each in pages.desk.lines() if each.decision == decision]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_does_not_speak_as_the_pdf(pages: Web, language: str) -> None:
    say = words(language).say
    text = said(pages.get(f"/exchanges/{line(pages, 'accepted').id}?lang={language}").text)
    assert say("pages.verify.text") in text and say("verify.text") not in text
    assert "sluice receipt verify" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_could_not_be_judged_says_what_the_center_does(pages: Web, language: str) -> None:
    say, undecided = words(language).say, line(pages, "undecided")
    text = said(pages.get(f"/exchanges/{undecided.id}?lang={language}").text)
    assert say("pages.undecided") in text and say("verdict.undecided.sentence") not in text
    assert "HEADER_NOT_FIRST" in text, "the code that it speaks of"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_file_says_who_corrects_it_and_where_the_other_reasons_are(pages: Web, language: str) -> None:
    pages.desk.drop(b"no;contract\n1;2\n", "bad.csv")
    pages.desk.work()
    [refused] = [each for each in pages.desk.lines() if each.reason_code == "HEADER_UNDECLARED_COLUMN"]
    say = words(language)
    text = said(pages.get(f"/exchanges/{refused.id}?lang={language}").text)
    assert say.say("pages.refused") in text and say.say("verdict.refused.sentence") not in text
    assert any(said(say.count("pages.reasons.more", more, count=say.number(more))) in text for more in range(1, 40))
    assert not any(said(say.count("reasons.more", more, count=say.number(more))) in text for more in range(1, 40))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_that_is_gone_says_when_it_was_removed(pages: Web, language: str) -> None:
    accepted, say = line(pages, "accepted"), words(language)
    text = said(pages.get(f"/exchanges/{accepted.id}?lang={language}").text)
    removed = say.say("pages.keep.removed", day="").strip()
    assert removed not in text
    gone = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    pages.desk.house.conn.execute("update copy set gone_at = %s where kind = 'lake'", (gone,))
    text = said(pages.get(f"/exchanges/{accepted.id}?lang={language}").text)
    assert f"{say.say('copy.lake')} {say.say('pages.keep.removed', day=say.day('2026-11-21'))}" in text
    assert text.count(removed) == 1, "of that copy alone, by the clock in Brussels"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_of_the_picture_is_in_its_legend(pages: Web, language: str) -> None:
    text = pages.get(f"/exchanges/{line(pages, 'undecided').id}?lang={language}").text
    legend = said(text.partition('<ul class="legend">')[2].partition("</ul>")[0])
    for verdict, sign in SIGNS.items():
        word = words(language).say(f"verdict.{verdict}.word")
        assert f"{sign} {word}".lower() in legend.lower(), "in the words of the verdict"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_that_is_withheld_is_said_in_the_words_of_the_reader(pages: Web, language: str) -> None:
    [withheld] = [each for each in pages.desk.lines() if each.reason_code == "NAME_UNSAFE"]
    mark = words(language).say("pages.name_withheld")
    for path in (f"/exchanges/{withheld.id}", f"/lineage/{withheld.id}"):
        text = pages.get(f"{path}?lang={language}").text
        assert mark in said(text) and UNSAFE not in text, path
        assert (language == "en") == ("[name withheld]" in text), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_ours_is_cut_in_the_picture(pages: Web, language: str) -> None:
    """File names are, for they can be as long as they like."""
    for each in pages.desk.lines():
        text = pages.get(f"/exchanges/{each.id}?lang={language}").text
        assert not [note for note in re.findall(r'<text class="note[^>]*>(.*?)</text>', text) if "…" in note]
        names = re.findall(r'<text class="name[^"]*(?:party|kept|aside)[^>]*>(.*?)</text>', text)
        assert names and not [name for name in names if "…" in name]
