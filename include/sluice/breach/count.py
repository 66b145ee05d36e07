"""Count persons in copies by reference. Copies are read where an erasure finds them; no data of persons is kept."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sluice.breach.agent import made_as_it_came, made_in_lake
from sluice.breach.model import Counted, Scope
from sluice.breach.rules import OTHERS, OWN, SCHEMA, count_persons
from sluice.exchange.house import House
from sluice.exchange.judging.reading import hints_of
from sluice.lake.quarantine import unseal
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatRefusal, Table
from sluice.lake_columns import ref_of
from sluice.ledger.copy_kinds import (
    ANSWER_KEPT,
    ARRIVED,
    DELIVERED,
    DIAL_KEPT,
    DIALLED,
    FINDINGS,
    HANDED,
    HELD_BACK,
    HELD_ROWS,
    INDEX,
    LAKE,
    REFUSED_FILE,
    REFUSED_RECORDS,
    REFUSED_ROWS,
    REST,
    RETURN,
    RETURN_FINDINGS,
)
from sluice.ledger.record import ExchangeRecord
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.read import refs_in
from sluice.subject.model import DEFINING
from sluice.terms import Principal, SubjectKind

NOBODY = frozenset({FINDINGS, HELD_BACK, RETURN_FINDINGS, INDEX, REST})
"""Kinds of copies that hold only row numbers, codes and references."""
WHOLE = (LAKE, REFUSED_ROWS, HELD_ROWS, REFUSED_RECORDS, REFUSED_FILE, RETURN, DIAL_KEPT)
"""Kinds that together hold every row of an exchange once; other kinds repeat the same rows."""
OTHER_KINDS = (ARRIVED, DELIVERED, DIALLED, ANSWER_KEPT, HANDED)
"""Kinds that repeat rows. An answer that was handed over is sealed and about one person: only its record is read."""
ORDER = tuple(SubjectKind)


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Rows of references in one copy. ``unclear``: how many other rows may be in the scope, where nobody can tell."""

    rows: pl.DataFrame
    unclear: int = 0


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is to count of the exchanges of one principal, and what nobody can read any more.

    ``gone``: rows in removed copies, by exchange (:func:`rows_gone`). ``erased``: rows taken out of copies that are
    still there.
    """

    records: Sequence[ExchangeRecord]
    copies: Sequence[Copy]
    gone: Mapping[str, int | None]
    erased: Mapping[str, int]

    def at_most(self, unread: Collection[str]) -> int | None:
        """The most persons in what nobody can read, added up by exchange; None if it is not known for one.

        ``unread``: exchanges with a copy that is there and could not be read.
        """
        counts = {record.exchange_id: record.what.distinct_subjects for record in self.records}
        known = [counts.get(exchange) for exchange in unread]
        for exchange in {*self.gone, *self.erased} - {*unread}:
            rows = self.gone.get(exchange, 0)
            all_rows = None if rows is None else rows + self.erased.get(exchange, 0)
            known.append(_fewer(counts.get(exchange), all_rows))
        return None if None in known else sum(count for count in known if count is not None)


def count_in(house: House, principal: Principal, scope: Scope, remains: Remains) -> Counted:
    """Count distinct persons of one principal in what remains; only in rows of the scope's agent, if it names one.

    A row whose maker is unclear may add one person to ``at_most``.
    """
    target = Target(principal, house.subject_key(principal), frozenset(), (), frozenset())
    with open_bench(house, target) as bench:
        found = [(copy, _read(bench, copy, scope)) for copy in remains.copies if copy.kind not in NOBODY]
    rows = [read.rows for _, read in found if read]
    unread = {copy.exchange_id: copy.kind for copy, read in found if read is None}
    unclear = {copy.exchange_id: copy.kind for copy, read in found if read and read.unclear}
    concerned = {copy.exchange_id for copy, read in found if read and read.rows.height}
    persons, nameless = count_persons(rows)
    at_most = remains.at_most(unread)
    doubts = sum(read.unclear for _, read in found if read)
    named = unclear | dict.fromkeys(remains.gone, "gone") | unread
    return Counted(
        persons,
        sum(each.height for each in rows),
        nameless,
        tuple(f"{kind} {exchange}" for exchange, kind in named.items()),
        None if at_most is None else at_most + doubts,
        sum(remains.erased.values()),
        frozenset({*concerned, *named, *remains.erased}),
    )


def _fewer(persons: int | None, rows: int | None) -> int | None:
    """The most persons in ``rows`` of an exchange with ``persons`` in all; None if neither number is known."""
    return min((count for count in (persons, rows) if count is not None), default=None)


def _read(bench: Bench, copy: Copy, scope: Scope) -> Read | None:
    """The references in the rows of a copy; None if it is gone or cannot be read here."""
    path = bench.fetch(copy)
    if path is None:
        return None
    if copy.kind == LAKE:
        return _lake(bench, copy, path, scope)
    if copy.kind.startswith("quarantine."):
        path = unseal(path, bench.fresh("opened"), bench.house.keyring, bench.target.principal)
        if copy.kind != REFUSED_FILE:
            frame = pl.read_parquet(path)
            return _records(frame, scope) if copy.kind == REFUSED_RECORDS else _as_they_came(bench, copy, frame, scope)
    table = _table(bench, path, copy)
    rows = _as_they_came(bench, copy, table.frame, scope) if table else None
    if table is None or rows is None:
        return None
    beside = _records(table.bad_records, scope)
    return Read(pl.concat([rows.rows, beside.rows]), rows.unclear + beside.unclear)


def _records(frame: pl.DataFrame, scope: Scope) -> Read:
    """Records that are no rows: nobody can tell whom they are about, nor which agent wrote them."""
    return Read(_rows([], 0), frame.height) if scope.kind == "agent" else Read(_rows([], frame.height))


def _as_they_came(bench: Bench, copy: Copy, frame: pl.DataFrame, scope: Scope) -> Read | None:
    """Rows of a file, or rows that the gate did not accept; None if an agent is asked for and no mapping reads them."""
    if scope.kind != "agent":
        return Read(_cells(bench, copy, frame))
    made = made_as_it_came(bench.house, copy, frame, scope)
    return Read(_cells(bench, copy, frame.filter(made.mine)), int(made.unclear.sum())) if made else None


def _table(bench: Bench, path: Path, copy: Copy) -> Table | None:
    """A file as a table with a column that names a person: read as its contract says, else as detected; or None."""
    name = copy.key.removesuffix(".age")
    named = {column.name for column in copy.columns}
    for hints in dict.fromkeys((hints_of(copy.contract), hints_of(None))):
        table = read_table(path, file_name=name, wanted=hints, limits=bench.limits, folder=path.parent)
        if not isinstance(table, FormatRefusal) and named & set(table.frame.columns):
            return table
    return None


def _lake(bench: Bench, copy: Copy, path: Path, scope: Scope) -> Read:
    frame = pl.read_parquet(path)
    if scope.kind == "agent":
        frame = frame.filter(made_in_lake(bench.house, copy, frame, scope))
    kinds = {ref_of(column.name): column.kind for column in copy.columns}
    refs = [(kind, frame[name]) for name, kind in kinds.items() if name in frame.columns]
    return Read(_rows(refs, frame.height))


def _cells(bench: Bench, copy: Copy, frame: pl.DataFrame) -> pl.DataFrame:
    key = bench.target.key
    named = [column for column in copy.columns if column.name in frame.columns]
    found = [(each.kind, refs_in(frame[each.name].cast(pl.String), each.kind, key, copy.contract)) for each in named]
    return _rows(found, frame.height)


def _rows(refs: Sequence[tuple[SubjectKind, pl.Series]], height: int) -> pl.DataFrame:
    """One line per row (:data:`SCHEMA`): the reference that belongs to one person, and the others by kind."""
    if not refs:
        return pl.DataFrame({OWN: [None] * height, OTHERS: [[]] * height}, schema=SCHEMA)
    own = [series for kind, series in refs if kind in DEFINING]
    others = [series for kind, series in sorted(refs, key=lambda each: ORDER.index(each[0])) if kind not in DEFINING]
    frame = pl.DataFrame([series.alias(f"c{place}") for place, series in enumerate([*own, *others])])
    names = frame.columns
    first = pl.coalesce(names[: len(own)]) if own else pl.lit(None, pl.String)
    rest = pl.concat_list(names[len(own) :]) if others else pl.lit([], pl.List(pl.String))
    return frame.select(first.alias(OWN), rest.alias(OTHERS)).cast(pl.Schema(SCHEMA))


def whole_of(copies: Sequence[Copy], torn: Collection[str] = ()) -> Iterator[Copy]:
    """Copies that hold every row of their exchange once; if none of those is left, one of another kind.

    ``torn``: exchanges that lost one of those copies, so that the rest no longer holds every row; another kind is
    preferred for them.
    """
    by_exchange: dict[str, list[Copy]] = {}
    for copy in copies:
        by_exchange.setdefault(copy.exchange_id, []).append(copy)
    for exchange, own in by_exchange.items():
        found = [copy for copy in own if copy.kind in WHOLE]
        others = [copy for kind in OTHER_KINDS for copy in own if copy.kind == kind][:1]
        yield from (others or found) if exchange in torn else (found or others)


def rows_gone(kinds: Collection[str] | None, read: Collection[str], gone: Mapping[str, int | None]) -> int | None:
    """How many rows of an exchange were asked for but can no longer be read; None if that is not known.

    ``kinds``: the kinds of copies that were asked for, None for the whole exchange. ``read``: kinds of copies that are
    there. ``gone``: rows of copies that are not, by kind.
    """
    if kinds is None and set(read) & set(OTHER_KINDS):
        return 0
    lost = [rows for kind, rows in gone.items() if kind not in NOBODY and kind in (WHOLE if kinds is None else kinds)]
    return None if None in lost else sum(rows for rows in lost if rows is not None)
