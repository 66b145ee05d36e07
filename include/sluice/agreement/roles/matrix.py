"""The role matrix of an agreement: the role of each party per field group and direction, and where they flip. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.agreement.model import Agreement, DataContract, FieldRole, RetentionRule
from sluice.agreement.roles.profiles import PROFILES, Profile, role_warnings
from sluice.terms import Direction, FieldGroup, RoleProfile


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One profile of one field group in one direction.

    ``fields``: columns of contracts; empty if only the agreement names the group. ``basis``: legal bases (IRIs), each
    with its holder. ``warnings``: codes that every report must show. ``flips``: whether the center is controller and
    the principal processor.
    """

    direction: Direction
    group: FieldGroup
    profile: RoleProfile
    roles: Profile
    fields: tuple[str, ...]
    origins: tuple[str, ...]
    basis: tuple[tuple[str, str], ...]
    retention: tuple[RetentionRule, ...]
    warnings: tuple[str, ...]

    @property
    def flips(self) -> bool:
        return (self.roles.controller, self.roles.processor) == ("center", "principal")


def matrix_of(agreement: Agreement, contracts: Sequence[DataContract]) -> tuple[MatrixRow, ...]:
    """A row for every group that the contracts or the agreement name, by group, then inbound before outbound."""
    named: dict[tuple[FieldGroup, Direction, RoleProfile], list[FieldRole]] = {}
    for contract in contracts:
        for field in contract.fields:
            named.setdefault((field.group, contract.direction, field.role_profile), []).append(field)
    for row in agreement.role_rows:
        named.setdefault((row.field_group, row.direction, row.role_profile), [])
    places = {word: place for kind in (FieldGroup, Direction, RoleProfile) for place, word in enumerate(kind)}
    keys = sorted(named, key=lambda key: [places[part] for part in key])
    return tuple(_row(agreement, *key, named[key]) for key in keys)


def _row(
    agreement: Agreement, group: FieldGroup, direction: Direction, profile: RoleProfile, fields: Sequence[FieldRole]
) -> MatrixRow:
    said: set[str | None] = {field.retention_rule for field in fields} or {
        row.retention_rule
        for row in agreement.role_rows
        if (row.field_group, row.direction, row.role_profile) == (group, direction, profile)
    }
    return MatrixRow(
        direction=direction,
        group=group,
        profile=profile,
        roles=PROFILES[profile],
        fields=_once(field.name for field in fields),
        origins=_once(field.origin.value for field in fields),
        basis=tuple(dict.fromkeys((field.legal_basis, field.basis_holder) for field in fields)),
        retention=tuple(rule for rule in agreement.retention_rules if rule.code in said),
        warnings=tuple(warning.partition(":")[0] for warning in role_warnings(agreement, profile)),
    )


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
