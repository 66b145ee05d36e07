"""The last update of a contact wins, in whatever order, how often and in how many parts it came."""

from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from results.exports import golden_export, mapping_of
from sluice.results.canonical import to_canonical
from sluice.results.merge import ATTEMPTS, DELIVERIES, merge_results, outcomes
from support.effort import effort

COLUMNS = ("contact_id", "updated_at", "started_at", "record_id", "note")
SCHEMA = dict.fromkeys(COLUMNS, pl.String)
MOMENTS = [f"2026-11-24T10:00:0{second}.000000Z" for second in range(3)]
ROW = st.tuples(
    st.sampled_from(["c1", "c2", "c3", "c4"]),
    st.sampled_from(MOMENTS),
    st.sampled_from(MOMENTS),
    st.sampled_from([None, "r1", "r2"]),
    st.sampled_from([None, "a", "b"]),
)
ROWS = st.lists(ROW, max_size=12)
FEWER = settings(max_examples=effort(15, 30))
"""Each example costs a dozen queries."""


def frame(rows: list[tuple[str | None, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def plain_merge(rows: list[tuple[str | None, ...]]) -> list[dict[str, object]]:
    """The merge rule written once more, one row at a time."""
    winners: list[dict[str, object]] = []
    for contact in {row[0] for row in rows}:
        same = [dict(zip(COLUMNS, row, strict=True)) for row in rows if row[0] == contact]
        best = max(same, key=lambda row: (row["updated_at"], [row[name] or "" for name in sorted(COLUMNS)]))
        winners.append({**best, DELIVERIES: len(same)})
    return sorted(winners, key=lambda row: [str(row[name] or "") for name in ("record_id", "started_at", "contact_id")])


def plain_latest(merged: list[dict[str, object]]) -> list[dict[str, object]]:
    """The last contact of each record and the number of its contacts, a record at a time."""
    latest: list[dict[str, object]] = []
    for record in sorted({str(contact["record_id"]) for contact in merged if contact["record_id"] is not None}):
        same = [contact for contact in merged if contact["record_id"] == record]
        last = max(
            same, key=lambda contact: [str(contact[name]) for name in ("started_at", "updated_at", "contact_id")]
        )
        latest.append({**last, ATTEMPTS: len(same)})
    return latest


@given(ROWS)
@FEWER
def test_a_merge_is_what_the_rule_says_row_by_row(rows: list[tuple[str | None, ...]]) -> None:
    assert merge_results(frame(rows)).to_dicts() == plain_merge(rows)


@given(ROWS, st.randoms(use_true_random=False))
@FEWER
def test_shuffled_rows_give_the_same_frame(rows: list[tuple[str | None, ...]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert_frame_equal(merge_results(frame(shuffled)), merge_results(frame(rows)))


@pytest.mark.slow
@given(ROWS, st.integers(0, 12), st.integers(1, 3))
@FEWER
def test_split_repeated_and_late_files_give_the_same_rows(rows, cut, times):
    once = merge_results(frame(rows))
    again = merge_results(pl.concat([frame(rows[cut:]), frame(rows[:cut])] * times))
    in_parts = merge_results(pl.concat([merge_results(frame(rows[cut:])), frame(rows[:cut])], how="diagonal"))
    assert_frame_equal(again.drop(DELIVERIES), once.drop(DELIVERIES))
    assert_frame_equal(in_parts, once)
    assert again[DELIVERIES].to_list() == [count * times for count in once[DELIVERIES].to_list()]


@given(ROWS)
@FEWER
def test_outcomes_are_the_latest_of_the_merged_rows_behind_those_without_a_record(rows):
    merged = plain_merge(rows)
    nameless = [{**contact, ATTEMPTS: None} for contact in merged if contact["record_id"] is None]
    assert outcomes(frame(rows)).to_dicts() == [*nameless, *plain_latest(merged)]


def in_files(*files: tuple[str, str, str]) -> pl.DataFrame:
    """Reports of one contact with one update time: the file, the row in it, the note."""
    rows = frame([("c1", MOMENTS[0], MOMENTS[0], "r1", note) for _, _, note in files])
    return rows.with_columns(
        pl.Series("sluice_exchange", [file for file, _, _ in files]),
        pl.Series("sluice_row", [row for _, row, _ in files]),
    )


@pytest.mark.parametrize(("notes", "wins"), [("ab", "b"), ("ba", "a"), ("bab", "b"), ("aab", "b")])
def test_of_one_update_time_the_file_that_came_last_has_the_last_word(notes: str, wins: str) -> None:
    files = in_files(*((f"x{9 - number}", "1", note) for number, note in enumerate(notes)))
    (winner,) = outcomes(files).to_dicts()
    assert (winner["note"], winner[DELIVERIES], winner[ATTEMPTS]) == (wins, len(notes), 1)


def test_of_one_update_time_the_order_of_rows_decides_nothing_and_a_higher_one_wins_over_a_later_file():
    file = in_files(("x1", "1", "c"), ("x2", "1", "b"), ("x2", "2", "a"), ("x2", "3", "b"))
    for order in ([0, 1, 2, 3], [0, 3, 2, 1], [0, 2, 3, 1]):
        (winner,) = outcomes(file[order]).to_dicts()
        assert (winner["note"], winner["sluice_exchange"], winner["sluice_row"]) == ("b", "x2", "3")
    for files in (("x1", "x2"), ("x2", "x1")):
        (winner,) = outcomes(in_files(*((file, "1", "a") for file in files))).to_dicts()
        assert winner["sluice_exchange"] == "x2"
    rows = in_files(("x1", "1", "a"), ("x2", "1", "b"))
    newer = rows.with_columns(updated_at=pl.Series([MOMENTS[1], MOMENTS[0]]))
    assert outcomes(newer)["note"].to_list() == ["a"]


def test_a_record_has_its_latest_contact_and_the_number_of_its_contacts() -> None:
    rows = frame(
        [
            ("c1", MOMENTS[2], MOMENTS[0], "r1", "early"),
            ("c2", MOMENTS[1], MOMENTS[1], "r1", "late"),
            ("c2", MOMENTS[2], MOMENTS[1], "r1", "corrected"),
            ("c4", MOMENTS[0], MOMENTS[0], "r2", "tie, lower id"),
            ("c5", MOMENTS[0], MOMENTS[0], "r2", "tie, higher id"),
            ("c6", MOMENTS[0], MOMENTS[0], None, "no record"),
        ]
    )
    latest = outcomes(rows).filter(pl.col("record_id").is_not_null())
    assert latest.select("record_id", "contact_id", "note", ATTEMPTS).rows() == [
        ("r1", "c2", "corrected", 2),
        ("r2", "c5", "tie, higher id", 2),
    ]


def test_records_of_connect_delivered_at_least_once_become_one_row_each() -> None:
    canonical = to_canonical(golden_export("amazon_connect"), mapping_of("amazon_connect"))
    merged = merge_results(canonical.frame.filter(canonical.usable))
    assert merged.select("record_id", "disposition", DELIVERIES).rows() == [
        ("E10000001", "Sale", 3),
        ("E10000002", None, 1),
    ]


@pytest.mark.parametrize("column", ["updated_at", "note"])
def test_control_a_changed_cell_changes_the_frame(column: str) -> None:
    rows = frame([("c1", MOMENTS[0], MOMENTS[0], "r1", "a"), ("c1", MOMENTS[1], MOMENTS[0], "r1", "b")])
    changed = rows.with_columns(pl.lit(MOMENTS[2]).alias(column))
    assert not merge_results(changed).equals(merge_results(rows))
