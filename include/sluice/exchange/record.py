"""The six answers of one exchange, put together from what each step saw. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sluice.agreement.model import Agreement, DataContract, FieldRole, Purpose
from sluice.agreement.roles.profiles import role_warnings, roles_for
from sluice.exchange.model import AirflowRun, Judged, Kept
from sluice.exchange.naming import withheld_unless_safe
from sluice.gate.model import Finding
from sluice.ledger.record import (
    ColumnLine,
    ExchangeRecord,
    How,
    HowLong,
    PurposeLine,
    ReasonLine,
    RightTreatment,
    RoleLine,
    What,
    Who,
    Why,
    said_of_end,
)
from sluice.settings import Settings
from sluice.terms import ACCEPTED_DECISIONS, SPECIAL_CLASSES, Decision, Direction, Severity
from sluice.times import brussels_day, utc_text


@dataclass(frozen=True, slots=True)
class Closing:
    """By whom, in which run and when an exchange is closed. ``at``: UTC."""

    settings: Settings
    run: AirflowRun
    at: datetime


def record_of(kept: Kept, closing: Closing) -> ExchangeRecord:
    """Build the record that is chained, receipted and shown. It cannot be built while a question is unanswered."""
    judged = kept.judged
    main = main_reason(judged)
    return ExchangeRecord(
        exchange_id=judged.opened.exchange_id,
        direction=judged.opened.direction,
        flow=judged.opened.flow,
        opened_at=utc_text(judged.opened.opened_at),
        closed_at=utc_text(closing.at),
        decision=judged.decision,
        reason_code=main.code if main else None,
        rule_id=main.rule if main else None,
        reasons=tuple(map(_reason, judged.verdict.reasons)),
        why=_why(judged.agreement, judged.contract),
        what=_what(judged),
        how_long=HowLong(copies=kept.copies, at_contract_end=_contract_end(judged.agreement)),
        who=_who(judged, closing.settings.center, closing.settings.center_country),
        how=_how(judged, closing.run),
        right_treatment=RightTreatment(held_back=dict(judged.held)),
    )


def main_reason(judged: Judged) -> Finding | None:
    """The finding that decided: one that stops the file, else the most frequent error."""
    if judged.decision is Decision.ACCEPTED:
        return None
    errors = [reason for reason in judged.verdict.reasons if reason.severity is Severity.ERROR]
    return max(errors, key=lambda reason: (reason.stops, reason.count), default=None)


def _reason(finding: Finding) -> ReasonLine:
    return ReasonLine(
        code=finding.code,
        rule=finding.rule,
        column=finding.column,
        count=finding.count,
        rows=finding.rows,
        severity=finding.severity.value,
        readings=finding.readings,
    )


def _why(agreement: Agreement | None, contract: DataContract | None) -> Why:
    if agreement is None:
        return Why(agreement_id=None, agreement_version=None, agreement_sha256=None, purposes=())
    fields = contract.fields if contract else ()
    return Why(
        agreement_id=agreement.agreement_id,
        agreement_version=agreement.version,
        agreement_sha256=agreement.sha256,
        purposes=tuple(
            PurposeLine(
                code=purpose.code,
                iri=purpose.iri,
                text=dict(purpose.text),
                legal_basis=purpose.legal_basis,
                basis_holder=purpose.basis_holder,
            )
            for purpose in agreement.purposes
            if any(field.is_for(purpose.iri, purpose.legal_basis) for field in fields)
        ),
    )


def _what(judged: Judged) -> What:
    opened, verdict, sighting = judged.opened, judged.verdict, judged.sighting
    return What(
        bucket=opened.bucket,
        key=withheld_unless_safe(opened.key, opened.flow),
        version_id=opened.version_id,
        sha256=judged.fetched.sha256 if judged.fetched else None,
        size_bytes=opened.size_bytes,
        format=sighting.dialect.get("format") if sighting else None,
        rows_in=verdict.rows_in,
        rows_accepted=verdict.rows_accepted - sum(judged.held.values()),
        rows_refused=verdict.rows_refused,
        rows_held=sum(judged.held.values()),
        columns=_columns(judged),
        distinct_subjects=sighting.distinct_subjects if sighting else None,
        special_categories=_is_special(judged),
        inputs=judged.inputs,
    )


def _is_special(judged: Judged) -> bool:
    """Whether the papers declare special categories, or an agent's note names one: the file as it came has it."""
    declared = judged.agreement is not None and judged.agreement.special_categories
    screening = judged.sighting.screening if judged.sighting else None
    found = screening is not None and not SPECIAL_CLASSES.isdisjoint(screening.found)
    return (
        declared or found or any(field.art9_condition for field in (judged.contract.fields if judged.contract else ()))
    )


def _columns(judged: Judged) -> tuple[ColumnLine, ...]:
    """List the columns as seen, with their roles; a column that the contract does not know is only a position.

    In a return every column says whose it is. In what arrives the record says so per field group.
    """
    if judged.sighting is None or judged.contract is None:
        return ()
    contract, leaves = judged.contract, judged.opened.direction is Direction.OUTBOUND_RETURN
    purposes = judged.agreement.purposes if judged.agreement else ()
    lines = [_column(name, contract.field(name), purposes) for name in judged.sighting.columns]
    return tuple(_with_roles(judged, lines)) if leaves and judged.agreement else tuple(lines)


def _column(name: str, field: FieldRole | None, purposes: Sequence[Purpose]) -> ColumnLine:
    return ColumnLine(
        name=name,
        field_group=field.group.value if field else None,
        category=field.category if field else None,
        origin=field.origin.value if field else None,
        role_profile=field.role_profile.value if field else None,
        retention_rule=field.retention_rule if field else None,
        subject_key=field.subject_key.value if field and field.subject_key else None,
        legal_basis=field.legal_basis if field else None,
        basis_holder=field.basis_holder if field else None,
        source=field.source if field else None,
        purposes=tuple(each.code for each in purposes if field and field.is_for(each.iri, each.legal_basis)),
        sensitivity=field.sensitivity if field else None,
        logical_type=field.logical_type if field else None,
    )


def _with_roles(judged: Judged, lines: Sequence[ColumnLine]) -> Iterator[ColumnLine]:
    agreement, contract = judged.agreement, judged.contract
    assert agreement is not None and contract is not None  # _columns checked this
    on = brussels_day(judged.opened.asked_at)
    roles = {row.field: row for row in roles_for(agreement, [contract], contract.direction, on)}
    for line in lines:
        row = roles[line.name]
        said = {"controller": row.controller, "processor": row.processor, "owner_label": row.owner_label}
        yield line.model_copy(update={**said, "basis_holder": row.basis_holder})


def _contract_end(agreement: Agreement | None) -> str | None:
    return said_of_end(agreement.end_choice, agreement.end_days) if agreement else None


def _who(judged: Judged, center: str, home_country: str) -> Who:
    agreement, contract, opened = judged.agreement, judged.contract, judged.opened
    on = brussels_day(opened.asked_at)
    processors = [p for p in agreement.sub_processors if _is_active(p.valid_from, p.valid_to, on)] if agreement else []
    countries = {home_country} | {country for processor in processors for country in processor.countries}
    # What agents add, and what was refused, goes to nobody.
    is_given = agreement and judged.decision in ACCEPTED_DECISIONS and opened.direction is not Direction.INTERNAL
    if agreement and is_given and opened.direction is Direction.OUTBOUND_RETURN:
        countries |= {agreement.delivery.country}
    return Who(
        principal=opened.principal,
        language=agreement.language if agreement else "nl",
        # Rows that waited here for a person were put there again by us, whoever sent them first.
        sender=center if judged.inputs or opened.direction is Direction.INTERNAL else opened.principal,
        recipients=(center, *(agreement.recipients if agreement and is_given else ())),
        sub_processors=tuple(processor.name for processor in processors),
        countries=tuple(sorted(countries)),
        roles=_roles(agreement, contract, on),
        role_warnings=_warnings(agreement, contract),
    )


def _is_active(valid_from: date, valid_to: date | None, on: date) -> bool:
    return valid_from <= on and (valid_to is None or on <= valid_to)


def _warnings(agreement: Agreement | None, contract: DataContract | None) -> tuple[str, ...]:
    """Return the warnings that every report about these roles must contain, each once."""
    if agreement is None or contract is None:
        return ()
    profiles = dict.fromkeys(field.role_profile for field in contract.fields)
    return tuple(dict.fromkeys(word for profile in profiles for word in role_warnings(agreement, profile)))


def _roles(agreement: Agreement | None, contract: DataContract | None, on: date) -> tuple[RoleLine, ...]:
    """Return one line per field group: its columns share a profile (the contract's field rows decide)."""
    if agreement is None or contract is None:
        return ()
    rows = roles_for(agreement, [contract], contract.direction, on)
    by_group = {row.group: row for row in rows if contract.field(row.field)}
    return tuple(
        RoleLine(
            field_group=row.group,
            role_profile=row.profile,
            controller=row.controller,
            processor=row.processor,
            owner_label=row.owner_label,
            basis_holder=row.basis_holder,
        )
        for row in by_group.values()
    )


def _how(judged: Judged, run: AirflowRun) -> How:
    contract, sighting = judged.contract, judged.sighting
    return How(
        contract_id=contract.contract_id if contract else None,
        contract_version=contract.version if contract else None,
        contract_sha256=contract.sha256 if contract else None,
        suites=dict(judged.suites),
        gate_counts=dict(judged.verdict.gate_counts),
        dialect=dict(sighting.dialect) if sighting else {},
        lineage_run_id=judged.opened.exchange_id,
        airflow=dict(run),
        screening=sighting.screening if sighting else None,
    )
