"""Find which rows of agents' results an agent made: accepted rows say so, sealed ones need the platform's mapping."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sluice.breach.model import Scope
from sluice.exchange.house import House
from sluice.exchange.judging.job import mapping_of
from sluice.results.canonical import Canonical, to_canonical
from sluice.results.mapping import load_mapping
from sluice.results.model import MappingInvalid
from sluice.rights.copies.model import Copy
from sluice.staff.contacts import Directory, agents_of
from sluice.staff.refs import account_ref
from sluice.staff.store import read_directory
from sluice.terms import Severity


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """Which rows the agent or account of a scope made within its window, and for which rows nobody can tell.

    ``mine`` and ``unclear`` are Boolean series with one value per row.
    """

    mine: pl.Series
    unclear: pl.Series


def made_in_lake(house: House, copy: Copy, frame: pl.DataFrame, scope: Scope) -> pl.Series:
    """Which accepted rows are in the scope. They could all be read when they came, so none is unclear."""
    return _Asked.of(house, copy, scope).made(frame["agent"], frame["started_at"])


def made_as_it_came(house: House, copy: Copy, frame: pl.DataFrame, scope: Scope) -> Made | None:
    """Which rows of an export, as the platform wrote them, are in the scope; None if there is no mapping to read it.

    A row is unclear if it may be in the scope but the platform's mapping cannot read who made it, or when. A row
    without an agent, or not called yet, belongs to nobody.
    """
    path = mapping_of(house.settings, copy.contract) if copy.contract else None
    try:
        mapping = load_mapping(path) if path else None
    except MappingInvalid:
        mapping = None
    if mapping is None:
        return None
    read = to_canonical(frame.select(pl.all().cast(pl.String)), mapping)
    accounts, moments = read.frame["agent"], read.frame["started_at"]
    asked = _Asked.of(house, copy, scope)
    by_anybody, at_any_time = _misread(read, "agent"), _misread(read, "started_at")
    unclear = by_anybody & asked.within(moments)
    if at_any_time.any():
        unclear |= at_any_time & (by_anybody | asked.ever_made(accounts))
    return Made(asked.made(accounts, moments), unclear)


def _misread(read: Canonical, column: str) -> pl.Series:
    """Rows in which a canonical column could not be read; all rows if the file lacks the columns it is made from."""
    rules = {f"mapping.{column}", "mapping.latest_by"}
    wrong = [each.row_index for each in read.findings if each.rule in rules and each.severity is Severity.ERROR]
    every = pl.Series([None in wrong]).new_from_index(0, read.frame.height)
    return every.scatter([row for row in wrong if row is not None], True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A scope as asked about one copy, with its platform, the key of staff references, and the directory."""

    scope: Scope
    platform: str | None
    key: bytes
    directory: Directory

    @classmethod
    def of(cls, house: House, copy: Copy, scope: Scope) -> "_Asked":
        platform = copy.contract.result_mapping if copy.contract else None
        return cls(scope, platform, house.keyring.staff_key(), read_directory(house.conn))

    def made(self, accounts: pl.Series, moments: pl.Series) -> pl.Series:
        return self._is_scope(accounts, moments) & self.within(moments)

    def within(self, moments: pl.Series) -> pl.Series:
        since, until = self.scope.since, self.scope.until
        assert since is not None and until is not None  # every agent scope has both
        return ((moments >= _text(since)) & (moments < _text(until))).fill_null(False)

    def ever_made(self, accounts: pl.Series) -> pl.Series:
        """Which rows have an account that belonged to the scope at any time."""
        starts = pl.Series("started_at", ["", *self.directory.accounts["start"]]).unique()
        pairs = accounts.unique().drop_nulls().alias("account").to_frame().join(starts.to_frame(), how="cross")
        mine = pairs["account"].filter(self._is_scope(pairs["account"], pairs["started_at"]))
        return accounts.is_in(mine.unique().implode()).fill_null(False)

    def _is_scope(self, accounts: pl.Series, moments: pl.Series) -> pl.Series:
        asked = pl.DataFrame({"account": accounts, "started_at": moments}).with_columns(
            platform=pl.lit(self.platform, pl.String)
        )
        names = [
            name
            for name in accounts.unique().drop_nulls()
            if account_ref(self.key, self.platform or "", name) == self.scope.name
        ]
        agents = agents_of(asked, self.directory, self.key)
        return (agents == self.scope.name).fill_null(False) | accounts.is_in(names).fill_null(False)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
