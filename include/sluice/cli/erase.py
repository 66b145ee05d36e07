"""``sluice erase``: plan an erasure, run it, scan a second time, and sign the certificate."""

from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli import erase_control
from sluice.cli.case_output import CaseArgument
from sluice.cli.erase_control import find_case, plan_told
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.cli.private_file import private_file
from sluice.errors import Exit, Ref, UsageError
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.rights.erasure.model import ErasureReport
    from sluice.rights.erasure.planned import PlannedObject
    from sluice.rights.erasure.release import Drafted

MOST_OBJECTS = 50
"""How many objects the table of a plan shows; JSON has them all."""

app = typer.Typer(
    help="Take a person out of everything that was exchanged, with proof.",
    no_args_is_help=True,
    epilog="Example: sluice erase plan 5b1f0c2e",
)


@app.command("plan")
def plan_(case: CaseArgument, by: ByOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show what a run would do now, store by store, without changing any store.

    Once erasure is decided and the agreement asks for a second person, this is kept as the plan to release;
    whoever made it cannot release it.

    JSON, as of `run` and `verify`: case, stores [{store, objects, rows_before, rows_after, outcome, ground}], residual
    (hits of the second scan; null: not scanned), counts, plans as `erase release`. Of a plan also grounds [{principal,
    sub_case, ground}] (GDPR Art. 17(1); null: not said) and objects [{principal, store, object, exchange, kind, rows,
    outcome, ground, fields [{name, group, outcome, stays_by}]}]; stays_by: exceptions (IRIs), UNDECIDED, or
    LEFT_OUT (its controller named other fields, not why). The table shows 50 objects. And recipients [{principal,
    sub_case, recipient, channel, field_groups, is_guess}]: who would be told (GDPR Art. 19); channel: prefix or desk.

    Example: sluice erase plan 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.release import draft

    with open_house(get_settings()) as house, err.status("searching every store"):
        drafted = draft(house, find_case(house.conn, case), by or login_name(), datetime.now(UTC))
    _show(drafted.report, format, drafted)


app.command("release")(erase_control.release)
app.command("preflight")(erase_control.preflight)
app.command("stop")(erase_control.stop)
app.command("resume")(erase_control.resume)
app.command("status")(erase_control.status)


@app.command("run")
def run_(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Erase what was decided and released, then scan every byte of every version. Safe to run again.

    Exit 1 when nobody released it, it was stopped, or the second scan still finds something; 3 when files are being
    processed, something could not be read, or another principal's part waits for its release.

    Example: sluice erase run 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.erase import run

    with open_house(get_settings()) as house, err.status("erasing"):
        report = run(house, find_case(house.conn, case), datetime.now(UTC))
    _show(report, format)
    _leave(report)


@app.command("verify")
def verify_(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Scan every byte of every version again, with a reader that shares no code with the eraser.

    Exit 1 when it finds something or no erasure was decided; 3 when something could not be read.

    Example: sluice erase verify 5b1f0c2e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.erasure.erase import verify

    with open_house(get_settings()) as house, err.status("scanning"):
        report = verify(house, find_case(house.conn, case), datetime.now(UTC))
    _show(report, format)
    if report.residual:
        err.print("`sluice erase run` takes what is left, and what came in since", markup=False)
    _leave(report)


@app.command("certificate")
def certificate(
    case: CaseArgument,
    pdf: Annotated[Path | None, typer.Option(help="Also write the certificate as a PDF into this file.")] = None,
    language: Annotated[str, typer.Option(help="Language of the PDF: nl, fr or en.")] = "nl",
    principal: Annotated[
        str | None, typer.Option(help="Only this principal's certificate; a PDF is of one principal.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Sign, for each principal, what the last second scan proved. Exit 1 while it found something left.

    The signed file is the proof (`sluice receipt certificate` verifies it); the PDF is made from it and says the same.
    Neither names a person.

    Example: sluice erase certificate 5b1f0c2e --pdf certificate.pdf --language fr --principal energy01
    """
    from sluice.exchange.house import open_house
    from sluice.exchange.read import pick_principals
    from sluice.rights.case.guards import check_language
    from sluice.rights.erasure.certificate import issue, open_pdf, stores_in

    check_language(language)
    with ExitStack() as place:
        write = place.enter_context(private_file("--pdf", pdf)) if pdf else None
        house = place.enter_context(open_house(get_settings()))
        place.enter_context(err.status("signing"))
        case_id = find_case(house.conn, case)
        pick_principals(house.conn, principal)
        issued = issue(house, case_id, only=[principal] if principal else None)
        if write and len(issued) != 1:
            raise UsageError(Ref("option", "--principal"), Ref("certificates", len(issued)))
        if write:
            write(open_pdf(house, issued[0], language))
    if format is Format.JSON:
        files = [{"principal": each.principal, "object": f"s3://{each.bucket}/{each.key}"} for each in issued]
        told = {"case": case_id, "stores": stores_in(issued), "residual": 0, "certificates": files}
        show_json(told | {"pdf": str(pdf)} if pdf else told)
        return
    show_table("Certificates", ("principal", "object"), [(c.principal, f"s3://{c.bucket}/{c.key}") for c in issued])


def _leave(report: "ErasureReport") -> None:
    if report.residual:
        raise typer.Exit(Exit.REFUSED)
    if report.doubts or report.waiting or report.to_release or report.undecided:
        raise typer.Exit(Exit.UNDECIDED)


def _show(report: "ErasureReport", format: Format, drafted: "Drafted | None" = None) -> None:
    told, stores = [plan_told(each) for each in drafted.plans] if drafted else [], [*map(asdict, report.lines)]
    if format is Format.JSON:
        show_json({"case": report.case_id, **asdict(report), "stores": stores, "plans": told, **_foreseen(drafted)})
        return
    show_table(
        f"Case {report.case_id}",
        ("store", "objects", "rows before", "rows after", "outcome", "ground"),
        [list(line.values()) for line in stores],
    )
    if drafted:
        _show_foreseen(drafted)
    show_pairs(
        "Second scan",
        {
            "searched": ", ".join(report.searched),
            "objects read": report.objects_scanned,
            "residual": "not scanned" if report.residual is None else report.residual,
            "could not be read": report.doubts,
            "places nobody looks through": ", ".join(report.unknown) or 0,
            "sealed to their recipient": report.sealed,
            "shared with other persons": report.shared,
            "too short to look for": report.short,
            "files under way": report.waiting,
            "stay by decision": report.kept - report.undecided,
            "wait for a decision": report.undecided,
            "principals to release": report.to_release,
        },
    )
    if report.unread:
        rows = [(each.store, each.exchange_id or each.place, each.reason) for each in report.unread]
        show_table(
            "Still names the person, could not be read, or is the principal's own",
            ("store", "exchange or place", "why"),
            rows,
        )
    if told:
        show_table("Plans", erase_control.PLAN, [list(each.values()) for each in told])


def _foreseen(drafted: "Drafted | None") -> dict[str, object]:
    if drafted is None:
        return {}
    return {
        "grounds": [asdict(each) for each in drafted.grounds],
        "objects": [asdict(each) for each in drafted.objects],
        "recipients": [asdict(each) for each in drafted.recipients],
    }


def _show_foreseen(drafted: "Drafted") -> None:
    show_table(
        "Decided",
        ("principal", "part", "ground (Art. 17(1))"),
        [(each.principal, each.sub_case, each.ground or "not said") for each in drafted.grounds],
    )
    show_table(
        f"Recipients who would be told: {len(drafted.recipients)}",
        ("principal", "part", "recipient", "by", "field groups"),
        [
            (each.principal, each.sub_case, f"{each.recipient}{' (perhaps)' * each.is_guess}", each.channel,
             ", ".join(each.field_groups))
            for each in drafted.recipients
        ],
    )  # fmt: skip
    show_table(
        f"Objects: {len(drafted.objects)}",
        ("principal", "store", "object", "rows", "outcome", "ground", "fields"),
        [
            (each.principal, each.store, each.object, each.rows, each.outcome, each.ground, _fields(each))
            for each in drafted.objects[:MOST_OBJECTS]
        ],
    )
    if len(drafted.objects) > MOST_OBJECTS:
        err.print(f"{len(drafted.objects) - MOST_OBJECTS} more objects: `--format json`", markup=False)


def _fields(planned: "PlannedObject") -> str:
    """The columns of an object that stay by an exception or a missing decision, or else how many go or stay with it."""
    from sluice.rights.case.reasons import short

    own = [f"{each.name} ({', '.join(map(short, each.stays_by))})" for each in planned.fields if each.stays_by]
    rest = len(planned.fields) - len(own)
    return ", ".join([*own, *([f"{rest} with {'them' if own else 'the row'}"] if rest else [])])
