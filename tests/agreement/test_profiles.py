"""Roles: the six profiles, who is told, and what every report has to warn of."""

from dataclasses import replace
from datetime import date

import pytest

from agreement.papers import CONTRACT_NAME, PRINCIPALS
from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.agreement.model import Agreement, RoleRow
from sluice.agreement.roles.profiles import PROFILES, default_profile, roles_for
from sluice.terms import Direction, FieldGroup, RoleProfile

TODAY = date(2026, 11, 25)


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load_agreement(PRINCIPALS / "energy01" / "agreement-3.0.0.yaml")


def with_profile(agreement: Agreement, profile: RoleProfile) -> Agreement:
    row = RoleRow(Direction.OUTBOUND_RETURN, FieldGroup.DISPOSITION, profile, "RET-01", False)
    return replace(agreement, role_rows=(row,))


def test_every_profile_has_its_row() -> None:
    assert set(PROFILES) == set(RoleProfile)


def test_inbound_fields_are_the_principals_and_the_center_is_processor(agreement: Agreement) -> None:
    contract = load_contract(PRINCIPALS / "energy01" / CONTRACT_NAME, agreement)

    rows = roles_for(agreement, (contract,), Direction.INBOUND, TODAY)

    assert [row.field for row in rows] == [field.name for field in contract.fields]
    phone = next(row for row in rows if row.field == "phone")
    assert (phone.group, phone.controller, phone.processor, phone.owner_label, phone.answers_subject) == (
        "contact_point", "principal", "center", "principal", "principal",
    )  # fmt: skip
    assert phone.notified == ("center", "Object Store BV")
    assert phone.warnings == ()


def test_agent_added_groups_of_the_return_are_the_centers_with_two_warnings(agreement: Agreement) -> None:
    rows = roles_for(agreement, (), Direction.OUTBOUND_RETURN, TODAY, FieldGroup.DISPOSITION)

    assert [(row.field, row.controller, row.processor, row.owner_label) for row in rows] == [
        ("*", "center", "principal", "center")
    ]
    assert [warning.partition(":")[0] for warning in rows[0].warnings] == [
        "SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28",
    ]  # fmt: skip
    assert rows[0].notified == ("principal",)


def test_a_signed_off_seed_owner_has_no_warning(agreement: Agreement) -> None:
    signed = replace(agreement, seed_owner_sign_off="board 2026-01", seed_owner_reverse_ref="ART28-R-1")

    (row,) = roles_for(signed, (), Direction.OUTBOUND_RETURN, TODAY, FieldGroup.DISPOSITION)

    assert row.warnings == ()


@pytest.mark.parametrize(
    ("profile", "warning"),
    [(RoleProfile.JOINT, "JOINT_NO_ARRANGEMENT"), (RoleProfile.INDEPENDENT, "AGENTS_PSEUDONYMISED")],
)
def test_joint_and_independent_say_what_they_need(agreement: Agreement, profile: RoleProfile, warning: str) -> None:
    (row,) = roles_for(with_profile(agreement, profile), (), Direction.OUTBOUND_RETURN, TODAY)

    assert [text.partition(":")[0] for text in row.warnings] == [warning]


def test_a_group_nobody_names_gets_the_expected_default_and_a_warning(agreement: Agreement) -> None:
    (row,) = roles_for(agreement, (), Direction.INBOUND, TODAY, FieldGroup.SURVEY)

    assert row.profile == "PRINCIPAL_CONTROLLER"
    assert row.warnings[0].startswith("NO_ROLE_ROW")
    assert roles_for(agreement, (), Direction.OUTBOUND_RETURN, TODAY, FieldGroup.SCORE) == ()


def test_sub_processors_are_told_only_while_they_are_in_force(agreement: Agreement) -> None:
    (row, *_) = roles_for(agreement, (), Direction.INBOUND, date(2025, 12, 31))

    assert row.notified == ("center",)


def test_defaults_follow_the_domain() -> None:
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.CALLBACK) is RoleProfile.SEED_OWNER
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.IDENTITY) is RoleProfile.PRINCIPAL_CONTROLLER
    assert default_profile(Direction.STAFF, FieldGroup.QA_SCORE) is RoleProfile.STAFF
    assert default_profile(Direction.STAFF, FieldGroup.IDENTITY) is RoleProfile.STAFF
    assert default_profile(Direction.STAFF, FieldGroup.SURVEY) is RoleProfile.STAFF
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.SEGMENT) is None
