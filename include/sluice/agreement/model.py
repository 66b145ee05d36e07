"""Agreements and contracts as Sluice works with them: frozen, checked, with the hash of their file.

The files themselves are YAML: a ProcessingAgreement (SCC 2021/915 annexes), and one ODCS 3.1 contract per dataset and
direction. ``folder/load.py`` reads them into these types, or says why it cannot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any

from sluice.agreement.free_text import careful_actions
from sluice.agreement.limits import GateLimits
from sluice.terms import (
    SPECIAL_CATEGORY,
    CandidateKey,
    DataOrigin,
    Direction,
    EndChoice,
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

CONFIDENTIAL = "confidential"
"""Sensitivity of personal data that its contract does not classify."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose listed in the agreement (GDPR Art. 5(1)(b)). ``text``: one plain sentence each in nl, fr and en."""

    code: str
    iri: str
    text: dict[str, str]
    legal_basis: str
    basis_holder: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """How long data are kept. ``duration`` is ISO 8601 (``P90D``), counted from ``start_event``."""

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
    """What happens to findings in notes, by class. Of the other notes, people look at a ``sample_share``."""

    actions: Mapping[ScreenClass, ScreenAction]
    sample_share: float


@dataclass(frozen=True, slots=True)
class PgpKey:
    """An OpenPGP certificate of the principal: a file beside the agreement, pinned by its fingerprint."""

    file: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class DeliveryRules:
    """How returns leave. ``cut_off``: a Brussels time on the day after the contacts of a return."""

    cut_off: time = time(6)
    two_person_release: bool = False
    release_when_ready_later: bool = False
    """Whether rows held for their agent may follow once that agent is ready."""
    acknowledge_hours: int = 24
    escalate_hours: int = 72
    country: str = "BE"
    """The country where the principal receives (ISO 3166 alpha-2)."""
    transfer_basis: str | None = None
    """For returns that leave the EEA: the IRI of the transfer tool they rely on (GDPR Art. 45, 46, 49)."""
    pgp: PgpKey | None = None


@dataclass(frozen=True, slots=True)
class ArrivalRules:
    """How files may arrive under OpenPGP. ``pgp``: whose signature they bear; None: none is expected or opened."""

    pgp: PgpKey | None = None
    must_be_signed: bool = True
    must_be_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class ErasureRules:
    """How an erasure begins. ``two_person_release``: only after a second person released its plan; the default."""

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
    end_choice: EndChoice
    end_days: int
    """Days after the end within which that is done."""
    forward_hours: int
    may_answer: dict[str, bool]
    seed_owner_sign_off: str | None
    """Who signed off its SEED_OWNER rows, according to the paper itself."""
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
    """The address of the principal's contact, as the parties signed it."""
    seed_owner_signatures: int = 1
    """How many people must sign off SEED_OWNER: one, or two if the paper asks for two."""
    seed_owner_signers: tuple[str, ...] = ()
    """Who signed it off in Sluice, as known when this was read from the database; empty if read from a file."""

    @property
    def is_seed_owner_signed_off(self) -> bool:
        """Whether as many people signed SEED_OWNER off as the paper asks for.

        If it asks for one, a sign-off in the paper itself is enough.
        """
        in_paper = bool(self.seed_owner_sign_off) and self.seed_owner_signatures == 1
        return in_paper or len(self.seed_owner_signers) >= self.seed_owner_signatures

    def is_in_force(self, on: date) -> bool:
        """Whether ``on``, a Brussels date, lies in its days; the first and the last day count."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class FieldRole:
    """One column of a contract: what it is, whose, why and for how long it is kept. An incomplete one does not load."""

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
    """Only for a column of a return: ``contacts.<column>`` (echoed) or ``results.<column>`` (added by our staff)."""
    candidate_key: CandidateKey | None = None
    """Which part of a candidate's identity it holds: a name (or a part of one) or the birth date."""
    consent_channel: str | None = None
    """Only for a column that says whether the person agreed to be contacted: the channel of the agreement."""
    consent_given: tuple[str, ...] = ()
    """Cells that mean yes; any other cell that is not empty means no."""
    classification: str | None = None
    """ODCS classification: how sensitive the contract says it is (public, restricted, confidential, ...)."""

    @property
    def sensitivity(self) -> str:
        """``special_category`` for a column under Art. 9, else its classification; ``confidential`` if it has none."""
        return SPECIAL_CATEGORY if self.art9_condition else self.classification or CONFIDENTIAL

    def is_for(self, iri: str, legal_basis: str) -> bool:
        """Whether the column is for this purpose under this basis; an agreement can list one IRI under several."""
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
    """What the contract's ``servers`` entry says about the file. A value of None is detected from the bytes."""

    format: str
    delimiter: str | None
    encoding: str | None
    decimal_comma: bool
    date_format: str | None
    region: str
    """Default region of phone numbers (ISO 3166 alpha-2)."""
    sheet: str | None
    pattern: str
    """The last segment of ``location``: a glob that file names must match."""


@dataclass(frozen=True, slots=True)
class KeyReference:
    """A column whose values occur in a column of another inbound flow of the same principal (a foreign key)."""

    column: str
    flow: Flow
    there: str

    @property
    def dataset(self) -> str:
        """The other column as receipts and rules name it: ``<flow>.<column>``."""
        return f"{self.flow}.{self.there}"


@dataclass(frozen=True, slots=True)
class ReturnRecipe:
    """What a return is made of: flows of the same principal, and the column that joins them."""

    contacts_flow: Flow
    results_flow: Flow
    record_id: str
    """The column of the contacts that holds the principal's own record id."""
    campaigns: tuple[str, ...]
    """Campaigns whose results belong in this return; empty means all."""


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
    """The first day it holds (custom property ``validFrom``); None means the day it is activated."""
    result_mapping: str | None = None
    """Only for agents' results: the file in ``include/mappings`` that maps them to canonical columns."""
    latencies: tuple[tuple[str, int], ...] = ()
    """Columns with the greatest age, in seconds, that their newest value may have when a file arrives."""
    references: tuple[KeyReference, ...] = ()
    recipe: ReturnRecipe | None = None
    """Only for a return."""

    def field(self, name: str) -> FieldRole | None:
        """The role of a column; None if it has none, which is a gap and stops the file."""
        return next((role for role in self.fields if role.name == name), None)

    @property
    def subject_fields(self) -> tuple[FieldRole, ...]:
        """Columns by which a person can be found, in contract order; the first is the primary one."""
        return tuple(role for role in self.fields if role.subject_key)

    def candidate_fields(self, part: CandidateKey) -> tuple[FieldRole, ...]:
        """Columns that hold this part of a candidate's identity, in contract order."""
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
