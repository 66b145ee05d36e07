"""The six role profiles as data, and the roles of the parties for every field of an agreement on a date."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sluice.agreement.model import Agreement, DataContract, FieldRole
from sluice.terms import Decider, Direction, FieldGroup, RoleProfile


@dataclass(frozen=True, slots=True)
class Profile:
    """One role profile. ``principal`` and ``center`` are the parties of the agreement."""

    controller: Decider | Literal["both"]
    processor: str
    owner_label: str
    basis_holder: str
    answers_subject: str
    note: str


PROFILES: dict[RoleProfile, Profile] = {
    RoleProfile.PRINCIPAL_CONTROLLER: Profile(
        "principal", "center", "principal", "principal", "principal", "the center forwards requests"
    ),
    RoleProfile.SEED_OWNER: Profile(
        "center", "principal", "center", "center", "center and principal", "contestable (EDPB 07/2020)"
    ),
    RoleProfile.PROCESSOR_ON_BEHALF: Profile(
        "principal", "center", "principal", "principal", "principal", "agent data made on instruction"
    ),
    RoleProfile.INDEPENDENT: Profile(
        "both", "-", "each", "each", "each", "disclosure between controllers; agents pseudonymised"
    ),
    RoleProfile.JOINT: Profile("joint", "-", "both", "both", "as arranged (Art. 26)", "needs an arrangement"),
    RoleProfile.STAFF: Profile("center", "vendor", "center", "center", "center", "staff, training, planning"),
}
"""What each profile means (domain.md); docs/explanation/roles.md shows this table."""

PRINCIPAL_SUPPLIED = frozenset(
    {
        FieldGroup.IDENTITY,
        FieldGroup.CONTACT_POINT,
        FieldGroup.CONTRACT,
        FieldGroup.FINANCIAL,
        FieldGroup.CONSENT,
        FieldGroup.CAMPAIGN_CONTROL,
    }
)
STAFF_GROUPS = frozenset({FieldGroup.AGENT_REF, FieldGroup.HANDLING_TIMES, FieldGroup.QA_SCORE})
DERIVED = frozenset({FieldGroup.SCORE, FieldGroup.SEGMENT})
AGENT_ADDED = frozenset(FieldGroup) - PRINCIPAL_SUPPLIED - STAFF_GROUPS - DERIVED

ROLES_TO_SIGN = (RoleProfile.SEED_OWNER,)
"""Profiles that somebody has to sign off; JOINT needs an arrangement instead."""

NOTIFIED: dict[Direction, tuple[str, ...]] = {
    Direction.INBOUND: ("center", "sub-processors"),
    Direction.INTERNAL: (),
    Direction.OUTBOUND_RETURN: ("the other party", "further recipients"),
    Direction.STAFF: ("vendors",),
    Direction.PORTABILITY_ACCESS: ("next controller (Art. 20(2))",),
    Direction.NOTICE: ("every recipient", "upstream supplier on withdrawal"),
}
"""Who must be told, by direction; where parties are known by name, :func:`notified` replaces the words by names."""


@dataclass(frozen=True, slots=True)
class RolesRow:
    """The roles of the parties for one field. ``field`` is ``*`` if no contract names a field of this group."""

    field: str
    group: str
    profile: str
    controller: str
    processor: str
    owner_label: str
    basis_holder: str
    answers_subject: str
    notified: tuple[str, ...]
    warnings: tuple[str, ...]


def default_profile(direction: Direction, group: FieldGroup) -> RoleProfile | None:
    """The profile that the domain expects if nothing is written; shown with a warning, never applied to a file."""
    if direction is Direction.STAFF or (group in STAFF_GROUPS and direction is not Direction.INBOUND):
        return RoleProfile.STAFF
    if direction is Direction.INBOUND or group in PRINCIPAL_SUPPLIED:
        return RoleProfile.PRINCIPAL_CONTROLLER
    return RoleProfile.SEED_OWNER if group in AGENT_ADDED else None


def roles_for(
    agreement: Agreement,
    contracts: Sequence[DataContract],
    direction: Direction,
    on: date,
    group: FieldGroup | None = None,
) -> tuple[RolesRow, ...]:
    """One row per field of the contracts in this direction, then one per group that only the agreement names.

    ``on``: the Brussels date for which sub-processors are listed. If neither names the ``group`` that was asked for,
    it gets the domain's default, with a warning.
    """
    named = [field for contract in contracts if contract.direction is direction for field in contract.fields]
    rows = [_field_row(agreement, direction, on, field) for field in named]
    seen = {field.group for field in named}
    for role in agreement.role_rows:
        if role.direction is direction and role.field_group not in seen:
            rows.append(_row(agreement, direction, on, "*", role.field_group, role.role_profile, None, ()))
            seen.add(role.field_group)
    wanted = tuple(row for row in rows if group is None or row.group == group)
    return wanted if wanted or group is None else tuple(_default_rows(agreement, direction, on, group))


def _default_rows(agreement: Agreement, direction: Direction, on: date, group: FieldGroup) -> Iterator[RolesRow]:
    profile = default_profile(direction, group)
    if profile:
        warning = "NO_ROLE_ROW: neither agreement nor contract names this group; a file with such a column is refused"
        yield _row(agreement, direction, on, "*", group, profile, None, (warning,))


def _field_row(agreement: Agreement, direction: Direction, on: date, field: FieldRole) -> RolesRow:
    return _row(agreement, direction, on, field.name, field.group, field.role_profile, field.basis_holder, ())


def _row(
    agreement: Agreement,
    direction: Direction,
    on: date,
    field: str,
    group: FieldGroup,
    profile: RoleProfile,
    basis_holder: str | None,
    warnings: tuple[str, ...],
) -> RolesRow:
    roles = PROFILES[profile]
    return RolesRow(
        field=field,
        group=group.value,
        profile=profile.value,
        controller=roles.controller,
        processor=roles.processor,
        owner_label=roles.owner_label,
        basis_holder=basis_holder or roles.basis_holder,
        answers_subject=roles.answers_subject,
        notified=notified(agreement, direction, profile, on),
        warnings=warnings + role_warnings(agreement, profile),
    )


def notified(agreement: Agreement, direction: Direction, profile: RoleProfile, on: date) -> tuple[str, ...]:
    """Who must be told of this exchange: parties, then sub-processors and recipients by name."""
    names = {
        "sub-processors": tuple(
            part.name
            for part in agreement.sub_processors
            if part.valid_from <= on and (part.valid_to is None or on <= part.valid_to)
        ),
        "further recipients": agreement.recipients,
        "the other party": ("center",) if PROFILES[profile].controller == "principal" else ("principal",),
    }
    return tuple(name for word in NOTIFIED[direction] for name in names.get(word, (word,)))


def role_warnings(agreement: Agreement, profile: RoleProfile) -> tuple[str, ...]:
    """Warnings that every report about a field of this profile must show."""
    found = []
    if profile is RoleProfile.SEED_OWNER:
        if not agreement.is_seed_owner_signed_off:
            found.append("SEED_OWNER_NO_SIGN_OFF: contestable under EDPB 07/2020, and nobody signed it off")
        if not agreement.seed_owner_reverse_ref:
            found.append("SEED_OWNER_NO_REVERSE_ART28: no agreement makes the principal processor of this part")
    if profile is RoleProfile.JOINT and not agreement.joint_arrangement_ref:
        found.append("JOINT_NO_ARRANGEMENT: joint controllers need an arrangement (GDPR Art. 26)")
    if profile is RoleProfile.INDEPENDENT:
        found.append("AGENTS_PSEUDONYMISED: agents are named by reference only")
    return tuple(found)
