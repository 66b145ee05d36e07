"""``sluice up``, ``down``, ``status``, ``doctor``: start, stop and check the embedded services and the checkout."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from sluice.cli.output import Format, FormatOption, err, out, show_json, show_table
from sluice.errors import Exit, Ref, UsageError
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.services.model import Service

COLOURS = {"up": "green", "given": "cyan", "starting": "yellow", "down": "red"}


def up(
    airflow: Annotated[bool, typer.Option(help="Also start Airflow; without it, only the stores.")] = True,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=32,
            help="Number of Celery workers, with a Redis; 0: the scheduler runs tasks itself.",
            show_default="as it runs",
        ),
    ] = None,
    show_password: Annotated[bool, typer.Option(help="Print the password of Airflow's user admin.")] = False,
    format: FormatOption = Format.TABLE,
) -> None:
    """Start the services whose addresses the environment does not set; safe to repeat.

    With Airflow, the papers of the checkout are in force afterwards. One that is refused is named, and stops nothing.

    Example: sluice up --workers 2
    """
    if workers and not airflow:
        raise UsageError(Ref("option", "--workers"), Ref("rule", "A_PART_OF_AIRFLOW"))
    from sluice.services.airflow import admin_password, passwords_path
    from sluice.services.stack import bring_up

    settings = get_settings()
    with err.status("starting"):
        services = bring_up(settings.home, settings.var, with_airflow=airflow, workers=workers, report=_report)
    _show(services, format)
    if airflow and format is Format.TABLE:
        login = admin_password(settings.var) if show_password else f"password in {passwords_path(settings.var)}"
        out.print(f"Airflow: user admin, {login}", markup=False)


def down(format: FormatOption = Format.TABLE) -> None:
    """Stop every process that `sluice up` started; safe to repeat. JSON: as `status`, afterwards.

    Example: sluice down
    """
    from sluice.services.stack import standing, take_down

    settings = get_settings()
    with err.status("stopping"):
        take_down(settings.var)
    if format is Format.JSON:
        _show(standing(settings.home, settings.var), format)
    err.print("all stopped; the data stay where they are")


def status(format: FormatOption = Format.TABLE) -> None:
    """Show every service with its state, address, log and data; exit 4 when one is missing.

    Example: sluice status --format json
    """
    from sluice.services.model import State
    from sluice.services.stack import standing

    settings = get_settings()
    services = standing(settings.home, settings.var)
    _show(services, format)
    if not all(service.state in (State.UP, State.GIVEN) for service in services):
        err.print("not all services run; `sluice up` starts them", markup=False)
        raise typer.Exit(Exit.MISSING)


def doctor(format: FormatOption = Format.TABLE) -> None:
    """Check versions, settings, keys, stores, rights, papers and DAGs; one line each, with a cure.

    Example: sluice doctor
    """
    from sluice.services.doctor import describe_settings, examine

    settings = get_settings()
    with err.status("examining"):
        checks = examine(settings)
    if format is Format.JSON:
        lines = [{"name": c.name, "ok": c.ok, "detail": c.detail, "cure": c.cure} for c in checks]
        show_json({"checks": lines, "settings": describe_settings(settings)})
    else:
        show_table("settings", ("name", "value"), list(describe_settings(settings).items()))
        show_table(
            "doctor",
            ("check", "", "found", "cure"),
            [(c.name, _word(c.ok), c.detail, "" if c.ok else c.cure) for c in checks],
        )
    if failed := [check for check in checks if not check.ok]:
        raise typer.Exit(Exit.MISSING if any(check.is_missing for check in failed) else Exit.REFUSED)


def _report(line: str) -> None:
    err.print(line, markup=False)


def _show(services: "Sequence[Service]", format: Format) -> None:
    if format is Format.JSON:
        show_json({"services": [asdict(service) for service in services]})
        return
    show_table(
        "services",
        ("service", "state", "address", "log", "data"),
        [(s.name, Text(s.state, style=COLOURS[s.state]), s.address, _short(s.log), _short(s.data)) for s in services],
    )


def _short(path: Path | None) -> str:
    """A path relative to the current folder, if it is below it."""
    if path is None:
        return ""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, FileNotFoundError):  # it lies elsewhere, or there is no folder here any more
        return str(path)


def _word(ok: bool) -> Text:
    return Text("ok", style="green") if ok else Text("failed", style="bold red")
