"""Merge deliveries of results into one row per contact: the last update wins, in whatever order they came.

Pure. Rows are canonical and usable: they have contact id, update time and start. Files follow each other in the
frame, the one that takes precedence last: of two contents with the same update time, that of the later file wins.
Columns that begin with ``sluice_`` say where a row came from.
"""

from typing import Final

import polars as pl

from sluice.lake_columns import EXCHANGE

DELIVERIES = "sluice_deliveries"
"""Column: how many rows were delivered for a contact, including repeated ones (UInt32)."""
ATTEMPTS = "attempts"
"""Column: how many contacts a record had (UInt32)."""

KEYS = ["record_id", "started_at", "updated_at", "contact_id"]
"""The order of the contacts of a record."""
SORTED_BY = ["record_id", "started_at", "contact_id"]
"""The order of merged rows."""

_AT, _CONTACT, _FILE = "\0at", "\0contact", "\0file"
"""Columns that no export has: the number of a row in its frame, of a contact (faster to compare than its id), of a
file."""

_STREAMING: Final = "streaming"
"""The polars engine that groups and joins text in half the time. It keeps no order, so its results are sorted where
order matters."""


def merge_results(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep one row per ``contact_id``: the highest ``updated_at``; among equals the later file, then greatest content.

    Content is compared column by column in the order of their names, null lowest. Shuffled, split, repeated
    and late deliveries therefore give the same rows, as long as reports with different content have different
    update times. Adds ``sluice_deliveries``, or sums up what earlier merges counted, so that merging in parts
    equals merging at once. The result is sorted by record, start, contact.
    """
    return _taken(rows, _winners(rows))


def outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep one row per ``record_id``: its latest contact by start, update time and id, with ``attempts``.

    ``rows``: need not be merged; this does what :func:`merge_results` does, so that wide rows are gathered and sorted
    once. Contacts without a record id come first, each as its own row and without ``attempts``.
    """
    winners = _winners(rows)
    keys = _at(rows.select(KEYS), winners[_AT]).with_columns(winners)
    is_nameless = keys["record_id"].is_null()
    nameless = keys.filter(is_nameless).select(_AT, DELIVERIES)
    return _taken(rows, pl.concat([nameless, _latest(keys.filter(~is_nameless))], how="diagonal"))


def _winners(whole: pl.DataFrame) -> pl.DataFrame:
    """The row of each contact's last delivery, and its number of deliveries: ``_AT`` ascending, ``DELIVERIES``.

    A row that was merged before counts as often as it says. Most contacts were delivered once, so only those
    whose hash occurs more than once are compared by value.
    """
    told = pl.col(DELIVERIES).fill_null(1) if DELIVERIES in whole.columns else pl.lit(1)
    keys = whole.lazy().select("contact_id", "updated_at", told.alias(DELIVERIES)).with_row_index(_AT).collect()
    may_be_repeated = _may_be_repeated(keys["contact_id"])
    once = keys.filter(~may_be_repeated).select(_AT, DELIVERIES)
    winners = pl.concat([once, _newest(whole, keys.filter(may_be_repeated))]).sort(_AT)
    return winners.select(_AT, pl.col(DELIVERIES).cast(pl.UInt32))


def _newest(whole: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Like :func:`_winners`, for contacts that may have been delivered more than once."""
    best = keys.lazy().group_by("contact_id").agg(pl.col(DELIVERIES).sum(), pl.col("updated_at").max())
    last = keys.lazy().drop(DELIVERIES).join(best.with_row_index(_CONTACT), on=["contact_id", "updated_at"])
    newest = last.select(_CONTACT, _AT, DELIVERIES).collect(engine=_STREAMING).sort(_AT)
    is_tied = newest[_CONTACT].is_duplicated()
    tied = newest.filter(is_tied)
    return pl.concat([newest.filter(~is_tied), _greatest(_at(whole, tied[_AT]), tied)]).select(_AT, DELIVERIES)


def _latest(keys: pl.DataFrame) -> pl.DataFrame:
    """The latest contact of each record: ``_AT``, ``DELIVERIES``, ``ATTEMPTS``.

    ``keys``: one row per contact, with ``KEYS``, ``_AT`` and ``DELIVERIES``. Update time and id are compared only for
    records with several contacts at the latest start.
    """
    records = (
        keys.lazy().group_by("record_id").agg(pl.len().cast(pl.UInt32).alias(ATTEMPTS), pl.col("started_at").max())
    )
    last = keys.lazy().join(records, on=["record_id", "started_at"]).collect(engine=_STREAMING)
    may_be_tied = _may_be_repeated(last["record_id"])
    tied = last.filter(may_be_tied).sort([*KEYS, _AT]).unique("record_id", keep="last")
    return pl.concat([last.filter(~may_be_tied), tied]).drop(KEYS)


def _taken(whole: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """The chosen rows with their counts, in the order of merged rows."""
    counted = chosen.sort(_AT)
    return _at(whole, counted[_AT]).with_columns(counted.drop(_AT)).sort(SORTED_BY)


def _at(whole: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at these positions, in the order of ``whole``."""
    mask = pl.Series([False]).new_from_index(0, whole.height)
    return whole.filter(mask.scatter(places, True) if len(places) else mask)


def _greatest(rows: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """For contacts with several newest rows, the row of the last file, and in it the one whose content sorts last.

    Nearly all of them have a single content, delivered again, so content is compared only for the others.
    """
    content = sorted(name for name in rows.columns if name != "contact_id" and not name.startswith("sluice_"))
    origin = sorted(name for name in rows.columns if name.startswith("sluice_"))
    file = pl.col(_AT).max().over(EXCHANGE) if EXCHANGE in rows.columns else pl.lit(0)  # else it is one file
    numbered = rows.with_columns(tied[_CONTACT], tied[_AT]).with_columns(file.alias(_FILE))
    contents = numbered.lazy().select(_CONTACT, *content).unique().select(_CONTACT).collect(engine=_STREAMING)
    differs = tied[_CONTACT].is_in(contents.filter(contents.is_duplicated()).to_series().implode())
    found = []
    for mask, columns in ((differs, [_FILE, *content, *origin]), (~differs, origin)):
        some = numbered.select(_CONTACT, *columns).filter(mask)
        order = some.select(pl.arg_sort_by(_CONTACT, *columns, nulls_last=False)).to_series()
        found.append(tied.filter(mask)[order].unique(_CONTACT, keep="last", maintain_order=True))
    return pl.concat(found)


def _may_be_repeated(texts: pl.Series) -> pl.Series:
    """A mask, true for texts whose hash occurs more than once."""
    hashes = texts.hash().alias("hash")
    counted = hashes.to_frame().lazy().group_by("hash").len().filter(pl.col("len") > 1).select("hash")
    return hashes.is_in(counted.collect(engine=_STREAMING).to_series().implode())
