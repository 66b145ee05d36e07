"""Fill our own facets from a record. A facet that the record cannot fill is left out.

The facets are closed and every code has a pattern, so a record without agreement or contract has no
``sluice_exchange``; then the plain tags of the run give its decision.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from sluice.ledger.record import ColumnLine, ExchangeRecord, RoleLine
from sluice.lineage.facets import (
    DistinctSubjects,
    FieldGroupRole,
    SluiceExchangeRunFacet,
    SluiceRolesDatasetFacet,
    SluiceSafeguardsDatasetFacet,
    SluiceSubjectCountInputDatasetFacet,
    SluiceSubjectCountOutputDatasetFacet,
)
from sluice.terms import Direction, RoleProfile

PARTIES = {"-": "none", "": "none", "both": "each"}
"""Words of the role table -> their spelling in the facet, where it differs."""

REASONS_HELD = frozenset({"erased", "objected", "restricted", "consent_withdrawn", "do_not_call_me", "soft_hold"})


def exchange_facet(record: ExchangeRecord, entry_hash: str) -> SluiceExchangeRunFacet | None:
    """Purposes, papers and decision; None without papers or for an internal exchange."""
    why, how = record.why, record.how
    if not (why.purposes and why.agreement_id and why.agreement_version and how.contract_id and how.contract_version):
        return None
    if record.direction is Direction.INTERNAL:
        return None
    return SluiceExchangeRunFacet(
        exchangeId=record.exchange_id,
        direction=record.direction.value,
        principal=record.who.principal,
        purposeIris=_purposes(record),
        legalBasis=why.purposes[0].legal_basis,
        basisHolder=why.purposes[0].basis_holder,
        instructionRef=why.instruction_ref,
        agreementId=why.agreement_id,
        agreementVersion=why.agreement_version,
        contractId=how.contract_id,
        contractVersion=how.contract_version,
        decision=record.decision.value,
        reasonCode=_code(record.reason_code),
        ruleId=_code(record.rule_id),
        gateCounts=dict(how.gate_counts),
        ledgerEntryHash=entry_hash,
    )


def roles_facet(record: ExchangeRecord) -> SluiceRolesDatasetFacet | None:
    """The roles of each field group under each legal basis that its columns have; None without an agreement."""
    why = record.why
    if not (record.who.roles and why.purposes and why.agreement_id and why.agreement_version):
        return None
    return SluiceRolesDatasetFacet(
        principal=record.who.principal,
        agreementId=why.agreement_id,
        agreementVersion=why.agreement_version,
        fieldGroups=[group for role in record.who.roles for group in _field_groups(record, role)],
    )


def safeguards_facet(record: ExchangeRecord, *kept_as: str) -> SluiceSafeguardsDatasetFacet | None:
    """Categories, retention and countries; None if no contract gives them.

    ``kept_as``: kinds of the copy whose retention is stated; an exchange leaves at most one of them.
    """
    categories = sorted({column.category for column in record.what.columns if column.category})
    rules = [column.retention_rule for column in record.what.columns if column.retention_rule]
    copy = next((copy for copy in record.how_long.copies if copy.kind in kept_as), None)
    if not (categories and rules and record.who.countries):
        return None
    return SluiceSafeguardsDatasetFacet(
        dataCategories=categories,
        specialCategories=record.what.special_categories,
        retentionRule=_code(copy.retention_rule if copy else None) or rules[0],
        countries=sorted(set(record.who.countries)),
        deleteAfter=copy.delete_after if copy else None,
    )


def subject_count_facet(record: ExchangeRecord) -> SluiceSubjectCountInputDatasetFacet | None:
    """The numbers of rows and persons that came in; None if the persons were never counted."""
    what = record.what
    if what.distinct_subjects is None:
        return None
    held = {reason: count for reason, count in record.right_treatment.held_back.items() if reason in REASONS_HELD}
    return SluiceSubjectCountInputDatasetFacet(
        rows=what.rows_in,
        rowsAccepted=what.rows_accepted,
        rowsRefused=what.rows_refused,
        distinctSubjects=DistinctSubjects.of(what.distinct_subjects),
        heldBack=held or None,
    )


def output_count_facet(record: ExchangeRecord) -> SluiceSubjectCountOutputDatasetFacet | None:
    """The numbers of rows written and their persons; None unless all rows were written.

    Only then are the persons those that came in. Persons of a return are counted among the rows that go out, so there
    only refused rows matter.
    """
    what = record.what
    left_out = what.rows_refused if record.direction is Direction.OUTBOUND_RETURN else what.rows_in - what.rows_accepted
    if what.distinct_subjects is None or left_out:
        return None
    return SluiceSubjectCountOutputDatasetFacet(
        rows=what.rows_accepted,
        rowsAccepted=what.rows_accepted,
        rowsRefused=0,
        distinctSubjects=DistinctSubjects.of(what.distinct_subjects),
    )


def _field_groups(record: ExchangeRecord, role: RoleLine) -> Iterator[FieldGroupRole]:
    """A field group, once per legal basis of its columns."""
    columns = [column for column in record.what.columns if column.field_group == role.field_group]
    for basis in sorted({column.legal_basis or "" for column in columns}) or [""]:
        yield _field_group(record, role, basis, [column for column in columns if (column.legal_basis or "") == basis])


def _field_group(record: ExchangeRecord, role: RoleLine, basis: str, columns: Sequence[ColumnLine]) -> FieldGroupRole:
    rules = (column.retention_rule for column in columns)
    codes = {code for column in columns for code in column.purposes}
    return FieldGroupRole(
        fieldGroup=role.field_group,
        roleProfile=role.role_profile,
        controller=_party(role, role.controller),
        processor=_party(role, role.processor),
        ownerLabel=_party(role, role.owner_label),
        basisHolder=PARTIES.get(role.basis_holder, role.basis_holder),
        legalBasis=basis or record.why.purposes[0].legal_basis,
        purposeIris=_purposes(record, codes),
        retentionRule=next((rule for rule in rules if rule), None),
    )


def _party(role: RoleLine, word: str) -> str:
    if word == "both" and role.role_profile == RoleProfile.JOINT:
        return "joint"
    return PARTIES.get(word, word)


def _purposes(record: ExchangeRecord, codes: Collection[str] = ()) -> list[str]:
    """The IRIs of the purposes with these codes; of all, if none are given."""
    return sorted({purpose.iri for purpose in record.why.purposes if not codes or purpose.code in codes})


def _code(text: str | None) -> str | None:
    """A rule or reason in the facet's spelling: capitals, digits and ``_ . -``, at most 64 characters."""
    return re.sub(r"[^A-Z0-9_.-]", "_", text.upper())[:64].lstrip("_.-") or None if text else None
