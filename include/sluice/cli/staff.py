"""``sluice staff``: import credentials of staff, and show who may handle contacts and until when."""

import re
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.options import moment_of
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit, NotFound, Ref, UsageError
from sluice.given_files import read_given
from sluice.times import brussels_day

if TYPE_CHECKING:
    from sluice.db import Connection
    from sluice.staff.model import Imported, Person, StaffFile

    People = tuple[Person, ...]

app = typer.Typer(
    help="Exams, codes of conduct, and who may handle contacts.",
    no_args_is_help=True,
    epilog="Example: sluice staff readiness --at 2026-11-24T10:00",
)

SourceArgument = Annotated[str, typer.Argument(metavar="FILE", help="A CSV file, or the https address of its rows.")]
MomentOption = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="T",
        help="The moment, ISO 8601; a date means its midnight; Brussels time if no zone; now by default.",
    ),
]
KnownOption = Annotated[
    str | None, typer.Option(metavar="T", help="As recorded at this moment: Brussels time if no zone; now by default.")
]
AgentOption = Annotated[str | None, typer.Option(help="Only this agent: number or reference.")]
MinimumOption = Annotated[str | None, typer.Option(help="Minimum score in percent; the center's own by default.")]


@app.callback()
def topic() -> None:
    """Exams, codes of conduct, and who may handle contacts."""


@app.command("import")
def import_file(source: SourceArgument, format: FormatOption = Format.TABLE) -> None:
    """Record courses, exams, signatures, code versions and accounts. The same file twice changes nothing.

    FILE may be the address of an e-learning system that answers with the same rows as JSON; its
    token comes from SLUICE_ELEARNING_TOKEN. Exit 1 when a row was refused; the others are recorded.

    JSON: counts, reasons (takes: which values are allowed there), and people as afterwards shown by `staff readiness`.

    Example: sluice staff import exams.csv
    """
    from sluice.db import connect
    from sluice.keys import Keyring
    from sluice.settings import get_settings
    from sluice.staff.admit import admit

    settings = get_settings()
    with err.status("recording"):
        file = _read(source)
        with connect(settings) as conn:
            key = Keyring.open(settings).staff_key()
            done = admit(conn, file, key=key, controller=settings.center, now=(now := datetime.now(UTC)))
            people = _people(conn, now) if format is Format.JSON else ()
    _show_import(done, people, format)
    if done.judged.findings:
        raise typer.Exit(Exit.REFUSED)


def _read(source: str) -> "StaffFile":
    """Read the rows from a file or an address. Raises FileMissing, FileUnreadable or StaffSourceRefused."""
    import os

    from sluice.staff.fetch import fetch, is_url
    from sluice.staff.model import StaffFile

    if is_url(source):
        return fetch(source, os.environ.get("SLUICE_ELEARNING_TOKEN"))
    return StaffFile(read_given(Path(source), Ref("argument", "FILE")), "file")


def _people(
    conn: "Connection", at: datetime, minimum: Decimal | None = None, known: datetime | None = None
) -> "People":
    from sluice.staff.facts import default_minimum
    from sluice.staff.store import read_people

    return read_people(conn, at, minimum or default_minimum(brussels_day(at)), known)


def _show_import(done: "Imported", people: "People", format: Format) -> None:
    from sluice.staff.admit import reasons_of
    from sluice.staff.rows import TAKES

    reasons = reasons_of(done.judged.findings)
    counts = {
        "sha256": done.sha256,
        "rows_in": done.judged.rows_in,
        "rows_accepted": len(done.judged.accepted),
        "rows_refused": done.judged.rows_refused,
        "rows_new": done.rows_new,
        "repeated": done.is_repeated,
        "entry": done.seq,
    }
    if format is Format.JSON:
        shown = {"code", "rule", "column", "count", "rows"}
        lines = [{**reason.model_dump(include=shown), "takes": TAKES.get(reason.rule)} for reason in reasons]
        show_json({**counts, "reasons": lines, "people": [_line(person) for person in people]})
        return
    show_pairs("Imported before, nothing added" if done.is_repeated else "Imported", counts)
    if reasons:
        cells = [
            (each.code, each.rule, each.column, each.count, ", ".join(map(str, each.rows)), TAKES.get(each.rule))
            for each in reasons
        ]
        show_table("Refused", ("code", "rule", "column", "rows", "row numbers", "takes"), cells)


@app.command("readiness")
def readiness(
    at: MomentOption = None,
    agent: AgentOption = None,
    minimum: MinimumOption = None,
    known_at: KnownOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show who is ready at a moment, until when, or why not. Agents are shown by reference, never by name.

    Exit 1 when the agent that was asked for is not known.

    Example: sluice staff readiness --at 2026-11-24T10:00 --format json
    """
    from sluice.db import connect
    from sluice.settings import get_settings

    moment = moment_of("--at", at) if at else datetime.now(UTC)
    known = moment_of("--known-at", known_at) if known_at else None
    least = _minimum(minimum) if minimum else None
    with connect(get_settings()) as conn:
        people = _people(conn, moment, least, known)
    if agent is not None:
        ref = agent if re.fullmatch("[0-9a-f]{32}", agent) else _refer(agent, None)
        people = tuple(person for person in people if person.agent_ref == ref)
        if not people:
            raise NotFound(Ref("agent", ref))
    _show_people(people, moment, format)


def _line(person: "Person") -> dict[str, Any]:
    """One item of ``people``: reference, ready, reasons, valid_until."""
    standing = person.readiness
    return {"agent_ref": person.agent_ref, **asdict(standing), "valid_until": _iso(standing.valid_until)}


def _show_people(people: "People", moment: datetime, format: Format) -> None:
    rows = [_line(person) for person in people]
    if format is Format.JSON:
        show_json({"at": _iso(moment), "people": rows})
        return
    cells = [(r["agent_ref"], "yes" if r["ready"] else "no", ", ".join(r["reasons"]), r["valid_until"]) for r in rows]
    show_table(f"Ready at {_iso(moment)}", ("agent", "ready", "reasons", "valid until"), cells)
    ready = sum(person.readiness.ready for person in people)
    typer.echo(f"{ready} of {len(people)} ready")


@app.command("ref")
def ref(
    agent: Annotated[str, typer.Argument(help="The agent's own number; with --platform, an account there.")],
    platform: Annotated[
        str | None, typer.Option(help="A platform: AGENT is then an account there, also one that no list has.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Print the reference of an agent, to find the agent in lists of held rows.

    Example: sluice staff ref A-1042
    """
    made = _refer(agent, platform)
    if format is Format.JSON:
        show_json({"agent_ref": made})
    else:
        typer.echo(made)


def _refer(agent: str, platform: str | None) -> str:
    from sluice.keys import Keyring
    from sluice.settings import get_settings
    from sluice.staff.refs import account_ref, agent_ref

    key = Keyring.open(get_settings()).staff_key()
    return account_ref(key, platform, agent) if platform else agent_ref(key, agent)


def _minimum(text: str) -> Decimal:
    if not re.fullmatch(r"(100(\.0{1,4})?|\d{1,2}(\.\d{1,4})?)", text, re.ASCII):
        raise UsageError(Ref("option", "--minimum"), Ref("takes", "0 to 100, at most four decimals, a point"))
    return Decimal(text)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
