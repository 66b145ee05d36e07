"""``sluice contract``: lint, explain and export data contracts, infer one from a file, compare one with a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sluice.cli.agreement import PathArgument, show_problems
from sluice.cli.options import FLOW_FORM
from sluice.cli.output import Format, FormatOption, err, escape_controls, show_json, show_table
from sluice.errors import Exit, Ref, UsageError
from sluice.given_files import check_readable, check_there, is_file
from sluice.terms import FLOW_PATTERN, PRINCIPAL_PATTERN, Direction

app = typer.Typer(
    help="Data contracts (ODCS 3.1): lint, explain, export, infer, drift.",
    epilog="Example: sluice contract infer leads.csv --principal energy02 --flow leads",
    no_args_is_help=True,
)

PATH, FILE = Ref("argument", "PATH"), Ref("argument", "FILE")
PaperArgument = Annotated[Path, typer.Argument(metavar="PATH", help="The file of one contract.")]


class Standard(StrEnum):
    """Value of ``--to``."""

    DCAT = "dcat"


@app.callback()
def topic() -> None:
    """Data contracts (ODCS 3.1): lint, explain, export, infer, drift."""


@app.command("lint")
def lint(path: PathArgument, format: FormatOption = Format.TABLE) -> None:
    """Name every mistake with file, line, code and cure, also those in its rules and suites.

    Exit 1 when there is one; a warning alone gives exit 0. JSON: problems, warnings, and fields as in `contract
    explain`; of a folder those of all its contracts, each with the file as contract.

    Example: sluice contract lint include/principals/energy01/renewal_campaign.inbound.odcs.yaml
    """
    from sluice.gate.lint import lint_whole
    from sluice.settings import get_settings

    check_there(path, PATH)
    fields = _fields_below(path) if format is Format.JSON else []
    show_problems(lint_whole(path, "CON", get_settings().expectations_dir), format, fields=fields)


@app.command("explain")
def explain(path: PaperArgument, format: FormatOption = Format.TABLE) -> None:
    """Show what every column is, on whose legal basis it rests, and whether the right to portability covers it.

    For a column with a gap, say what is missing and at which line; exit 1 then, because it stops every file.

    Example: sluice contract explain include/principals/energy01/renewal_campaign.inbound.odcs.yaml
    """
    from sluice.agreement.folder.explain import explain_contract

    check_readable(path, PATH)
    fields = explain_contract(path)
    if format is Format.JSON:
        show_json({"fields": _fields(path)})
    else:
        show_table(
            str(path),
            ("column", "group", "category", "origin", "basis", "portable", "reason"),
            [(f.name, f.group, f.category, f.origin, f.legal_basis, f.portable, f.reason) for f in fields],
        )
    if any(field.is_gap for field in fields):
        raise typer.Exit(Exit.REFUSED)


@app.command("export")
def export(
    path: PaperArgument,
    to: Annotated[Standard, typer.Option(help="The standard: dcat is DCAT 3.")] = Standard.DCAT,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a contract as JSON-LD for a data catalogue: dataset, file formats, columns, purposes.

    It uses the terms of DCAT 3 and the DPV and adds nothing to the contract. Exit 1 when the contract does not load.

    Example: sluice contract export include/principals/energy01/renewal_campaign.inbound.odcs.yaml --to dcat
    """
    import json

    from sluice.agreement.folder.export import export_dcat

    check_readable(path, PATH)
    document = {Standard.DCAT: export_dcat}[to](path)
    show_json(document) if format is Format.JSON else typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _fields_below(path: Path) -> list[dict[str, object]]:
    """What every column of one contract is, or of all below a folder: then with ``contract``, the file in it."""
    from sluice.agreement.folder.load import find_papers

    if is_file(path):
        return _fields(path)
    papers = [
        paper for folder in sorted({each.parent for each in path.rglob("*.y*ml")}) for paper in find_papers(folder)
    ]
    return [{"contract": str(paper.relative_to(path)), **field} for paper in papers for field in _fields(paper)]


def _fields(path: Path) -> list[dict[str, object]]:
    """Explain every column of one contract; empty for a file that is no contract."""
    from sluice.agreement.errors import PaperInvalid
    from sluice.agreement.folder.explain import explain_contract

    names = ("name", "group", "category", "origin", "legal_basis", "portable", "reason")
    try:
        return [{name: getattr(field, name) for name in names} for field in explain_contract(path)]
    except PaperInvalid:
        return []


@app.command("infer")
def infer(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, JSON or Parquet; it is only read.")],
    principal: Annotated[str, typer.Option(help="Code of the principal.")] = "someone",
    flow: Annotated[str, typer.Option(help="Name of the flow: small letters, digits, _ and -.")] = "",
    direction: Annotated[Direction, typer.Option(help="Which way the file crosses.")] = Direction.INBOUND,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a contract skeleton for a file; columns and types are guessed, roles and purposes are left OPEN.

    Exit 1 when the file cannot be read as a table, 3 when it reads in more than one way.

    Example: sluice contract infer calls.csv --principal bank01 --flow calls > calls.inbound.odcs.yaml
    """
    import re

    from sluice.agreement.contract.infer import check_names
    from sluice.exchange.infer import skeleton_of

    flow = flow or re.sub(r"[^a-z0-9]+", "_", file.stem.lower()).strip("_")[:63] or "some_flow"
    check_readable(file, FILE)
    if not re.fullmatch(PRINCIPAL_PATTERN, principal) or not re.fullmatch(FLOW_PATTERN, flow):
        raise UsageError(Ref("option", "--principal or --flow"), Ref("takes", FLOW_FORM))
    with err.status("reading"):
        skeleton = skeleton_of(file, principal, flow, direction)
    check_names(skeleton.columns)
    if format is Format.JSON:
        show_json({"contract": skeleton.text, "fields": [_open_field(column.name) for column in skeleton.columns]})
    else:
        typer.echo(skeleton.text, nl=False)


@app.command("drift")
def drift(
    path: PaperArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file as the principal sends it now; it is only read.")
    ],
    format: FormatOption = Format.TABLE,
) -> None:
    """Show how the columns of FILE differ from the contract (new, missing, renamed, moved), and the YAML to change.

    Column names of FILE are shown only if it has at least half of the declared columns.
    JSON: drift [{change, declared, found, position, line, yaml}]. Exit 1 when something differs or FILE has no header.

    Example: sluice contract drift include/principals/energy01/renewal_campaign.inbound.odcs.yaml leads.csv
    """
    from dataclasses import asdict

    from sluice.exchange.infer import drift_of

    check_readable(path, PATH)
    check_readable(file, FILE)
    with err.status("reading"):
        found = drift_of(path, file)
    if format is Format.JSON:
        show_json({"path": str(path), "drift": [{**asdict(each), "yaml": list(each.yaml)} for each in found]})
    else:
        for each in found:
            names = " -> ".join(dict.fromkeys(name for name in (each.declared, each.found) if name))
            place = f", column {each.position} of the file" if each.position else ""
            typer.echo(escape_controls(f"@@ {path}:{each.line} @@ {each.change}: {names}{place}"))
            typer.echo("".join(f"{line}\n" for line in each.yaml), nl=False)
    if found:
        raise typer.Exit(Exit.REFUSED)


def _open_field(name: str) -> dict[str, object]:
    """Describe a column that nobody has decided about yet, in the shape of ``contract explain``."""
    unknown = dict.fromkeys(("group", "category", "origin", "legal_basis"))
    return {
        "name": name,
        **unknown,
        "portable": False,
        "reason": "open: group, category, role and purpose are to fill in",
    }
