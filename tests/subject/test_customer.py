"""What a principal ignores in its customer numbers: two spellings of one are one reference, two numbers are two."""

import pickle

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.columns import normalise_column
from sluice.subject.customer import compared, compared_column, without_zeros
from sluice.subject.key import SubjectKey
from sluice.subject.model import NoRef
from sluice.subject.normalise import normalise
from sluice.subject.refs import ref_column, refer
from sluice.terms import CustomerIdIgnores, SubjectKind

SECRET, CUSTOMER = bytes(range(32)), SubjectKind.PRINCIPAL_CUSTOMER_ID
EXACT, LOOSE = SubjectKey(SECRET), SubjectKey(SECRET, CustomerIdIgnores)
CASE, ZEROS = (SubjectKey(SECRET, [one]) for one in CustomerIdIgnores)
keys = st.sets(st.sampled_from(CustomerIdIgnores)).map(lambda ignores: SubjectKey(SECRET, ignores))
numbers = st.one_of(
    st.text(), st.text(alphabet="0 aAßİ\u0131\u017f\u212aéÉ1\u200b\u00a0-"), st.from_regex(r"\A0*[A-Za-z]*[0-9]*\Z")
)


def form(key: SubjectKey, value: str) -> str | None:
    normal = normalise(CUSTOMER, value).value
    return None if normal is None else compared(normal, key)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (LOOSE, "00AB12", "ab12"),
        (LOOSE, "X0012", "x0012"),
        (CASE, "00Straße", "00strasse"),
        (CASE, "ÉTÉ1", "été1"),
        (ZEROS, "00AB12", "AB12"),
        (ZEROS, "XB12", "XB12"),
        (ZEROS, "00 012", "12"),
        (ZEROS, "0012a0", "12a0"),
        (EXACT, "00AB12", "00AB12"),
        (ZEROS, "0 0", None),
        (ZEROS, "00n/a", None),
        (LOOSE, "00GEEN", None),
        (EXACT, "0 0", "0 0"),
    ],
)
def test_what_is_ignored_is_left_out_and_nothing_else(key: SubjectKey, value: str, expected: str | None) -> None:
    assert form(key, value) == expected


def test_a_number_of_which_nothing_is_left_is_a_placeholder() -> None:
    for empty in ("", None, " "):
        assert refer(LOOSE, CUSTOMER, empty).reason is NoRef.EMPTY
    for zeros in ("0", "0000", "0 0", "00geen"):
        assert (refer(LOOSE, CUSTOMER, zeros).ref, refer(LOOSE, CUSTOMER, zeros).reason) == (None, NoRef.PLACEHOLDER)


@given(keys, numbers)
def test_what_was_compared_once_compares_as_itself(key: SubjectKey, value: str) -> None:
    once = form(key, value)

    assert once is None or form(key, once) == once


@given(keys, numbers)
def test_other_cases_and_more_zeros_are_the_same_number_only_where_they_are_ignored(
    key: SubjectKey, value: str
) -> None:
    once = form(key, value)
    if once is None:
        return
    if CustomerIdIgnores.CASE in key.ignores:
        assert {form(key, once.lower()), form(key, once.casefold())} == {once}
    if CustomerIdIgnores.LEADING_ZEROS in key.ignores:
        assert form(key, f"000{once}") == once
    else:
        assert form(key, f"000{once}") != once


@given(keys, st.lists(st.one_of(numbers, st.none())))
def test_the_column_compares_as_each_row_does(key: SubjectKey, values: list[str | None]) -> None:
    column = normalise_column(pl.Series("c", values, dtype=pl.String), CUSTOMER).values

    assert compared_column(column, key).to_list() == [form(key, value or "") for value in values]
    assert ref_column(column, CUSTOMER, key).to_list() == [refer(key, CUSTOMER, value).ref for value in values]


@given(numbers, st.sampled_from([kind for kind in SubjectKind if kind is not CUSTOMER]))
def test_other_identifiers_are_referred_to_as_before(value: str, kind: SubjectKind) -> None:
    assert refer(LOOSE, kind, value) == refer(EXACT, kind, value)


def test_a_key_says_what_is_ignored_wherever_it_goes_and_never_its_secret() -> None:
    again = pickle.loads(pickle.dumps(LOOSE))

    assert (again, again.ignores, EXACT.ignores) == (LOOSE, frozenset(CustomerIdIgnores), frozenset())
    assert "\\x" not in repr(LOOSE) and "leading_zeros" in repr(LOOSE)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        (ZEROS, " 00AB12", "AB12"),
        (ZEROS, "AB12", None),
        (ZEROS, "0012345678", None),
        (ZEROS, "000", None),
        (CASE, "00AB12", None),
        (EXACT, "00AB12", None),
    ],
)
def test_text_is_searched_without_the_zeros_where_a_letter_tells_the_number_from_others(
    key: SubjectKey, value: str, expected: str | None
) -> None:
    assert without_zeros(value, key) == expected
