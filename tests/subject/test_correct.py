"""Which value is stale: the older file's, and the one that was corrected; a younger file's other value is news."""

from datetime import UTC, date, datetime

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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("campaign_2026-11-20.csv", "2026-11-19T23:00:00"),
        ("campaign_20261120.csv", "2026-11-19T23:00:00"),
        ("campaign.csv", "2026-11-25T00:00:00"),
        ("campaign_2026-13-40.csv", "2026-11-25T00:00:00"),
        ("campaign_2027-01-01.csv", "2026-11-25T00:00:00"),
        ("renewal_20260101_export_20261120.csv", "2026-11-19T23:00:00"),
        ("export_20261120_renewal_20260101.csv", "2026-11-19T23:00:00"),
        ("export_20261120_valid_until_20270101.csv", "2026-11-19T23:00:00"),
        ("export_20261125.csv", "2026-11-24T23:00:00"),
        ("leads_20261120_093000.csv", "2026-11-19T23:00:00"),
        ("leads_20261120T093000Z.csv", "2026-11-19T23:00:00"),
        ("leads_202611200930.csv", "2026-11-19T23:00:00"),
        ("leads_20261120093000.csv", "2026-11-19T23:00:00"),
        ("leads_20261120093000123.csv", "2026-11-19T23:00:00"),
        ("leads_2026_11_20.csv", "2026-11-19T23:00:00"),
        ("leads_2026.11.20_2.csv", "2026-11-19T23:00:00"),
        ("order_2026112007.csv", "2026-11-25T00:00:00"),
        ("order_202611209930.csv", "2026-11-25T00:00:00"),
        ("order_2026112009300012.csv", "2026-11-25T00:00:00"),
        ("order_20261120-09300012.csv", "2026-11-19T23:00:00"),
        ("order_9920261120093000.csv", "2026-11-25T00:00:00"),
    ],
)
def test_a_file_is_as_old_as_its_name_says_and_never_younger_than_its_arrival(name: str, said: str) -> None:
    assert as_of_file(name, AFTER).isoformat() == f"{said}+00:00"


DAYS_IN_NAMES = ["%Y%m%d", "%Y-%m-%d", "%Y_%m_%d", "%Y.%m.%d", "%Y%m%d2359", "%Y%m%d000059", "%Y%m%d235959999"]


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=4), st.sampled_from(DAYS_IN_NAMES))
def test_of_several_days_in_a_name_the_last_one_that_had_come_counts(days: list[date], spelling: str) -> None:
    said = as_of_file("_".join(["list", *(day.strftime(spelling) for day in days)]) + ".csv", AFTER)

    come = [day for day in days if day <= AFTER.date()]
    assert brussels_day(said) == max(come, default=AFTER.date()) and said <= AFTER


def test_nothing_of_a_value_is_in_a_repr() -> None:
    assert "secret" not in repr(correction("secret")) and REF not in repr(correction())
