"""The record of an answer that goes to a controller, with its six answers. Pure.

The purpose is the person's right, which is a legal obligation (GDPR Art. 6(1)(c)) of whoever decides on the data. The
record has nothing of the person: only columns, counts and codes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.agreement.dpv import DPV, GDPR
from sluice.agreement.model import Agreement, FieldRole
from sluice.agreement.roles.profiles import PROFILES, role_warnings
from sluice.answers.facts import Facts
from sluice.answers.handover_model import Handover
from sluice.answers.model import FieldLine, Found
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.model import AirflowRun, Opened
from sluice.exchange.naming import withheld_unless_safe
from sluice.ledger.record import (
    ColumnLine,
    CopyLine,
    ExchangeRecord,
    How,
    HowLong,
    InputLine,
    PurposeLine,
    ReasonLine,
    RightTreatment,
    RoleLine,
    What,
    Who,
    Why,
    said_of_end,
)
from sluice.terms import Decision, Direction, Sha256
from sluice.times import utc_text

NOTHING_LEFT = "FORBIDDEN_NOTHING_TO_GIVE"
"""Reason of an exchange that was opened, but of whose data nothing may be given any more."""
SIDES: Mapping[Direction, str] = {Direction.INBOUND: "contacts", Direction.INTERNAL: "results"}


@dataclass(frozen=True)
class Package:
    """A package before it goes: what it holds, its hash and size before it was encrypted, and where it is kept."""

    facts: Facts
    sha256: Sha256
    size_bytes: int
    files: int
    copies: tuple[CopyLine, ...]


@dataclass(frozen=True)
class Sending:
    """What is said of every handover, even if nothing goes."""

    opened: Opened
    handover: Handover
    agreement: Agreement | None
    reference: str | None
    center: str
    run: AirflowRun


def record_of_handover(sending: Sending, package: Package | None, closed_at: datetime) -> ExchangeRecord:
    """Return the record of a handover; without a package, of one of which nothing goes."""
    opened, agreement = sending.opened, sending.agreement
    included = tuple(_included(package.facts)) if package else ()
    reason = None if package else ReasonLine(code=NOTHING_LEFT, rule="handover.decided", column=None, count=1)
    return ExchangeRecord(
        exchange_id=opened.exchange_id,
        direction=opened.direction,
        flow=opened.flow,
        opened_at=utc_text(opened.opened_at),
        closed_at=utc_text(closed_at),
        decision=Decision.REFUSED if reason else Decision.ACCEPTED,
        reason_code=reason.code if reason else None,
        rule_id=reason.rule if reason else None,
        reasons=(reason,) if reason else (),
        why=_why(sending, included),
        what=_what(sending, package, included),
        how_long=HowLong(
            copies=package.copies if package else (),
            at_contract_end=said_of_end(agreement.end_choice, agreement.end_days) if agreement else None,
        ),
        who=_who(sending, included),
        how=_how(sending, package),
        right_treatment=RightTreatment(held_back={}, cases=(sending.handover.case_id,)),
    )


Included = tuple[FieldLine, FieldRole, str]
"""A column that goes, its role, and whether it is from contacts, results or a return."""


def _included(facts: Facts) -> Iterator[Included]:
    """Yield every column that goes, once per group, as its newest contract has it."""
    sides = {held.dataset: SIDES.get(held.copy.direction, "return") for each in facts.found for held in each.held}
    seen: set[tuple[str, str]] = set()
    for line in reversed(facts.selected.fields):
        role = facts.selected.role_of(line)
        if line.included and role is not None and (line.group, line.name) not in seen:
            seen.add((line.group, line.name))
            yield line, role, sides[line.dataset]


def _why(sending: Sending, included: Sequence[Included]) -> Why:
    agreement, kind = sending.agreement, sending.handover.kind
    is_principals = any(line.controller == "principal" for line, *_ in included)
    purpose = PurposeLine(
        code=f"right_of_{kind.value}",
        iri=f"{DPV}RightsFulfilment",
        text={language: words(language).say(f"handover.purpose.{kind.value}") for language in LANGUAGES},
        legal_basis=f"{GDPR}A6-1-c",
        basis_holder="principal" if is_principals else "center",
    )
    return Why(
        agreement_id=agreement.agreement_id if agreement else None,
        agreement_version=agreement.version if agreement else None,
        agreement_sha256=agreement.sha256 if agreement else None,
        purposes=(purpose,),
        instruction_ref=sending.reference or sending.handover.case_id,
    )


def _what(sending: Sending, package: Package | None, included: Sequence[Included]) -> What:
    opened, agreement = sending.opened, sending.agreement
    facts = package.facts if package else None
    rows = sum(table.height for table in facts.selected.tables.values()) if facts else 0
    is_special = any(role.art9_condition for _, role, _ in included)
    return What(
        bucket=opened.bucket,
        key=withheld_unless_safe(opened.key, opened.flow),
        version_id=opened.version_id,
        sha256=package.sha256 if package else None,
        size_bytes=package.size_bytes if package else 0,
        format="zip" if package else None,
        rows_in=rows,
        rows_accepted=rows,
        rows_refused=0,
        columns=tuple(_column(*each) for each in included),
        distinct_subjects=1 if package else None,
        special_categories=is_special or bool(agreement and agreement.special_categories),
        inputs=tuple(_inputs(facts.found)) if facts else (),
    )


def _column(line: FieldLine, role: FieldRole, side: str) -> ColumnLine:
    profile = PROFILES[role.role_profile]
    return ColumnLine(
        name=line.name,
        field_group=line.group,
        category=role.category,
        origin=role.origin.value,
        role_profile=role.role_profile.value,
        retention_rule=role.retention_rule,
        subject_key=role.subject_key.value if role.subject_key else None,
        controller=profile.controller,
        processor=profile.processor,
        owner_label=profile.owner_label,
        legal_basis=role.legal_basis,
        basis_holder=role.basis_holder,
        source=f"{side}.{line.name}",
        sensitivity=role.sensitivity,
        logical_type=role.logical_type,
    )


def _inputs(found: Sequence[Found]) -> Iterator[InputLine]:
    """Yield the copies that the person's rows were read from."""
    for held in (held for each in found for held in each.held if held.frame.height):
        copy = held.copy
        yield InputLine(
            exchange_id=copy.exchange_id,
            kind=SIDES.get(copy.direction, "return"),
            bucket=copy.bucket,
            key=withheld_unless_safe(copy.key, copy.flow),
            version_id=copy.version_id,
            sha256=copy.sha256,
        )


def _who(sending: Sending, included: Sequence[Included]) -> Who:
    handover, agreement = sending.handover, sending.agreement
    receiver = handover.receiver
    groups = {line.group: role for line, role, _ in included}
    profiles = dict.fromkeys(role.role_profile for role in groups.values())
    warnings = [word for profile in profiles if agreement for word in role_warnings(agreement, profile)]
    return Who(
        principal=handover.principal,
        language=agreement.language if agreement else "nl",
        sender=sending.center,
        recipients=(receiver.code if handover.is_to_principal else receiver.name,),
        sub_processors=(),
        countries=(receiver.country,) if receiver.country else (),
        roles=tuple(_role(group, role) for group, role in sorted(groups.items())),
        role_warnings=tuple(dict.fromkeys(warnings)),
    )


def _role(group: str, role: FieldRole) -> RoleLine:
    profile = PROFILES[role.role_profile]
    return RoleLine(
        field_group=group,
        role_profile=role.role_profile.value,
        controller=profile.controller,
        processor=profile.processor,
        owner_label=profile.owner_label,
        basis_holder=role.basis_holder or profile.basis_holder,
    )


def _how(sending: Sending, package: Package | None) -> How:
    said: dict[str, object] = {"format": "zip", "receiver": sending.handover.receiver.code}
    if package:
        said |= {"files": package.files, "withheld": dict(package.facts.selected.withheld)}
    return How(
        contract_id=None,
        contract_version=None,
        contract_sha256=None,
        suites={},
        gate_counts={},
        dialect=said,
        lineage_run_id=sending.opened.exchange_id,
        airflow=dict(sending.run),
    )
