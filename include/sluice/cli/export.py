"""``sluice export``: the answer to a person as a package. Values are in clear only in the folder that was asked for."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli import export_handover, export_link
from sluice.cli.case_output import CaseArgument, show_case
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluice.answers.model import AnswerKind, FieldLine, Made, NothingPortable

app = typer.Typer(
    help="Answer a person with a copy of their data: to read (access), or to take along (portability).",
    no_args_is_help=True,
    epilog="Example: sluice export access 5b1f0c2e",
)
FolderOption = Annotated[
    Path | None, typer.Option(help="Where the package is written in clear; a new folder here by default.")
]
LangOption = Annotated[str | None, typer.Option("--lang", help="nl, fr or en; the person's language by default.")]
OnlyOption = Annotated[str | None, typer.Option("--principal", help="Only what concerns this principal.")]
SealedOption = Annotated[
    bool, typer.Option("--sealed", help="Write the package only into the vault, nothing in clear.")
]


@app.command("access")
def access(
    case: CaseArgument,
    folder: FolderOption = None,
    lang: LangOption = None,
    principal: OnlyOption = None,
    sealed: SealedOption = False,
    to_principal: export_handover.PrincipalOption = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make a copy of everything about the person from every store, with the information that Article 15 requires.

    The package is sealed in the vault too.

    JSON: package, files [{path, sha256, rows}], fields [{name, included, reason}], answer, delete_after, stores
    [{principal, store, copies, hits, rows}]: where we looked, and in how many copies and rows the person was found.
    Exit 1 when no decision says that we give anything. With --to-principal: case, handed [{principal, to, exchange,
    where, receipt, sha256, is_there, delete_after}].

    Example: sluice export access 5b1f0c2e --folder answer
    """
    from sluice.answers.model import AnswerKind

    if to_principal:
        export_handover.give_to_principals(case, AnswerKind.ACCESS, format)
        return
    made, target = _make(case, AnswerKind.ACCESS, folder, lang, principal, sealed, by)
    _show(made, target, format)


@app.command("portability")
def portability(
    case: CaseArgument,
    to: Annotated[
        str, typer.Option(help="Formats, separated by commas: csv, json, xlsx; a pdf is always added.")
    ] = "csv,json,xlsx,pdf",
    folder: FolderOption = None,
    lang: LangOption = None,
    principal: OnlyOption = None,
    sealed: SealedOption = False,
    to_controller: export_handover.ControllerOption = None,
    asked: export_handover.AskedOption = None,
    to_principal: export_handover.PrincipalOption = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make the package that the person may take along (Article 20): a Data Package and a dictionary of its fields.

    JSON: as `export access`; `fields` gives the reason for each field left out. Exit 1 when no field may go; then
    nothing is written. With --to-controller or --to-principal: case, handed [{principal, to, exchange, where,
    receipt, sha256, is_there, delete_after}]; a controller gets it only if the person asked so, in the letter that
    --asked names.

    Example: sluice export portability 5b1f0c2e --to-controller solar02 --asked LETTER-12
    """
    from sluice.answers.model import AnswerKind, NothingPortable
    from sluice.answers.portable import check_forms

    forms = tuple(dict.fromkeys(word.strip() for word in to.split(",") if word.strip()))
    if forms:
        check_forms(forms)
    try:
        if to_controller is not None:
            export_handover.send_on(case, to_controller, asked, by, format)
            return
        if to_principal:
            export_handover.give_to_principals(case, AnswerKind.PORTABILITY, format)
            return
        made, target = _make(case, AnswerKind.PORTABILITY, folder, lang, principal, sealed, by, forms)
    except NothingPortable as error:
        _show_nothing(error, format)
        raise typer.Exit(Exit.REFUSED) from None
    _show(made, target, format)


@app.command("decide")
def decide(
    case: CaseArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be given; decide nothing.")] = False,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Decide a portability request field by field: what Article 20 covers is given, the rest is refused with a reason.

    The letter about a refusal, which names the ways to complain and sue, is written at once. JSON: as `case open`, and
    fields [{name, included, reason}]; with --dry-run case and fields. Exit 1 when there is nothing to decide.

    Example: sluice export decide 5b1f0c2e --by an.peeters
    """
    from sluice.answers.decide import decide_portability, foresee_portability
    from sluice.exchange.house import open_house
    from sluice.rights.case.describe import describe
    from sluice.rights.case.model import desk_actor
    from sluice.rights.case.store import find_beginning

    actor = desk_actor(by or login_name())
    with open_house(get_settings()) as house, err.status("looking into every store"):
        found = find_beginning(house.conn, case)
        if dry_run:
            lines = foresee_portability(house, found, datetime.now(UTC))
            if format is Format.JSON:
                show_json({"case": found, "fields": fields_told(lines)})
            else:
                _show_fields(lines)
            return
        decided, lines = decide_portability(house, found, datetime.now(UTC), actor)
    if format is Format.JSON:
        show_json({**describe(decided), "fields": fields_told(lines)})
        return
    show_case(decided, format)
    _show_fields(lines)


app.command("link")(export_link.link)
app.command("links")(export_link.links)


def _make(
    case: str,
    kind: "AnswerKind",
    folder: Path | None,
    lang: str | None,
    principal: str | None,
    sealed: bool,
    by: str | None,
    forms: tuple[str, ...] = (),
) -> "tuple[Made, Path | None]":
    from sluice.answers.make import FORMS, PackageWish, make
    from sluice.cli.output import err
    from sluice.errors import Ref, UsageError
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.rights.case.guards import LANGUAGES
    from sluice.rights.case.model import desk_actor
    from sluice.rights.case.store import find_beginning

    if lang is not None and lang not in LANGUAGES:
        raise UsageError(Ref("option", "--lang"), Ref("one of", ", ".join(LANGUAGES)))
    with open_house(get_settings()) as house, err.status("looking into every store"):
        pick_principals(house.conn, principal)
        found = find_beginning(house.conn, case)
        target = None if sealed else folder or _free(Path.cwd() / f"{kind.value}-{found[:8]}")
        wish = PackageWish(target, lang, principal, forms or FORMS)
        return make(house, found, kind, datetime.now(UTC), desk_actor(by or login_name()), wish), target


def _free(folder: Path) -> Path:
    """The folder itself, or the first name beside it that is not taken."""
    names = (folder if number == 1 else folder.with_name(f"{folder.name}-{number}") for number in range(1, 1000))
    return next((name for name in names if not name.exists()), folder)


def fields_told(lines: "Sequence[FieldLine]") -> list[dict[str, Any]]:
    """Describe columns as the JSON of a command has them."""
    return [
        {
            "name": line.name,
            "included": line.included,
            "reason": line.iri or line.reason,
            "code": line.reason,
            "group": line.group,
            "dataset": line.dataset,
            "contract_version": line.version,
            "principal": line.principal,
        }
        for line in lines
    ]


def _show(made: "Made", target: Path | None, format: Format) -> None:
    answer = made.answer
    files = [{"path": line.path, "sha256": line.sha256, "rows": line.rows} for line in made.files]
    told = {
        "package": str(target) if target else None,
        "answer": answer.answer_id,
        "case": answer.case_id,
        "sealed": f"s3://{answer.bucket}/{answer.key}",
        "sha256": answer.sha256,
        "delete_after": answer.delete_after.isoformat(),
    }
    if format is Format.JSON:
        stores = [asdict(count) for count in made.stores]
        show_json({**told, "files": files, "fields": fields_told(made.fields), "stores": stores})
        return
    show_pairs("Package", told)
    show_table("Files", ("path", "rows", "sha256"), [(line.path, line.rows, line.sha256) for line in made.files])
    _show_fields(made.fields)


def _show_fields(lines: "Sequence[FieldLine]") -> None:
    rows = [
        (line.principal, line.dataset, line.name, line.group, "yes" if line.included else "no", line.iri or line.reason)
        for line in lines
    ]
    show_table("Fields", ("principal", "dataset", "name", "group", "included", "reason"), rows)


def _show_nothing(error: "NothingPortable", format: Format) -> None:
    """Print every field with the reason for which it was left out, when no file was made."""
    err.print(str(error), style="red", markup=False)
    if format is Format.JSON:
        problem = {"code": error.code, "message": str(error)}
        show_json({"package": None, "files": [], "fields": fields_told(error.fields), "error": problem})
        return
    _show_fields(error.fields)
