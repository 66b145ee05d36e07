"""Whose row of agents' results is it: accepted rows say so, and of sealed ones the platform's mapping does."""

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
    """Rows that the agent, or the account, of a scope made within its window; and ``unclear`` ones: nobody can tell.

    Two columns of booleans, as long as the rows.
    """

    mine: pl.Series
    unclear: pl.Series


def made_in_lake(house: House, copy: Copy, frame: pl.DataFrame, scope: Scope) -> pl.Series:
    """Which accepted rows are of the scope. They were read when they came: none of them is unclear."""
    return _Asked.of(house, copy, scope).made(frame["agent"], frame["started_at"])


def made_as_it_came(house: House, copy: Copy, frame: pl.DataFrame, scope: Scope) -> Made | None:
    """Which rows of an export, as the platform wrote them, are of the scope; None: nothing says how to read it.

    A row is unclear where its platform's mapping cannot read who made it, or when, and it may be of the scope. A row
    without agent, or that nobody called yet, is nobody's.
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
    """Rows in which a canonical column could not be read; all of them where the file lacks what it is made of."""
    rules = {f"mapping.{column}", "mapping.latest_by"}
    wrong = [each.row_index for each in read.findings if each.rule in rules and each.severity is Severity.ERROR]
    every = pl.Series([None in wrong]).new_from_index(0, read.frame.height)
    return every.scatter([row for row in wrong if row is not None], True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A scope, put to one platform."""

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
        assert since is not None and until is not None  # of every agent scope
        return ((moments >= _text(since)) & (moments < _text(until))).fill_null(False)

    def ever_made(self, accounts: pl.Series) -> pl.Series:
        """Accounts that were the scope's at any time."""
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
