"""Deliveries of results into one row per contact: the last update wins, in whatever order they came.

Pure. Rows are canonical and usable: they have contact id, update time and start. Files lie one behind the
other, the one with the last word last. Columns that begin with ``sluice_`` say where a row came from; of two
contents with one update time that of the later file wins.
"""

from typing import Final, TypeVar

import polars as pl

DELIVERIES = "sluice_deliveries"
"""How many rows were delivered for a contact, repeated ones counted (UInt32)."""
ATTEMPTS = "attempts"
"""How many contacts a record had (UInt32)."""

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)

KEYS = ["record_id", "started_at", "updated_at", "contact_id"]
"""What orders the contacts of a record."""
SORTED_BY = ["record_id", "started_at", "contact_id"]
"""What orders merged rows."""

_AT, _CONTACT, _FILE = "\0at", "\0contact", "\0file"
"""Number of a row in its frame; of a contact, sooner compared than its id; of a file. No export has such columns."""
_EXCHANGE = "sluice_exchange"
"""Which file a row came in; a frame without it is one file."""

_STREAMING: Final = "streaming"
"""The engine that groups and joins text in half the time. It keeps no order: what comes of it is sorted or has none."""


def merge_results(rows: Rows) -> Rows:
    """One row per ``contact_id``: the highest ``updated_at``; among equals the later file, then the greatest content.

    Content is compared column by column by name, null lowest, so that shuffled, split, repeated and
    late deliveries give the same rows, where the update time tells reports of other content apart. Adds
    ``sluice_deliveries``, or adds up what earlier merges counted, so that merging in parts is merging at once.
    Sorted by record, start, contact.
    """
    whole = rows.lazy().collect()
    return _like(rows, _taken(whole, _winners(whole)))


def latest_per_record(rows: Rows) -> Rows:
    """One row per ``record_id``: its latest contact by start, update time and id, with ``attempts``.

    rows: merged, or ``attempts`` still counts a contact once. Rows without a record id belong to no
    record and are left out; whoever asks has counted and held them.
    """
    whole = rows.lazy().filter(pl.col("record_id").is_not_null()).collect()
    is_merged = not _may_be_repeated(whole["contact_id"]).any()
    contacts = pl.len() if is_merged else pl.col("contact_id").n_unique()
    return _like(rows, _taken(whole, _latest(whole.select(KEYS).with_row_index(_AT), contacts)))


def outcomes(rows: pl.DataFrame) -> pl.DataFrame:
    """``merge_results`` and ``latest_per_record`` in one: wide rows are taken and sorted once.

    Contacts without a record id come first, each for itself and without ``attempts``.
    """
    winners = _winners(rows)
    keys = _at(rows.select(KEYS), winners[_AT]).with_columns(winners)
    is_nameless = keys["record_id"].is_null()
    nameless = keys.filter(is_nameless).select(_AT, DELIVERIES)
    return _taken(rows, pl.concat([nameless, _latest(keys.filter(~is_nameless), pl.len())], how="diagonal"))


def _winners(whole: pl.DataFrame) -> pl.DataFrame:
    """Where each contact's last delivery is, and how many it had: ``_AT`` ascending, ``DELIVERIES``.

    A row that was merged before counts for as many as it stands for. Most contacts were delivered once,
    so only those whose hash stands more than once are compared, by what they are.
    """
    told = pl.col(DELIVERIES).fill_null(1) if DELIVERIES in whole.columns else pl.lit(1)
    keys = whole.lazy().select("contact_id", "updated_at", told.alias(DELIVERIES)).with_row_index(_AT).collect()
    may_be_repeated = _may_be_repeated(keys["contact_id"])
    once = keys.filter(~may_be_repeated).select(_AT, DELIVERIES)
    winners = pl.concat([once, _newest(whole, keys.filter(may_be_repeated))]).sort(_AT)
    return winners.select(_AT, pl.col(DELIVERIES).cast(pl.UInt32))


def _newest(whole: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """The same, of contacts that were delivered more than once."""
    best = keys.lazy().group_by("contact_id").agg(pl.col(DELIVERIES).sum(), pl.col("updated_at").max())
    last = keys.lazy().drop(DELIVERIES).join(best.with_row_index(_CONTACT), on=["contact_id", "updated_at"])
    newest = last.select(_CONTACT, _AT, DELIVERIES).collect(engine=_STREAMING).sort(_AT)
    is_tied = newest[_CONTACT].is_duplicated()
    tied = newest.filter(is_tied)
    return pl.concat([newest.filter(~is_tied), _greatest(_at(whole, tied[_AT]), tied)]).select(_AT, DELIVERIES)


def _latest(keys: pl.DataFrame, contacts: pl.Expr) -> pl.DataFrame:
    """The last contact of each record: ``_AT``, ``DELIVERIES`` if there, ``ATTEMPTS`` as ``contacts`` counts them.

    Only records with several contacts of one start are compared by update time and id.
    """
    records = (
        keys.lazy().group_by("record_id").agg(contacts.cast(pl.UInt32).alias(ATTEMPTS), pl.col("started_at").max())
    )
    last = keys.lazy().join(records, on=["record_id", "started_at"]).collect(engine=_STREAMING)
    may_be_tied = _may_be_repeated(last["record_id"])
    tied = last.filter(may_be_tied).sort([*KEYS, _AT]).unique("record_id", keep="last")
    return pl.concat([last.filter(~may_be_tied), tied]).drop(KEYS)


def _taken(whole: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
    """The chosen rows with what was counted of them, in the order of merged rows."""
    counted = chosen.sort(_AT)
    return _at(whole, counted[_AT]).with_columns(counted.drop(_AT)).sort(SORTED_BY)


def _at(whole: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    """The rows at these places, in the order of ``whole``."""
    mask = pl.Series([False]).new_from_index(0, whole.height)
    return whole.filter(mask.scatter(places, True) if len(places) else mask)


def _greatest(rows: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """Of contacts with several newest rows, that of the last file, and in it the one whose content sorts last.

    Nearly all of them have one content, delivered again: only the others are compared by it.
    """
    content = sorted(name for name in rows.columns if name != "contact_id" and not name.startswith("sluice_"))
    origin = sorted(name for name in rows.columns if name.startswith("sluice_"))
    file = pl.col(_AT).max().over(_EXCHANGE) if _EXCHANGE in rows.columns else pl.lit(0)
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
    """True where the hash of a text stands more than once."""
    hashes = texts.hash().alias("hash")
    counted = hashes.to_frame().lazy().group_by("hash").len().filter(pl.col("len") > 1).select("hash")
    return hashes.is_in(counted.collect(engine=_STREAMING).to_series().implode())


def _like(rows: Rows, made: pl.DataFrame) -> Rows:
    return made.lazy() if isinstance(rows, pl.LazyFrame) else made
