"""``sluice exchange``: what crossed, in any direction, with how and why."""

from dataclasses import asdict, astuple
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.options import WhyOption
from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import Exit
from sluice.settings import get_settings, login_name
from sluice.terms import Decision, Direction, Flow, Principal

if TYPE_CHECKING:
    from sluice.exchange.read import Shown

app = typer.Typer(
    help="What crossed, and why.",
    epilog="Example: sluice exchange list --principal energy01 --decision refused",
    no_args_is_help=True,
)
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


Who = Annotated[str, typer.Option("--by", help="Your name, for the ledger; the user of the system when absent.")]


@app.command("prepare")
def prepare(
    principal: Annotated[str, typer.Argument(help="Whose return.")],
    flow: Annotated[str, typer.Argument(help="Which return flow.")],
    by: Who = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """Make and deliver the returns of one flow that are due, here, without Airflow.

    Those that need a second person are made and wait; their ids are printed.

    Example: sluice exchange prepare energy01 renewal_results
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.returns.drain import drain_returns
    from sluice.returns.store import waiting_for_release

    with open_house(get_settings()) as house, err.status("preparing"):
        drained = drain_returns(house, Principal(principal), Flow(flow), datetime.now(UTC), {}, by or login_name())
        waiting = waiting_for_release(house.conn, Principal(principal), Flow(flow))
    document = {**asdict(drained), "waiting_for_release": waiting}
    if format is Format.JSON:
        show_json(document)
        return
    show_pairs(f"{principal}/{flow}", {**drained.decisions, "set aside": drained.set_aside, "to release": waiting})


@app.command("release")
def release(
    id: Annotated[str, typer.Argument(help="Exchange id of a prepared return, or its beginning.")],
    by: Who = "",
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Let a prepared return go; whoever prepared it cannot. It is delivered at once.

    Exit 1 when it was closed instead: newer results made another return of that day.

    Example: sluice exchange release 7b0d3f1e --by an.peeters
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.exchange.read import show_exchange
    from sluice.exchange.store import get_open
    from sluice.returns.drain import drain_returns
    from sluice.returns.release import release as let_go

    now = datetime.now(UTC)
    with open_house(get_settings()) as house:
        exchange_id = let_go(house, id, by or login_name(), now, reason=reason)
        opened = get_open(house.conn, exchange_id)
        drain_returns(house, opened.principal, opened.flow, now, {})
        line = show_exchange(house.conn, exchange_id).line
    document = {
        "exchange": exchange_id,
        "released_by": by or login_name(),
        "decision": line.decision,
        "reason_code": line.reason_code,
        "key": opened.key,
    }
    show_json(document) if format is Format.JSON else show_pairs("Released", document)
    if line.decision == Decision.REFUSED:
        raise typer.Exit(Exit.REFUSED)


@app.command("redeliver")
def redeliver(
    id: Annotated[str, typer.Argument(help="Exchange id of a delivered return, or its beginning.")],
    by: Who = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """Put the very same bytes there again, as a new version of the same key.

    Example: sluice exchange redeliver 7b0d3f1e
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.returns.release import deliver_again

    with open_house(get_settings()) as house:
        stored = deliver_again(house, id, by or login_name(), datetime.now(UTC))
    document = {"key": stored.key, "version_id": stored.version_id, "sha256": stored.sha256}
    show_json(document) if format is Format.JSON else show_pairs("Delivered again", document)


@app.command("held")
def held(
    id: Annotated[str, typer.Argument(help="Exchange id of a return, or its beginning.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """List the rows of a return that stayed here: from which results, which row, why, whose agent (by reference).

    Example: sluice exchange held 7b0d3f1e
    """
    from sluice.exchange.house import open_house
    from sluice.returns.held import list_held

    with open_house(get_settings()) as house:
        rows = list_held(house, id)
    if format is Format.JSON:
        show_json({"rows": [asdict(row) for row in rows]})
        return
    show_table("Held back", ("results", "row", "reason", "agent"), [astuple(row) for row in rows])


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
