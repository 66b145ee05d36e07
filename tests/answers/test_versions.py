"""Every copy is judged by its own paper: version of the contract, and agreement."""

from dataclasses import replace
from typing import Any

import polars as pl

from answers.answer_samples import a_role
from rights.letter_samples import a_part
from sluice.agreement.model import DataContract, FieldRole
from sluice.answers.authority import Authority, authority_of, controller_of
from sluice.answers.model import Found, Held
from sluice.answers.portable import only_portable
from sluice.answers.select import Selected, select
from sluice.rights.erase_model import Copy, Target
from sluice.rights.model import Action, State, SubCase, SubCaseId, Track
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal

ENERGY = Principal("energy01")
NONE: Any = None
BY_CONTRACT = replace(
    a_role("phone", FieldGroup.CONTACT_POINT), legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-b"
)
BY_INTEREST = replace(BY_CONTRACT, legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-f")


def a_copy(number: int, version: str, agreement: str, role: FieldRole, value: str) -> Held:
    contract = DataContract(
        "energy01.inbound.renewal", version, "active", ENERGY, Direction.INBOUND, Flow("renewal"), agreement, "1.0.0",
        NONE, (role,), (), (), 0.1, NONE, "",
    )  # fmt: skip
    copy = Copy(ExchangeId(str(number)), "lake", Direction.INBOUND, Flow("f"), "b", "k", "v", "", contract, ())
    return Held(copy, "lake", pl.DataFrame({"phone": [value]}), {"phone": role})


def chosen(parts: list[SubCase], *held: Held, authority: Authority | None = None) -> Selected:
    target = Target(ENERGY, b"k" * 32, frozenset(), (), frozenset())
    found = Found(target, "Energy One NV", None, tuple(parts), held, (), ())
    return select([found], {"energy01": authority or authority_of(parts, (), Action.GIVE)})


def a_principals_part(agreement: str, **changes: object) -> SubCase:
    controller = controller_of(BY_CONTRACT)
    part = a_part(State.INSTRUCTED, Action.GIVE, SubCaseId(agreement), controller=controller, track=Track.PROCESSOR)
    return replace(part, **{"agreement_id": agreement, "may_answer": True, **changes})  # type: ignore[arg-type]


def values(selected: Selected) -> set[str]:
    return {value for table in selected.tables.values() for value in table["phone"].drop_nulls()}


def test_what_may_be_taken_along_is_asked_of_the_contract_of_each_copy() -> None:
    old, new = a_copy(1, "1.0.0", "A", BY_CONTRACT, "old"), a_copy(2, "2.0.0", "A", BY_INTEREST, "new")
    for held in ((old, new), (new, old)):
        selected = only_portable(chosen([a_principals_part("A")], *held))
        assert values(selected) == {"old"}
        assert {(line.version, line.included) for line in selected.fields} == {("1.0.0", True), ("2.0.0", False)}


def test_one_agreement_lets_us_answer_and_the_other_does_not() -> None:
    mine, theirs = a_copy(1, "1.0.0", "A", BY_CONTRACT, "ours"), a_copy(2, "1.0.0", "B", BY_CONTRACT, "theirs")
    parts = [a_principals_part("A"), a_principals_part("B", may_answer=False)]
    assert values(chosen(parts, mine, theirs)) == {"ours"}


def test_what_no_agreement_of_the_case_covers_goes_where_each_lets_it_go() -> None:
    held = a_copy(1, "1.0.0", "OLD", BY_CONTRACT, "old")
    parts = [a_principals_part("A"), a_principals_part("B")]
    assert values(chosen(parts, held)) == {"old"}
    assert values(chosen([parts[0], replace(parts[1], may_answer=False)], held)) == set()
