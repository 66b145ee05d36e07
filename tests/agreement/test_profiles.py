"""Roles: the six profiles, the matrix, who is told, what reports warn of; and two versions of an agreement compared."""

from dataclasses import replace
from datetime import date

import pytest

from agreement.papers import CONTRACT_NAME, PRINCIPALS
from sluice.agreement.compare import Change, Difference, compare
from sluice.agreement.folder.load import find_on_file, load_agreement, load_contract
from sluice.agreement.model import Agreement, DataContract, RoleRow
from sluice.agreement.roles.matrix import MatrixRow, matrix_of
from sluice.agreement.roles.profiles import PROFILES, default_profile, roles_for
from sluice.terms import Direction, FieldGroup, RoleProfile

TODAY = date(2026, 11, 25)


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load_agreement(PRINCIPALS / "energy01" / "agreement-3.0.0.yaml")


def with_profile(agreement: Agreement, profile: RoleProfile) -> Agreement:
    row = RoleRow(Direction.OUTBOUND_RETURN, FieldGroup.DISPOSITION, profile, "RET-01", False)
    return replace(agreement, role_rows=(row,))


def test_every_profile_has_its_row_and_defaults_follow_the_domain():
    assert set(PROFILES) == set(RoleProfile)
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.CALLBACK) is RoleProfile.SEED_OWNER
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.IDENTITY) is RoleProfile.PRINCIPAL_CONTROLLER
    assert default_profile(Direction.STAFF, FieldGroup.QA_SCORE) is RoleProfile.STAFF
    assert default_profile(Direction.STAFF, FieldGroup.IDENTITY) is RoleProfile.STAFF
    assert default_profile(Direction.STAFF, FieldGroup.SURVEY) is RoleProfile.STAFF
    assert default_profile(Direction.OUTBOUND_RETURN, FieldGroup.SEGMENT) is None


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


def test_agent_added_groups_of_the_return_are_the_centers_with_two_warnings_until_signed_off(agreement):
    rows = roles_for(agreement, (), Direction.OUTBOUND_RETURN, TODAY, FieldGroup.DISPOSITION)
    assert [(row.field, row.controller, row.processor, row.owner_label) for row in rows] == [
        ("*", "center", "principal", "center")
    ]
    assert [warning.partition(":")[0] for warning in rows[0].warnings] == [
        "SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28",
    ]  # fmt: skip
    assert rows[0].notified == ("principal",)
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


def test_a_group_nobody_names_gets_a_default_and_a_warning_and_sub_processors_are_told_while_in_force(agreement):
    (row,) = roles_for(agreement, (), Direction.INBOUND, TODAY, FieldGroup.SURVEY)
    assert row.profile == "PRINCIPAL_CONTROLLER"
    assert row.warnings[0].startswith("NO_ROLE_ROW")
    assert roles_for(agreement, (), Direction.OUTBOUND_RETURN, TODAY, FieldGroup.SCORE) == ()
    (row, *_) = roles_for(agreement, (), Direction.INBOUND, date(2025, 12, 31))
    assert row.notified == ("center",)


BACK, CAME = Direction.OUTBOUND_RETURN, Direction.INBOUND


def paper() -> tuple[Agreement, tuple[DataContract, ...]]:
    found = find_on_file(PRINCIPALS, "DPA-ENERGY01", date(2026, 11, 26))
    assert found is not None
    return found


def row_of(rows: tuple[MatrixRow, ...], group: FieldGroup, direction: Direction) -> MatrixRow:
    [row] = [row for row in rows if (row.group, row.direction) == (group, direction)]
    return row


def test_roles_flip_where_our_staff_added_and_nowhere_else() -> None:
    rows = matrix_of(*paper())
    assert row_of(rows, FieldGroup.DISPOSITION, BACK).flips
    assert not row_of(rows, FieldGroup.IDENTITY, BACK).flips and not any(
        row.flips for row in rows if row.direction is CAME
    )
    assert {row.profile for row in rows if row.flips} == {RoleProfile.SEED_OWNER}


def test_a_row_says_what_its_columns_say() -> None:
    agreement, contracts = paper()
    row = row_of(matrix_of(agreement, contracts), FieldGroup.CONTACT_POINT, BACK)
    assert row.fields == ("phone",) and row.origins == ("provided",)
    assert [(basis.rpartition("#")[2], holder) for basis, holder in row.basis] == [("A6-1-f", "principal")]
    assert [rule.code for rule in row.retention] == ["RET-01"]
    alone = row_of(matrix_of(agreement, ()), FieldGroup.CONTACT_POINT, BACK)
    assert alone.fields == () and [rule.code for rule in alone.retention] == ["RET-01"]


def test_a_profile_without_sign_off_warns_until_it_is_signed_off() -> None:
    agreement, contracts = paper()
    row = row_of(matrix_of(agreement, contracts), FieldGroup.DISPOSITION, BACK)
    assert set(row.warnings) == {"SEED_OWNER_NO_SIGN_OFF", "SEED_OWNER_NO_REVERSE_ART28"}
    signed = replace(agreement, seed_owner_sign_off="board 2026-01-05", seed_owner_reverse_ref="DPA-REVERSE")
    assert row_of(matrix_of(signed, contracts), FieldGroup.DISPOSITION, BACK).warnings == ()


def test_no_row_is_there_twice() -> None:
    rows = matrix_of(*paper())
    assert len({(row.group, row.direction, row.profile) for row in rows}) == len(rows) > 20


ENERGY = PRINCIPALS / "energy01"
OLD, NEW = ((ENERGY / f"agreement-{version}.yaml").read_bytes() for version in ("2.4.0", "3.0.0"))


def found(left: bytes, right: bytes) -> dict[str, Difference]:
    return {"/".join(each.path): each for each in compare(left, right)}


def test_what_differs_between_two_versions_is_told_apart() -> None:
    lines = found(OLD, NEW)
    assert (lines["version"].left, lines["version"].right) == ("2.4.0", "3.0.0")
    assert lines["processing/purposes/P-CARE/basisHolder"].change is Change.ADDED
    assert lines["roleProfiles/internal identity"].right == (
        "roleProfile: PRINCIPAL_CONTROLLER; retentionRule: RET-01; portable: false"
    )
    assert lines["processing/subjectMatter"].change is Change.SAME
    back = found(NEW, OLD)
    assert back["processing/purposes/P-CARE/basisHolder"].change is Change.REMOVED and back.keys() == lines.keys()


def test_a_change_in_the_middle_of_a_list_moves_nothing_else() -> None:
    changed = NEW.replace(b"duration: P90D", b"duration: P60D").replace(
        b"  - {code: RESTORE, text:", b"  - {code: R2, text:"
    )
    assert changed != NEW
    differs = {path: each.change for path, each in found(NEW, changed).items() if each.change is not Change.SAME}
    assert differs == {
        "retentionRules/RET-01": Change.CHANGED, "security/RESTORE": Change.REMOVED, "security/R2": Change.ADDED,
    }  # fmt: skip


def test_a_version_and_itself_are_alike() -> None:
    assert {each.change for each in compare(NEW, NEW)} == {Change.SAME}
