"""The history of a case: one line for every step that was taken. No value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sluice.rights.case.model import CaseId, Role, State, SubCaseId


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a case's history, written when it happened."""

    case_id: CaseId
    sub_case_id: SubCaseId | None
    from_state: State | None
    to_state: State
    actor_role: Role
    actor: str
    at: datetime
    reason_code: str
    evidence_sha256: str
    reasons: Mapping[str, str]
    remedies_ref: str | None
    remedies_language: str | None
