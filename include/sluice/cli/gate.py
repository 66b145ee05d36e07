"""``sluice gate``: judge a file before it is sent, exactly as the DAG of its flow will."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.gate_reasons import explained
from sluice.cli.options import writing_to
from sluice.cli.output import Format, FormatOption, err, items, show_json, show_pairs, show_table
from sluice.errors import Exit, Ref, SluiceError, UsageError
from sluice.given_files import is_file
from sluice.terms import Flow, Verdict
from sluice.times import brussels_today

if TYPE_CHECKING:
    from sluice.cli.gate_report import LookedAt
    from sluice.documents.reasons import Explained
    from sluice.exchange.dry_run import DryRun, Tried
    from sluice.gate.model import Finding

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
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; '-' reads one path per line from stdin.")],
    agreement: Annotated[str, typer.Option(help="Id of the processing agreement, e.g. DPA-ENERGY01.")],
    flow: Annotated[
        str, typer.Option(help="Name of the flow in the contract of arriving files, e.g. renewal_campaign.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only judge; needs no service and records nothing.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Also write the verdict as an HTML page into this file.")] = None,
    lang: Annotated[str, typer.Option(help="Language of meanings, cures and the page: nl, fr or en.")] = "en",
    format: FormatOption = Format.TABLE,
) -> None:
    """Judge FILE against its contract and suites; the report has rows, rules, codes and cures, never a value.

    FILE is a file that a principal sends, or an export of a platform for a flow of results (direction internal), which
    is judged after its mapping has made it canonical.

    Held: rows that pass the gate, but whose notes a person has to read first. Only the center can tell which other rows
    it holds back (persons who are kept out) or draws as a sample.
    Exit 0 when it may be sent, 1 refused, 3 undecided. With - one JSON object per line, and the worst exit of all;
    for a path that cannot be read it has the error, and the exit is 2.

    Example: sluice gate run leads.csv --agreement DPA-ENERGY01 --flow renewal_campaign --dry-run --report leads.html
    """
    _check_usage(file, dry_run, report, lang)
    from sluice.exchange.judging.nursery import CHILD, Nursery

    with Nursery(CHILD) as nursery:
        nursery.warm()  # it imports what judges while the paper is read here
        from sluice.exchange.dry_run import DryRun
        from sluice.settings import get_settings

        with DryRun.of(nursery, get_settings(), agreement, Flow(flow)) as judge:
            if file == "-":
                raise typer.Exit(max((_judged(judge, path, lang) for path in items(file)), default=Exit.DONE))
            looked_at = _look_at(Path(file)) if report else None
            with err.status("judging") as status:
                tried = judge.run(Path(file), lambda done, count: status.update(f"judging: {done} of {count} parts"))
            _tell_papers(judge, agreement, Flow(flow))
            if report and looked_at:
                _write(report, judge, looked_at, tried, lang)
    if format is Format.JSON:
        show_json(document_of(tried, lang))
    else:
        _show(file, tried, lang)
    raise typer.Exit(EXIT_OF[tried.verdict.verdict])


def _check_usage(file: str, dry_run: bool, report: Path | None, lang: str) -> None:
    if not dry_run:
        raise UsageError(Ref("option", "--dry-run"), Ref("instead", "put the file into the inbound prefix"))
    if lang not in ("nl", "fr", "en"):
        raise UsageError(Ref("option", "--lang"), Ref("one of", "nl, fr, en"))
    if report and (file == "-" or not _is_fit(report, Path(file))):
        raise UsageError(Ref("option", "--report"), Ref("instead", "one page of one file, under another name"))


def _is_fit(report: Path, file: Path) -> bool:
    """Whether a page can be written there: not on a folder, not on an impossible name, and not over the judged file."""
    try:
        return not report.is_dir() and not (report.exists() and is_file(file) and report.samefile(file))
    except (OSError, ValueError):
        return False


def _tell_papers(judge: "DryRun", agreement: str, flow: Flow) -> None:
    """If the agreement or flow has no papers here, say on stderr which ones have.

    The gate ignores a paper that cannot be used, so its faults are printed as the linter prints them.
    """
    from sluice.agreement.folder.load import load_agreements
    from sluice.agreement.papers import PaperMissing, PaperReason
    from sluice.cli.agreement import tell_faults
    from sluice.exchange.dry_run import arriving, faults_of_papers

    paper = judge.paper
    if not isinstance(paper, PaperMissing):
        return
    tell_faults(faults_of_papers(judge.settings.principals_dir, agreement, flow))
    if paper.reason is PaperReason.NO_AGREEMENT:
        known = {each.agreement_id for each in load_agreements(judge.settings.principals_dir)}
        err.print(f"agreements here: {', '.join(sorted(known)) or 'none'}", markup=False)
    elif paper.reason is PaperReason.CONTRACT_NOT_YET:
        until = f"the contract here holds from {paper.begins} on; until then the center judges by one before it, if any"
        err.print(f"{flow}: {until}", markup=False)
    elif paper.agreement and paper.reason is PaperReason.AGREEMENT_EXPIRED:
        if paper.agreement.is_in_force(brussels_today()):
            holds = f"{agreement} than {paper.agreement.version}, which holds: issue it anew under this one"
            err.print(f"{flow}: the contract here names another version of {holds}", markup=False)
    elif paper.reason is PaperReason.NO_CONTRACT and paper.agreement:
        err.print(f"flows of this agreement's folder: {', '.join(arriving(paper.agreement))}", markup=False)


def _look_at(file: Path) -> "LookedAt":
    from sluice.cli.gate_report import look_at

    return look_at(file)


def _judged(judge: "DryRun", path: str, lang: str) -> Exit:
    """Print one line of a batch, and return its exit code; a path that cannot be read gives an error in that line."""
    from sluice.exchange.dry_run import Tried
    from sluice.exchange.early_refusal import not_judged

    try:
        tried = judge.run(Path(path))
    except SluiceError as error:
        nothing = document_of(Tried(not_judged()), lang)
        show_json({"file": path, **nothing, "error": {"code": error.code, "message": str(error)}})
        return error.exit
    show_json({"file": path, **document_of(tried, lang)})
    return EXIT_OF[tried.verdict.verdict]


def _write(report: Path, judge: "DryRun", file: "LookedAt", tried: "Tried", lang: str) -> None:
    from sluice.cli.gate_report import report_page

    page = report_page(judge.paper, file, tried, lang)
    with writing_to("--report"):
        report.write_text(page, encoding="utf-8")


def document_of(tried: "Tried", lang: str = "en") -> dict[str, Any]:
    """The JSON of ``gate run``: verdict, counts, reasons with at most 20 row numbers each, their meaning and cure.

    ``not_asked``: columns that were not checked against another dataset, because only the center has it.
    """
    return {
        "verdict": tried.verdict.verdict.value,
        "rows_in": tried.verdict.rows_in,
        "rows_accepted": tried.rows_accepted,
        "rows_refused": tried.verdict.rows_refused,
        "rows_held": tried.rows_held,
        "reasons": [_plain(reason, told) for reason, told in explained(tried.reasons, lang)],
        "not_asked": [{"column": each.column, "dataset": each.dataset} for each in tried.not_asked],
    }


def _plain(reason: "Finding", told: "Explained") -> dict[str, Any]:
    kept = {key: value for key, value in asdict(reason).items() if key != "stops"}
    return {**kept, "meaning": told.meaning, "cure": told.cure}


def _show(file: str, tried: "Tried", lang: str) -> None:
    verdict = tried.verdict
    counts = {"rows in": verdict.rows_in, "accepted": tried.rows_accepted, "refused": verdict.rows_refused}
    show_pairs(f"{Path(file).name}: {verdict.verdict.value}", counts | {"held": tried.rows_held})
    if tried.reasons:
        show_table(
            "Reasons (row 1 is the first record)",
            ("code", "rule", "column", "severity", "count", "rows", "read as"),
            [(r.code, r.rule, r.column, r.severity.value, r.count, *_places(r)) for r in tried.reasons],
        )
        cures: dict[Explained, list[str]] = {}
        for reason, told in explained(tried.reasons, lang):
            cures.setdefault(told, []).append(reason.code)
        lines = [(", ".join(dict.fromkeys(codes)), told.meaning, told.cure) for told, codes in cures.items()]
        show_table("What to do", ("code", "meaning", "cure"), lines)
    if tried.not_asked:
        lists = [(each.column, each.dataset) for each in tried.not_asked]
        show_table("Not asked here, only the contact center has these keys", ("column", "must stand in"), lists)


def _places(reason: "Finding") -> tuple[str, str]:
    more = ", ..." if reason.rows and reason.count > len(reason.rows) else ""
    return ", ".join(map(str, reason.rows)) + more, " or ".join(reason.readings)
