"""Describe a case to people and programs: one document for the command and for HTTP. Contains no value of a person."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluice.rights.case.history import Step
    from sluice.rights.case.model import Case, Letter, SubCase
    from sluice.rights.case.owed import Owed


def describe(
    case: "Case", steps: "Sequence[Step] | None" = None, owed: "Sequence[Owed] | None" = None
) -> dict[str, Any]:
    """Return the document of a case. Pure.

    steps: its history; with it, the document also has the history, the letters and the paused clock. owed: its next
    steps. Dates are Brussels dates, moments UTC. ``flags`` has words of :class:`Flag`, separated by a comma.
    """
    told: dict[str, Any] = {
        "case": case.case_id,
        "right": case.right.value,
        "state": case.state.value,
        "persons": case.persons,
        "received": case.due.received,
        "legal_due": case.due.legal_due,
        "extended_due": case.due.extended_due,
        "extended": case.is_extended,
        "last_day": case.last_day,
        "flags": flags(case),
        "searched": list(case.searched),
        "sub_cases": [_part(part) for part in case.sub_cases],
    }
    if steps is None:
        return told
    from sluice.rights.case.steps import paused_clock

    told["paused_legal_due"] = paused_clock(case, steps).legal_due
    told["steps"] = [_step(step) for step in steps]
    told["letters"] = [describe_letter(letter) for letter in case.letters]
    if owed is not None:
        told["next"] = [asdict(each) for each in owed]
    return told


def _step(step: "Step") -> dict[str, Any]:
    return {
        "at": step.at,
        "sub_case": step.sub_case_id,
        "from": step.from_state,
        "to": step.to_state,
        "by": step.actor,
        "reason": step.reason_code,
        "reasons": dict(step.reasons),
        "evidence": step.evidence_sha256,
    }


def describe_letter(letter: "Letter") -> dict[str, Any]:
    """Return the document of a letter, without its text, which is in the vault only. Pure."""
    return {
        "case": letter.case_id,
        "kind": letter.kind.value,
        "language": letter.language,
        "sub_cases": list(letter.sub_cases),
        "sha256": letter.sha256,
        "document_sha256": letter.document_sha256,
        "template": letter.template,
        "written_at": letter.written_at,
        "opened_at": letter.opened_at,
        "overtaken": list(letter.overtaken),
    }


def flags(case: "Case") -> str:
    """The names of the flags that are set on a case, separated by a comma."""
    flags = {"BREACHED_DEADLINE": case.is_breached, "COMPLAINT": case.has_complaint}
    return ", ".join(name for name, is_set in flags.items() if is_set)


def _part(part: "SubCase") -> dict[str, Any]:
    return {
        "sub_case": part.sub_case_id,
        "principal": part.principal,
        "agreement": part.agreement_id,
        "controller": part.controller,
        "track": part.track.value,
        "state": part.state.value,
        "field_groups": list(part.field_groups),
        "forward_due": part.forward_due_at,
        "forwarded_at": part.forwarded_at,
        "action": part.action.value if part.action else None,
    }
