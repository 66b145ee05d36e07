"""The ``sluice`` command: one door for people, scripts and tests.

Exit codes: 0 done, 1 refused or violated, 2 wrong usage, 3 undecided, 4 a service is missing.
"""

import itertools
import sys

import typer

from sluice.cli import (
    agreement,
    alarms,
    breach,
    case,
    clock,
    consent,
    contract,
    demo,
    dial,
    erase,
    exchange,
    export,
    gate,
    keys,
    ledger,
    lineage,
    notices,
    principal,
    receipt,
    recipients,
    register,
    retention,
    review,
    services,
    staff,
    subject,
    suppression,
)
from sluice.cli.output import err, show_json
from sluice.errors import Exit, SluiceError, place_of

app = typer.Typer(
    name="sluice",
    help="Data-exchange governance for contact centers: no file moves without purpose, role, verdict and receipt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(services.up)
app.command("down")(services.down)
app.command("status")(services.status)
app.command("doctor")(services.doctor)
app.command("demo")(demo.demo)
app.add_typer(agreement.app, name="agreement")
app.add_typer(contract.app, name="contract")
app.add_typer(principal.app, name="principal")
app.add_typer(gate.app, name="gate")
app.add_typer(exchange.app, name="exchange")
app.add_typer(receipt.app, name="receipt")
app.add_typer(recipients.app, name="recipients")
app.add_typer(register.app, name="register")
app.add_typer(review.app, name="review")
app.add_typer(ledger.app, name="ledger")
app.add_typer(lineage.app, name="lineage")
app.add_typer(staff.app, name="staff")
app.add_typer(subject.app, name="subject")
app.add_typer(case.app, name="case")
case.app.command("recipients")(notices.recipients)
app.add_typer(notices.app, name="notices")
app.add_typer(clock.app, name="clock")
clock.app.command("alarms")(alarms.alarms)
app.add_typer(erase.app, name="erase")
app.add_typer(retention.app, name="retention")
app.add_typer(export.app, name="export")
app.add_typer(breach.app, name="breach")
app.add_typer(suppression.app, name="suppression")
app.add_typer(keys.app, name="keys")
app.add_typer(consent.app, name="consent")
app.add_typer(dial.app, name="dial")
app.add_typer(dial.dncm, name="dncm")


def main() -> None:
    """Run the command; a coded error becomes its message and exit code, anything else a place."""
    try:
        app()
    except SluiceError as error:
        leave(str(error), error.code, error.exit)
    except Exception as error:
        leave(f"SLU-000 {place_of(error)}", "SLU-000", Exit.UNDECIDED)


def leave(message: str, code: str, status: Exit) -> None:
    """Say why on stderr (and as JSON on stdout where a program listens), then exit."""
    err.print(message, style="red", markup=False)
    if "--format=json" in sys.argv or ("--format", "json") in itertools.pairwise(sys.argv):
        show_json({"error": {"code": code, "message": message}})
    sys.exit(int(status))


if __name__ == "__main__":
    main()
