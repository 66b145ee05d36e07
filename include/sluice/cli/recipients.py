"""``sluice recipients``: whether what we delivered was acknowledged."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.cut import LimitOption, cut
from sluice.cli.options import WhyOption, as_kept
from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Exit, Ref, UsageError
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.returns.ack import AckState

app = typer.Typer(
    help="Delivered returns, and whether their principals acknowledged them.",
    epilog="Example: sluice recipients list --state OVERDUE",
    no_args_is_help=True,
)
LINE = ("principal", "flow", "delivered_at", "due_at", "escalate_at", "reminded_at", "escalated_at")
ANSWER = ("acknowledged_at", "acknowledged_by", "via")
PrincipalOption = Annotated[str | None, typer.Option(help="Only this principal.")]


@app.command("list")
def list_(
    principal: PrincipalOption = None,
    state: Annotated[
        str | None,
        typer.Option(help="SENT, ACKNOWLEDGED, ACKNOWLEDGED_LATE, OVERDUE, REMINDED, ESCALATED or SUPERSEDED."),
    ] = None,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List delivered returns, newest first, and where each stands now.

    JSON: acknowledgements: [{exchange, principal, flow, delivered_at, due_at, escalate_at, reminded_at,
    escalated_at, acknowledged_at, acknowledged_by, via, state}], and more: whether `--limit` left some out.

    Example: sluice recipients list --principal energy01 --state OVERDUE
    """
    from sluice.db import connect
    from sluice.exchange.read import pick_principals
    from sluice.returns.ack_store import list_acknowledgements

    wanted, now = _state(state), datetime.now(UTC)
    with connect(get_settings()) as conn:
        pick_principals(conn, principal)
        found = list_acknowledgements(conn, now, principal=principal, state=wanted, limit=limit + 1)
    lines, more = cut(found, limit)
    if format is Format.JSON:
        told = [
            {"exchange": line.exchange_id, **{key: asdict(line)[key] for key in (*LINE, *ANSWER)}, "state": stands}
            for line, stands in lines
        ]
        show_json({"acknowledgements": told, "more": more})
        return
    show_table(
        "Delivered returns",
        ("exchange", "principal", "flow", "delivered (UTC)", "due (UTC)", "state", "acknowledged by"),
        [
            (
                line.exchange_id,
                line.principal,
                line.flow,
                _clock(line.delivered_at),
                _clock(line.due_at),
                stands,
                line.acknowledged_by,
            )
            for line, stands in lines
        ],
    )


@app.command("files")
def files(principal: PrincipalOption = None, limit: LimitOption = 200, format: FormatOption = Format.TABLE) -> None:
    """List the files that principals put under acks/, newest first, and what each one changed.

    JSON: files: [{principal, key, version_id, exchange, outcome, seen_at}], and more: whether `--limit` left some
    out; a name that could name a person is withheld.

    Example: sluice recipients files --principal energy01
    """
    from sluice.db import connect
    from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
    from sluice.exchange.read import pick_principals
    from sluice.returns.ack_store import list_ack_files

    with connect(get_settings()) as conn:
        pick_principals(conn, principal)
        found, more = cut(list_ack_files(conn, principal, limit + 1), limit)
    told = [
        {
            "principal": file.principal,
            "key": withheld_unless_safe(file.key, NO_FLOW),
            "version_id": file.version_id,
            "exchange": file.exchange_id,
            "outcome": file.outcome,
            "seen_at": file.seen_at,
        }
        for file in found
    ]
    if format is Format.JSON:
        show_json({"files": told, "more": more})
        return
    rows = [(f.principal, f.version_id, f.exchange_id, f.outcome, _clock(f.seen_at)) for f in found]
    show_table("Files under acks/", ("principal", "version", "exchange", "outcome", "seen (UTC)"), rows)


@app.command("ack")
def ack(
    exchange: Annotated[str, typer.Argument(help="Exchange id, or an unambiguous beginning of it.")],
    by: Annotated[
        str | None,
        typer.Option(callback=as_kept, help="Who says that it arrived; the user of this machine by default."),
    ] = None,
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record that the principal of a return said it arrived. Exit 1 when it changes nothing.

    JSON: exchange, outcome (ACKNOWLEDGED, ACKNOWLEDGED_LATE; ALREADY_ACKNOWLEDGED, NOT_DELIVERED), by.

    Example: sluice recipients ack 7b0d3f1e --by "desk, by telephone"
    """
    from sluice.db import connect
    from sluice.returns.acks import acknowledge

    who = by or login_name()
    with connect(get_settings()) as conn:
        answer = acknowledge(conn, exchange, who, datetime.now(UTC), reason=reason)
    if format is Format.JSON:
        show_json({"exchange": answer.exchange_id, "outcome": answer.outcome, "by": who})
    else:
        show_table("Acknowledgement", ("exchange", "outcome", "by"), [(answer.exchange_id, answer.outcome, who)])
    if not answer.outcome.closes:
        raise typer.Exit(Exit.REFUSED)


@app.command("follow")
def follow(format: FormatOption = Format.TABLE) -> None:
    """Read acks/ once, remind and escalate what is due, as the schedule does every five minutes.

    JSON: outcomes {outcome: new files}, waiting, reminded, escalated, notices, failed. Exit 3 when
    something failed; it is tried again next time.

    Example: sluice recipients follow
    """
    from sluice.exchange.house import open_house
    from sluice.returns.reminders import follow as follow_once

    with open_house(get_settings()) as house, err.status("reading acknowledgements"):
        done = follow_once(house, datetime.now(UTC))
    told = {
        "outcomes": dict(done.acks.outcomes),
        "waiting": done.acks.waiting,
        "reminded": done.reminders.reminded,
        "escalated": done.reminders.escalated,
        "notices": done.acks.notices + done.reminders.notices,
        "failed": done.failed,
    }
    if format is Format.JSON:
        show_json(told)
    else:
        rows = [*done.acks.outcomes.items(), *((name, count) for name, count in told.items() if name != "outcomes")]
        show_table("Followed", ("what", "count"), rows)
    if done.failed:
        raise typer.Exit(Exit.UNDECIDED)


def _state(word: str | None) -> "AckState | None":
    from sluice.returns.ack import AckState

    if word is None:
        return None
    states: Sequence[str] = [state.value for state in AckState]
    if word.upper() not in states:
        raise UsageError(Ref("option", "--state"), Ref("one of", ", ".join(states)))
    return AckState(word.upper())


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
