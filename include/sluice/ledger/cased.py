"""Bodies of entries about requests of persons: steps, flags, letters, request files, refused instructions.

They hold only case numbers, states, codes and hashes; nothing in them can be tied to a person. Times
are UTC with ``Z``, dates are Brussels dates.
"""

from sluice.ledger.record import Part


class CaseTransitioned(Part):
    """A case (``sub_case_id`` None) or a sub-case took a step; ``reasons``: IRI per field group refused."""

    case_id: str
    sub_case_id: str | None
    from_state: str | None
    to_state: str
    actor_role: str
    actor: str
    at: str
    reason_code: str
    evidence_sha256: str
    right: str
    reasons: dict[str, str]
    remedies_ref: str | None = None
    action: str | None = None


class CaseFlagged(Part):
    """Something that stays true of a case: a missed deadline, a complaint."""

    case_id: str
    flag: str
    actor: str
    at: str
    evidence_sha256: str


class CaseLetterWritten(Part):
    """A letter to the person. ``sha256``: of the PDF as they read it; ``document_sha256``: of the same as JSON."""

    case_id: str
    kind: str
    language: str
    sub_cases: tuple[str, ...]
    sha256: str
    document_sha256: str
    template: str
    written_at: str


class CaseLetterOpened(Part):
    """Somebody took a letter out of the vault, into a file; ``sha256``: of the PDF it is about."""

    case_id: str
    kind: str
    language: str
    sha256: str
    by: str
    at: str


class CaseTidied(Part):
    """What was sealed of a closed case is gone from the vault, every version. ``days``: of the rule, after closing."""

    case_id: str
    objects: int
    closed_at: str
    days: int
    asked_by: str
    removed_at: str


class CaseRequestRead(Part):
    """A file under requests/ and what came of it; ``refused``: rows by code."""

    principal: str
    outcome: str
    case_id: str | None
    persons: int
    refused: dict[str, int]
    bucket: str
    key: str
    version_id: str
    sha256: str | None


class CaseInstructionRefused(Part):
    """An instruction nobody followed, and why; ``sub_case_id`` only if it named one of ours."""

    principal: str
    outcome: str
    sub_case_id: str | None
    bucket: str
    key: str
    version_id: str
    sha256: str | None
