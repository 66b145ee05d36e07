"""Accepted rows that bear one of some references: the index says in which files they are, the lake holds them."""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sluice.errors import EvidenceInvalid, NotFound, Ref
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.persons.correction_store import find_accepted
from sluice.exchange.persons.suppressed import names_any
from sluice.exchange.persons.whose import number_columns
from sluice.lake_columns import REFS
from sluice.ledger.copy_kinds import INDEX, LAKE
from sluice.ledger.record import CopyLine
from sluice.terms import ExchangeId, Principal, SubjectKind

if TYPE_CHECKING:
    import polars as pl


def accepted_rows(
    house: House, principal: Principal, refs: frozenset[str], *names: str, named: Collection[str] | None = None
) -> "Iterator[tuple[pl.DataFrame, Mapping[str, SubjectKind]]]":
    """Yield accepted rows with one of these references, file by file, and which reference columns hold numbers.

    The index tells which files have such rows. ``names``: columns that a file must have besides the references.
    ``named``: those files, if the index was asked before.
    """
    import polars as pl

    wanted = pl.Series(sorted(refs), dtype=pl.String).implode()
    for exchange_id, has_index in find_accepted(house.conn, principal).items():
        if has_index and named is not None and exchange_id not in named:
            continue
        content = _naming(house, exchange_id, refs, named)
        if content is None:
            continue
        there = pl.read_parquet_schema(content)
        columns = [each for each in there if each.startswith(REFS)]
        if columns and set(names) <= set(there):
            rows = pl.read_parquet(content, columns=[*columns, *names])
            found = rows.filter(pl.any_horizontal(pl.col(each).is_in(wanted).fill_null(False) for each in columns))
            yield found, number_columns(house.conn, exchange_id)


def _naming(
    house: House, exchange_id: ExchangeId, refs: frozenset[str], named: Collection[str] | None
) -> io.BytesIO | None:
    """Read the accepted rows of a file whose index names somebody; None if it names nobody, or retention removed it.

    An erasure may put rows and index anew between the look at the catalogue and the read; then look again. Raises
    EvidenceInvalid for an object that the catalogue names and the store has not.
    """
    seen: Sequence[CopyLine] | None = None
    while (copies := find_copies(house.conn, exchange_id)) != seen:
        seen, lake = copies, next((copy for copy in copies if copy.kind == LAKE), None)
        with suppress(NotFound):
            has_index = any(copy.kind == INDEX for copy in copies)
            if has_index and not (names_any(house, copies, sorted(refs)) if named is None else exchange_id in named):
                return None
            if lake is not None and lake.version_id is not None:
                return io.BytesIO(house.objects.read(lake.bucket, lake.key, lake.version_id))
    if any(copy.kind == LAKE for copy in seen or ()):
        raise EvidenceInvalid(Ref("exchange", exchange_id), Ref("copy", LAKE))
    return None
