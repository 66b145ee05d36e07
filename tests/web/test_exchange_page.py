"""The page of an exchange speaks to the center that reads it, and says what is there today: its receipt does not."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from sluice.documents.six import six_answers
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.read import ExchangeLine, show_exchange
from sluice.web.pages.app import MOUNT
from sluice.web.pages.on_page import does_hold, section_of
from sluice.web.pages.picture import SIGNS
from support.desk import Desk
from web.house import Web, open_pages
from web.test_pages import said

UNSAFE = "0470123456789.csv"
ANSWERED = re.compile(r'<h3><span class="at" aria-hidden="true">(\d)</span> ([^<]+)</h3>\s*<p class="bold">([^<]+)</p>')


@pytest.fixture(scope="module")
def scene(module_desk: Desk) -> Desk:
    """An accepted file, one that could not be judged, one whose name is withheld, and one that was refused."""
    path, _ = module_desk.campaign(40)
    module_desk.drop(path, "good.csv")
    module_desk.drop(b"Klanten maart\n" + path.read_bytes().removeprefix(b"\xef\xbb\xbf"), "titled.csv")
    module_desk.drop(path, UNSAFE)
    module_desk.drop(b"no;contract\n1;2\n", "bad.csv")
    module_desk.work()
    return module_desk


@pytest.fixture
def pages(scene: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A viewer at its pages."""
    with open_pages(scene, monkeypatch) as opened:
        yield opened.as_("vera:VIEWER")


def line(pages: Web, decision: str) -> ExchangeLine:
    """The exchange that was decided so."""
    [found] = [each for each in pages.desk.lines() if each.decision == decision]
    return found


def by_reason(pages: Web, code: str) -> str:
    [found] = [each.id for each in pages.desk.lines() if each.reason_code == code]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_speaks_to_the_center_and_not_as_the_pdf(pages: Web, language: str) -> None:
    say = words(language)

    def page(number: str) -> str:
        return pages.get(f"/exchanges/{number}?lang={language}").text

    text = said(page(line(pages, "accepted").id))
    assert say.say("pages.verify.text") in text and say.say("verify.text") not in text
    assert "sluice receipt verify" in text
    undecided = page(line(pages, "undecided").id)
    text = said(undecided)
    assert say.say("pages.undecided") in text and say.say("verdict.undecided.sentence") not in text
    assert "HEADER_NOT_FIRST" in text, "the code that it speaks of"
    legend = said(undecided.partition('<ul class="legend">')[2].partition("</ul>")[0])
    signs = [f"{sign} {say.say(f'verdict.{verdict}.word')}".lower() for verdict, sign in SIGNS.items()]
    assert [each for each in signs if each not in legend.lower()] == [], "in the words of the verdict"

    text = said(page(by_reason(pages, "HEADER_MISSING_COLUMN")))
    assert say.say("pages.refused") in text and say.say("verdict.refused.sentence") not in text
    for name, is_there in (("pages.reasons.more", True), ("reasons.more", False)):
        every = (said(say.count(name, more, count=say.number(more))) for more in range(1, 40))
        assert any(each in text for each in every) is is_there, name
    withheld = by_reason(pages, "NAME_UNSAFE")
    for path in (f"/exchanges/{withheld}", f"/lineage/{withheld}"):
        text = pages.get(f"{path}?lang={language}").text
        assert say.say("pages.name_withheld") in said(text) and UNSAFE not in text, path
        assert (language == "en") == ("[name withheld]" in text), path
    for each in pages.desk.lines():
        text = page(each.id)
        assert not [note for note in re.findall(r'<text class="note[^>]*>(.*?)</text>', text) if "…" in note]
        names = re.findall(r'<text class="name[^"]*(?:party|kept|aside)[^>]*>(.*?)</text>', text)
        assert names and not [name for name in names if "…" in name], "no word of ours is cut in the picture"


def test_a_copy_that_is_gone_says_when_it_was_removed(pages: Web) -> None:
    path, conn = f"/exchanges/{line(pages, 'accepted').id}", pages.desk.house.conn
    gone = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    for is_gone in (False, True):
        if is_gone:
            conn.execute("update copy set gone_at = %s where kind = 'lake'", (gone,))
        for language in LANGUAGES:
            say = words(language)
            text = said(pages.get(f"{path}?lang={language}").text)
            removed = say.say("pages.keep.removed", day="").strip()
            assert text.count(removed) == is_gone, "of that copy alone"
            told = f"{say.say('copy.lake')} {say.say('pages.keep.removed', day=say.day('2026-11-21'))}"
            assert (told in text) is is_gone, "by the clock in Brussels"
    conn.execute("update copy set gone_at = null")
    assert "Until " in ANSWERED.findall(pages.get(f"{path}?lang=en").text)[2][2]
    conn.execute("update copy set gone_at = %s", (gone,))
    assert ANSWERED.findall(pages.get(f"{path}?lang=en").text)[2][2] == "Removed on 21 November 2026"
    conn.execute("update copy set gone_at = null")


def test_the_six_answers_stand_numbered_above_everything_else(pages: Web) -> None:
    for language in LANGUAGES:
        say = words(language)
        for decision in ("accepted", "undecided"):
            record = show_exchange(pages.desk.house.conn, line(pages, decision).id).record
            assert record is not None
            text = pages.get(f"/exchanges/{record.exchange_id}?lang={language}").text
            found = [
                (int(number), unescape(question), unescape(bold)) for number, question, bold in ANSWERED.findall(text)
            ]
            assert found == [(n, each.question, each.bold) for n, each in enumerate(six_answers(say, record), 1)]
            grid, way, detail = (text.index(f'id="{name}"') for name in ("six", "way", "verify"))
            assert grid < way < detail and 'style="' not in text
            unpersoned = record.model_copy(update={"who": record.who.model_copy(update={"sender": "nobody"})})
            assert found[3][2] != six_answers(say, unpersoned)[3].bold, "the control: it is read off the record"


def test_the_page_says_how_it_was_read_and_run_and_what_was_held_back(pages: Web) -> None:
    shown = show_exchange(pages.desk.house.conn, line(pages, "accepted").id)
    assert shown.record and shown.entry
    text = said(pages.get(f"/exchanges/{shown.line.id}?lang=en").text)
    assert "Encoding found UTF-8" in text and "Delimiter ;" in text and "By command, not by Airflow." in text
    assert f"Lineage run (OpenLineage) {shown.record.how.lineage_run_id}" in text
    assert f"Hash of the entry before it {shown.entry.prev_hash.hex()}" in text
    assert "Right treatment No row held back. Cases touched none at its closing" in text
    run = {"dag_id": "inbound_energy01", "run_id": "manual", "task_id": "drain", "try_number": "3"}
    how = shown.record.how.model_copy(update={"airflow": {**run, "lineage_run_id": "0199-run"}})
    record = shown.record.model_copy(update={"how": how})
    section = section_of(record, shown.entry, "key", words("en"), {})
    facts = {fact.label: fact.value.words for part in section.parts for fact in part.facts}
    assert [facts[name] for name in ("Airflow DAG", "Run", "Task", "Try")] == [*run.values()]
    assert facts["Lineage run (OpenLineage)"] == f"{record.exchange_id}, 0199-run"


def test_the_page_computes_the_hash_of_its_entry_again(pages: Web) -> None:
    shown = show_exchange(pages.desk.house.conn, line(pages, "accepted").id)
    assert shown.entry
    text = said(pages.get(f"/exchanges/{shown.line.id}?lang=en").text)
    assert f"Ledger entry {shown.entry.chain} #{shown.entry.seq}" in text
    assert "computed again just now and holds" in text
    assert does_hold(shown.entry)
    altered = shown.entry.body.replace(b'"accepted"', b'"refused!"')
    assert not does_hold(replace(shown.entry, body=altered)) and altered != shown.entry.body
    assert not does_hold(replace(shown.entry, appended_at=datetime(2026, 11, 20, tzinfo=UTC)))
    assert not does_hold(replace(shown.entry, prev_hash=bytes(32)))


def test_no_receipt_is_offered_before_it_was_given(pages: Web) -> None:
    closed = line(pages, "accepted").id
    offered = f"{MOUNT}/exchanges/{closed}/receipt."
    assert pages.get(f"/exchanges/{closed}").text.count(offered) == 2, "the control"
    pages.desk.house.conn.execute("update exchange set receipt_at = null where exchange_id = %s", (closed,))
    assert pages.get(f"/exchanges/{closed}/receipt.pdf").status_code == 404
    assert offered not in pages.get(f"/exchanges/{closed}").text
    again = "update exchange set receipt_at = closed_at where exchange_id = %s"
    pages.desk.house.conn.execute(again, (closed,))
