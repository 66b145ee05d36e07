"""One name and one birth date have one normal form in any spelling, and two dates never have the same."""

import unicodedata
from datetime import date

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sluice.subject.candidate import (
    FILLER,
    OLDEST,
    candidate_column,
    candidate_ref,
    normal_birth_date,
    normal_candidate,
    normal_name,
)
from sluice.subject.key import SubjectKey
from sluice.subject.refs import subject_ref
from sluice.terms import SubjectKind

KEY, OTHER_KEY = SubjectKey(bytes(range(32))), SubjectKey(bytes(range(1, 33)))
PARTS = st.sampled_from(
    [
        "Étienne",
        "de",
        "Smet",
        "Van",
        "den",
        "Bossche",
        "D'Hondt",
        "Jean-Pierre",
        "Müller",
        "Łukasz",
        "Søren",
        "Zoë",
        "IJzer",
    ]
)
NAMES = st.lists(PARTS, min_size=2, max_size=5)
DAYS = st.dates(OLDEST, date(2026, 1, 1)).filter(lambda day: day not in FILLER)


@given(NAMES, st.data())
def test_every_spelling_of_a_name_is_one_name(parts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(parts))
    change = data.draw(st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str]))
    form = data.draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    between = data.draw(st.sampled_from([" ", "  ", ", ", "\u00a0", "-", " . ", "\t"]))
    spelled = unicodedata.normalize(form, change(between.join(order)))  # type: ignore[arg-type]

    assert normal_name(spelled) == normal_name(" ".join(parts))


def plain(text: str) -> str:
    apart = unicodedata.normalize("NFD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


@given(NAMES)
def test_a_name_without_its_marks_is_the_same_name(parts: list[str]) -> None:
    assert normal_name(plain(" ".join(parts))) == normal_name(" ".join(parts))


@given(st.text(max_size=40))
@example("\N{LATIN SMALL LETTER LONG S}traße İ")
@example("ﬁ")
@example("NÀ")
def test_a_normal_name_is_its_own_normal_form(text: str) -> None:
    once = normal_name(text)
    assert once is None or normal_name(once) == once


@given(NAMES, NAMES)
def test_names_of_other_letters_stay_apart(one: list[str], other: list[str]) -> None:
    apart = [
        sorted(plain(" ".join(parts)).casefold().replace("-", " ").replace("'", " ").split()) for parts in (one, other)
    ]
    if "łukasz" not in apart[0] + apart[1] and "søren" not in apart[0] + apart[1]:
        assert (normal_name(" ".join(one)) == normal_name(" ".join(other))) == (apart[0] == apart[1])


@given(DAYS)
def test_a_day_is_one_day_in_iso_and_day_first(day: date) -> None:
    spelled = [
        day.isoformat(),
        f"{day.day:02}/{day.month:02}/{day.year}",
        f"{day.day}/{day.month}/{day.year}",
        f"{day.day}-{day.month}-{day.year}",
        f"{day.day:02}.{day.month:02}.{day.year}",
        f" {day.isoformat()} ",
        f"{day.isoformat()}T00:00:00",
    ]
    assert {normal_birth_date(text) for text in spelled} == {day}


@given(DAYS, DAYS)
def test_two_days_are_never_one(one: date, other: date) -> None:
    forms = [normal_candidate(("An Peeters",), day.isoformat()) for day in (one, other)]
    assert (forms[0] == forms[1]) == (one == other)


@given(DAYS)
def test_month_first_is_read_only_where_the_contract_says_so(day: date) -> None:
    american = f"{day.month:02}/{day.day:02}/{day.year}"
    assert normal_birth_date(american, "%m/%d/%Y") == day
    assert (normal_birth_date(american) == day) == (day.day == day.month)


@given(st.text(max_size=20))
def test_a_birth_date_is_one_or_none(text: str) -> None:
    day = normal_birth_date(text)
    assert day is None or day >= OLDEST


@pytest.mark.parametrize(
    "text", ["", "geen", "n/a", "1900-01-01", "01/01/1970", "31/02/1980", "80-04-03", "1889-12-31"]
)
def test_filler_is_no_birth_date(text: str) -> None:
    assert normal_birth_date(text) is None
    assert normal_candidate(("An Peeters",), text) is None


@pytest.mark.parametrize("text", ["", "X", "-", "onbekend", "n.v.t.", "123", "a"])
def test_filler_is_no_name(text: str) -> None:
    assert normal_candidate((text,), "1980-04-03") is None


def test_parts_in_columns_are_the_whole_in_one() -> None:
    whole = normal_candidate(("De Smet, Étienne",), "03/04/1980")
    assert normal_candidate(("etienne", "de smet"), "1980-04-03") == whole == "de etienne smet|1980-04-03"
    assert normal_candidate(("Etienne", None), "1980-04-03") != whole
    assert normal_candidate((None, None), "1980-04-03") is None


@given(st.lists(st.tuples(NAMES, DAYS), min_size=1, max_size=8))
def test_a_column_is_its_rows(people: list[tuple[list[str], date]]) -> None:
    first = pl.Series([parts[0] for parts, _ in people], dtype=pl.String)
    last = pl.Series([" ".join(parts[1:]) for parts, _ in people], dtype=pl.String)
    born = pl.Series([f"{day:%d/%m/%Y}" for _, day in people], dtype=pl.String)

    made = candidate_column([first, last], born, KEY, "%d/%m/%Y").to_list()

    forms = [normal_candidate((" ".join(parts),), day.isoformat()) for parts, day in people]
    assert made == [candidate_ref(KEY, form or "") for form in forms]


def test_a_candidate_is_keyed_and_is_nobodys_subject_ref() -> None:
    form = "an peeters|1980-04-03"
    assert candidate_ref(KEY, form) != candidate_ref(OTHER_KEY, form)
    assert candidate_ref(KEY, form) not in {subject_ref(KEY, kind, form) for kind in SubjectKind}
    assert candidate_column(
        [pl.Series(["x", None])], pl.Series([None, "1980-04-03"], dtype=pl.String), KEY
    ).to_list() == [None, None]
