"""``sluice gate``: judge a file before it is sent, exactly as the inbound DAG will."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, items, show_json, show_pairs, show_table
from sluice.errors import Exit, Ref, SluiceError, UsageError
from sluice.gate.model import Finding, GateVerdict
from sluice.settings import get_settings
from sluice.terms import Flow, Verdict

app = typer.Typer(
    help="Judge files.",
    epilog="\b\nExample: sluice gate run leads.csv --agreement DPA-ENERGY01 --flow renewal_campaign --dry-run",
    no_args_is_help=True,
)

EXIT_OF = {
    Verdict.PASSED: Exit.DONE,
    Verdict.WARNED: Exit.DONE,
    Verdict.REFUSED: Exit.REFUSED,
    Verdict.UNDECIDED: Exit.UNDECIDED,
}


@app.callback()
def gate() -> None:
    """Judge files."""


@app.command("run")
def run(
    file: Annotated[str, typer.Argument(help="The file; '-' reads one path a line from stdin.")],
    agreement: Annotated[str, typer.Option(help="Id of the processing agreement, e.g. DPA-ENERGY01.")],
    flow: Annotated[str, typer.Option(help="Flow of the contract, e.g. renewal_campaign.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge only; needs no service, writes nothing.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Judge FILE against its contract and suites; rows, rules and codes, never a value.

    Exit 0 when it may be sent, 1 refused, 3 undecided. With - one JSON object a line, and the worst exit of all.

    Example: sluice gate run leads.csv --agreement DPA-ENERGY01 --flow renewal_campaign --dry-run
    """
    if not dry_run:
        raise UsageError(Ref("option", "--dry-run"), Ref("instead", "put the file into the inbound prefix"))
    from sluice.exchange.dry_run import DryRun

    with DryRun.of(get_settings(), agreement, Flow(flow)) as judge:
        if file == "-":
            raise typer.Exit(max((_judged(judge, path) for path in items(file)), default=Exit.DONE))
        verdict = judge.run(Path(file))
    if format is Format.JSON:
        show_json(document_of(verdict))
    else:
        _show(file, verdict)
    raise typer.Exit(EXIT_OF[verdict.verdict])


def _judged(judge: Any, path: str) -> Exit:
    """Print one line of a batch; a path that cannot be read is that line's error, and its exit."""
    from sluice.exchange.paper import refused

    try:
        verdict = judge.run(Path(path))
    except SluiceError as error:
        nothing = document_of(refused((), Verdict.UNDECIDED))
        show_json({"file": path, **nothing, "error": {"code": error.code, "message": str(error)}})
        return error.exit
    show_json({"file": path, **document_of(verdict)})
    return EXIT_OF[verdict.verdict]


def document_of(verdict: GateVerdict) -> dict[str, Any]:
    """The JSON of ``gate run``: verdict, counts, reasons with at most 20 row numbers."""
    return {
        "verdict": verdict.verdict.value,
        "rows_in": verdict.rows_in,
        "rows_accepted": verdict.rows_accepted,
        "rows_refused": verdict.rows_refused,
        "reasons": [
            {key: value for key, value in asdict(reason).items() if key != "stops"} for reason in verdict.reasons
        ],
    }


def _show(file: str, verdict: GateVerdict) -> None:
    show_pairs(
        f"{Path(file).name}: {verdict.verdict.value}",
        {"rows in": verdict.rows_in, "accepted": verdict.rows_accepted, "refused": verdict.rows_refused},
    )
    if verdict.reasons:
        show_table(
            "Reasons (row 1 is the first record)",
            ("code", "rule", "column", "severity", "count", "rows", "read as"),
            [(r.code, r.rule, r.column, r.severity.value, r.count, *_places(r)) for r in verdict.reasons],
        )


def _places(reason: Finding) -> tuple[str, str]:
    return ", ".join(map(str, reason.rows)), " or ".join(reason.readings)
