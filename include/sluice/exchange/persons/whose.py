"""Whose the rows of an accepted file are: told by a customer or national number where a row has one."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sluice.db import Connection
from sluice.exchange.given_back import paper_under
from sluice.exchange.store import get_opened
from sluice.lake_columns import REFS, ref_of
from sluice.subject.correct import whose
from sluice.subject.model import DEFINING
from sluice.terms import SubjectKind

if TYPE_CHECKING:
    import polars as pl


def number_columns(conn: Connection, exchange_id: str) -> Mapping[str, SubjectKind]:
    """Return a file's reference columns that hold customer or national numbers, by the paper that it came under."""
    contract = paper_under(conn, get_opened(conn, exchange_id)).contract
    fields = contract.subject_fields if contract else ()
    return {ref_of(each.name): each.subject_key for each in fields if each.subject_key in DEFINING}


def refs_by_person(rows: "pl.DataFrame", numbers: Collection[str]) -> "list[pl.Series]":
    """Return the references that say whose each row is. ``numbers``: the columns of customer or national numbers."""
    names = [name for name in rows.columns if name.startswith(REFS)]
    own = [rows[name] for name in names if name in numbers]
    return whose(own, [rows[name] for name in names if name not in numbers])
