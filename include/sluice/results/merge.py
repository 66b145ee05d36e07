"""Deliveries of results into one row per contact: the last update wins, in whatever order they came.

Pure. Rows are canonical and usable: they have contact id, update time and start. Columns that begin
with ``sluice_`` say where a row came from; they never decide between two contents.
"""

from typing import TypeVar

import polars as pl

DELIVERIES = "sluice_deliveries"
"""How many rows were delivered for a contact, repeated ones counted (UInt32)."""
ATTEMPTS = "attempts"
"""How many contacts a record had (UInt32)."""

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

_AT = "\0at"


def merge_results(rows: Rows) -> Rows:
    """One row per ``contact_id``: the highest ``updated_at``; among equals the greatest content.

    Content is compared column by column by name, null lowest, so that shuffled, split, repeated and
    late deliveries give the same rows. Adds ``sluice_deliveries``, or adds up what earlier merges
    counted, so that merging in parts is merging at once. Sorted by record, start, contact.
    A lazy frame is collected: the winners are found on two columns and taken from the whole at once.
    """
    whole = rows.lazy().collect()
    counted = pl.col(DELIVERIES).fill_null(1) if DELIVERIES in whole.columns else pl.lit(1).alias(DELIVERIES)
    keys = whole.lazy().select("contact_id", "updated_at", counted).with_row_index(_AT)
    best = keys.group_by("contact_id").agg(pl.col(DELIVERIES).sum(), pl.col("updated_at").max())
    keys = keys.drop(DELIVERIES)
    newest = keys.join(best, on=["contact_id", "updated_at"]).select("contact_id", _AT, DELIVERIES).collect()
    is_tied = newest["contact_id"].is_duplicated()
    tied = newest.filter(is_tied)
    winners = pl.concat([newest.filter(~is_tied), _greatest(whole[tied[_AT]], tied)])
    merged = whole[winners[_AT]].with_columns(winners[DELIVERIES].cast(pl.UInt32))
    return _like(rows, merged.sort("record_id", "started_at", "contact_id", nulls_last=False))


def _greatest(rows: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """Of contacts with several newest rows, the one whose content sorts last; origin only parts equal contents."""
    content = sorted(name for name in rows.columns if not name.startswith("sluice_"))
    origin = sorted(name for name in rows.columns if name.startswith("sluice_") and name != DELIVERIES)
    order = rows.select(pl.arg_sort_by("contact_id", *content, *origin, nulls_last=False)).to_series()
    return tied[order].unique("contact_id", keep="last", maintain_order=True)


def latest_per_record(rows: Rows) -> Rows:
    """One row per ``record_id``: its latest contact by start, update time and id, with ``attempts``.

    rows: merged, or ``attempts`` still counts a contact once. Rows without a record id belong to no
    record and are left out; whoever asks has counted and held them.
    """
    whole = rows.lazy().filter(pl.col("record_id").is_not_null()).collect()
    keys = whole.select("record_id", "started_at", "updated_at", "contact_id").with_row_index(_AT)
    attempts = keys.lazy().group_by("record_id").agg(pl.col("contact_id").n_unique().cast(pl.UInt32).alias(ATTEMPTS))
    last = keys.sort("record_id", "started_at", "updated_at", "contact_id").unique(
        "record_id", keep="last", maintain_order=True
    )
    counted = last.lazy().join(attempts, on="record_id", maintain_order="left").collect()
    return _like(rows, whole[counted[_AT]].with_columns(counted[ATTEMPTS]))


def _like(rows: Rows, made: pl.DataFrame) -> Rows:
    return made.lazy() if isinstance(rows, pl.LazyFrame) else made
