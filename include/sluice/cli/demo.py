"""``sluice demo``: the whole story, end to end through Airflow, with its evidence."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Exit
from sluice.settings import Settings, find_home, get_settings

if TYPE_CHECKING:
    from sluice.demo.files import Drop
    from sluice.demo.real import Gap
    from sluice.demo.story import Check, Outcome


def demo(
    file: Annotated[Path | None, typer.Argument(help="A real CSV or XLSX; without it a sample is made.")] = None,
    rows: Annotated[int, typer.Option(min=200, max=1_000_000, help="Rows of each sample file.")] = 5000,
    seed: Annotated[int | None, typer.Option(help="Seed of the sample; the clock by default.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show two principals' files going through: accepted, partly accepted, refused, with proof.

    Example: sluice demo

    Example: sluice demo bank-additional-full.csv
    """
    from sluice.demo.story import fetch_receipts

    settings = _up()
    if file is None:
        outcomes, evidence = _sample(settings, seed if seed is not None else int(time.time()), rows)
    else:
        outcomes, evidence = _real(settings, file)
    if format is Format.JSON:
        show_json({"exchanges": [asdict(o.line) for o in outcomes], "evidence": [asdict(check) for check in evidence]})
    else:
        _show(outcomes, evidence)
        _addresses(settings, fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts"))
    raise typer.Exit(Exit.DONE if all(check.holds for check in evidence) else Exit.REFUSED)


def _up() -> Settings:
    """Start what is not running and put the checkout's papers in force."""
    from sluice.agreement.activate import activate_all
    from sluice.db import connect
    from sluice.services.stack import bring_up

    first = get_settings()
    bring_up(find_home(), first.var, with_airflow=True, report=lambda line: err.print(f"  {line}", markup=False))
    get_settings.cache_clear()
    settings = get_settings()
    with connect(settings) as conn:
        activate_all(conn, settings.principals_dir, datetime.now(UTC))
    return settings


def _sample(settings: Settings, seed: int, rows: int) -> tuple[list[Outcome], list[Check]]:
    from sluice.demo import files, story

    err.print(f"Dropping sample files of {rows:,} rows (seed {seed}) as the principals")
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as folder:
        drops = files.first_drops(Path(folder), seed, rows)
        outcomes = _wait(settings, drops, "Airflow judges")
        outcomes += _wait(settings, [files.second_drop(drops[0])], "the same file again")
    receipts = story.fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts")
    return outcomes, list(story.checks(settings, outcomes, receipts))


def _real(settings: Settings, file: Path) -> tuple[list[Outcome], list[Check]]:
    from sluice.demo import real, story

    table = real.read_real(file)
    contract = real.find_contract_for(settings, table)
    drop = real.drop_of(file, contract)
    if contract is None:
        _show_gap(real.write_gap(settings, file, drop.flow))
    outcomes = _wait(settings, [drop], f"Airflow judges {drop.name}")
    receipts = story.fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts")
    evidence = story.checks(settings, outcomes, receipts)
    return outcomes, [*evidence, *real.real_checks(settings, outcomes, file, table.dialect.encoding)]


def _wait(settings: Settings, drops: Sequence[Drop], title: str) -> list[Outcome]:
    from sluice.demo import story

    versions = story.put(settings, drops)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        bar = progress.add_task(title, total=len(versions))
        return story.wait(settings, versions, lambda done: progress.update(bar, completed=done))


def _show_gap(gap: Gap) -> None:
    show_table(
        f"No contract has these columns. A skeleton was written to {gap.skeleton}; open in it:",
        ("line", "code", "what to fill in"),
        [(problem.line, problem.code, problem.message) for problem in gap.problems],
    )
    err.print(
        "Fill it, move it beside the principal's agreement, and run this again: see docs/how-to/add-a-principal.md"
    )


def _show(outcomes: Sequence[Outcome], evidence: Sequence[Check]) -> None:
    show_table(
        "What crossed",
        ("file", "shows", "decision", "reason", "in", "accepted", "refused", "put to receipt"),
        [
            (
                f"{o.drop.principal}/{o.drop.flow}/{o.drop.name}",
                o.drop.shows,
                o.line.decision,
                o.line.reason_code,
                o.line.rows_in,
                o.line.rows_accepted,
                o.line.rows_refused,
                f"{o.seconds:.1f} s",
            )
            for o in outcomes
        ],
    )
    show_table(
        "Evidence",
        ("", "what", "figure"),
        [(Text("holds", "green") if c.holds else Text("FAILS", "bold red"), c.name, c.figure) for c in evidence],
    )


def _addresses(settings: Settings, receipts: Sequence[Path]) -> None:
    from sluice.services.airflow import passwords_path
    from sluice.services.stack import standing

    web = next(
        (s.address for s in standing(settings.home, settings.var) if s.name == "api-server"), "see sluice status"
    )
    shown = receipts[0].name.split(".")[-2]
    show_table(
        "Look around",
        ("what", "where"),
        [
            (
                "Airflow",
                f"{web} (admin; password in {passwords_path(settings.var)})",
            ),
            ("receipts", receipts[0].parent),
            ("every exchange", "sluice exchange list"),
            (
                "one exchange, six answers",
                f"sluice exchange show {shown}",
            ),
            ("the ledger", "sluice ledger verify"),
            ("stop everything", "make down"),
        ],
    )
