"""``sluice demo``: a day of exchanges end to end through Airflow, with the evidence for each step."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Exit, Ref
from sluice.given_files import check_readable
from sluice.settings import Settings, get_home, get_settings
from sluice.terms import Decision

if TYPE_CHECKING:
    from sluice.demo.files import Drop
    from sluice.demo.night import Night
    from sluice.demo.person import Person
    from sluice.demo.real import Gap
    from sluice.demo.story import Check, Dropped, Outcome
    from sluice.exchange.house import House


def demo(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Your own CSV or XLSX; a generated sample by default.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1_200, max=1_000_000, help="Rows of each sample file.")] = 5000,
    seed: Annotated[int | None, typer.Option(help="Seed of the sample; taken from the clock by default.")] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Send files of two principals through, return the night's results to them, and show the evidence.

    With FILE, send only that one: exit 1 when it is refused, 3 when it is undecided.

    Example: sluice demo

    Example: sluice demo bank-additional-full.csv
    """
    from sluice.demo.story import example_of, fetch_receipts

    if file is not None:
        check_readable(file, Ref("argument", "FILE"))
    settings = _up()
    night = person = None
    if file is None:
        outcomes, night, person, evidence = _sample(settings, seed if seed is not None else int(time.time()), rows)
    else:
        outcomes, evidence = _real(settings, file)
    if format is Format.JSON:
        show_json({
            "exchanges": [asdict(o.line) for o in outcomes],
            "returns": _told(night) if night else [],
            "case": person.case.case_id if person else None,
            "evidence": [asdict(check) for check in evidence],
        })  # fmt: skip
    else:
        _show(outcomes)
        if night:
            _show_night(night)
        if person:
            _show_person(person)
        _show_evidence(evidence)
        _addresses(
            settings, fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts"), example_of(outcomes)
        )
    decided = {each.line.decision for each in outcomes} if file is not None else set()
    raise typer.Exit(ends(decided, holds=all(check.holds for check in evidence)))


def ends(decided: Collection[str], *, holds: bool) -> Exit:
    """Exit code of the demo: 1 if a line of the evidence fails. ``decided``: the decision on the user's own file."""
    if not holds:
        return Exit.REFUSED
    if Decision.UNDECIDED in decided:
        return Exit.UNDECIDED
    return Exit.REFUSED if Decision.REFUSED in decided else Exit.DONE


def _up() -> Settings:
    """Start what is not running and put the checkout's papers in force."""
    from sluice.agreement.in_force.activate import activate_all
    from sluice.db import connect
    from sluice.demo.logins import add_second_login
    from sluice.gate.lint import check_rules
    from sluice.services.stack import bring_up

    first = get_settings()
    add_second_login(os.environ)
    bring_up(get_home(), first.var, with_airflow=True, report=lambda line: err.print(f"  {line}", markup=False))
    get_settings.cache_clear()
    settings = get_settings()
    check = partial(check_rules, expectations=settings.expectations_dir)
    with connect(settings) as conn:
        activate_all(conn, settings.principals_dir, datetime.now(UTC), check)
    return settings


def _sample(settings: Settings, seed: int, rows: int) -> tuple[list[Outcome], Night, Person, list[Check]]:
    from sluice.demo import files, story
    from sluice.demo.files import shared_phones
    from sluice.demo.night_checks import night_checks
    from sluice.demo.person_checks import person_checks
    from sluice.demo.rights import run_rights
    from sluice.demo.rights_checks import rights_checks
    from sluice.exchange.house import open_house

    err.print(f"Dropping sample files of {rows:,} rows (seed {seed}) as the principals")
    with tempfile.TemporaryDirectory(prefix="sluice-demo-") as folder, open_house(settings) as house:
        drops = files.first_drops(Path(folder), seed, rows)
        outcomes = _wait(settings, story.put(settings, drops), "Airflow judges")
        same = story.put(settings, [files.second_drop(drops[0])])
        night = _night(house, outcomes, Path(folder), seed)
        outcomes += _wait(settings, same, "the same file again")
        evidence = list(night_checks(house, night))
        receipts = story.fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts")
        evidence += story.checks(settings, outcomes, receipts, night.ids)
        person = _person(house, night, drops, Path(folder))
        evidence += person_checks(house, person)
        rights = run_rights(
            house,
            _called(night, drops[0].path),
            sorted(shared_phones(drops[0].path, drops[1].path)),
            settings.var / "demo" / "answers",
            lambda line: err.print(f"  {line}", markup=False),
        )
        evidence += rights_checks(house, rights)
    return [*outcomes, person.again], night, person, evidence


def _person(house: House, night: Night, drops: Sequence[Drop], folder: Path) -> Person:
    """Follow one person whom both principals sent and who is in a return, then a batch of the file just accepted."""
    from sluice.demo.files import shared_phones
    from sluice.demo.night_checks import rows_of
    from sluice.demo.person import batch_of, come_again, run_person, shared_phone

    campaign, subscribers = drops[0].path, drops[1].path
    sent = [{key: value or "" for key, value in row.items()} for row in rows_of(night.delivered[0].path)]
    phone = shared_phone(sent, shared_phones(campaign, subscribers))
    later = come_again(campaign, phone, folder)
    return run_person(
        house,
        phone,
        batch_of(campaign, phone),
        lambda: _awaited(house.settings, later),
        house.settings.var / "demo" / "letters",
        lambda line: err.print(f"  {line}", markup=False),
    )


def _awaited(settings: Settings, later: Drop) -> Callable[[], Outcome]:
    """Put a file, and return the function that waits for its exchange."""
    from sluice.demo import story

    versions = story.put(settings, [later])
    return lambda: _wait(settings, versions, "Airflow judges a later file")[0]


def _called(night: Night, campaign: Path) -> list[str]:
    """Customers of energy01 who were called, are in a return, and are not in the batch."""
    from sluice.demo.night_checks import rows_of
    from sluice.demo.person import customers_of

    sent = (str(row["customer_number"]) for row in rows_of(night.delivered[0].path))
    return sorted(set(customers_of(campaign)) & set(sent))


def _night(house: House, outcomes: Sequence[Outcome], folder: Path, seed: int) -> Night:
    """Import staff, then run the night of a day that had none yet, on the contacts that were just accepted."""
    from sluice.demo.night import import_staff, run_night
    from sluice.demo.night_files import CALLS, SOURCES, free_day, staff_file, write_exports

    day = free_day(house, datetime.now(UTC))
    new = import_staff(house, staff_file(day))
    err.print(f"The night after {day}: staff imported, {new} new rows; one agent has 89.99 in the exam")
    good = {o.drop.principal: o.line.id for o in outcomes if o.line.rows_accepted}
    exports = write_exports(house, [good[source.principal] for source in SOURCES], folder, seed, CALLS, day)
    kept = house.settings.var / "demo" / "returns"
    return run_night(house, day, exports, kept, seed, lambda line: err.print(f"  {line}", markup=False))


def _real(settings: Settings, file: Path) -> tuple[list[Outcome], list[Check]]:
    from sluice.demo import real, story

    table = real.read_real(file)
    contract = real.find_contract_for(settings, table)
    drop = real.drop_of(file, contract)
    if contract is None:
        _show_gap(real.write_gap(settings, file, drop.flow))
    outcomes = _wait(settings, story.put(settings, [drop]), f"Airflow judges {drop.name}")
    receipts = story.fetch_receipts(settings, outcomes, settings.var / "demo" / "receipts")
    evidence = story.checks(settings, outcomes, receipts)
    return outcomes, [*evidence, *real.real_checks(settings, outcomes, file, table.dialect.encoding)]


def _wait(settings: Settings, versions: Dropped, title: str) -> list[Outcome]:
    from sluice.demo import story

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


def _show(outcomes: Sequence[Outcome]) -> None:
    show_table(
        "What crossed",
        ("file", "shows", "decision", "reason", "in", "accepted", "refused", "held", "put to receipt"),
        [
            (
                f"{o.drop.principal}/{o.drop.flow}/{o.drop.name}",
                o.drop.shows,
                o.line.decision,
                o.line.reason_code,
                o.line.rows_in,
                o.line.rows_accepted,
                o.line.rows_refused,
                o.line.rows_held,
                f"{o.seconds:.1f} s",
            )
            for o in outcomes
        ],
    )


def _show_evidence(evidence: Sequence[Check]) -> None:
    show_table(
        "Evidence",
        ("", "what", "figure"),
        [(Text("holds", "green") if c.holds else Text("FAILS", "bold red"), c.name, c.figure) for c in evidence],
    )


def _show_night(night: Night) -> None:
    from sluice.demo.night_checks import flips_of

    show_table(
        f"The night's return: contacts of {night.day}",
        ("principal", "file", "profile", "in", "sent", "held", "released by"),
        [[_cell(line[key]) for key in RETURN] for line in _told(night)],
    )
    show_table("Put, released and delivered in", ("", "seconds"), [(k, f"{v:.1f}") for k, v in night.seconds.items()])
    show_table(
        "What each principal finds with its own key",
        ("principal", "under outbound/", "lies here"),
        [
            (each.of.source.principal, "\n".join(each.names), each.path.parent)
            for each in (*night.delivered, night.corrected)
        ],
    )
    names = [made.source.principal for made in night.first]
    show_table(
        "Whose it is",
        ("kind of column", "from", *(f"{part}, {name}" for part in ("controller", "processor") for name in names)),
        [(flip.group, flip.supplied_by, *flip.controllers, *flip.processors) for flip in flips_of(night)],
    )


def _show_person(person: Person) -> None:
    show_table(
        f"Case {person.case.case_id[:8]}: one person, forgotten by both principals ({person.seconds:.0f} s)",
        ("store", "copies", "rows before", "rows after", "outcome", "ground"),
        [
            (line.store, line.objects, line.rows_before, line.rows_after, line.outcome, line.ground)
            for line in person.report.lines
        ],
    )


RETURN = ("principal", "file", "profile", "in", "sent", "held", "released_by")


def _cell(value: object) -> object:
    """Counts by reason, one per line."""
    return "\n".join(f"{name} {count}" for name, count in value.items()) if isinstance(value, dict) else value


def _told(night: Night) -> list[dict[str, object]]:
    """Print the returns of the night, one per line."""
    from sluice.demo.night_checks import profile_of

    return [
        {
            "principal": made.source.principal,
            "file": made.key.rsplit("/", 1)[-1],
            "profile": profile_of(made),
            "in": made.record.what.rows_in,
            "sent": made.record.what.rows_accepted,
            "held": dict(made.record.right_treatment.held_back),
            "released_by": made.released_by or "nobody has to",
            "supersedes": made.record.what.supersedes,
        }
        for made in (*night.first, night.correction)
    ]


def _addresses(settings: Settings, receipts: Sequence[Path], example: str) -> None:
    from sluice.demo.logins import told_logins
    from sluice.services.airflow import passwords_path
    from sluice.services.stack import standing

    web = next(
        (s.address for s in standing(settings.home, settings.var) if s.name == "api-server"), "see sluice status"
    )
    passwords = passwords_path(settings.var)
    show_table(
        "Look around",
        ("what", "where"),
        [
            ("Airflow", web),
            ("who logs in", f"{told_logins(passwords)}; passwords in {passwords}"),
            ("pages: what needs somebody today", f"{web}/sluice/pages/start"),
            ("receipts", receipts[0].parent),
            ("returns", settings.var / "demo" / "returns"),
            ("answers to persons", settings.var / "demo" / "answers"),
            ("before the commands below", ". .venv/bin/activate"),
            ("every exchange", "sluice exchange list"),
            ("one exchange, six answers", f"sluice exchange show {example}"),
            ("cases and their clocks", "sluice case list"),
            ("the letter to the person", settings.var / "demo" / "letters"),
            ("the ledger", "sluice ledger verify"),
            ("stop everything", "make down"),
        ],
    )
