"""The role matrix: every field group in every direction once, with what a report must say, and where roles flip."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from sluice.agreement.folder.load import find_on_file
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.roles.matrix import MatrixRow, matrix_of
from sluice.terms import Direction, FieldGroup, RoleProfile

PRINCIPALS = Path(__file__).parents[2] / "include" / "principals"
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
