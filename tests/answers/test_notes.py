"""Which notes an answer withholds, by who is quoted in them."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import DataContract
from sluice.answers.notes import of_others
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import SubjectKind

KEY = SubjectKey(bytes(range(32)))
CONTRACT = Path(__file__).resolve().parents[2] / "include/principals/energy01/renewal_campaign.inbound.odcs.yaml"


def of_region(region: str) -> DataContract:
    contract = load_contract(CONTRACT)
    return replace(contract, file_format=replace(contract.file_format, region=region))


NUMBERS = [("NL", "06 12345678"), ("BE", "0475 12 34 56"), ("FR", "06 12 34 56 78")]


@pytest.mark.parametrize(("region", "number"), NUMBERS)
def test_a_number_is_known_as_its_file_writes_them(region: str, number: str) -> None:
    contract = of_region(region)
    notes = pl.Series([f"bel haar zus op {number}", None, "tevreden"], dtype=pl.String)
    own = refer(KEY, SubjectKind.PHONE, number, region=region).ref
    assert own is not None

    assert of_others(notes, KEY, frozenset(), contract).to_list() == [True, False, False]
    assert of_others(notes, KEY, frozenset({own}), contract).to_list() == [False] * 3, "their own is theirs"
