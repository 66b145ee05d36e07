"""Screening a column: masks, spans, actions, the contract's own numbers, odd characters."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from screen.labelled import EVERY_CLASS, SPELT, read_labelled
from sluice.screen.model import NotesMalformed, Screened
from sluice.screen.screen import screen_notes
from sluice.terms import ScreenAction, ScreenClass
from support.effort import effort

pytestmark = pytest.mark.slow

KNOWN = [one.note for one in read_labelled("notes_tuned.csv")]
ODD = "\u00a0\u202f\u200b\u00ad\u0301\u0308\uff10\uff15\u2011\u2019\ufb01\u0130\u0660\U0001f600ßœ \n\t.-/+(@"
PIECES = st.sampled_from([*KNOWN, "0475 12 34 56", "BE68 5390 0754 7034", "kanker", "ziek", "85.07.30-033.28"])
NOTES = st.lists(st.one_of(PIECES, st.text(alphabet=ODD, max_size=6), st.text(max_size=8)), max_size=5).map("".join)


def screen(*notes: str | None, action: ScreenAction = ScreenAction.MASK) -> Screened:
    actions = dict.fromkeys(ScreenClass, action)
    return screen_notes(pl.Series("note", notes, dtype=pl.String), actions)


def classes(note: str) -> list[str]:
    return screen(note).findings["class"].to_list()


@settings(max_examples=effort(50, 100), deadline=None)
@given(note=NOTES)
@example(note="tel \uff10\uff14\uff17\uff15\u00a012\u202f34\u00a056")
@example(note="de\u0301pression se\u0301ve\u0300re")
@example(note="zi\u200bek en kan\u00adker")
def test_a_span_lies_in_its_note_and_its_text_is_gone_after_masking(note: str) -> None:
    screened = screen(note)
    masked = screened.notes[0]
    for span in screened.spans():
        assert 0 <= span.start < span.end <= len(note)
    assert _without_masks(masked) == _without_masks(_without_spans(note, screened))


@settings(max_examples=effort(50, 100), deadline=None)
@given(note=NOTES, action=st.sampled_from([ScreenAction.ALLOW, ScreenAction.REVIEW, ScreenAction.REFUSE]))
def test_only_mask_changes_a_note(note: str, action: ScreenAction) -> None:
    screened = screen(note, action=action)
    assert screened.notes.to_list() == [note]
    assert screened.findings.drop("action").equals(screen(note).findings.drop("action"))


def test_nothing_is_found_in_what_masking_left() -> None:
    assert screen(*screen(*KNOWN).notes).findings.height == 0


def test_null_empty_and_no_notes_stay_and_the_notes_given_are_not_changed():
    screened = screen(None, "", "ziek", None)
    assert screened.notes.to_list() == [None, "", "[health]", None]
    assert screened.rows_with_text == 1
    screened = screen()
    assert screened.notes.to_list() == []
    assert screened.findings.height == 0
    notes = pl.Series("note", ["dépression sévère", "bel 0475 12 34 56"])
    screen_notes(notes, EVERY_CLASS)
    assert notes.to_list() == ["dépression sévère", "bel 0475 12 34 56"]


def test_offsets_count_characters_of_the_note_as_it_came() -> None:
    note = "e\u0301te\u0301 \U0001f600: de\u0301pression, tel 0475\u00a012\u00a034\u00a056"
    spans = screen(note).spans()
    assert [note[one.start : one.end] for one in spans] == ["de\u0301pression", "0475\u00a012\u00a034\u00a056"]


def test_overlapping_spans_become_one_mask_of_the_classes_of_the_agreement_and_negation_is_about_health_too():
    screened = screen("vakbond, hij is ziek thuis")
    assert screened.notes[0] == "[union], hij is [health]"
    notes = pl.Series(["ziek, bel 0475 12 34 56"])
    screened = screen_notes(notes, {ScreenClass.PHONE: ScreenAction.MASK})
    assert screened.notes.to_list() == ["ziek, bel [phone]"]
    assert screened.screened_for == (ScreenClass.PHONE,)
    assert classes("heeft geen kanker") == ["health"]


@pytest.mark.parametrize("note", SPELT["a listed exception is no finding"])
def test_a_listed_exception_is_no_finding(note: str) -> None:
    assert classes(note) == []


def test_findings_and_errors_never_hold_text_and_what_is_no_text_is_refused():
    screened = screen("ziek, bel 0475 12 34 56")
    assert "0475" not in repr(screened)
    assert "ziek" not in repr(screened)
    with pytest.raises(NotesMalformed, match="SLU-492"):
        screen_notes(pl.Series("note", [1]), EVERY_CLASS)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["a", "a.", "1", "1 ", "0475 ", "be68 ", "(at) ", "04/05/2026 ", "rue de l'", "é", "@", "+"]
)
def test_a_note_of_32_000_characters_of_anything_is_read_in_time(piece: str) -> None:
    note = f"{piece * (32_000 // len(piece))} jan@voo.be ziek tel 0475 12 34 56"
    assert "health" in classes(note)


def _without_spans(note: str, screened: Screened) -> str:
    hidden = {place for span in screened.spans() for place in range(span.start, span.end)}
    return "".join(character for place, character in enumerate(note) if place not in hidden)


def _without_masks(note: str) -> str:
    for name in ScreenClass:
        note = note.replace(f"[{name}]", "")
    return note
