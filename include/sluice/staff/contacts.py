"""Who handled a contact, and was that agent ready at its first second? All contacts at once.

Contacts come as text columns: platform, account, agent (a reference) and ``started_at``, ISO 8601
UTC with six decimals, ``2026-11-24T10:00:00.000000Z``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from sluice.staff.model import Account, Reason
from sluice.staff.refs import account_ref, agent_ref

_CANONICAL = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
_EVER = ""
"""Sorts before every moment."""

_READY = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Accounts with their agents (``ref, start, value``, all text) and the platforms that have such a list."""

    accounts: pl.DataFrame
    platforms: frozenset[str]


def make_directory(accounts: Iterable[Account]) -> Directory:
    """The directory of these accounts; an account passes to its next agent at that one's ``valid_from``."""
    held = list(accounts)
    rows = [(each.account_ref, _text(each.valid_from), each.agent_ref) for each in held]
    schema = pl.Schema({"ref": pl.String(), "start": pl.String(), "value": pl.String()})
    return Directory(pl.DataFrame(rows, schema=schema, orient="row"), frozenset(each.platform for each in held))


def agents_of(contacts: pl.DataFrame, directory: Directory, key: bytes) -> pl.Series:
    """The agent reference of every contact (columns ``platform``, ``account``, ``started_at``); null without account.

    On a platform without account list the account is the agent's own number. An account that is not
    on its platform's list gets a reference of its own, which no agent has: ``ready_at`` then says
    AGENT_UNKNOWN.
    """
    pairs = contacts.select("platform", "account").unique()
    named = [_name(platform, account, directory, key) for platform, account in pairs.iter_rows()]
    keyed = contacts.join(
        pairs.with_columns(pl.Series("ref", named, dtype=pl.String)),
        on=["platform", "account"],
        how="left",
        maintain_order="left",
    )["ref"]
    found = _as_of(keyed, contacts["started_at"], directory.accounts)
    return found.fill_null(keyed).alias("agent_ref")


def ready_at(contacts: pl.DataFrame, intervals: pl.DataFrame) -> pl.Series:
    """Why the agent of a contact was not ready when it began; null = ready.

    contacts: ``agent`` (reference), ``started_at``. intervals: of ``store.read_intervals``. Without
    agent NO_AGENT, without a readable time TIME_UNKNOWN, for an agent nobody knows AGENT_UNKNOWN.
    """
    spans = intervals.select(
        pl.col("agent_ref").alias("ref"),
        pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").fill_null(_EVER),
        pl.col("reason").fill_null(_READY).alias("value"),
    )
    found = _as_of(contacts["agent"], contacts["started_at"], spans)
    return pl.select(
        pl.when(contacts["agent"].is_null())
        .then(pl.lit(str(Reason.NO_AGENT)))
        .when(~contacts["started_at"].str.contains(_CANONICAL).fill_null(False))
        .then(pl.lit(str(Reason.TIME_UNKNOWN)))
        .when(found.is_null())
        .then(pl.lit(str(Reason.AGENT_UNKNOWN)))
        .when(found != _READY)
        .then(found)
        .alias("reason")
    ).to_series()


def _name(platform: str | None, account: str | None, directory: Directory, key: bytes) -> str | None:
    if account is None:
        return None
    if platform is not None and platform not in directory.platforms:
        return agent_ref(key, account)
    return account_ref(key, platform or "", account)


def _text(moment: datetime | None) -> str:
    if moment is None:
        return _EVER
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _as_of(refs: pl.Series, moments: pl.Series, spans: pl.DataFrame) -> pl.Series:
    """The value of the last span of a reference that began at or before its moment; null where there is none.

    Reference and moment become one number, reference first, so that one binary search per row
    answers: neither side is sorted, no time is parsed.
    """
    cuts = spans["start"].unique().sort()
    codes = spans.select("ref").unique().with_row_index("code")
    known = _numbered(spans, codes, cuts, spans["start"]).sort("number")
    asked = _numbered(pl.DataFrame({"ref": refs}), codes, cuts, moments)
    at = known["number"].search_sorted(asked["number"].fill_null(0), side="right").cast(pl.Int64) - 1
    last = known.select("code", "value")[at.clip(0)] if known.height else asked.select("code", value=pl.lit(None))
    return pl.select(
        pl.when((at >= 0) & (last["code"] == asked["code"])).then(last["value"]).cast(pl.String).alias("value")
    ).to_series()


def _numbered(frame: pl.DataFrame, codes: pl.DataFrame, cuts: pl.Series, moments: pl.Series) -> pl.DataFrame:
    """``frame`` with the code of its reference (null if unknown) and ``number``: code, then place among the cuts."""
    place = cuts.search_sorted(moments.fill_null(_EVER), side="right").cast(pl.UInt64)
    coded = frame.join(codes, on="ref", how="left", maintain_order="left")
    return coded.with_columns(number=pl.col("code").cast(pl.UInt64) * (len(cuts) + 1) + place)
