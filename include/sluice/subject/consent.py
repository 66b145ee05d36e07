"""Records of what a person said about being contacted for a purpose over a channel. Pure.

A record is one act: consent was given, refused, withdrawn, or ran out (ISO/IEC TS 27560). The last one counts; of two
from the same moment, no beats yes. Only a yes can run out: after a no, the end of an earlier consent changes nothing.
Nobody is named: a record is kept under a reference.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

import polars as pl

from sluice.times import ZONE

MOMENT = pl.Datetime("us", "UTC")
SCHEMA: dict[str, type[pl.DataType] | pl.DataType] = {
    "ref": pl.String,
    "purpose": pl.String,
    "channel": pl.String,
    "state": pl.String,
    "at": MOMENT,
    "until": pl.Date,
    "method": pl.String,
    "notice": pl.String,
    "collected_by": pl.String,
    "record_id": pl.String,
}
"""Columns of records. ``purpose``: DPV IRI. ``channel``: word of the agreement. ``until``: last day it holds,
Brussels; null: until it is withdrawn. ``method``: how it was given. ``notice``: which wording was shown."""
WORD = ("ref", "purpose", "channel")
"""The columns that say what a word (what a person said) is about."""


class ConsentState(StrEnum):
    """What a record says."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


STATUS = {
    ConsentState.GIVEN: "https://w3id.org/dpv#ConsentGiven",
    ConsentState.REFUSED: "https://w3id.org/dpv#ConsentRefused",
    ConsentState.WITHDRAWN: "https://w3id.org/dpv#ConsentWithdrawn",
    ConsentState.EXPIRED: "https://w3id.org/dpv#ConsentExpired",
}
"""The states in the words of the DPV."""
NO = "no"
SAYS_YES = pl.col("state") == ConsentState.GIVEN.value
RAN_OUT = pl.col("state") == ConsentState.EXPIRED.value
NO_RECORDS = pl.DataFrame(schema=SCHEMA)
TAKES_BACK = (ConsentState.REFUSED.value, ConsentState.WITHDRAWN.value)
"""States in which a person has said no, and is kept out."""


def last_words(records: pl.DataFrame, on: date) -> pl.DataFrame:
    """Return, for each reference, purpose and channel, the record that counts on a Brussels day (columns of SCHEMA)."""
    last = _in_order(records).unique(WORD, keep="last", maintain_order=True)
    ran_out = SAYS_YES & (pl.col("until") < on).fill_null(False)
    return last.with_columns(
        pl.when(ran_out).then(pl.lit(ConsentState.EXPIRED.value)).otherwise("state").alias("state")
    )


def _in_order(records: pl.DataFrame) -> pl.DataFrame:
    """Sort records so that the one that counts comes last: of the same moment, a no comes after every yes.

    Records of a consent that ran out after the person had said no are left out.
    """
    ordered = records.sort("at", SAYS_YES, "record_id", descending=[False, True, False], maintain_order=True)
    said = pl.when(~RAN_OUT).then(pl.col("state")).forward_fill().over(WORD)
    return ordered.filter(~(RAN_OUT & said.is_in(TAKES_BACK)).fill_null(False))


def given_since(words: pl.DataFrame, withdrawn_at: datetime) -> pl.DataFrame:
    """Return whose consent was given again after a withdrawal, for what, over which channel (ref, purpose, channel).

    An older record never lifts a withdrawal, whenever it is imported.
    """
    again = SAYS_YES & (pl.col("at") > withdrawn_at.astimezone(UTC))
    return words.filter(again).select(WORD)


def word_of_rows(refs: Sequence[pl.Series], words: pl.DataFrame, purpose: str, channel: str) -> pl.DataFrame:
    """Return, for each row, the last word of its person by any reference (consent, consent_at, consent_until).

    ``consent``: given, expired, or no; null without a record. ``consent_at``: when it was said; for a consent that ran
    out, the end of its last day. ``consent_until``: the last day of a yes.
    """
    mine = words.filter(pl.col("purpose") == purpose, pl.col("channel") == channel)
    since = pl.max_horizontal("at", pl.when(RAN_OUT).then(_end_of("until"))).alias("consent_at")
    word = pl.when(SAYS_YES | RAN_OUT).then("state").otherwise(pl.lit(NO)).alias("consent")
    until = pl.when(SAYS_YES).then("until").alias("consent_until")
    said = mine.select("ref", "at", word, since, until, says_no=~SAYS_YES, is_last=~(SAYS_YES | RAN_OUT))
    height = len(refs[0]) if refs else 0
    parts = [
        pl.DataFrame({"row": pl.int_range(height, eager=True), "ref": series}).join(said, on="ref") for series in refs
    ]
    if not parts:
        return pl.DataFrame(schema={"consent": pl.String, "consent_at": MOMENT, "consent_until": pl.Date})
    last = pl.concat(parts).sort("at", "says_no", "is_last").unique("row", keep="last", maintain_order=True)
    rows = pl.DataFrame({"row": pl.int_range(height, eager=True)}).join(
        last, on="row", how="left", maintain_order="left"
    )
    return rows.select("consent", "consent_at", "consent_until")


def _end_of(day: str) -> pl.Expr:
    """The last moment of a Brussels day (UTC)."""
    next_day = pl.col(day).dt.offset_by("1d").cast(pl.Datetime("us")).dt.replace_time_zone(ZONE)
    return next_day.dt.convert_time_zone("UTC") - timedelta(microseconds=1)


def still_needed(records: pl.DataFrame, on: date, days: int) -> pl.DataFrame:
    """Return records without those that ended more than ``days`` before a Brussels day.

    ``records``: all of a principal. A no ended when it was said, a yes after its last day, and both at the latest with
    the next record of the same word: so no record outlives the one that took it back. After a no the reference stays
    among those who must stay out; only the record of how it was said goes.
    """
    said_on = pl.col("at").dt.convert_time_zone(ZONE).dt.date()
    itself = pl.when(SAYS_YES).then("until").otherwise(said_on)
    ended = pl.min_horizontal(itself, said_on.shift(-1).over(WORD)).cum_min(reverse=True).over(WORD)
    return _in_order(records).filter((ended >= on - timedelta(days=days)).fill_null(True))
