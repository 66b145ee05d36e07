"""What the exact stage finds, the vectorised passes have let through."""

import unicodedata

import polars as pl
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from screen.labelled import read_labelled
from sluice.screen.fold import fold, fold_column
from sluice.screen.numbers import find_mails, find_numbers
from sluice.screen.phones import phone_shape
from sluice.screen.prefilter import Shape, find_candidates, find_shapes
from sluice.screen.tables import terms
from sluice.screen.words import find_words
from support.effort import effort

EVERY_SHAPE = sum(Shape)
SEPARATOR = st.text(alphabet=" .-/()\u00a0\u200b\u2011", max_size=2)
GROUPS = ["0475", "12", "34", "56", "+32", "BE68", "5390", "0754", "7034", "85", "07", "30", "033", "28", "4111", "00"]
DIGITS = st.lists(st.tuples(st.sampled_from(GROUPS), SEPARATOR), max_size=10)
NUMBER_NOTES = DIGITS.map(lambda parts: "".join(part + separator for part, separator in parts))
TEXT = st.text(alphabet="zieknéÉ \u0301\u00ad\u200b _-'\ufb01ŒœßİK\u017f0123456789", max_size=20)


def test_every_term_is_a_candidate_and_found_in_its_class() -> None:
    texts = [term.text.replace("*", "x") for term in terms()]
    written = pl.Series([text.upper() for text in texts])
    assert find_candidates(written).words.all()
    found = [{hit[0] for hit in find_words(note, fold(note))} for note in written.to_list()]
    missed = [term.text for term, hits in zip(terms(), found, strict=True) if term.class_ not in hits]
    assert len(missed) < len(texts) * 0.06, missed  # a longer term, another class or an exception may win


@settings(max_examples=effort(50, 100), deadline=None)
@given(before=TEXT, term=st.sampled_from([term.text.replace("*", "") for term in terms()]), after=TEXT)
def test_the_word_pass_holds_every_word_that_is_found(before: str, term: str, after: str) -> None:
    note = f"{before}{term}{after}"
    if find_words(note, fold(note)):
        assert find_candidates(pl.Series([note])).words.all()


@settings(max_examples=effort(50, 100), deadline=None)
@given(note=NUMBER_NOTES)
@example(note="03 30 07 85")
def test_the_number_passes_hold_every_number_that_is_found(note: str) -> None:
    text = fold(note).text
    for class_, _, _ in find_numbers(text, EVERY_SHAPE, "BE"):
        found = find_candidates(pl.Series([note]))
        shapes = int(find_shapes(found.plain, phone_shape("BE"))[0])
        assert found.numbers.all()
        assert class_ in {hit[0] for hit in find_numbers(text, shapes, "BE")}


def test_the_passes_change_nothing_for_a_labelled_note() -> None:
    notes = [one.note for one in read_labelled("notes_tuned.csv")]
    found = find_candidates(pl.Series(notes))
    for note, mails, words, shapes in zip(
        notes, found.mails, found.words, find_shapes(found.plain, phone_shape("BE")), strict=True
    ):
        text = fold(note).text
        hits = find_numbers(text, EVERY_SHAPE, "BE")
        assert not hits or find_numbers(text, int(shapes), "BE") == hits
        assert not find_mails(text) or mails, note
        assert not find_words(note, fold(note)) or words, note


@settings(max_examples=effort(50, 100), deadline=None)
@given(note=st.one_of(TEXT, st.text(max_size=20)))
def test_a_note_folds_alike_alone_and_in_a_column(note: str) -> None:
    assume(all(unicodedata.category(one) != "Cn" for one in note))  # polars knows newer characters than Python
    folded = fold(note)
    if not note.isascii():
        column = str(fold_column(pl.Series([note]))[0])
        assert _ascii(column) == _ascii(folded.text)
    for index in range(len(folded.text)):
        start, end = folded.origin(index, index + 1)
        assert 0 <= start < end <= len(note)


def _ascii(text: str) -> str:
    """Lists and shapes are ASCII: characters beyond it only have to stay beyond it."""
    return "".join(character if character.isascii() else "?" for character in text)
