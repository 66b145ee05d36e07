"""Which words of others hold a value of the person, so that inside them it says nothing. Pure."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.rights.copies.needles import forms_of, held_in, homes_of, is_by_chance
from sluice.scan.spell import compact_of

BRUSSELS = "+3223868177"


@pytest.mark.parametrize(
    ("value", "word", "is_held"),
    [
        ("an.claes@post.example", "Jan.Claes@post.example", True),
        ("an.claes@post.example", "An.Claes@post.example", False),
        (BRUSSELS, "+3238681773", True),
        (BRUSSELS, "0032 3 868 17 73", True),
        (BRUSSELS, "02 386 81 77", False),
        (BRUSSELS, "0032/2.386.81.77", False),
        (BRUSSELS, "+32 (0)2 386 81 77", False),
        (BRUSSELS, "+3223868178", False),
    ],
)
def test_a_word_of_others_holds_a_value_unless_it_is_the_value(value: str, word: str, is_held: bool) -> None:
    assert held_in(pl.Series([word, None]), forms_of([value])) == ({value: {word.lower()}} if is_held else {})


@given(st.from_regex(r"0(2|3|9|10|47[0-9])[0-9]{6,7}", fullmatch=True))
def test_no_other_spelling_of_a_number_hides_it(number: str) -> None:
    value = f"+32{number[1:]}"
    spelled = [
        number,
        f"0032{number[1:]}",
        f"0032 {number[1:]}",
        f"{number[:3]} {number[3:]}",
        f"{number[:2]}/{number[2:]}",
    ]
    assert held_in(pl.Series(spelled), forms_of([value])) == {}


OOSTENDE, ROME, NEW_YORK = "+32 58 47 06 42", "+39 06 1234 5678", "+1 212 555 0142"


@pytest.mark.parametrize(
    ("value", "word", "is_chance"),
    [
        (OOSTENDE, "recordings/158470642.wav", True),
        (OOSTENDE, "REC300422606158470642", True),
        (OOSTENDE, "rec-1584706421", True),
        (OOSTENDE, "rec-2026-158470642.wav", True),
        ("058 47 06 42", "recordings/158470642.wav", True),
        (OOSTENDE, "158470642", False),
        (OOSTENDE, "rec584706421", False),
        (OOSTENDE, "tel:58470642", False),
        (OOSTENDE, "rec158470642/58470642", False),
        (OOSTENDE, "rec158470642/58-47-06-42", False),
        (OOSTENDE, "rec158470642/+32-58-47-06-42", False),
        (OOSTENDE, "rec1058470642", False),
        (OOSTENDE, "rec3258470642", False),
        (OOSTENDE, "rec32058470642", False),
        (OOSTENDE, "rec325847064201", False),
        (OOSTENDE, "rec2026080110153258470642", False),
        (OOSTENDE, "rec0158470642", False),
        (OOSTENDE, "rec37058470642", False),
        (OOSTENDE, "rec858470642", False),
        (OOSTENDE, "rec958470642", False),
        (OOSTENDE, "x%2258470642", False),
        (OOSTENDE, "x\\x2258470642", False),
        (OOSTENDE, "rec158470642?tel=58470642", False),
        (OOSTENDE, "rec 158470642", False),
        ("058 47 06 42", "rec3258470642", False),
        ("058 47 06 42", "rec325847064201", False),
        (ROME, "rec170612345678", False),
        (NEW_YORK, "rec42125550142", False),
        ("85.07.30-033.28", "rec1985073003328", False),
        ("12345678", "rec9912345678", False),
        ("E12345678", "XE12345678", False),
    ],
)
def test_an_id_holds_a_telephone_by_chance_unless_it_may_be_the_telephone(
    value: str, word: str, is_chance: bool
) -> None:
    assert is_by_chance(word, value) is is_chance


@given(st.from_regex(r"(\+32|0032|0)(2|3|9|10|58|47[0-9])[0-9]{6}", fullmatch=True), st.text("0123456789", max_size=4))
def test_no_form_of_a_telephone_is_chance_in_any_id(number: str, after: str) -> None:
    for form in compact_of(number):
        for before in ("", "0", "32", "0032", "320", "8", "9"):
            assert not is_by_chance(f"rec{before}{form}{after}", number)


def test_only_telephones_are_looked_for_in_ids() -> None:
    assert homes_of(forms_of([OOSTENDE, "058/47.06.42", ROME, NEW_YORK, "12", "12345678", "E12345678"])) == {
        "58470642": {OOSTENDE, "058/47.06.42"}
    }
