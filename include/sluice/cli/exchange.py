"""``sluice exchange``: what crossed, in any direction, with how and why."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.settings import get_settings
from sluice.terms import Decision, Direction

if TYPE_CHECKING:
    from sluice.exchange.read import Shown

app = typer.Typer(help="What crossed, and why.", no_args_is_help=True)
KEYS = ("id", "principal", "direction", "flow", "purpose", "decision", "reason_code", "opened_at", "closed_at")
ROWS = ("rows_in", "rows_accepted", "rows_refused")


@app.command("list")
def list_(
    principal: Annotated[str | None, typer.Option(help="Only this principal.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Only this direction.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Opened at or after, e.g. 2026-11-25 (UTC).")] = None,
    decision: Annotated[Decision | None, typer.Option(help="Only this decision; 'open' for those waiting.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, newest first.")] = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List exchanges, newest first.

    Example: sluice exchange list --principal energy01 --decision refused
    """
    from sluice.db import connect
    from sluice.exchange.read import list_exchanges

    with connect(get_settings()) as conn:
        lines = list_exchanges(
            conn, principal=principal, direction=direction, decision=decision, since=since, limit=limit
        )
    if format is Format.JSON:
        show_json({"exchanges": [{key: asdict(line)[key] for key in (*KEYS, *ROWS)} for line in lines]})
        return
    show_table(
        "Exchanges",
        ("id", "principal", "flow", "decision", "reason", "opened (UTC)", "in", "accepted", "refused", "receipt"),
        [
            (
                line.id,
                line.principal,
                line.flow,
                line.decision,
                line.reason_code or line.last_error,
                f"{line.opened_at:%Y-%m-%d %H:%M:%S}",
                line.rows_in,
                line.rows_accepted,
                line.rows_refused,
                "yes" if line.receipt_at else "no",
            )
            for line in lines
        ],
    )


@app.command("drain")
def drain(format: FormatOption = Format.TABLE) -> None:
    """Open what arrived and work it off here, without Airflow; safe beside a running one.

    Example: sluice exchange drain
    """
    from sluice.exchange.drain import drain_all
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house, err.status("judging"):
        flows = drain_all(house)
    if format is Format.JSON:
        show_json({"flows": {name: asdict(drained) for name, drained in flows.items()}})
        return
    show_table(
        "Worked off",
        ("flow", "closed", "set aside"),
        [(name, ", ".join(f"{k} {v}" for k, v in d.decisions.items()), d.set_aside) for name, d in flows.items()],
    )


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="Exchange id, or an unambiguous beginning of it.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Show one exchange: the six answers, the decision, the evidence.

    Example: sluice exchange show 7b0d3f1e
    """
    from sluice.db import connect
    from sluice.exchange.read import show_exchange

    with connect(get_settings()) as conn:
        shown = show_exchange(conn, id)
    document = document_of(shown)
    if format is Format.JSON:
        show_json(document)
        return
    for title, answer in document.items():
        if isinstance(answer, dict):
            show_pairs(title.replace("_", " "), answer)
        else:
            show_pairs("", {title: answer})


def document_of(shown: "Shown") -> dict[str, Any]:
    """The six answers (null while the exchange is open), then decision and evidence."""
    record, entry, line = shown.record, shown.entry, shown.line
    answers = ("why", "what", "how_long", "who", "how", "right_treatment")
    return {
        "id": line.id,
        **{name: getattr(record, name).model_dump(mode="json") if record else None for name in answers},
        "decision": line.decision,
        "reason_code": line.reason_code,
        "rule_id": record.rule_id if record else None,
        "reasons": [reason.model_dump(mode="json") for reason in record.reasons] if record else [],
        "opened_at": line.opened_at,
        "closed_at": line.closed_at,
        "evidence": {
            "chain": entry.chain if entry else None,
            "seq": entry.seq if entry else None,
            "entry_hash": entry.hash.hex() if entry else None,
            "prev_hash": entry.prev_hash.hex() if entry else None,
            "receipt_at": line.receipt_at,
            "waiting_effects": list(line.waiting_effects),
            "last_error": line.last_error,
        },
    }
