"""``sluice case letter`` and ``letters``: letters to the person, in clear only in the file that was asked for."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.case_output import CaseArgument, show_letters
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs
from sluice.cli.private_file import private_file
from sluice.errors import Ref, UsageError
from sluice.rights.case.describe import describe_letter
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.rights.case.model import LetterKind


def letter(
    case: CaseArgument,
    kind: Annotated[str, typer.Option(help="receipt, extension, refusal, lifting or completion.")],
    to: Annotated[Path, typer.Option(help="FILE.pdf to post, or FILE.json with the same content for programs.")],
    lang: Annotated[str | None, typer.Option(help="nl, fr or en; the person's language by default.")] = None,
    sub_case: Annotated[str | None, typer.Option(help="The letter about this part, if the case has several.")] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a letter to the person into a file: the one that is owed, else the last one of its kind.

    The ledger records when a letter is first written and each time it is taken out. `receipt` is the letter that
    confirms the request. A letter names the case, never the person: put the address on the envelope.

    JSON: case, kind, language, sub_cases, sha256, document_sha256, template, written_at, opened_at, overtaken,
    file, state. Exit 1 when there is nothing to write yet.

    Example: sluice case letter 6f0c4f0e --kind receipt --to receipt.pdf
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.model import SubCaseId, desk_actor
    from sluice.rights.case.store import find_beginning, get_case
    from sluice.rights.letters.take_out import take_out

    wanted, actor, now = _kind(kind), desk_actor(by or login_name()), datetime.now(UTC)
    if to.suffix.lower() not in (".pdf", ".json"):
        raise UsageError(Ref("option", "--to"))
    with open_house(get_settings()) as house, err.status("writing"):
        with private_file("--to", to) as write:
            taken = take_out(
                house,
                find_beginning(house.conn, case),
                wanted,
                now,
                actor,
                language=lang,
                sub_case_id=SubCaseId(sub_case.lower()) if sub_case else None,
                is_document=to.suffix.lower() == ".json",
            )
            write(taken.content)
        written = taken.letter
        state = get_case(house.conn, written.case_id).state
    told = describe_letter(written) | {"opened_at": written.opened_at or now, "file": str(to), "state": state.value}
    show_json(told) if format is Format.JSON else show_pairs("Letter", told)


def letters(
    case: Annotated[str | None, typer.Argument(help="Case number, or an unambiguous beginning of it.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the letters of a case and those still owed; without a case, all letters that nobody took out yet.

    JSON: case, letters [{case, kind, language, sub_cases, sha256, document_sha256, template, written_at,
    opened_at, overtaken [the sub-cases that were decided otherwise since]}], owed [kind].

    Example: sluice case letters 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.letter_due import is_owed
    from sluice.rights.case.letter_store import find_unopened
    from sluice.rights.case.model import LetterKind
    from sluice.rights.case.store import find_beginning, get_case

    with connect(get_settings()) as conn:
        found = get_case(conn, find_beginning(conn, case)) if case else None
        listed = found.letters if found else find_unopened(conn)
    owed = [kind.value for kind in LetterKind if found and is_owed(found, kind)]
    if format is Format.JSON:
        told = [describe_letter(each) for each in listed]
        show_json({"case": found.case_id if found else None, "letters": told, "owed": owed})
        return
    show_letters(listed)
    if found and owed:
        show_pairs("Owed", {kind: f"sluice case letter {found.case_id[:8]} --kind {kind} --to FILE" for kind in owed})


def _kind(word: str) -> "LetterKind":
    from sluice.rights.case.model import LetterKind

    if word not in [each.value for each in LetterKind]:
        raise UsageError(Ref("option", "--kind"), Ref("one of", ", ".join(LetterKind)))
    return LetterKind(word)
