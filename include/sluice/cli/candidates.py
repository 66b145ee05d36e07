"""Candidates: the persons who may be meant by a name and a birth date, and the choice of one. No value is printed."""

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.case_output import CaseArgument, show_case
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Ref, UsageError
from sluice.given_files import read_given
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.rights.copies.candidates import Search
    from sluice.rights.person.identifiers import Sought


def read_sought(file: str, named: Ref) -> "list[Sought]":
    """Read lines of a name, a tab and a birth date from a file or stdin (``-``). Raises FileMissing, UsageError.

    ``named``: the argument or option that says which file.
    """
    from sluice.rights.person.identifiers import Sought

    text: str | None = None
    with contextlib.suppress(ValueError):
        told = sys.stdin.read() if file == "-" else read_given(Path(file), named).decode()
        text = told.removeprefix("\ufeff")
    if text is None:
        raise UsageError(named, Ref("rule", "NOT_UTF_8"))
    rows = [line.partition("\t") for line in text.splitlines() if line.strip()]
    if not rows:
        raise UsageError(named, Ref("lines", 0))
    return [Sought(name, born) for name, _, born in rows]


def show_candidates(found: "Sequence[Search]", format: Format) -> None:
    """Print the candidates of each line, and what was searched."""
    from sluice.rights.copies.candidates import STORES_SEARCHED

    first = found[0]
    if format is Format.JSON:
        persons = [
            {"line": line, "candidates": [asdict(one) for one in each.candidates]} for line, each in enumerate(found, 1)
        ]
        show_json(
            {"persons": persons, "searched": first.searched, "unmarked": first.unmarked, "stores": STORES_SEARCHED}
        )
        return
    show_table(
        f"Searched: {', '.join(STORES_SEARCHED)} of {', '.join(first.searched) or 'nobody'}; "
        f"no columns marked: {', '.join(first.unmarked) or 'nobody'}",
        ("line", "candidate", "exchange", "object", "rows"),
        [
            (line, f"{one.principal}:{one.candidate}", place.exchange, place.object, place.rows)
            for line, each in enumerate(found, 1)
            for one in each.candidates
            for place in one.places
        ],
    )


def candidates_of_case(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Show who may be meant by a case that waits because it gives only a name and a birth date.

    JSON: as `subject candidates`. Exit 1 when the case does not wait.

    Example: sluice case candidates 6f0c4f0e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.store import find_beginning
    from sluice.rights.confirm_candidate import candidates_of

    with open_house(get_settings()) as house, err.status("searching"):
        found = candidates_of(house, find_beginning(house.conn, case))
    show_candidates([found], format)


def confirm(
    case: CaseArgument,
    candidate: Annotated[
        list[str] | None,
        typer.Option(help="PRINCIPAL:CANDIDATE of `case candidates`; repeated for another principal."),
    ] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="None of them is the person.")] = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Say which candidate the person is, or that none is, so that a waiting case goes on.

    JSON: as `case open`. Exit 1 when the case does not wait, or when the one named is not among its candidates.

    Example: sluice case confirm 6f0c4f0e --candidate energy01:3f2a9c5d0e1b4a6788cc90ab12de34f5
    """
    from sluice.exchange.house import open_house
    from sluice.rights import confirm_candidate as room
    from sluice.rights.case.store import find_beginning
    from sluice.terms import Principal

    if bool(candidate) == nobody:
        raise UsageError(Ref("option", "--candidate or --nobody"))
    pairs = [text.partition(":") for text in candidate or ()]
    chosen = [(Principal(name), ref) for name, _, ref in pairs]
    with open_house(get_settings()) as house, err.status("confirming"):
        done = room.confirm_candidate(
            house,
            find_beginning(house.conn, case),
            chosen,
            datetime.now(UTC),
            by or login_name(),
        )
    show_case(done, format)
