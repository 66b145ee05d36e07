"""``sluice exchange``: list and show exchanges in any direction, process arrivals, and make and release returns."""

from dataclasses import asdict, astuple
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli import exchange_stop
from sluice.cli.cut import LimitOption, cut
from sluice.cli.options import ByOption, WhyOption, moment_of
from sluice.cli.output import Format, FormatOption, err, show_answer, show_json, show_pairs, show_table
from sluice.errors import Exit
from sluice.settings import get_settings, login_name
from sluice.terms import Decision, Direction, Flow, Principal

if TYPE_CHECKING:
    from sluice.exchange.read import ExchangeLine

COLUMNS = (
    "id", "file", "principal", "flow", "decision", "reason", "opened (UTC)", "in", "accepted", "refused", "held",
    "receipt",
)  # fmt: skip

app = typer.Typer(
    help="Exchanges: which files crossed, in which direction, and what was decided.",
    epilog="Example: sluice exchange list --principal energy01 --decision refused",
    no_args_is_help=True,
)
app.command("stop")(exchange_stop.stop)
app.command("resume")(exchange_stop.resume)
app.command("stops")(exchange_stop.stops)


@app.command("list")
def list_(
    principal: Annotated[str | None, typer.Option(help="Only this principal.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="Only this direction.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="T", help="Opened at or after this date or moment; Brussels time if no zone."),
    ] = None,
    decision: Annotated[
        Decision | None, typer.Option(help="Only this decision; 'open' for those not decided yet.")
    ] = None,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List exchanges, newest first, with the name of the file; a name that may be a person's is withheld.

    JSON: exchanges, and more: whether `--limit` left some out.

    Example: sluice exchange list --principal energy01 --decision refused
    """
    from sluice.db import connect
    from sluice.exchange.describe import describe_line
    from sluice.exchange.read import list_exchanges, pick_principals

    after = moment_of("--since", since) if since else None
    with connect(get_settings()) as conn:
        pick_principals(conn, principal)
        found = list_exchanges(
            conn,
            principal=principal,
            direction=direction,
            decision=decision,
            since=after,
            limit=limit + 1,
        )
    lines, more = cut(found, limit)
    if format is Format.JSON:
        show_json({"exchanges": [describe_line(line) for line in lines], "more": more})
        return
    show_table("Exchanges", COLUMNS, map(_row, lines))


def _row(line: "ExchangeLine") -> tuple[object, ...]:
    """One exchange as a row of the table with COLUMNS."""
    return (
        line.id,
        line.file,
        line.principal,
        line.flow,
        line.decision,
        line.reason_code or line.last_error or ("stopped" if line.stopped_at else None),
        f"{line.opened_at:%Y-%m-%d %H:%M:%S}",
        line.rows_in,
        line.rows_accepted,
        line.rows_refused,
        line.rows_held,
        "yes" if line.receipt_at else "no",
    )


@app.command("drain")
def drain(format: FormatOption = Format.TABLE) -> None:
    """Open and process the files that arrived, without Airflow; safe while Airflow runs too.

    JSON: flows {name: {decisions, set_aside, held_up}}: set aside because of the file itself, held up because of us
    (a service, a paper, a key). Exit 3 when a file waits for either reason.

    Example: sluice exchange drain
    """
    from sluice.exchange.drain import drain_all
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house, err.status("judging"):
        flows = drain_all(house)
    if format is Format.JSON:
        show_json({"flows": {name: asdict(drained) for name, drained in flows.items()}})
    else:
        show_table(
            "Worked off",
            ("flow", "closed", "set aside", "held up"),
            [
                (name, ", ".join(f"{k} {v}" for k, v in d.decisions.items()), d.set_aside, d.held_up)
                for name, d in flows.items()
            ],
        )
    _leave(sum(drained.waiting for drained in flows.values()))


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="Exchange id, or an unambiguous beginning of it.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Show one exchange: the six answers, the decision, the evidence.

    Example: sluice exchange show 7b0d3f1e
    """
    from sluice.db import connect
    from sluice.exchange.describe import describe
    from sluice.exchange.read import show_exchange

    with connect(get_settings()) as conn:
        document = describe(show_exchange(conn, id))
    if format is Format.JSON:
        show_json(document)
        return
    answers = {title: answer for title, answer in document.items() if isinstance(answer, dict)}
    show_answer("exchange", {name: said for name, said in document.items() if name not in answers})
    for title, answer in answers.items():
        show_answer(title.replace("_", " "), answer)


@app.command("prepare")
def prepare(
    principal: Annotated[str, typer.Argument(help="Code of the principal of the return.")],
    flow: Annotated[str, typer.Argument(help="Name of the return flow.")],
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make and deliver the due returns of one flow, without Airflow.

    Returns that need a second person's release are made and wait; their ids are printed. Exit 3 when one could not be
    made, 1 when the flow is stopped.

    JSON: decisions, set_aside, held_up (as `exchange drain`), waiting_for_release.

    Example: sluice exchange prepare energy01 renewal_results
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.exchange.model import NO_RUN
    from sluice.exchange.read import check_flow
    from sluice.exchange.stops import check_not_stopped
    from sluice.returns.drain import drain_returns
    from sluice.returns.store import waiting_for_release

    with open_house(get_settings()) as house, err.status("preparing"):
        check_flow(house.conn, Principal(principal), Flow(flow))
        check_not_stopped(house.conn, Principal(principal), Flow(flow))
        drained = drain_returns(house, Principal(principal), Flow(flow), datetime.now(UTC), NO_RUN, by or login_name())
        waiting = waiting_for_release(house.conn, Principal(principal), Flow(flow))
    document = {**asdict(drained), "waiting_for_release": waiting}
    if format is Format.JSON:
        show_json(document)
    else:
        left = {"set aside": drained.set_aside, "held up": drained.held_up, "to release": waiting}
        show_pairs(f"{principal}/{flow}", {**drained.decisions, **left})
    _leave(drained.waiting)


def _leave(waiting: int) -> None:
    """Exit with 3 when something could not be finished."""
    if waiting:
        err.print(f"{waiting} wait and are met again; `sluice exchange list --decision open` says why", markup=False)
        raise typer.Exit(Exit.UNDECIDED)


@app.command("release")
def release(
    id: Annotated[str, typer.Argument(help="Exchange id of a prepared return, or its beginning.")],
    by: ByOption = None,
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Release a prepared return, which is then delivered at once. Whoever prepared it cannot release it.

    Exit 1 when it was closed instead, because newer results make another return of that day. Exit 3 when it could not
    be delivered yet; it stays released, and the next run delivers it.

    Example: sluice exchange release 7b0d3f1e --by an.peeters
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.exchange.model import NO_RUN
    from sluice.exchange.read import show_exchange
    from sluice.exchange.store import get_opened
    from sluice.returns.drain import drain_returns
    from sluice.returns.release import release as let_go
    from sluice.returns.store import is_delivered

    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("delivering"):
        exchange_id = let_go(house, id, by or login_name(), now, reason=reason)
        opened = get_opened(house.conn, exchange_id)
        drain_returns(house, opened.principal, opened.flow, now, NO_RUN)
        line, delivered = show_exchange(house.conn, exchange_id).line, is_delivered(house.conn, exchange_id)
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
    if not delivered:
        _leave(1)


@app.command("redeliver")
def redeliver(
    id: Annotated[str, typer.Argument(help="Exchange id of a delivered return, or its beginning.")],
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Deliver the same bytes of a return again, as a new version of the same object.

    Example: sluice exchange redeliver 7b0d3f1e
    """
    from datetime import UTC

    from sluice.exchange.house import open_house
    from sluice.returns.release import deliver_again

    with open_house(get_settings()) as house, err.status("delivering"):
        stored = deliver_again(house, id, by or login_name(), datetime.now(UTC))
    document = {"key": stored.key, "version_id": stored.version_id, "sha256": stored.sha256}
    show_json(document) if format is Format.JSON else show_pairs("Delivered again", document)


@app.command("held")
def held(
    id: Annotated[str, typer.Argument(help="Exchange id of a return, or its beginning.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """List the rows of results that were held back from a return: results, row number, reason, agent (by reference).

    docs/how-to/return-results.md says what to do about each reason.

    Example: sluice exchange held 7b0d3f1e
    """
    from sluice.exchange.house import open_house
    from sluice.returns.held import list_held

    with open_house(get_settings()) as house, err.status("reading"):
        rows = list_held(house, id)
    if format is Format.JSON:
        show_json({"rows": [asdict(row) for row in rows]})
        return
    show_table("Held back", ("results", "row", "reason", "agent"), [astuple(row) for row in rows])
