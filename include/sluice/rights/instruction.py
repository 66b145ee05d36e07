"""What an instruction file says, and what may become of it; no I/O."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sluice.rights.case.model import Action, SubCaseId
from sluice.rights.case.reasons import iri
from sluice.rights.person.wanted import Wanted, is_since
from sluice.terms import Principal

NAME = re.compile(r"instruction-[^/]*\.json", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPE = "sluice-instruction+jws"
KEY_FILE = "instruction-key.pem"
MEMBERS = {"case", "decision", "fields", "reason", "reasons", "values", "as_of"}


class InstructionOutcome(StrEnum):
    """What became of an instruction file. Only the first outcome means that it is followed."""

    INSTRUCTED = "INSTRUCTED"
    UNREADABLE = "UNREADABLE"
    WRONG_SIGNATURE = "WRONG_SIGNATURE"
    UNKNOWN_CASE = "UNKNOWN_CASE"
    OTHER_PRINCIPAL = "OTHER_PRINCIPAL"
    REPLAYED = "REPLAYED"
    NOT_AWAITED = "NOT_AWAITED"
    NOT_ADMITTED = "NOT_ADMITTED"
    IDENTITY_FAILED = "IDENTITY_FAILED"
    CONTRADICTS = "CONTRADICTS"
    """It contradicts the one that was followed and is not carried out yet. Neither is, until a person decides."""


TOLD_APART = frozenset(
    {InstructionOutcome.INSTRUCTED, InstructionOutcome.IDENTITY_FAILED, InstructionOutcome.CONTRADICTS}
)
"""Outcomes that a principal reads in words of their own; for all others it is the code that says why."""
SAID = {InstructionOutcome.OTHER_PRINCIPAL: InstructionOutcome.UNKNOWN_CASE}
"""Outcome shown to the sender instead, so that nobody learns from us which case numbers of others exist."""


@dataclass(frozen=True, slots=True)
class InstructionContent:
    """Content of an instruction file. ``reason`` applies to every field refused, left out or restricted instead."""

    case: str
    action: Action
    fields: tuple[str, ...] = ()
    reason: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    wanted: Wanted | None = None
    """For a rectification: what is right."""


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """One version of an instruction file, and its outcome. ``sub_case_id``: the part of ours it names, whoever's it is.

    ``sha256``: hash of the content.
    """

    principal: Principal
    version_id: str
    sub_case_id: SubCaseId | None
    outcome: InstructionOutcome
    action: Action | None
    sha256: str | None
    seen_at: datetime


def is_instruction(key: str) -> bool:
    """Whether a key under ``requests/`` has the name of an instruction."""
    return NAME.fullmatch(key.rsplit("/", 1)[-1]) is not None


def parse_instruction(said: object, now: datetime) -> InstructionContent | None:
    """Return the content of an instruction, or None if it is not a valid one. Pure."""
    if not isinstance(said, dict) or not {"case", "decision"} <= set(said) <= MEMBERS:
        return None
    case, decision, fields = said["case"], said["decision"], said.get("fields", [])
    reason, reasons = said.get("reason"), said.get("reasons", {})
    texts = [case, decision, *(fields if isinstance(fields, list) else [0]), reason or ""]
    if not isinstance(reasons, dict) or not all(isinstance(each, str) for each in [*texts, *reasons.values()]):
        return None
    if not UUID.fullmatch(case.lower()) or decision not in [each.value for each in Action]:
        return None
    named = {name: iri(each) for name, each in reasons.items()}
    wanted = _wanted(said, now)
    if ("values" in said or "as_of" in said) and (wanted is None or decision != Action.RECTIFY):
        return None
    return InstructionContent(
        case.lower(), Action(decision), tuple(fields), iri(reason) if reason else None, named, wanted
    )


def _wanted(said: dict[str, Any], now: datetime) -> Wanted | None:
    """Parse ``values`` (right value by column) and ``as_of`` (ISO moment since when). None if missing or invalid."""
    values, since = said.get("values"), said.get("as_of")
    if not isinstance(values, dict) or not values or not isinstance(since, str):
        return None
    if not all(isinstance(each, str) for each in values.values()):
        return None
    try:
        as_of = datetime.fromisoformat(since)
    except ValueError:
        return None
    return Wanted(values, as_of) if is_since(as_of, now) else None
