"""Which value is stale: the older file's, and the one that was corrected; a younger file's other value is news."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.correct import as_of_file, find_stale, overlay, value_hash, whose, with_statements
from sluice.subject.correction import Correction
from sluice.times import brussels_day

KEY, REF, OTHER = b"k" * 32, "ab" * 16, "cd" * 16
CORRECTED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 11, 19, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)


def correction(value: str = "new", before: str = "old", **changes: object) -> Correction:
    said = {"correction_id": "1", "refs": (REF,), "field": "street", "as_of": CORRECTED_AT, "made_at": CORRECTED_AT}
    return Correction(**{**said, "value": value, "before": (value_hash(KEY, "street", before),), **changes})  # type: ignore[arg-type]


def stale(cell: str | None, as_of: datetime, *corrections: Correction) -> list[int]:
    frame = pl.DataFrame({"street": [cell, cell]}, schema={"street": pl.String})
    refs = [pl.Series([REF, OTHER])]
    found = find_stale(frame, refs, corrections or (correction(),), lambda _: as_of, KEY)
    return [row for row, _ in found]


@pytest.mark.parametrize(
    ("cell", "as_of", "is_stale"),
    [
        ("old", BEFORE, True),
        ("other", BEFORE, True),
        (None, BEFORE, True),
        ("old", AFTER, True),
        ("other", AFTER, False),
        ("new", BEFORE, False),
        (" new ", AFTER, False),
        ("old", CORRECTED_AT, True),
    ],
)
def test_the_older_value_and_the_corrected_one_give_way(cell: str | None, as_of: datetime, is_stale: bool) -> None:
    assert stale(cell, as_of) == ([0] if is_stale else [])


def test_the_younger_of_two_corrections_counts_whatever_their_order() -> None:
    first, second = correction("new"), correction("newest", "new", correction_id="2", as_of=AFTER, made_at=AFTER)
    frame, refs = pl.DataFrame({"street": ["old"]}), [pl.Series([REF])]
    for order in ((first, second), (second, first)):
        assert overlay(frame, refs, order, lambda _: BEFORE, KEY)["street"].to_list() == ["newest"]


def test_the_later_word_counts_also_where_it_is_about_an_earlier_instant() -> None:
    first = correction("new", as_of=AFTER)
    second = correction("newest", "new", correction_id="2", as_of=BEFORE, made_at=AFTER)
    twin = correction("newer", correction_id="0")
    for order in ((first, second), (second, first)):
        frame, refs = pl.DataFrame({"street": ["new"]}), [pl.Series([REF])]
        assert overlay(frame, refs, order, lambda _: AFTER, KEY)["street"].to_list() == ["newest"]
    for order in ((first, twin), (twin, first)):
        frame = pl.DataFrame({"street": ["old"]})
        assert overlay(frame, refs, order, lambda _: BEFORE, KEY)["street"].to_list() == ["new"], "at once: by the id"


def test_a_row_with_a_number_is_found_by_it_alone_and_any_other_row_by_whatever_it_bears() -> None:
    numbers = [pl.Series(["a", "b", None, None]), pl.Series([None, "n", None, None], dtype=pl.String)]
    phones = [pl.Series(["shared", "shared", "shared", None])]
    found = whose(numbers, phones)
    assert [each.to_list() for each in found[:2]] == [each.to_list() for each in numbers]
    assert found[2].to_list() == [None, None, "shared", None]
    assert whose([], phones) == phones and whose(numbers, []) == numbers


def test_an_opinion_keeps_its_text_and_gets_a_statement() -> None:
    said = correction("I never said that", is_statement=True)
    frame, refs = pl.DataFrame({"street": ["old", "old"]}), [pl.Series([REF, OTHER])]
    assert overlay(frame, refs, (said,), lambda _: BEFORE, KEY).equals(frame)
    assert with_statements(frame, refs, (said,))["sluice_statements"].to_list() == ["street: I never said that", None]
    assert with_statements(frame, refs, (correction(),)).columns == ["street"]


def test_a_file_is_as_old_as_its_name_says_and_never_younger_than_its_arrival() -> None:
    with Path(__file__).with_name("days_in_names.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 21
    for row in rows:
        assert as_of_file(row["name"], AFTER).isoformat() == f"{row['as_of']}+00:00", row


DAYS_IN_NAMES = ["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y%m%d2359", "%Y%m%d000059", "%Y%m%d235959999"]


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=4), st.sampled_from(DAYS_IN_NAMES))
def test_of_several_days_in_a_name_the_last_one_that_had_come_counts(days: list[date], spelling: str) -> None:
    said = as_of_file("_".join(["list", *(day.strftime(spelling) for day in days)]) + ".csv", AFTER)

    come = [day for day in days if day <= AFTER.date()]
    assert brussels_day(said) == max(come, default=AFTER.date()) and said <= AFTER


def test_nothing_of_a_value_is_in_a_repr() -> None:
    assert "secret" not in repr(correction("secret")) and REF not in repr(correction())
