"""``sluice register``: the registers of processing activities, made from agreements, contracts and actual exchanges."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.options import writing_to
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Ref, UsageError
from sluice.settings import get_settings
from sluice.times import BRUSSELS, brussels_day

if TYPE_CHECKING:
    from sluice.registers.model import Register
    from sluice.registers.write import FileLine

app = typer.Typer(
    help="The registers of processing activities (GDPR Article 30).",
    no_args_is_help=True,
    epilog="Example: sluice register export --article 30.2 --lang nl --to pdf,xlsx",
)
DATE = ["%Y-%m-%d"]


@app.callback()
def topic() -> None:
    """The registers of processing activities (GDPR Article 30)."""


@app.command("export")
def export(
    article: Annotated[str, typer.Option(help="30.1: as controller. 30.2: as processor.")],
    lang: Annotated[str, typer.Option(help="Languages, separated by commas: nl, fr, en.")] = "nl,fr,en",
    to: Annotated[str, typer.Option(help="Formats, separated by commas: csv, xlsx, pdf, json.")] = "csv,xlsx,pdf,json",
    at: Annotated[
        datetime | None,
        typer.Option(formats=DATE, help="A Brussels date: the register as it was known at the end of that day."),
    ] = None,
    known_at: Annotated[
        datetime | None,
        typer.Option(
            formats=DATE, help="With --at: as known at the end of this later date, with what came to light since."
        ),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Folder for the files; made if absent.")] = Path("registers"),
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a register in the columns of the Belgian authority, and list where papers and exchanges disagree.

    A row of 30.1 is an agreement, purpose and field group; of 30.2 an agreement and purpose. JSON: rows (how many),
    path (the file, or the folder of several), exchanges, open, findings [{code, number, principal, what, exchanges}],
    files [{path, language, format, sha256, rows}].

    Example: sluice register export --article 30.1 --lang nl,fr --to pdf --at 2026-06-30
    """
    from sluice.db import connect
    from sluice.documents.words import LANGUAGES
    from sluice.registers.make import known_then, make_register
    from sluice.registers.model import Article
    from sluice.registers.write import FORMS, check_words, write_register

    if article not in set(Article):
        raise UsageError(Ref("option", "--article"), Ref("one of", "30.1, 30.2"))
    languages, forms = check_words("--lang", split(lang), LANGUAGES), check_words("--to", split(to), FORMS)
    now, settings = datetime.now(UTC), get_settings()
    on = at.date() if at else brussels_day(now)
    with connect(settings) as conn, err.status("reading papers and exchanges"):
        register = make_register(conn, settings, Article(article), on, known_then(max(_date(known_at), on), now))
    with writing_to("--folder"), err.status("writing"):
        files = write_register(register, folder, languages, forms)
    _tell_if_empty(register, brussels_day(now))
    _show(register, files, folder, format)


def _date(moment: datetime | None) -> date:
    return (moment or datetime.min).date()


def split(words: str) -> tuple[str, ...]:
    """Split words that are separated by commas."""
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _tell_if_empty(register: "Register", today: date) -> None:
    """Say on stderr that nothing was known yet, because an empty register does not show that nothing was processed."""
    if register.rows:
        return
    known = register.known_at.astimezone(BRUSSELS)
    later = f"; as known now: --known-at {today}" if known.date() < today else ""
    typer.echo(f"The register is empty: at {known:%Y-%m-%d %H:%M} nothing was known of {register.at}{later}", err=True)


def _show(register: "Register", files: "tuple[FileLine, ...]", folder: Path, format: Format) -> None:
    path = files[0].path if len(files) == 1 else folder
    if format is Format.JSON:
        findings = [
            {"code": f.code, "number": f.number, "principal": f.principal, "what": f.what, "exchanges": f.exchanges}
            for f in register.findings
        ]
        told = [
            {"path": str(f.path), "language": f.language, "format": f.format, "sha256": f.sha256, "rows": f.rows}
            for f in files
        ]
        counts = {"exchanges": register.exchanges, "open": register.open}
        show_json({"rows": len(register.rows), "path": str(path), **counts, "findings": findings, "files": told})
        return
    show_pairs(
        f"Register {register.article} of {register.at}",
        {"rows": len(register.rows), "exchanges": register.exchanges, "without decision": register.open, "in": path},
    )
    if register.findings:
        rows = [(f.code, f.number, f.principal, f.what, f.exchanges) for f in register.findings]
        show_table("Findings", ("code", "row", "principal", "what", "exchanges"), rows)
