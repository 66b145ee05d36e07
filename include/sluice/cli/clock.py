"""``sluice clock``: by when a request of a person must be answered."""

import json
import re
import sys
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, items, show_json, show_table
from sluice.errors import Exit, Ref, SluiceError, UsageError

if TYPE_CHECKING:
    from sluice.rights.case.clock import DueDates

app = typer.Typer(
    help="The legal clock of requests.",
    epilog="Example: sluice clock due 2026-03-05 --country BE",
    no_args_is_help=True,
)

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(DAY.pattern + r"[T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII)

DateArgument = Annotated[
    str,
    typer.Argument(metavar="DATE", help="YYYY-MM-DD, or an ISO moment (Brussels time if no zone); or - for stdin."),
]
CountryOption = Annotated[
    str | None, typer.Option(help="The controller's country, two letters, in the EEA; the center's by default.")
]


@app.callback()
def topic() -> None:
    """The legal clock of requests."""


@app.command("due")
def due(received: DateArgument, country: CountryOption = None, format: FormatOption = Format.TABLE) -> None:
    """Print the last days (inclusive) on which a request received on DATE can be answered in time.

    A moment counts as its calendar date in Brussels. With - in place of DATE, read one date per line from stdin and
    print one JSON object per line, with its number as line; a line that cannot be read gives an error object, and
    exit 2 at the end.

    Example: sluice clock due 2026-03-04T23:30:00Z --format json
    """
    from sluice.rights.case.holidays import check_country
    from sluice.settings import get_settings

    country = get_settings().center_country if country is None else country.upper()
    check_country(country)
    if received == "-":
        raise typer.Exit(_each_line(country))
    dates = _due(received, country)
    if format is Format.JSON:
        show_json(asdict(dates))
    else:
        rows = [(name.replace("_", " "), day, f"{day:%A}") for name, day in asdict(dates).items()]
        show_table(f"Legal clock, {country}", ("", "date", "weekday"), rows)


def _each_line(country: str) -> Exit:
    done = Exit.DONE
    for number, text in enumerate(items("-"), 1):
        answer: dict[str, Any]
        try:
            answer = asdict(_due(text, country))
        except SluiceError as error:
            answer = {"error": {"code": error.code, "message": str(error)}}
            done = Exit.USAGE
        sys.stdout.write(json.dumps({"line": number, **answer}, default=str) + "\n")
        sys.stdout.flush()
    return done


def _due(text: str, country: str) -> "DueDates":
    from sluice.rights.case.clock import due_dates
    from sluice.rights.case.facts import clock_parameters

    received = _date_of(text.strip().upper())
    return due_dates(received, country, clock_parameters(received))


def _date_of(text: str) -> date:
    """Read a date or moment, in Brussels time if no zone. Raises UsageError; it does not quote the text."""
    from sluice.rights.case.clock import received_on
    from sluice.times import from_when

    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
        if MOMENT.fullmatch(text):
            return received_on(from_when(datetime.fromisoformat(text)))
    except ValueError:
        pass
    raise UsageError(Ref("argument", "DATE"), Ref("takes", "YYYY-MM-DD, or a moment, with a zone or in Brussels time"))
