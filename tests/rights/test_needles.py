"""Which words of others hold a value of the person, so that inside them it says nothing. Pure."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.rights.erase_needles import forms_of, held_in, is_by_chance

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


OOSTENDE, NEW_YORK = "+32 58 47 06 42", "+1 212 555 0142"


@pytest.mark.parametrize(
    ("value", "word", "is_chance"),
    [
        (OOSTENDE, "recordings/158470642.wav", True),
        (OOSTENDE, "300422606158470642", True),
        (OOSTENDE, "584706421", True),
        (OOSTENDE, "58470642", False),
        (OOSTENDE, "tel:58470642", False),
        (OOSTENDE, "158470642/58470642", False),
        (OOSTENDE, "058470642", False),
        (OOSTENDE, "1058470642", True),
        (OOSTENDE, "3258470642", False),
        (OOSTENDE, "32058470642", False),
        (OOSTENDE, "+158470642", False),
        (OOSTENDE, "0158470642", False),
        (OOSTENDE, "37058470642", False),
        (OOSTENDE, "858470642", False),
        (OOSTENDE, "958470642", False),
        ("058 47 06 42", "3258470642", False),
        (NEW_YORK, "12125550142", False),
        (NEW_YORK, "42125550142", True),
        ("E12345678", "XE12345678", False),
        ("1234567", "91234567", False),
        ("1234567", "44991234567", True),
    ],
)
def test_a_number_stands_in_a_longer_one_by_chance_unless_somebody_dials_it_so(
    value: str, word: str, is_chance: bool
) -> None:
    assert is_by_chance(word, value) is is_chance
