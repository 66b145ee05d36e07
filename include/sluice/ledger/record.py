"""The exchange record: six answers, one decision (GDPR Art. 5(2), 28(3), 30).

This is what the ledger chains, the receipt states, the pages show and lineage emits. It holds
counts, hashes, codes, column names and opaque ids, never a value or a reference of a person.
All times are UTC, ISO 8601 with ``Z``; all dates are Europe/Brussels calendar dates.
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.terms import Decision, Direction, EndChoice


class Part(BaseModel):
    """Frozen, closed: an unknown key is an error, so nothing unplanned gets into the ledger."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PurposeLine(Part):
    """One purpose of the agreement; ``text`` is one plain sentence per language (nl, fr, en)."""

    code: str
    iri: str
    text: dict[str, str]
    legal_basis: str
    basis_holder: str


class Why(Part):
    """1. Why: purposes, basis and instruction. Empty purposes mean there was no paper to name any."""

    agreement_id: str | None
    agreement_version: str | None
    agreement_sha256: str | None
    purposes: tuple[PurposeLine, ...]
    instruction_ref: str | None = None


class ColumnLine(Part):
    """One column as it was seen, with the role it has."""

    name: str
    field_group: str | None
    category: str | None
    origin: str | None
    role_profile: str | None
    retention_rule: str | None
    subject_key: str | None = None
    controller: str | None = None
    processor: str | None = None
    owner_label: str | None = None
    legal_basis: str | None = None
    basis_holder: str | None = None
    source: str | None = None
    """Of a return: ``contacts.<column>`` (echoed from the principal) or ``results.<column>`` (our staff)."""
    purposes: tuple[str, ...] = ()
    """Codes of the purposes under *why* that this column is for."""
    sensitivity: str | None = None
    """``special_category`` (Art. 9), else as its contract classifies it."""
    logical_type: str | None = None
    """The contract's ODCS logicalType."""


class ReasonLine(Part):
    """Rows refused (or warned) for one reason; ``rows`` holds at most 20 row numbers, 1 = first record.

    ``readings``: where the file can be read in more than one way, each of them in words.
    """

    code: str
    rule: str
    column: str | None
    count: int
    rows: tuple[int, ...] = ()
    severity: str = "error"
    readings: tuple[str, ...] = ()


REVIEW = "review"
"""Kind of input of an arrival that brings back rows that waited for review by a person."""


class InputLine(Part):
    """An exchange that this one is made of; ``kind``: contacts, results, return; review: of its held rows, which came
    back."""

    exchange_id: str
    kind: str
    bucket: str
    key: str
    version_id: str
    sha256: str


class What(Part):
    """2. What: the object and what was in it. ``rows_in = rows_accepted + rows_refused + rows_held``."""

    bucket: str
    key: str
    version_id: str
    sha256: str | None
    size_bytes: int
    format: str | None
    rows_in: int
    rows_accepted: int
    rows_refused: int
    rows_held: int = 0
    """Rows kept back for a reason that may pass; by reason under right treatment."""
    columns: tuple[ColumnLine, ...]
    distinct_subjects: int | None
    special_categories: bool
    inputs: tuple[InputLine, ...] = ()
    """Of an arrival only where held rows come back: the exchange that held them."""
    supersedes: str | None = None
    """The return of the same day that this one corrects."""


class CopyLine(Part):
    """One copy that exists because of this exchange, and the day after which it is deleted."""

    kind: str
    bucket: str
    key: str
    version_id: str | None
    sha256: str
    size_bytes: int
    rows: int | None = None
    retention_rule: str | None
    delete_after: str | None


class HowLong(Part):
    """3. How long: every copy with its date; what happens when the contract ends."""

    copies: tuple[CopyLine, ...]
    at_contract_end: str | None
    """As :func:`said_of_end` writes it; None without an agreement."""


def said_of_end(choice: EndChoice, days: int) -> str:
    """Return how a record says what happens when the contract ends (GDPR Art. 28(3)(g)): ``delete within 30 days``."""
    return f"{choice} within {days} days"


def read_end(said: str) -> tuple[str, int] | None:
    """Return the choice (``return`` or ``delete``) and the days that a record says; None for any other text."""
    end = re.fullmatch(r"(return|delete) within (\d+) days", said)
    return (end[1], int(end[2])) if end else None


class RoleLine(Part):
    """Roles of one field group in this exchange."""

    field_group: str
    role_profile: str
    controller: str
    processor: str
    owner_label: str
    basis_holder: str


class Who(Part):
    """4. Who: parties, countries, roles."""

    principal: str
    language: str = "nl"
    """Language the principal is written to in first (of the agreement)."""
    sender: str
    recipients: tuple[str, ...]
    sub_processors: tuple[str, ...]
    countries: tuple[str, ...]
    roles: tuple[RoleLine, ...]
    role_warnings: tuple[str, ...] = ()
    """What has to be said about contestable or incomplete roles, e.g. SEED_OWNER without sign-off."""


class Screening(Part):
    """What the free-text screen looked for in notes, and what it did. Found by listed terms and
    checksummed numbers: a note in which nothing was found is not proven clean."""

    tables_version: str
    screened_for: tuple[str, ...]
    notes: int
    found: dict[str, int]
    """Findings by class."""
    masked: int
    """Notes with a part replaced."""
    sampled: int
    """Notes without a finding that were drawn for a person to read."""


class How(Part):
    """5. How: the contract, the gate and the run that did it."""

    contract_id: str | None
    contract_version: str | None
    contract_sha256: str | None
    suites: dict[str, str]
    gate_counts: dict[str, int]
    dialect: dict[str, Any]
    lineage_run_id: str
    airflow: dict[str, str]
    screening: Screening | None = None


class RightTreatment(Part):
    """6. Right treatment: rows kept out for a person's right, cases touched, notices sent."""

    held_back: dict[str, int]
    withheld: dict[str, int] = {}
    """Cells left empty in rows that went, by column: what is past its retention."""
    cases: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


DIAL = "dial"
"""Second part of the key of a dial list: ``<principal>/dial/<flow>/<name>``."""


def is_dial_key(direction: Direction, key: str) -> bool:
    """Whether an exchange is a dial list, which goes to agents, so that nothing arrives."""
    return direction is Direction.INTERNAL and key.split("/")[1:2] == [DIAL]


GIVEN_BACK = "give-back-"
"""Prefix of the version id of data given back at the end of an agreement, where others have an object version."""


CONTRACT_END = "CONTRACT-END"
"""Purpose code of data that is given back. It is a legal duty, so no agreement declares it."""


AFTER_END = "-ended"
"""Suffix of the version id of a return that was made after its agreement had ended."""


def is_after_end(direction: Direction, version_id: str) -> bool:
    """Whether data goes back because an agreement ended; then the agreement of its day applies, as none is in force."""
    is_last = direction is Direction.OUTBOUND_RETURN and version_id.endswith(AFTER_END)
    return is_last or is_given_back(direction, version_id)


def is_given_back(direction: Direction, version_id: str) -> bool:
    """Whether an exchange gives an ended agreement's data back to its principal (GDPR Art. 28(3)(g))."""
    return direction is Direction.OUTBOUND_RETURN and version_id.startswith(GIVEN_BACK)


class ExchangeRecord(Part):
    """One crossing of one file in one direction, answered and decided."""

    exchange_id: str
    direction: Direction
    flow: str
    opened_at: str
    closed_at: str
    decision: Decision
    reason_code: str | None
    rule_id: str | None
    reasons: tuple[ReasonLine, ...]
    why: Why
    what: What
    how_long: HowLong
    who: Who
    how: How
    right_treatment: RightTreatment

    @property
    def is_dial_list(self) -> bool:
        """Whether it gave contacts to agents."""
        return is_dial_key(self.direction, self.what.key)

    @property
    def is_given_back(self) -> bool:
        """Whether it gave an ended agreement's data back."""
        return is_given_back(self.direction, self.what.version_id)

    @property
    def screened_for(self) -> tuple[str, ...]:
        """Classes that free text was screened for; nothing found is not proven clean."""
        return self.how.screening.screened_for if self.how.screening else ()
