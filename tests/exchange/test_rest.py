"""Of which files runs say who is in them."""

import polars as pl
import pytest

from gate.papers import a_contract, a_field, a_key
from sluice.exchange import rest
from sluice.exchange.rest import is_told
from sluice.lake.table import Dialect, Table, bad_records_frame


def a_table(*columns: str, bad: tuple[str, ...] = ()) -> Table:
    frame = pl.DataFrame({name: ["x"] for name in columns})
    records = bad_records_frame([(number, "WIDTH", raw) for number, raw in enumerate(bad, 2)])
    return Table(frame, pl.Series([1], dtype=pl.UInt32), records, 1 + len(bad), Dialect("csv"))


def test_runs_tell_of_a_file_with_every_column_that_names_and_few_pieces_that_are_no_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = a_contract(a_key(), a_field("note"))
    assert is_told(contract, a_table("lead", bad=("L-1;x", "L-2;y")))
    assert not is_told(contract, a_table("note"))
    assert not is_told(a_contract(a_field("note")), a_table("note")), "nothing in it can name anybody"
    monkeypatch.setattr(rest, "MOST_PIECES", 4)
    assert is_told(contract, a_table("lead", bad=("L-1;x", "L-2;y")))
    assert not is_told(contract, a_table("lead", bad=("L-1;x", "L-2;y;z"))), "it is opened instead"
