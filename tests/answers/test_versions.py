"""Every copy is judged by its own paper: version of the contract, and agreement."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from answers.answer_samples import a_role
from rights.letter_samples import a_case, a_part
from sluice.agreement.model import DataContract, FieldRole, FileFormat
from sluice.answers.authority import Authority, authority_for_principal, authority_of, controller_of
from sluice.answers.model import FORWARDED, Found, Held
from sluice.answers.portable import only_portable, types_of
from sluice.answers.select import Selected, select
from sluice.rights.case.model import Action, Right, State, SubCase, SubCaseId, Track
from sluice.rights.copies.model import Copy, Target
from sluice.subject.key import SubjectKey
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, RoleProfile

ENERGY = Principal("energy01")
NONE: Any = None
FORM = FileFormat("csv", ";", None, False, None, "BE", None, "*.csv")
BY_CONTRACT = replace(
    a_role("phone", FieldGroup.CONTACT_POINT), legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-b"
)
BY_INTEREST = replace(BY_CONTRACT, legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-f")


def a_copy(number: int, version: str, agreement: str, role: FieldRole, value: str) -> Held:
    contract = DataContract(
        "energy01.inbound.renewal", version, "active", ENERGY, Direction.INBOUND, Flow("renewal"), agreement, "1.0.0",
        FORM, (role,), (), (), 0.1, NONE, "",
    )  # fmt: skip
    copy = Copy(ExchangeId(str(number)), "lake", Direction.INBOUND, Flow("f"), "b", "k", "v", "", contract, ())
    return Held(copy, "lake", pl.DataFrame({"phone": [value]}), {"phone": role})


def chosen(parts: list[SubCase], *held: Held, authority: Authority | None = None) -> Selected:
    target = Target(ENERGY, SubjectKey(b"k" * 32), frozenset(), (), frozenset())
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


CANONICAL = "%Y-%m-%dT%H:%M:%S.%fZ"


@pytest.mark.parametrize(
    ("kind", "form", "cell", "told"),
    [
        ("timestamp", CANONICAL, "2026-11-24T10:00:05.120000Z", "2026-11-24T10:00:05.120000Z"),
        ("timestamp", CANONICAL, "2026-11-24T10:00:05.000000Z", "2026-11-24T10:00:05Z"),
        ("timestamp", "%d/%m/%Y %H:%M:%S", "24/11/2026 10:00:05", "2026-11-24T10:00:05"),
        ("date", "%d/%m/%Y %H:%M", "24/11/2026 10:30", "24/11/2026 10:30"),
        ("date", "%d/%m/%Y", "24/11/2026", "2026-11-24"),
    ],
    ids=["fractions", "control: none", "without a zone", "a day with a time", "control: a day"],
)
def test_a_moment_is_taken_along_whole(kind: str, form: str, cell: str, told: str) -> None:
    role = replace(BY_CONTRACT, logical_type=kind, date_format=form)
    assert values(only_portable(chosen([a_principals_part("A")], a_copy(1, "1.0.0", "A", role, cell)))) == {told}


@pytest.mark.parametrize(
    ("other", "found"), [("string", {}), ("number", {"phone": "number"})], ids=["a text", "control: a number"]
)
def test_what_is_a_number_in_one_data_set_only_is_text(other: str, found: dict[str, str]) -> None:
    number, table = replace(BY_CONTRACT, logical_type="number"), pl.DataFrame({"phone": ["12.50", "7"]})
    roles = replace(number, logical_type=other), number
    for each in (roles, roles[::-1]):
        assert types_of(table, each) == found


def test_one_agreement_lets_us_answer_and_the_other_does_not() -> None:
    mine, theirs = a_copy(1, "1.0.0", "A", BY_CONTRACT, "ours"), a_copy(2, "1.0.0", "B", BY_CONTRACT, "theirs")
    parts = [a_principals_part("A"), a_principals_part("B", may_answer=False)]
    assert values(chosen(parts, mine, theirs)) == {"ours"}


def test_what_no_agreement_of_the_case_covers_goes_where_each_lets_it_go() -> None:
    held = a_copy(1, "1.0.0", "OLD", BY_CONTRACT, "old")
    parts = [a_principals_part("A"), a_principals_part("B")]
    assert values(chosen(parts, held)) == {"old"}
    assert values(chosen([parts[0], replace(parts[1], may_answer=False)], held)) == set()


OURS_ONCE = replace(BY_CONTRACT, role_profile=RoleProfile.SEED_OWNER)
"""The column as an older version has it: the center decided of it then."""


def theirs_now(agreement: str, **changes: object) -> SubCase:
    return a_principals_part(agreement, **{"controller": "principal", **changes})


def test_what_was_the_centers_once_goes_by_the_word_of_who_decides_of_it_now() -> None:
    held = a_copy(1, "1.0.0", "A", OURS_ONCE, "old")
    assert controller_of(OURS_ONCE) == "center", "by the papers of its day"
    assert values(chosen([theirs_now("A")], held)) == {"old"}
    refused = theirs_now("A", state=State.AWAITING_INSTRUCTION, action=None, action_fields=())
    assert values(chosen([refused], held)) == set()
    away = theirs_now("A", may_answer=False, forwarded_at=datetime(2026, 11, 25, tzinfo=UTC))
    [line] = chosen([away], held).fields
    assert line.reason == FORWARDED


def test_as_long_as_the_center_decides_of_anything_its_column_waits_for_its_own_word() -> None:
    held, center = a_copy(1, "1.0.0", "A", OURS_ONCE, "old"), replace(a_part(State.SCOPED), agreement_id="A")
    assert values(chosen([theirs_now("A"), center], held)) == set()
    groups = tuple(center.field_groups)
    given = replace(center, state=State.ACCEPTED, action=Action.GIVE, action_fields=groups)
    assert values(chosen([theirs_now("A", state=State.FORWARDED, action=None), given], held)) == {"old"}


def test_a_group_that_went_over_to_the_principal_needs_its_word_though_the_center_still_decides_of_others() -> None:
    held = a_copy(1, "1.0.0", "A", OURS_ONCE, "old")
    center = replace(a_part(State.ACCEPTED, Action.GIVE), agreement_id="A")
    theirs = theirs_now("A", field_groups=(FieldGroup.CONTACT_POINT,), action_fields=(FieldGroup.CONTACT_POINT,))
    assert values(chosen([theirs, replace(center, state=State.SCOPED, action=None)], held)) == {"old"}
    assert values(chosen([replace(theirs, state=State.FORWARDED, action=None), center], held)) == set()


def test_of_several_that_may_decide_now_it_is_who_has_the_group() -> None:
    held = a_copy(1, "1.0.0", "A", OURS_ONCE, "old")
    joint = replace(a_part(State.SCOPED), agreement_id="A", controller="joint", field_groups=(FieldGroup.CALLBACK,))
    theirs = theirs_now("A", field_groups=(FieldGroup.CONTACT_POINT,), action_fields=(FieldGroup.CONTACT_POINT,))
    assert values(chosen([theirs, joint], held)) == {"old"}
    elsewhere = theirs_now("A", field_groups=(FieldGroup.IDENTITY,), action_fields=(FieldGroup.IDENTITY,))
    assert values(chosen([elsewhere, joint], held)) == set(), "nobody has it, so all of them"


def test_a_principal_that_answers_itself_gets_what_is_its_own_by_now() -> None:
    held, theirs = a_copy(1, "1.0.0", "A", OURS_ONCE, "old"), theirs_now("A", may_answer=False)

    def given(*parts: SubCase) -> set[str]:
        case = a_case(*parts, right=Right.ACCESS)
        return values(chosen(list(parts), held, authority=authority_for_principal(case, ENERGY, Action.GIVE)))

    assert given(theirs) == {"old"}
    center = replace(a_part(State.ACCEPTED, Action.GIVE), agreement_id="A")
    assert given(theirs, center) == set(), "what the center decides of is not for a principal"
