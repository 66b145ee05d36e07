"""Agreements and contracts as Sluice works with them: frozen, checked, with the hash of their file.

The files themselves are YAML: a ProcessingAgreement (SCC 2021/915 annexes) and an ODCS 3.1 contract
per dataset and direction. ``load.py`` makes these from them, or says why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from sluice.agreement.free_text import careful_actions
from sluice.agreement.limits import GateLimits
from sluice.terms import (
    CandidateKey,
    DataOrigin,
    Direction,
    FieldGroup,
    Flow,
    Principal,
    RoleProfile,
    ScreenAction,
    ScreenClass,
    Severity,
    Sha256,
    SubjectKind,
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose listed on the agreement (GDPR Art. 5(1)(b)); ``text``: nl, fr, en, one plain sentence."""

    code: str
    iri: str
    text: dict[str, str]
    legal_basis: str
    basis_holder: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """``duration`` is ISO 8601 (``P90D``), counted from ``start_event``."""

    code: str
    start_event: str
    duration: str
    statute: str | None


@dataclass(frozen=True, slots=True)
class RoleRow:
    """The role profile of one field group in one direction."""

    direction: Direction
    field_group: FieldGroup
    role_profile: RoleProfile
    retention_rule: str | None
    portable: bool


@dataclass(frozen=True, slots=True)
class SubProcessor:
    """Art. 28(2), (4): another processor, with the countries (ISO 3166 alpha-2) it works in."""

    name: str
    countries: tuple[str, ...]
    transfer_basis: str | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class FreeTextRules:
    """What happens to findings in notes, by class; ``sample_share`` of the rest goes to a person's eyes."""

    actions: Mapping[ScreenClass, ScreenAction]
    sample_share: float


@dataclass(frozen=True, slots=True)
class PgpKey:
    """A certificate of the principal: a file beside the agreement, pinned by its fingerprint."""

    file: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How returns leave. ``cut_off``: Brussels time of the day after the contacts of a return."""

    cut_off: time = time(6)
    two_person_release: bool = False
    release_when_ready_later: bool = False
    """Whether rows held for their agent may follow once that agent is ready."""
    acknowledge_hours: int = 24
    escalate_hours: int = 72
    country: str = "BE"
    """Where the principal receives (ISO 3166 alpha-2)."""
    transfer_basis: str | None = None
    """What a return rests on that leaves the EEA: IRI of a transfer tool (GDPR Art. 45, 46, 49)."""
    pgp: PgpKey | None = None


@dataclass(frozen=True, slots=True)
class ArrivalRules:
    """How files may come under OpenPGP. ``pgp``: who signs them; None: none is expected, and none is opened."""

    pgp: PgpKey | None = None
    must_be_signed: bool = True
    must_be_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class ErasureRules:
    """How an erasure begins. ``two_person_release``: not before a second person released its plan; so by default."""

    two_person_release: bool = True


@dataclass(frozen=True, slots=True)
class Agreement:
    """One signed version of the Art. 28 contract with one principal."""

    agreement_id: str
    version: str
    supersedes: str | None
    principal: Principal
    principal_name: str
    language: str
    valid_from: date
    valid_to: date | None
    purposes: tuple[Purpose, ...]
    retention_rules: tuple[RetentionRule, ...]
    role_rows: tuple[RoleRow, ...]
    sub_processors: tuple[SubProcessor, ...]
    recipients: tuple[str, ...]
    special_categories: bool
    transfers_outside_eea: str
    end_choice: str
    """``return`` or ``delete`` at the end of the contract (Art. 28(3)(g)), with ``end_days``."""
    end_days: int
    forward_hours: int
    may_answer: dict[str, bool]
    seed_owner_sign_off: str | None
    """What the paper itself says of who signed its SEED_OWNER rows off."""
    seed_owner_reverse_ref: str | None
    joint_arrangement_ref: str | None
    sha256: Sha256
    path: str
    data_categories: tuple[str, ...] = ()
    """Categories of personal data listed in Annex II, DPV IRIs."""
    minimum_exam_score: Decimal = Decimal(90)
    free_text: FreeTextRules = field(default_factory=lambda: FreeTextRules(careful_actions({}), 0.0))
    delivery: DeliveryRules = DeliveryRules()
    arrival: ArrivalRules = ArrivalRules()
    erasure: ErasureRules = ErasureRules()
    limits: GateLimits = field(default_factory=GateLimits)
    contact_email: str | None = None
    """Of the principal's contact, as the parties signed it."""
    seed_owner_signatures: int = 1
    """How many people it takes to sign SEED_OWNER off: one, or two where the paper says so."""
    seed_owner_signers: tuple[str, ...] = ()
    """Who signed it off since, as it was known when this was read; nobody of what comes from a file."""

    @property
    def is_seed_owner_signed_off(self) -> bool:
        """By as many people as the paper asks for, since it was signed; or in the paper itself, if it asks for one."""
        in_paper = bool(self.seed_owner_sign_off) and self.seed_owner_signatures == 1
        return in_paper or len(self.seed_owner_signers) >= self.seed_owner_signatures

    def is_in_force(self, on: date) -> bool:
        """``on``: a Brussels date; both ends inclusive."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class FieldRole:
    """One column of a contract: what it is, whose it is, why, how long. Complete, or it does not load."""

    name: str
    group: FieldGroup
    category: str
    origin: DataOrigin
    role_profile: RoleProfile
    purpose_iris: tuple[str, ...]
    legal_basis: str
    basis_holder: str
    retention_rule: str
    automated: bool
    portable: bool
    """May only restrict: eligibility under Art. 20 is always computed from basis, origin and mode."""
    subject_key: SubjectKind | None
    art9_condition: str | None
    logical_type: str
    """ODCS logicalType: string, date, timestamp, time, number, integer, boolean."""
    date_format: str | None
    """strptime format for date and timestamp, when the contract gives one."""
    required: bool
    unique: bool
    source: str | None = None
    """Of a column of a return: ``contacts.<column>`` (echoed) or ``results.<column>`` (added by our staff)."""
    candidate_key: CandidateKey | None = None
    """Part of what points at candidates: a name (or a part of one), or the birth date."""
    consent_channel: str | None = None
    """Of a column that says whether the person agreed to be contacted: over which channel of the agreement."""
    consent_given: tuple[str, ...] = ()
    """Cells that mean yes; every other one that is not empty means no."""

    def is_for(self, iri: str, legal_basis: str) -> bool:
        """Whether it is for a purpose of the agreement, which can list one IRI under several bases."""
        return iri in self.purpose_iris and legal_basis == self.legal_basis


@dataclass(frozen=True, slots=True)
class QualityRule:
    """One ODCS quality entry (library metric or custom Great Expectations), as written.

    ``column`` is None at schema level. ``operator`` is the ODCS comparison (mustBe, mustBeLessThan,
    ...) with ``threshold`` (a number, or two for mustBeBetween) in ``unit`` rows or percent.
    For ``engine: greatExpectations`` metric is None and ``expectation`` holds type and kwargs.
    """

    id: str
    column: str | None
    metric: str | None
    arguments: dict[str, Any]
    operator: str | None
    threshold: tuple[float, ...]
    unit: str
    severity: Severity
    expectation: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class FileFormat:
    """What the contract's ``servers`` entry says of the file. None: found on the bytes."""

    format: str
    delimiter: str | None
    encoding: str | None
    decimal_comma: bool
    date_format: str | None
    region: str
    """Default region of phone numbers, ISO 3166 alpha-2."""
    sheet: str | None
    pattern: str
    """Last segment of ``location``: a glob that file names match."""


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A column whose values stand in a column of another inbound flow of the same principal (a foreign key)."""

    column: str
    flow: Flow
    there: str

    @property
    def dataset(self) -> str:
        """The other column in one word, as receipts and rules name it."""
        return f"{self.flow}.{self.there}"


@dataclass(frozen=True, slots=True)
class ReturnRecipe:
    """What a return is made of: flows of the same principal, and the column that joins them."""

    contacts_flow: Flow
    results_flow: Flow
    record_id: str
    """Column of the contacts that holds the principal's own record id."""
    campaigns: tuple[str, ...]
    """Campaigns whose results belong here; empty: all."""


@dataclass(frozen=True, slots=True)
class DataContract:
    """One dataset of one principal in one direction (ODCS 3.1)."""

    contract_id: str
    version: str
    status: str
    principal: Principal
    direction: Direction
    flow: Flow
    """The part of ``contract_id`` after ``<principal>.<direction>.``."""
    agreement_id: str
    agreement_version: str
    file_format: FileFormat
    fields: tuple[FieldRole, ...]
    quality: tuple[QualityRule, ...]
    suites: tuple[str, ...]
    """Names of suites in ``expectations/`` (custom property ``expectationSuites``)."""
    max_refused_share: float
    """Share of refused rows above which the whole file is refused (``maxRefusedShare``, default 0.1)."""
    sha256: Sha256
    path: str

    valid_from: date | None = None
    """First day it holds (custom property ``validFrom``); None: the day it is activated."""
    result_mapping: str | None = None
    """Of agents' results: name of the file in ``include/mappings`` that makes canonical columns of it."""
    latencies: tuple[tuple[str, int], ...] = ()
    """Columns, and how many seconds old the newest value of each may be when a file arrives."""
    references: tuple[KeyReference, ...] = ()
    recipe: ReturnRecipe | None = None
    """Of a return only."""

    def field(self, name: str) -> FieldRole | None:
        """The role of a column, or None: a column without a role is a gap and stops the file."""
        return next((role for role in self.fields if role.name == name), None)

    @property
    def subject_fields(self) -> tuple[FieldRole, ...]:
        """Columns that can find a person, in contract order; the first is the primary one."""
        return tuple(role for role in self.fields if role.subject_key)

    def candidate_fields(self, part: CandidateKey) -> tuple[FieldRole, ...]:
        """Columns that hold a part of what points at candidates, in contract order."""
        return tuple(role for role in self.fields if role.candidate_key is part)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of the linter: where, which code, what to do."""

    path: str
    line: int
    code: str
    message: str
    severity: Severity = Severity.ERROR
    """An error stops the document; a warning is only shown."""
