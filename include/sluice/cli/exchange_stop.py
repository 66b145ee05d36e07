"""``sluice exchange stop``, ``resume``, ``stops``: stop a flow until somebody resumes it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from sluice.cli.options import ByOption, as_code
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.settings import get_settings, login_name
from sluice.terms import Flow, Principal

PrincipalArgument = Annotated[str, typer.Argument(help="Code of the principal of the flow.")]
FlowArgument = Annotated[str, typer.Argument(help="Name of the flow, in whichever direction.")]
COLUMNS = ("principal", "flow", "reason", "at (UTC)", "by", "waiting")


def stop(
    principal: PrincipalArgument,
    flow: FlowArgument,
    reason: Annotated[
        str, typer.Option(callback=as_code, help="A code in capitals, such as CONTRACT_WRONG; no sentence.")
    ],
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Stop a flow: its arrivals wait and its returns are not made, neither by Airflow nor by a command.

    A return that was closed before the stop is still delivered.
    JSON: principal, flow, stopped (false: it was stopped before).

    Example: sluice exchange stop energy01 renewal_campaign --reason CONTRACT_WRONG --by an.peeters
    """
    from sluice.db import connect
    from sluice.exchange.stops import stop_flow

    with connect(get_settings()) as conn:
        is_new = stop_flow(conn, Principal(principal), Flow(flow), reason, by or login_name(), datetime.now(UTC))
    if not is_new:
        err.print("it stood still already, and keeps the reason it had: `sluice exchange stops`", markup=False)
    _show({"principal": principal, "flow": flow, "stopped": is_new}, "Stopped", format)


def resume(
    principal: PrincipalArgument, flow: FlowArgument, by: ByOption = None, format: FormatOption = Format.TABLE
) -> None:
    """Let a stopped flow go on; Airflow processes what waits. Exit 1 when it was not stopped.

    JSON: principal, flow, resumed.

    Example: sluice exchange resume energy01 renewal_campaign --by an.peeters
    """
    from sluice.db import connect
    from sluice.exchange.stops import resume_flow

    with connect(get_settings()) as conn:
        resume_flow(conn, Principal(principal), Flow(flow), by or login_name(), datetime.now(UTC))
    _show({"principal": principal, "flow": flow, "resumed": True}, "Resumed", format)


def stops(format: FormatOption = Format.TABLE) -> None:
    """List stopped flows: why, since when, by whom, and how many exchanges wait.

    JSON: stops [{principal, flow, reason, stopped_at, stopped_by, waiting}].

    Example: sluice exchange stops
    """
    from sluice.db import connect
    from sluice.exchange.stop_store import find_stops

    with connect(get_settings()) as conn:
        found = [asdict(each) for each in find_stops(conn)]
    if format is Format.JSON:
        show_json({"stops": found})
    else:
        show_table("Stopped", COLUMNS, [list(each.values()) for each in found])


def _show(document: dict[str, Any], title: str, format: Format) -> None:
    show_json(document) if format is Format.JSON else show_pairs(title, document)
