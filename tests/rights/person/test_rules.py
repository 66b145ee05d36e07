"""What is pure about the person of a request: who decides of a copy, what is stopped, how identifiers are read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rights.case.attempts import part_of
from sluice.rights.case.model import SYSTEM, CaseId, Protection, Right, State, Track
from sluice.rights.opening import envelope_of
from sluice.rights.person.deciders import deciders_of, decides, groups_by_decider
from sluice.rights.person.identifiers import FEW, NOBODY, Identifier, refs_of, values_of
from sluice.rights.person.reach import scope_of_request
from sluice.subject.key import SubjectKey
from sluice.subject.scope import MARKETING
from sluice.terms import Decider, Principal, SubjectKind

NOW: dict[Decider, tuple[str, ...]] = {"principal": ("identity", "contact_point"), "center": ("callback",)}
TWO: dict[Decider, tuple[str, ...]] = {**NOW, "center": ("identity",)}
AT = datetime(2026, 11, 25, tzinfo=UTC)
ADVERTS, CARE = "https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare"
KEY, PRINCIPAL = SubjectKey(bytes(range(32))), Principal("energy01")
spelled = st.one_of(
    st.integers(0, 10**8 - 1).map("+324{:08d}".format),
    st.integers(0, 10**8 - 1).map("04{:08d}".format),
    st.sampled_from(["0032 470 12 34 56", "jan.claes@post.example", " Jan.Claes@POST.example", "C-17", "n/a", "0", ""]),
    st.text(max_size=12),
)
owners = st.sampled_from([None, PRINCIPAL, Principal("gas01"), NOBODY])
identifiers = st.builds(Identifier, st.sampled_from(list(SubjectKind)), spelled, owners)
OTHERS = tuple(Identifier(SubjectKind.PHONE, f"+3247011{number:04d}") for number in range(FEW + 1))


@pytest.mark.parametrize(
    ("controller", "group", "now", "deciding"),
    [
        ("center", "callback", NOW, ("center",)),
        ("principal", "callback", NOW, ("center",)),  # it went over
        ("joint", "callback", NOW, ("center",)),  # it is nobody's jointly any more
        ("principal", "survey", NOW, ("principal",)),  # the group was dropped
        ("joint", "survey", NOW, ("principal", "center")),  # the group and who decided were dropped
        ("joint", "identity", TWO, ("principal", "center")),
        ("center", "identity", TWO, ("center",)),
        ("joint", "survey", {}, ("joint",)),  # nobody is asked
    ],
)
def test_who_decides_of_a_copy_after_roles_changed(
    controller: Decider, group: str, now: dict[Decider, tuple[str, ...]], deciding: tuple[Decider, ...]
) -> None:
    assert deciders_of(controller, group, now) == deciding


def test_only_parts_under_the_same_agreement_say_who_decides() -> None:
    ours = replace(part_of(Track.CONTROLLER, State.SCOPED), field_groups=("callback",))
    theirs = replace(ours, controller="principal", track=Track.PROCESSOR, field_groups=("identity",))
    other = replace(theirs, agreement_id="DPA-OTHER", field_groups=("callback",))

    assert groups_by_decider([ours, theirs, other]) == {"center": {"callback"}, "principal": {"identity", "callback"}}
    assert decides(ours, "principal", "callback", [ours, theirs, other]), "it went over"
    assert not decides(theirs, "principal", "callback", [ours, theirs, other])
    assert decides(other, "principal", "callback", [ours, theirs, other])
    assert not decides(ours, "principal", "callback", [ours, replace(other, agreement_id=ours.agreement_id)])


@pytest.mark.parametrize(
    ("right", "named", "reached"),
    [
        (Right.DIRECT_MARKETING, (), MARKETING),
        (Right.DIRECT_MARKETING, (ADVERTS,), {ADVERTS}),
        (Right.DIRECT_MARKETING, (ADVERTS, CARE), {ADVERTS}),
        (Right.DIRECT_MARKETING, (CARE,), MARKETING),
        (Right.OBJECTION, (CARE,), {CARE}),
    ],
)
def test_an_objection_to_marketing_reaches_marketing_and_another_what_it_names(
    right: Right, named: tuple[str, ...], reached: set[str]
) -> None:
    envelope = envelope_of(CaseId("c"), right, None, ((),), AT, AT, SYSTEM)
    assert scope_of_request(replace(envelope, purposes=named), Protection.OBJECTED).purposes == reached


@given(st.lists(identifiers, min_size=1, max_size=FEW))
def test_a_few_identifiers_get_the_references_and_forms_that_they_get_in_a_batch(few: list[Identifier]) -> None:
    many = [*few, *OTHERS]
    of_few = {place: ref for place, ref in refs_of(many, KEY, PRINCIPAL).items() if place < len(few)}
    assert refs_of(few, KEY, PRINCIPAL) == of_few
    assert {*values_of(few, KEY, PRINCIPAL), *values_of(OTHERS, KEY, PRINCIPAL)} == set(values_of(many, KEY, PRINCIPAL))
    assert set(refs_of(OTHERS, KEY, PRINCIPAL)) == set(range(len(OTHERS))), "read column by column"
