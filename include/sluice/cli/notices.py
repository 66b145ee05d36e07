"""``sluice notices``: who has a copy of what was decided, whether they were told, and what they said."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Exit, Ref, UsageError
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.rights.notice_model import Notice, NoticeState

app = typer.Typer(
    help="Recipients of what was decided about a person: told, acknowledged, done. Sent is not done.",
    epilog="Example: sluice notices list --state OVERDUE",
    no_args_is_help=True,
)
CaseArgument = Annotated[str, typer.Argument(help="Case number, or an unambiguous beginning of it.")]


@app.command("list")
def list_(
    case: Annotated[str | None, typer.Option(help="Only of this case; an unambiguous beginning is enough.")] = None,
    principal: Annotated[str | None, typer.Option(help="Only to this recipient.")] = None,
    state: Annotated[
        str | None, typer.Option(help="OWED, SENT, ACKNOWLEDGED, OVERDUE, REMINDED, ESCALATED or DONE.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, newest first.")] = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List notices to recipients, newest first, and how far each is.

    JSON: notices: [{notice, case, sub_case, recipient, name, side, channel, action, field_groups, exchanges,
    state, found_at, told_at, due_at, acknowledged_at, done_at, was_late, reminders, reminded_at, escalated_at}].

    Example: sluice notices list --principal energy01 --state SENT
    """
    from sluice.db import connect
    from sluice.rights.notice_store import list_notices
    from sluice.rights.store import find_beginning

    wanted = _state(state)
    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case.lower()) if case else None
        found = list_notices(
            conn, case_id=case_id, recipient=principal, states=(wanted,) if wanted else (), limit=limit
        )
    if format is Format.JSON:
        show_json({"notices": [_told(notice) for notice in found]})
        return
    show_table(
        "Notices",
        ("notice", "recipient", "side", "by", "action", "field groups", "state", "told (UTC)", "due (UTC)"),
        [
            (n.notice_id, n.name, n.side, n.channel, n.action, ", ".join(n.field_groups), n.state, _clock(n.told_at),
             _clock(n.due_at))
            for n in found
        ],
    )  # fmt: skip


@app.command("send")
def send(format: FormatOption = Format.TABLE) -> None:
    """Find out who has to be told of what was decided, and tell those that have a prefix.

    JSON: parts, found, sent, receipts, failed. Exit 3 when something failed; it is tried again next time.

    Example: sluice notices send
    """
    from sluice.exchange.house import open_house
    from sluice.rights.tell import tell

    with open_house(get_settings()) as house, err.status("telling recipients"):
        told = tell(house, datetime.now(UTC))
    counts = {name: getattr(told, name) for name in ("parts", "found", "sent", "receipts", "failed")}
    if format is Format.JSON:
        show_json(counts)
    else:
        show_table("Sent", ("what", "count"), counts.items())
    if told.failed:
        raise typer.Exit(Exit.UNDECIDED)


def recipients(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Name everybody who has a copy of what was decided: the list that the person gets.

    JSON: case, recipients: [{name, recipient, side, action, field_groups, exchanges, told_at, state}].

    Example: sluice case recipients 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.notice_store import list_notices
    from sluice.rights.store import find_beginning

    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case.lower())
        found = list_notices(conn, case_id=case_id, limit=None)
    if format is Format.JSON:
        names = ("name", "recipient", "side", "action", "field_groups", "exchanges", "told_at", "state")
        show_json({"case": case_id, "recipients": [{name: _told(n)[name] for name in names} for n in found]})
        return
    show_table(
        "Recipients",
        ("name", "side", "action", "field groups", "exchanges", "told (UTC)", "state"),
        [
            (n.name, n.side, n.action, ", ".join(n.field_groups), len(n.exchanges), _clock(n.told_at), n.state)
            for n in found
        ],
    )


def _told(notice: "Notice") -> dict[str, Any]:
    moments = ("found_at", "told_at", "due_at", "acknowledged_at", "done_at", "reminded_at", "escalated_at")
    return {
        "notice": notice.notice_id,
        "case": notice.case_id,
        "sub_case": notice.sub_case_id,
        "recipient": notice.recipient,
        "name": notice.name,
        "side": notice.side.value,
        "channel": notice.channel.value,
        "action": notice.action.value,
        "field_groups": list(notice.field_groups),
        "exchanges": list(notice.exchanges),
        "state": notice.state.value,
        "was_late": notice.was_late,
        "reminders": notice.reminders,
        **{name: getattr(notice, name) for name in moments},
    }


def _state(word: str | None) -> "NoticeState | None":
    from sluice.rights.notice_model import NoticeState

    if word is None:
        return None
    states = [state.value for state in NoticeState]
    if word.upper() not in states:
        raise UsageError(Ref("option", "--state"), Ref("one of", ", ".join(states)))
    return NoticeState(word.upper())


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
