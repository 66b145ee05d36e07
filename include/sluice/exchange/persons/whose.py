"""Whose the rows of an accepted file are: by a customer number or a national number where a row bears one."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sluice.db import Connection
from sluice.exchange.given_back import paper_under
from sluice.exchange.store import get_open
from sluice.subject.correct import whose
from sluice.subject.model import DEFINING
from sluice.terms import SubjectKind

if TYPE_CHECKING:
    import polars as pl

REFS = "sluice_ref_"
"""Before the name of an identifying column: its reference."""


def number_columns(conn: Connection, exchange_id: str) -> Mapping[str, SubjectKind]:
    """Reference columns of a file that hold numbers of one person, by the paper that it came under."""
    contract = paper_under(conn, get_open(conn, exchange_id)).contract
    fields = contract.subject_fields if contract else ()
    return {f"{REFS}{each.name}": each.subject_key for each in fields if each.subject_key in DEFINING}


def refs_by_person(rows: "pl.DataFrame", numbers: Collection[str]) -> "list[pl.Series]":
    """The references of accepted rows that say whose each is. numbers: of their columns, those of numbers."""
    names = [name for name in rows.columns if name.startswith(REFS)]
    own = [rows[name] for name in names if name in numbers]
    return whose(own, [rows[name] for name in names if name not in numbers])
