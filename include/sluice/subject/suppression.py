"""Suppressions: whom to keep out, by reference and reason. Pure: frames and bytes, never an identifier.

A person is suppressed under every reference they are known by, so other spellings, formats and
older files do not bring them back. Kept as Parquet runs in S3, because deleted rows of a database
linger in its heap, indexes and log.
"""

import io
from collections.abc import Iterable, Sequence
from enum import StrEnum

import polars as pl

SCHEMA = {"ref": pl.String, "reason": pl.String}


class Suppression(StrEnum):
    """Why a person is kept out, the strongest reason first, in the words by which receipts and lineage count them."""

    ERASED = "erased"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    SOFT_HOLD = "soft_hold"


_RANK = {reason.value: rank for rank, reason in enumerate(Suppression)}


def suppress(refs: Iterable[str], reason: Suppression) -> pl.DataFrame:
    """Make one run: every reference once, with its reason, sorted."""
    return pl.DataFrame({"ref": sorted(set(refs))}, schema={"ref": pl.String}).with_columns(
        pl.lit(reason.value).alias("reason")
    )


def write_suppressions(run: pl.DataFrame) -> bytes:
    """Write a run as Parquet without statistics; the same run gives the same bytes."""
    sink = io.BytesIO()
    run.write_parquet(sink, compression="zstd", statistics=False)
    return sink.getvalue()


def merge_suppressions(runs: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return every reference once, with the strongest of its reasons."""
    every = pl.concat([pl.DataFrame(schema=SCHEMA), *runs])
    ranked = every.with_columns(pl.col("reason").replace_strict(_RANK, return_dtype=pl.UInt8).alias("rank"))
    return ranked.sort("rank", "ref").unique("ref", keep="first", maintain_order=True).sort("ref").drop("rank")


def reasons_of(columns: Sequence[pl.Series], suppressed: pl.DataFrame, height: int) -> pl.Series:
    """Return why each row is kept out (null: it is not): the strongest reason of any of its references."""
    found = pl.DataFrame({"row": pl.int_range(height, eager=True)})
    for number, refs in enumerate(columns):
        reason = refs.alias("ref").to_frame().join(suppressed, on="ref", how="left", maintain_order="left")["reason"]
        found = found.with_columns(reason.replace_strict(_RANK, return_dtype=pl.UInt8).alias(f"rank_{number}"))
    if found.width == 1:
        return pl.Series("reason", [None], dtype=pl.String).new_from_index(0, height)
    words = dict(enumerate(reason.value for reason in Suppression))
    strongest = found.select(pl.min_horizontal(pl.exclude("row"))).to_series()
    return strongest.replace_strict(words, return_dtype=pl.String).alias("reason")
