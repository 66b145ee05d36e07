"""``sluice agreement``: processing agreements, their mistakes, their roles, and what is in force."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.options import ByOption, as_code
from sluice.cli.output import Format, FormatOption, err, escape_controls, show_json, show_pairs, show_table
from sluice.errors import Exit, FileMissing, NotFound, Ref, as_typed
from sluice.given_files import check_there, is_folder
from sluice.terms import Direction, FieldGroup, RoleProfile, Severity
from sluice.times import brussels_day, brussels_today

if TYPE_CHECKING:
    from sluice.agreement.model import Agreement, DataContract, Problem
    from sluice.agreement.roles.profiles import RolesRow

app = typer.Typer(
    help="Processing agreements: lint, roles, what is in force.",
    epilog="Example: sluice agreement lint include/principals",
    no_args_is_help=True,
)

MOST_FAULTS = 5
"""Faults of papers that are printed when a paper is missing; the linter prints all."""

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="A file, or a folder with files below it.")]


@app.callback()
def topic() -> None:
    """Processing agreements: lint, roles, what is in force."""


@app.command("lint")
def lint(path: PathArgument, format: FormatOption = Format.TABLE) -> None:
    """Name every mistake with file, line, code and cure. Exit 1 when there is one; a warning alone gives exit 0.

    Example: sluice agreement lint include/principals
    """
    from sluice.gate.lint import lint_whole
    from sluice.settings import get_settings

    check_there(path, Ref("argument", "PATH"))
    show_problems(lint_whole(path, "AGR", get_settings().expectations_dir), format)


def show_problems(problems: Sequence["Problem"], format: Format, **more: object) -> None:
    """Print errors and warnings, and leave with exit 1 when there is an error. ``more``: keys for JSON."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    warnings = [problem for problem in problems if problem.severity is Severity.WARNING]
    if format is Format.JSON:
        both = {"problems": [_plain(problem) for problem in errors], "warnings": [_plain(p) for p in warnings]}
        show_json({**both, **more})
    else:
        for problem in problems:
            print_problem(problem)
        typer.echo(f"{len(errors)} problems, {len(warnings)} warnings")
    if errors:
        raise typer.Exit(Exit.REFUSED)


def print_problem(problem: "Problem") -> None:
    """One line that an editor can jump to: ``file:line: CODE word: message``."""
    word = "problem" if problem.severity is Severity.ERROR else "warning"
    typer.echo(escape_controls(f"{problem.path}:{problem.line}: {problem.code} {word}: {problem.message}"))


def tell_faults(faults: Sequence["Problem"]) -> None:
    """Say on stderr why papers that are there cannot be used, and which command lists all."""
    for fault in faults[:MOST_FAULTS]:
        err.print(f"{fault.path}:{fault.line}: {fault.code} {fault.message}", markup=False)
    if len(faults) > MOST_FAULTS:
        folder = Path(faults[0].path).parent
        err.print(f"{len(faults) - MOST_FAULTS} more: `sluice agreement lint {folder}`", markup=False)


def _plain(problem: "Problem") -> dict[str, str | int]:
    return {"path": problem.path, "line": problem.line, "code": problem.code, "message": problem.message}


@app.command("activate")
def activate(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="Folder of principals; the configured one by default.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Register every paper by its hash and put it in force from now. Repeating it changes nothing.

    A principal whose papers have an error keeps what was in force (exit 1); the others are activated. A paper in force
    that is no longer in the folder is named: taking it away ends nothing.

    JSON: principals [{principal, activated, unchanged, problems, is_refused}], and removed
    [{principal, kind, id, version, path}].

    Example: sluice agreement activate
    """
    from sluice.agreement.in_force.activate import activate_all
    from sluice.agreement.in_force.removed import find_removed
    from sluice.db import connect
    from sluice.gate.lint import check_rules
    from sluice.settings import get_settings

    settings = get_settings()
    if path is not None and not is_folder(path):
        raise FileMissing(Ref("argument", "PATH"), Ref("rule", "NO_FOLDER"))
    check = partial(check_rules, expectations=settings.expectations_dir)
    with connect(settings) as conn, err.status("checking"):
        done = activate_all(conn, path or settings.papers(), datetime.now(UTC), check)
        removed = find_removed(conn, settings.papers(), brussels_today()) if path is None else []
    if format is Format.JSON:
        principals = [{**asdict(each), "problems": [_plain(p) for p in each.problems]} for each in done]
        show_json({"principals": principals, "removed": [asdict(each) for each in removed]})
    else:
        rows = [(each.principal, each.activated, each.unchanged, each.is_refused) for each in done]
        show_table(
            "Activated",
            ("principal", "newly in force", "unchanged", "left as it was"),
            [(name, ", ".join(new), ", ".join(old), "yes" if refused else "") for name, new, old, refused in rows],
        )
        for problem in (problem for each in done if each.has_errors for problem in each.problems):
            print_problem(problem)
    for each in removed:
        err.print(str(each), markup=False)
    if any(each.has_errors for each in done):
        raise typer.Exit(Exit.REFUSED)


@app.command("list")
def list_agreements(format: FormatOption = Format.TABLE) -> None:
    """List every agreement of the checkout that loads, with its first and last day.

    Example: sluice agreement list --format json
    """
    from sluice.agreement.folder.load import load_agreements
    from sluice.agreement.roles.describe import describe
    from sluice.settings import get_settings

    rows = [describe(agreement) for agreement in load_agreements(get_settings().papers())]
    if format is Format.JSON:
        show_json({"agreements": rows})
    else:
        shown = [(r["id"], r["version"], r["principal"], r["valid_from"], r["valid_to"] or "open") for r in rows]
        show_table("Agreements", ("id", "version", "principal", "from", "to"), shown)


@app.command("show")
def show(
    agreement_id: Annotated[str, typer.Argument(metavar="ID", help="Agreement id, e.g. DPA-ENERGY01.")],
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A Brussels date; today by default.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the agreement in force on a day, and the limits on its files: the agreement's, ours, and which applies.

    JSON: id, version, principal, valid_from, valid_to, purposes, limits [{limit, means, agreement, house, in_force}].

    Example: sluice agreement show DPA-ENERGY01
    """
    from sluice.agreement.limits import limit_lines
    from sluice.agreement.roles.describe import describe
    from sluice.settings import get_settings

    now = datetime.now(UTC)
    agreement, _ = _find_paper(agreement_id, at.date() if at else brussels_day(now), now)
    told, lines = describe(agreement), list(limit_lines(agreement.limits, get_settings()))
    if format is Format.JSON:
        show_json({**told, "limits": [asdict(line) for line in lines]})
        return
    show_pairs(f"{told['id']} {told['version']}", {**told, "purposes": ", ".join(told["purposes"])})
    show_table(
        "Limits",
        ("limit", "of", "agreement", "house at most", "in force"),
        [(line.limit, line.means, line.agreement, line.house, line.in_force) for line in lines],
    )


@app.command("roles")
def roles(
    agreement_id: Annotated[str, typer.Argument(metavar="ID", help="Agreement id, e.g. DPA-ENERGY01.")],
    direction: Annotated[Direction, typer.Option(help="Which way the data crosses.")],
    group: Annotated[FieldGroup | None, typer.Option(help="One field group only.")] = None,
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A Brussels date; today by default.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show who is controller, processor and owner of every field, who answers persons, and who is notified.

    Reads the registered papers when a database is configured, else the files of the checkout.

    Example: sluice agreement roles DPA-ENERGY01 --direction inbound --group contact_point
    """
    from sluice.agreement.roles.describe import describe_roles
    from sluice.agreement.roles.profiles import roles_for

    now = datetime.now(UTC)
    on = at.date() if at else brussels_day(now)
    agreement, contracts = _find_paper(agreement_id, on, now)
    rows = roles_for(agreement, contracts, direction, on, group)
    if format is Format.JSON:
        show_json(describe_roles(agreement, rows))
        return
    title = f"{agreement.agreement_id} {agreement.version}, {direction}, {on}: principal = {agreement.principal}"
    _show_roles(title, rows)


def _show_roles(title: str, rows: Sequence["RolesRow"]) -> None:
    head = ("field", "group", "profile", "controller", "processor", "owner", "basis", "answers", "notified")
    cells = [
        (r.field, r.group, r.profile, r.controller, r.processor, r.owner_label, r.basis_holder, r.answers_subject)
        for r in rows
    ]
    show_table(title, head, [(*row, ", ".join(r.notified)) for row, r in zip(cells, rows, strict=True)])
    for warning in sorted({f"{row.group}: {warning}" for row in rows for warning in row.warnings}):
        typer.echo(f"warning: {warning}")


def _find_paper(agreement_id: str, on: date, now: datetime) -> tuple["Agreement", tuple["DataContract", ...]]:
    """The version in force on a date, from the database or from the checkout. Raises NotFound.

    A file that cannot be used is as good as missing, so its faults are told.
    """
    from sluice.settings import get_settings

    settings = get_settings()
    if settings.database_url is None:
        from sluice.agreement.folder.load import find_on_file
        from sluice.exchange.dry_run import faults_of_papers

        paper = find_on_file(settings.papers(), agreement_id, on)
        if paper:
            return paper
        tell_faults(faults_of_papers(settings.papers(), agreement_id, None))
    else:
        from sluice.agreement.in_force.store import get_paper
        from sluice.db import connect

        with connect(settings) as conn:
            return get_paper(conn, agreement_id, on, now)
    raise NotFound(as_typed("agreement", agreement_id), Ref("date", on.isoformat()))


@app.command("sign-off")
def sign_off(
    agreement_id: Annotated[str, typer.Argument(metavar="ID", help="Agreement id, e.g. DPA-ENERGY01.")],
    reason: Annotated[
        str, typer.Option(callback=as_code, help="Why: a code in capitals for the ledger, such as BOARD_2026_01.")
    ],
    version: Annotated[str | None, typer.Option(help="The version; the one that holds today by default.")] = None,
    profile: Annotated[RoleProfile, typer.Option(help="The role profile.")] = RoleProfile.SEED_OWNER,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Sign off a role profile that could be contested, so that reports no longer warn that nobody signed it off.

    The roles themselves do not change. Where the agreement asks for two signatures, two different people give them.
    JSON: agreement, version, profile, signed_by, needed, signed_off. Exit 1 where nothing needs a signature.

    Example: sluice agreement sign-off DPA-ENERGY01 --reason BOARD_2026_01
    """
    from sluice.agreement.in_force.store import get_paper
    from sluice.agreement.roles.sign_off import sign_off as sign
    from sluice.db import connect
    from sluice.settings import get_settings, login_name

    now = datetime.now(UTC)
    with connect(get_settings()) as conn:
        held = version or get_paper(conn, agreement_id, brussels_day(now), now)[0].version
        paper = sign(conn, agreement_id, held, profile, by or login_name(), now, reason=reason)
    document = {
        "agreement": paper.agreement_id,
        "version": paper.version,
        "profile": profile.value,
        "signed_by": list(paper.seed_owner_signers),
        "needed": paper.seed_owner_signatures,
        "signed_off": paper.is_seed_owner_signed_off,
    }
    shown = document | {"signed_by": ", ".join(paper.seed_owner_signers)}
    show_json(document) if format is Format.JSON else show_pairs("Signed off", shown)
