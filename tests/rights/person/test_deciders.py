"""The one rule of who decides of a copy after roles changed: for erasures, notices, answers and corrections."""

from dataclasses import replace

import pytest

from rights.case.attempts import part_of
from sluice.rights.case.model import State, Track
from sluice.rights.person.deciders import deciders_of, decides, groups_by_decider
from sluice.terms import Decider

NOW: dict[Decider, tuple[str, ...]] = {"principal": ("identity", "contact_point"), "center": ("callback",)}


@pytest.mark.parametrize(
    ("controller", "group", "now", "deciding"),
    [
        pytest.param("center", "callback", NOW, ("center",), id="as-on-its-day"),
        pytest.param("principal", "callback", NOW, ("center",), id="it-went-over"),
        pytest.param("joint", "callback", NOW, ("center",), id="it-is-nobodys-jointly-any-more"),
        pytest.param("principal", "survey", NOW, ("principal",), id="the-group-was-dropped"),
        pytest.param("joint", "survey", NOW, ("principal", "center"), id="the-group-and-who-decided-were-dropped"),
        pytest.param("joint", "identity", {**NOW, "center": ("identity",)}, ("principal", "center"), id="two-have-it"),
        pytest.param("center", "identity", {**NOW, "center": ("identity",)}, ("center",), id="two-have-it-one-had"),
        pytest.param("joint", "survey", {}, ("joint",), id="nobody-is-asked"),
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
