"""What an instruction file says, and what may become of it; no I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sluice.rights.case.model import Action, SubCaseId
from sluice.rights.case.reasons import GROUNDS, Ground, iri
from sluice.rights.person.unreadable import Unreadable
from sluice.rights.person.wanted import Wanted, is_since
from sluice.terms import Principal

NAME = re.compile(r"instruction-[^/]*\.json", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPE = "sluice-instruction+jws"
KEY_FILE = "instruction-key.pem"
MEMBERS = {"case", "decision", "fields", "ground", "reason", "reasons", "values", "as_of"}


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
    ground: Ground | None = None
    """For an erasure: why it has to be (Art. 17(1)), if its controller says so."""


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
    if not isinstance(said, dict) or why_unfit(said, now):
        return None
    reason, reasons = said.get("reason"), said.get("reasons", {})
    return InstructionContent(
        said["case"].lower(),
        Action(said["decision"]),
        tuple(said.get("fields", [])),
        iri(reason) if reason else None,
        {name: iri(each) for name, each in reasons.items()},
        _wanted(said, now),
        GROUNDS[said["ground"]] if "ground" in said else None,
    )


def why_unfit(said: dict[str, Any], now: datetime) -> Unreadable | None:
    """Why an object is no valid instruction: the first member of ours that is missing or wrong; None if it is one."""
    if missing := sorted({"case", "decision"} - set(said)):
        return Unreadable("MEMBER_MISSING", missing[0])
    if not set(said) <= MEMBERS:
        return Unreadable("MEMBER_UNKNOWN")
    fields, reasons = said.get("fields", []), said.get("reasons", {})
    if not isinstance(fields, list) or not _are_texts(fields):
        return Unreadable("NO_LIST_OF_TEXTS", "fields")
    if not isinstance(reasons, dict) or not _are_texts(reasons.values()):
        return Unreadable("NO_TEXTS_BY_FIELD", "reasons")
    if not isinstance(said.get("reason") or "", str):
        return Unreadable("NO_TEXT", "reason")
    if not isinstance(said["case"], str) or not UUID.fullmatch(said["case"].lower()):
        return Unreadable("NO_CASE_NUMBER", "case")
    if said["decision"] not in [each.value for each in Action]:
        return Unreadable("UNKNOWN_DECISION", "decision")
    if "ground" in said and said["decision"] != Action.ERASE:
        return Unreadable("ONLY_TO_ERASE", "ground")
    if said.get("ground", next(iter(GROUNDS))) not in list(GROUNDS):
        return Unreadable("UNKNOWN_GROUND", "ground")
    if not {"values", "as_of"} & set(said):
        return None
    if said["decision"] != Action.RECTIFY:
        return Unreadable("ONLY_TO_RECTIFY", "values")
    return None if _wanted(said, now) else Unreadable("NO_VALUES_SINCE_A_MOMENT", "values")


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(each, str) for each in values)


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
