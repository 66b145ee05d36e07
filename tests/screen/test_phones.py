"""Phone numbers: the compiled plans say what the library says."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from screen.labelled import SPELT
from sluice.screen.fold import fold
from sluice.screen.numbers import find_numbers
from sluice.screen.phones import is_phone
from sluice.screen.prefilter import Shape
from sluice.terms import ScreenClass
from support.effort import effort

CODES = st.sampled_from([1, 7, 31, 32, 33, 34, 39, 44, 49, 90, 212, 352])


@settings(max_examples=effort(150, 300), deadline=None)
@given(code=CODES, national=st.text(alphabet="0123456789", min_size=6, max_size=11))
def test_a_plan_agrees_with_the_library(code: int, national: str) -> None:
    zeros = len(national) - len(national.lstrip("0"))
    number = phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=max(zeros, 1),
    )
    assert is_phone(code, national) == phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("note", SPELT["a number is found in its usual spellings"])
def test_a_number_is_found_in_its_usual_spellings(note: str) -> None:
    assert phones(f"bel {note} aub") == 1


def test_two_numbers_side_by_side_are_two() -> None:
    assert phones("0475 12 34 56 / 0486 65 43 21") == 2
    assert phones("0475123456/0486654321") == 2


@pytest.mark.parametrize("note", SPELT["what only looks like one is none"])
def test_what_only_looks_like_one_is_none(note: str) -> None:
    assert phones(note) == 0


def phones(note: str) -> int:
    hits = find_numbers(fold(note).text, sum(Shape), "BE")
    return sum(class_ is ScreenClass.PHONE for class_, _, _ in hits)
