"""Of which files runs say who is in them."""

import polars as pl
import pytest

from gate.papers import a_contract, a_field, a_key
from sluice.agreement.model import DataContract
from sluice.exchange.judging import rest_index
from sluice.exchange.judging.rest_index import is_told


def tells(contract: DataContract, *columns: str, bad: tuple[str, ...] = ()) -> bool:
    return is_told(contract, columns, pl.Series("raw", bad, dtype=pl.String), None)


def test_runs_tell_of_a_file_with_every_column_that_names_and_few_pieces_that_are_no_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = a_contract(a_key(), a_field("note"))
    assert tells(contract, "lead", bad=("L-1;x", "L-2;y"))
    assert not tells(contract, "note")
    assert not tells(a_contract(a_field("note")), "note"), "nothing in it can name anybody"
    monkeypatch.setattr(rest_index, "MOST_PIECES", 4)
    assert tells(contract, "lead", bad=("L-1;x", "L-2;y"))
    assert not tells(contract, "lead", bad=("L-1;x", "L-2;y;z")), "it is opened instead"
