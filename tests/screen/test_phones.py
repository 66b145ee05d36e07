"""Phone numbers: the compiled plans say what the library says."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.screen.fold import fold
from sluice.screen.numbers import find_numbers
from sluice.screen.phones import is_phone
from sluice.screen.prefilter import Shape
from sluice.terms import ScreenClass

CODES = st.sampled_from([1, 7, 31, 32, 33, 34, 39, 44, 49, 90, 212, 352])


@settings(max_examples=300, deadline=None)
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


@pytest.mark.parametrize(
    "note",
    [
        "0475 12 34 56",
        "0475/12.34.56",
        "0475123456",
        "(0475) 12 34 56",
        "02/523.45.67",
        "+32 475 12 34 56",
        "+32(0)475123456",
        "+32 (0) 2 523 45 67",
        "0032475123456",
        "32475123456.0",
        "tel0475123456",
        "gsm 475 12 34 56",
        "tel 06 12 34 56 78",
        "+44 20 7946 0018",
    ],
)
def test_a_number_is_found_in_its_usual_spellings(note: str) -> None:
    assert phones(f"bel {note} aub") == 1


def test_two_numbers_side_by_side_are_two() -> None:
    assert phones("0475 12 34 56 / 0486 65 43 21") == 2
    assert phones("0475123456/0486654321") == 2


@pytest.mark.parametrize(
    "note",
    [
        "order 4500123456",
        "12345678",
        "2026-021234567",
        "op 02/11/2026 5 keer",
        "ref 021234567",
        "BE0403170701",
        "btw 0475.123.456",
        "+++123/4567/89002+++",
    ],
)
def test_what_only_looks_like_one_is_none(note: str) -> None:
    assert phones(note) == 0


def phones(note: str) -> int:
    hits = find_numbers(fold(note).text, sum(Shape), "BE")
    return sum(class_ is ScreenClass.PHONE for class_, _, _ in hits)
