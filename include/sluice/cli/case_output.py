"""How a case is shown, and the words every command about one takes. No value of a person is printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, show_json, show_pairs, show_table

if TYPE_CHECKING:
    from sluice.rights.model import Case, Letter, Step, SubCase

CaseArgument = Annotated[str, typer.Argument(help="Case number, or an unambiguous beginning of it.")]
ByOption = Annotated[str | None, typer.Option(help="Who does it; the user of this machine by default.")]


def show_case(case: "Case", format: Format, steps: "Sequence[Step] | None" = None) -> None:
    """Print a case as the command was asked to."""
    told = describe(case, steps)
    if format is Format.JSON:
        show_json(told)
        return
    show_pairs("Case", {name: value for name, value in told.items() if not isinstance(value, list)})
    show_table(
        "Parts",
        ("sub-case", "principal", "agreement", "decides", "state", "forward due (UTC)", "field groups"),
        [
            (p.sub_case_id, p.principal, p.agreement_id, p.controller, p.state, _clock(p), ", ".join(p.field_groups))
            for p in case.sub_cases
        ],
    )
    if steps:
        rows = [
            (f"{s.at:%Y-%m-%d %H:%M:%S}", s.sub_case_id, s.from_state, s.to_state, s.actor, s.reason_code)
            for s in steps
        ]
        show_table("Steps", ("at (UTC)", "sub-case", "from", "to", "by", "reason"), rows)
    if steps and case.letters:
        show_letters(case.letters)


def show_letters(letters: "Sequence[Letter]") -> None:
    """Print what was written to persons, and whether somebody took it out to send it."""
    rows = [
        (
            each.case_id,
            each.kind,
            each.language,
            f"{each.written_at:%Y-%m-%d %H:%M:%S}",
            f"{each.opened_at:%Y-%m-%d %H:%M:%S}" if each.opened_at else "never",
            each.sha256,
        )
        for each in letters
    ]
    show_table("Letters", ("case", "kind", "language", "written at (UTC)", "taken out at (UTC)", "sha256"), rows)


def describe(case: "Case", steps: "Sequence[Step] | None" = None) -> dict[str, Any]:
    """The JSON document of a case; with steps also its history, its letters and the paused clock."""
    told: dict[str, Any] = {
        "case": case.case_id,
        "right": case.right.value,
        "state": case.state.value,
        "persons": case.persons,
        "received": case.due.received,
        "legal_due": case.due.legal_due,
        "extended_due": case.due.extended_due,
        "extended": case.is_extended,
        "flags": flags(case),
        "searched": list(case.searched),
        "sub_cases": [_told_part(part) for part in case.sub_cases],
    }
    if steps is None:
        return told
    from sluice.rights.cases import paused_clock

    told["paused_legal_due"] = paused_clock(case, steps).legal_due
    told["steps"] = [
        {
            "at": step.at,
            "sub_case": step.sub_case_id,
            "from": step.from_state,
            "to": step.to_state,
            "by": step.actor,
            "reason": step.reason_code,
            "reasons": dict(step.reasons),
            "evidence": step.evidence_sha256,
        }
        for step in steps
    ]
    told["letters"] = [describe_letter(letter) for letter in case.letters]
    return told


def describe_letter(letter: "Letter") -> dict[str, Any]:
    """The JSON document of a letter; what it says stands in the vault only."""
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
    }


def _told_part(part: "SubCase") -> dict[str, Any]:
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


def flags(case: "Case") -> str:
    """What stays true of a case, in words of the domain."""
    flags = {"BREACHED_DEADLINE": case.is_breached, "COMPLAINT": case.has_complaint}
    return ", ".join(name for name, is_set in flags.items() if is_set)


def _clock(part: "SubCase") -> str | None:
    return f"{part.forward_due_at:%Y-%m-%d %H:%M}" if part.forward_due_at else None


def user() -> str:
    """The login name of this process, from the system, not from the environment; else its number."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
