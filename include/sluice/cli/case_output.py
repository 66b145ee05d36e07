"""How a case is shown, and the argument that every command about a case takes. No value of a person is printed."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.output import Format, show_json, show_pairs, show_table
from sluice.rights.case.describe import describe

if TYPE_CHECKING:
    from sluice.rights.case.history import Step
    from sluice.rights.case.model import Case, Letter, SubCase
    from sluice.rights.case.owed import Owed

CaseArgument = Annotated[str, typer.Argument(help="Case number, or an unambiguous beginning of it.")]


def show_case(
    case: "Case", format: Format, steps: "Sequence[Step] | None" = None, owed: "Sequence[Owed] | None" = None
) -> None:
    """Print a case as a table or as JSON. ``owed``: its next steps, for a command that shows them."""
    told = describe(case, steps, owed)
    if format is Format.JSON:
        show_json(told)
        return
    show_pairs("Case", {name: value for name, value in told.items() if not isinstance(value, list)})
    if owed:
        owes = [(each.what, each.who, _day(each.until), each.sub_case, each.command) for each in owed]
        show_table("Next", ("what", "who", "until", "sub-case", "command"), owes)
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
    """Print the letters to persons, and whether somebody took each one out to send it."""
    rows = [
        (
            each.case_id,
            f"{each.kind}, overtaken" if each.overtaken else each.kind,
            each.language,
            f"{each.written_at:%Y-%m-%d %H:%M:%S}",
            f"{each.opened_at:%Y-%m-%d %H:%M:%S}" if each.opened_at else "never",
            each.sha256,
        )
        for each in letters
    ]
    show_table("Letters", ("case", "kind", "language", "written at (UTC)", "taken out at (UTC)", "sha256"), rows)


def _day(until: date | datetime | None) -> str | None:
    if isinstance(until, datetime):
        return f"{until:%Y-%m-%d %H:%M} UTC"
    return None if until is None else str(until)


def _clock(part: "SubCase") -> str | None:
    return f"{part.forward_due_at:%Y-%m-%d %H:%M}" if part.forward_due_at else None
