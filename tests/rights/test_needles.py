"""Which words of others hold a value of the person, so that inside them it says nothing. Pure."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.rights.erase_needles import forms_of, held_in

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
