"""``sluice erase``: what an erasure would do, doing it, and the second scan."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.rights.erase_model import ErasureReport
    from sluice.rights.model import CaseId

app = typer.Typer(
    help="Take a person out of everything that was exchanged, with proof.",
    no_args_is_help=True,
    epilog="Example: sluice erase plan 5b1f0c2e",
)
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Case id, or an unambiguous beginning of it.")]


@app.command("plan")
def plan_(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Say what a run would do now, store by store; changes nothing.

    Example: sluice erase plan 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erase import plan

    with open_house(get_settings()) as house, err.status("searching every store"):
        report = plan(house, _found(house, case))
    _show(report, format)


@app.command("run")
def run_(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Erase what was decided, then scan every byte of every version. Safe to run again.

    Exit 1 when the second scan still finds something, 3 when files are under way or a part could not be read.

    Example: sluice erase run 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erase import run

    with open_house(get_settings()) as house, err.status("erasing"):
        report = run(house, _found(house, case), datetime.now(UTC))
    _show(report, format)
    _leave(report)


@app.command("verify")
def verify_(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Scan every byte of every version again, with a reader that shares no code with the eraser.

    Example: sluice erase verify 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erase import verify

    with open_house(get_settings()) as house, err.status("scanning"):
        report = verify(house, _found(house, case), datetime.now(UTC))
    _show(report, format)
    _leave(report)


@app.command("certificate")
def certificate(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Sign what the last second scan proved, per principal. Exit 1 while a residue is left.

    Example: sluice erase certificate 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.certificate import issue, stores_in

    with open_house(get_settings()) as house:
        issued = issue(house, _found(house, case))
    if format is Format.JSON:
        files = [{"principal": each.principal, "object": f"s3://{each.bucket}/{each.key}"} for each in issued]
        show_json({"stores": stores_in(issued), "residual": 0, "certificates": files})
        return
    show_table("Certificates", ("principal", "object"), [(c.principal, f"s3://{c.bucket}/{c.key}") for c in issued])


def _found(house: "House", case: str) -> "CaseId":
    from sluice.rights.store import find_beginning

    return find_beginning(house.conn, case)


def _leave(report: "ErasureReport") -> None:
    if report.residual:
        raise typer.Exit(Exit.REFUSED)
    if report.doubts or report.waiting:
        raise typer.Exit(Exit.UNDECIDED)


def _show(report: "ErasureReport", format: Format) -> None:
    if format is Format.JSON:
        show_json({**asdict(report), "stores": [asdict(line) for line in report.lines]})
        return
    show_table(
        f"Case {report.case_id}",
        ("store", "objects", "rows before", "rows after", "outcome", "ground"),
        [
            (line.store, line.objects, line.rows_before, line.rows_after, line.outcome, line.ground)
            for line in report.lines
        ],
    )
    show_pairs(
        "Second scan",
        {
            "searched": ", ".join(report.searched),
            "objects read": report.objects_scanned,
            "residual": "not scanned" if report.residual is None else report.residual,
            "could not be read": report.doubts,
            "files under way": report.waiting,
        },
    )
