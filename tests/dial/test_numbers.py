"""What a line of a Do-Not-Call-Me list names: its number, whatever stands behind it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.dial.dncm import read_numbers
from sluice.dial.model import ListInvalid
from sluice.subject.key import SubjectKey

KEY = SubjectKey(b"k" * 32)
NUMBERS = st.sampled_from(
    ["0475123456", "0475 12 34 56", "+32475123456", "0032 475/12.34.56", "+32 (0)475 12 34 56", "0475-12-34-56"]
)
DAYS = st.dates(date(1990, 1, 1), date(2039, 12, 31))
SPELLINGS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%Y-%m-%dT10:00:00",
    "%Y-%m-%d 10:00",
)
PLAIN = read_numbers(b"+32475123456", KEY)[0]["ref"].to_list()


@given(NUMBERS, DAYS, st.sampled_from(SPELLINGS), st.sampled_from([" ", "  ", "\t", ";", ",", " ; "]), st.booleans())
def test_a_date_behind_a_number_is_none_of_it(
    number: str, day: date, spelling: str, between: str, has_quotes: bool
) -> None:
    cells = (f'"{number}"', f'"{day.strftime(spelling)}"') if has_quotes else (number, day.strftime(spelling))
    found, refused = read_numbers(between.join(cells).encode(), KEY)
    assert (found["ref"].to_list(), refused) == (PLAIN, 0)


@given(NUMBERS)
def test_a_number_alone_stays_whole(number: str) -> None:
    assert read_numbers(number.encode(), KEY)[0]["ref"].to_list() == PLAIN


@pytest.mark.parametrize("number", ["02 555 12 05", "+32 2 555.11.05", "069/11.12.19", "+33 1 20 24 05 01"])
def test_what_looks_like_a_date_within_a_number_is_of_the_number(number: str) -> None:
    whole = number.translate(dict.fromkeys(map(ord, " ./-")))
    assert read_numbers(number.encode(), KEY)[0].equals(read_numbers(whole.encode(), KEY)[0])


@pytest.mark.parametrize("line", ["2024-05-01", "2024-05-01 2024-05-01", "0475 2024-05-01"])
def test_a_date_alone_is_no_number(line: str) -> None:
    """The control: a reader that took whatever has digits would find one."""
    with pytest.raises(ListInvalid):
        read_numbers(line.encode(), KEY)
