"""Which rows are surely the person's, and which notes quote somebody else."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import DataContract
from sluice.answers.confirm import Doubts, doubtful
from sluice.answers.notes import of_others
from sluice.rights.copies.model import Copy
from sluice.rights.copies.read import PersonRows
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import Direction, ExchangeId, Flow, SubjectKind

NUMBER, NATIONAL, PHONE = SubjectKind.PRINCIPAL_CUSTOMER_ID, SubjectKind.NATIONAL_NUMBER, SubjectKind.PHONE
COPY = Copy(ExchangeId("x"), "lake", Direction.INBOUND, Flow("f"), "b", "k", "v", "", None, ())


def rows_with(**ids: Sequence[str | None]) -> PersonRows:
    """A copy of as many rows as there are numbers; ``number``, ``national``; ``plain``: a copy with neither column."""
    kinds = {"number": NUMBER, "national": NATIONAL}
    frame = pl.DataFrame({"row": list(range(len(next(iter(ids.values())))))})
    return PersonRows(COPY, frame, ids={kinds[k]: pl.Series(v, dtype=pl.String) for k, v in ids.items() if k in kinds})


def said(doubts: Doubts, sizes: Sequence[int]) -> list[list[bool]]:
    return [[False] * size if mask is None else mask.to_list() for mask, size in zip(doubts.masks, sizes, strict=True)]


HOUSEHOLD = [rows_with(number=["mine", "other", None]), rows_with(plain=["a", "b"])]


def test_in_a_household_a_row_without_a_number_may_be_of_any_of_them() -> None:
    doubts = doubtful(HOUSEHOLD, {NUMBER: frozenset({"mine"})})
    assert said(doubts, (3, 2)) == [[False, True, True], [True, True]] and doubts.is_shared


def test_who_gave_no_number_gets_no_row_of_a_household() -> None:
    doubts = doubtful(HOUSEHOLD, {PHONE: frozenset({"p"})})
    assert said(doubts, (3, 2)) == [[True] * 3, [True] * 2] and doubts.is_shared


@pytest.mark.parametrize("asked", [{}, {NUMBER: frozenset({"mine"})}, {NUMBER: frozenset({"mine", "second"})}])
def test_somebody_alone_keeps_their_rows_with_and_without_a_number(asked: dict[SubjectKind, frozenset[str]]) -> None:
    found = [rows_with(number=["mine", None]), rows_with(plain=["a"])]
    if "second" in asked.get(NUMBER, ()):
        found.append(rows_with(number=["second"]))
    doubts = doubtful(found, asked)
    assert doubts == Doubts((None,) * len(found), is_shared=False)


def test_another_number_of_the_person_says_whose_a_row_is() -> None:
    found = [rows_with(number=["mine", "other"]), rows_with(national=["n", None])]
    asked = {NUMBER: frozenset({"mine"}), NATIONAL: frozenset({"n"})}
    assert said(doubtful(found, asked), (2, 2)) == [[False, True], [False, True]]


def test_a_number_that_no_row_of_its_principal_bears_makes_all_of_it_doubtful() -> None:
    found = [rows_with(number=["other"])]
    asked = {NUMBER: frozenset({"mine"})}
    assert said(doubtful(found, asked), (1,)) == [[True]]
    assert said(doubtful(found, {PHONE: frozenset({"p"})}), (1,)) == [[False]], "control: who gave no number"


def test_who_gave_a_number_of_another_principal_may_be_anybody_here() -> None:
    found = [rows_with(number=["other"]), rows_with(plain=["a"])]
    asked = {PHONE: frozenset({"p"}), NUMBER: frozenset[str]()}
    assert said(doubtful(found, asked), (1, 1)) == [[True], [True]]
    known = doubtful([rows_with(number=["other"], national=["n"])], {**asked, NATIONAL: frozenset({"n"})})
    assert said(known, (1,)) == [[False]], "a national number is the same everywhere"


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
