"""Find who handled each contact and whether that agent was ready when it began, for all contacts at once.

Contacts are text columns: platform, account, agent (a reference) and ``started_at``, ISO 8601 in UTC
with six decimals, ``2026-11-24T10:00:00.000000Z``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from sluice.staff.model import Account, Reason
from sluice.staff.refs import account_ref, agent_ref

_CANONICAL = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
_EVER = ""
"""Stands for the beginning of time; sorts before every moment."""

_READY = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """Accounts with their agents (``ref, start, value``, all text), and the platforms with a list of accounts."""

    accounts: pl.DataFrame
    platforms: frozenset[str]


def make_directory(accounts: Iterable[Account]) -> Directory:
    """Make the directory of these accounts. An account passes to its next agent at that agent's ``valid_from``."""
    held = list(accounts)
    rows = [(each.account_ref, _text(each.valid_from), each.agent_ref) for each in held]
    schema = pl.Schema({"ref": pl.String(), "start": pl.String(), "value": pl.String()})
    return Directory(pl.DataFrame(rows, schema=schema, orient="row"), frozenset(each.platform for each in held))


def agents_of(contacts: pl.DataFrame, directory: Directory, key: bytes) -> pl.Series:
    """The agent reference of every contact (columns ``platform``, ``account``, ``started_at``); null without account.

    On a platform without a list of accounts, the account is the agent's own number. An account that is
    not on its platform's list gets a reference that no agent has, so that :func:`ready_at` gives
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
    """Why the agent of each contact was not ready when it began; null means ready.

    contacts: ``agent`` (reference), ``started_at``. intervals: from ``store.read_intervals``. The reason
    is NO_AGENT without an agent, TIME_UNKNOWN without a readable time, AGENT_UNKNOWN for an unknown agent.
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
    """For each reference and moment, the value of the reference's last span that began by then; null if none.

    Reference and moment are combined into one number, reference first, so that one binary search per row
    finds the answer, without sorting the contacts or parsing their times.
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
    """Add the code of the reference (null if unknown) and ``number``, which combines it with the place in ``cuts``."""
    place = cuts.search_sorted(moments.fill_null(_EVER), side="right").cast(pl.UInt64)
    coded = frame.join(codes, on="ref", how="left", maintain_order="left")
    return coded.with_columns(number=pl.col("code").cast(pl.UInt64) * (len(cuts) + 1) + place)
