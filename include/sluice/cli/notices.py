"""``sluice notices``: tell recipients what was decided about data they have (GDPR Article 19); their answers."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.case_output import CaseArgument
from sluice.cli.cut import LimitOption, cut
from sluice.cli.options import WhyOption, as_kept
from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.cli.private_file import private_file
from sluice.errors import Exit, Ref, UsageError
from sluice.given_files import read_given
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.rights.notices.model import Notice, NoticeState

app = typer.Typer(
    help="Recipients of what was decided about a person: told, acknowledged, done. Sent is not done.",
    epilog="Example: sluice notices list --state OVERDUE",
    no_args_is_help=True,
)
NoticeArgument = Annotated[str, typer.Argument(help="Number of the notice, or an unambiguous beginning of it.")]
WhoOption = Annotated[str, typer.Option("--by", callback=as_kept, help="Who said it, or did it.")]
ProofOption = Annotated[
    Path, typer.Option("--evidence", help="A file that proves it (a letter, a mail): its hash is kept.")
]


@app.command("list")
def list_(
    case: Annotated[
        str | None, typer.Option(help="Only notices of this case; an unambiguous beginning is enough.")
    ] = None,
    principal: Annotated[str | None, typer.Option(help="Only notices to this recipient.")] = None,
    state: Annotated[
        str | None, typer.Option(help="OWED, SENT, ACKNOWLEDGED, OVERDUE, REMINDED, ESCALATED, DONE or WITHDRAWN.")
    ] = None,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List notices to recipients, newest first, with their states. WITHDRAWN: taken back before it was sent.

    JSON: notices: [{notice, case, sub_case, recipient, name, side, channel, action, field_groups, exchanges,
    state, found_at, told_at, due_at, acknowledged_at, done_at, was_late, reminders, reminded_at, escalated_at}],
    and more: whether `--limit` left some out.

    Example: sluice notices list --principal energy01 --state SENT
    """
    from sluice.db import connect
    from sluice.exchange.read import pick_principals
    from sluice.rights.case.store import find_beginning
    from sluice.rights.notices.notice_store import is_recipient, list_notices

    states, withdrawn = _states(state)
    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case) if case else None
        if principal is not None and not is_recipient(conn, principal):
            pick_principals(conn, principal)
        looked_up = list_notices(
            conn, case_id=case_id, recipient=principal, states=states, withdrawn=withdrawn, limit=limit + 1
        )
    found, more = cut(looked_up, limit)
    if format is Format.JSON:
        show_json({"notices": [_told(notice) for notice in found], "more": more})
        return
    show_table(
        "Notices",
        ("notice", "recipient", "side", "by", "action", "field groups", "state", "told (UTC)", "due (UTC)"),
        [
            (n.notice_id, n.name, n.side, n.channel, n.action, ", ".join(n.field_groups), _stands(n), _clock(n.told_at),
             _clock(n.due_at))
            for n in found
        ],
    )  # fmt: skip


@app.command("send")
def send(format: FormatOption = Format.TABLE) -> None:
    """Find the recipients who have to be told of a decision, and tell those that have a prefix in our store.

    JSON: parts, found, sent, receipts, failed. Exit 3 when something failed; it is tried again next time.

    Example: sluice notices send
    """
    from sluice.exchange.house import open_house
    from sluice.rights.notices.tell import tell

    with open_house(get_settings()) as house, err.status("telling recipients"):
        told = tell(house, datetime.now(UTC))
    counts = {name: getattr(told, name) for name in ("parts", "found", "sent", "receipts", "failed")}
    if format is Format.JSON:
        show_json(counts)
    else:
        show_table("Sent", ("what", "count"), counts.items())
    if told.failed:
        raise typer.Exit(Exit.UNDECIDED)


@app.command("mail")
def mail(format: FormatOption = Format.TABLE) -> None:
    """Send the mails to recipients and the desk that are due, as the schedule does every five minutes.

    JSON: is_on (a server is set), sent, failed, waiting (still due). A mail has numbers, dates and places, no person.
    Exit 3 when something failed; it is tried again next time. Exit 4 when the settings cannot be used.

    Example: sluice notices mail
    """
    from sluice.exchange.house import open_house
    from sluice.rights.mail.write import count_waiting, send_mails

    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("sending mail"):
        done = send_mails(house, now)
        told = {"is_on": done.is_on, "sent": done.sent, "failed": done.failed, "waiting": count_waiting(house, now)}
    if format is Format.JSON:
        show_json(told)
    else:
        show_table("Mail", ("what", "count"), told.items())
    if done.failed:
        raise typer.Exit(Exit.UNDECIDED)


@app.command("ack")
def ack(
    notice: NoticeArgument,
    by: WhoOption,
    evidence: ProofOption,
    done: Annotated[
        bool, typer.Option("--done", help="The recipient carried it out; without this option, it only received it.")
    ] = False,
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record what a recipient told the desk. Exit 1 when it changes nothing.

    JSON: notice, outcome (ACKNOWLEDGED, DONE; ALREADY_ACKNOWLEDGED, ALREADY_DONE), by.

    Example: sluice notices ack 7b0d3f1e --done --by "privacy desk of energy01" --evidence mail.eml
    """
    from sluice.db import connect
    from sluice.rights.notices.answers import acknowledge

    proof = _hash(evidence)
    with connect(get_settings()) as conn:
        notice_id, outcome = acknowledge(conn, notice, by, datetime.now(UTC), proof, is_done=done, reason=reason)
    _show_one(format, {"notice": notice_id, "outcome": outcome.value, "by": by})
    if not outcome.moves:
        raise typer.Exit(Exit.REFUSED)


@app.command("export")
def export(
    notice: NoticeArgument,
    to: Annotated[Path, typer.Option(help="A file that does not exist yet; its content will identify the person.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Write a notice into a file, to send to a recipient without a prefix here. Exit 1 for one that was withdrawn.

    JSON: notice, path, sha256.

    Example: sluice notices export 7b0d3f1e --to notice.json
    """
    from sluice.exchange.house import open_house
    from sluice.rights.notices.model import NotByHand
    from sluice.rights.notices.notice_store import find_beginning, get_notice
    from sluice.rights.notices.tell import document_of

    with private_file("--to", to, is_new=True) as write, open_house(get_settings()) as house, err.status("writing"):
        found = get_notice(house.conn, find_beginning(house.conn, notice))
        if found.is_withdrawn:
            raise NotByHand(Ref("notice", found.notice_id), Ref("state", found.stands))
        content = document_of(house, found)
        write(content)
    _show_one(format, {"notice": found.notice_id, "path": str(to), "sha256": hashlib.sha256(content).hexdigest()})


@app.command("sent")
def sent(
    notice: NoticeArgument,
    by: WhoOption,
    evidence: ProofOption,
    reason: WhyOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Record that the desk told a recipient that has no prefix here. Exit 1 for any other recipient.

    JSON: notice, state, by.

    Example: sluice notices sent 7b0d3f1e --by anna --evidence registered-letter.pdf
    """
    from sluice.db import connect
    from sluice.rights.notices.answers import note_sent

    proof = _hash(evidence)
    with connect(get_settings()) as conn:
        notice_id = note_sent(conn, notice, by, datetime.now(UTC), proof, reason=reason)
    _show_one(format, {"notice": notice_id, "state": "SENT", "by": by})


@app.command("files")
def files(
    principal: Annotated[str | None, typer.Option(help="Only files of this principal.")] = None,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the files that principals put under acks/notice-*, newest first, and what each one changed.

    JSON: files: [{principal, key, version_id, notice, outcome, seen_at}], and more: whether `--limit` left some out;
    a name that could name a person is withheld.

    Example: sluice notices files --principal energy01
    """
    from sluice.db import connect
    from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
    from sluice.exchange.read import pick_principals
    from sluice.rights.notices.notice_store import list_answers

    with connect(get_settings()) as conn:
        pick_principals(conn, principal)
        found, more = cut(list_answers(conn, principal, limit + 1), limit)
    told = [
        {
            "principal": file.principal,
            "key": withheld_unless_safe(file.key, NO_FLOW),
            "version_id": file.version_id,
            "notice": file.notice_id,
            "outcome": file.outcome.value,
            "seen_at": file.seen_at,
        }
        for file in found
    ]
    if format is Format.JSON:
        show_json({"files": told, "more": more})
        return
    rows = [(f.principal, f.version_id, f.notice_id, f.outcome, _clock(f.seen_at)) for f in found]
    show_table("Files about notices", ("principal", "version", "notice", "outcome", "seen (UTC)"), rows)


@app.command("follow")
def follow(format: FormatOption = Format.TABLE) -> None:
    """Tell recipients, read acks/notice-*, remind, escalate and close what is ready, as the schedule does.

    JSON: found, sent, receipts, answers {outcome: files}, waiting, overdue, reminded, escalated, dropped, steps,
    closed, failed. Exit 3 when something failed; it is tried again next time.

    Example: sluice notices follow
    """
    from sluice.exchange.house import open_house
    from sluice.rights.schedule import sweep

    with open_house(get_settings()) as house, err.status("following notices"):
        done = sweep(house, datetime.now(UTC))
    counts = {
        **{name: getattr(done.told, name) for name in ("found", "sent", "receipts")},
        "waiting": done.followed.answers.waiting,
        **{name: getattr(done.followed, name) for name in ("overdue", "reminded", "escalated", "dropped")},
        "steps": done.finished.steps,
        "closed": done.finished.closed,
        "failed": done.failed,
    }
    if format is Format.JSON:
        show_json({"answers": dict(done.followed.answers.outcomes), **counts})
    else:
        show_table("Followed", ("what", "count"), [*done.followed.answers.outcomes.items(), *counts.items()])
    if done.failed:
        raise typer.Exit(Exit.UNDECIDED)


def recipients(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """List every recipient that has a copy of the data decided on; the person gets this list.

    JSON: case, recipients: [{name, recipient, side, action, field_groups, exchanges, told_at, state}].

    Example: sluice case recipients 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.store import find_beginning
    from sluice.rights.notices.notice_store import list_notices

    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case)
        found = list_notices(conn, case_id=case_id, limit=None)
    if format is Format.JSON:
        names = ("name", "recipient", "side", "action", "field_groups", "exchanges", "told_at", "state")
        show_json({"case": case_id, "recipients": [{name: _told(n)[name] for name in names} for n in found]})
        return
    show_table(
        "Recipients",
        ("name", "side", "action", "field groups", "exchanges", "told (UTC)", "state"),
        [
            (n.name, n.side, n.action, ", ".join(n.field_groups), len(n.exchanges), _clock(n.told_at), n.stands)
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
        "state": notice.stands,
        "was_late": notice.was_late,
        "reminders": notice.reminders,
        **{name: getattr(notice, name) for name in moments},
    }


def _show_one(format: Format, told: dict[str, Any]) -> None:
    if format is Format.JSON:
        show_json(told)
    else:
        show_table("Notice", tuple(told), [tuple(told.values())])


def _hash(evidence: Path) -> str:
    return hashlib.sha256(read_given(evidence, Ref("option", "--evidence"))).hexdigest()


def _stands(notice: "Notice") -> str:
    """The state in words, and whether an answer of the recipient came late."""
    return f"{notice.stands}, late" if notice.was_late else notice.stands


def _states(word: str | None) -> "tuple[tuple[NoticeState, ...], bool | None]":
    """The states that a word of ``--state`` stands for, and whether it means only notices never sent (None: either)."""
    from sluice.rights.notices.model import WITHDRAWN, NoticeState

    if word is None:
        return (), None
    states = [*(state.value for state in NoticeState), WITHDRAWN]
    if word.upper() not in states:
        raise UsageError(Ref("option", "--state"), Ref("one of", ", ".join(states)))
    return ((), True) if word.upper() == WITHDRAWN else ((NoticeState(word.upper()),), False)


def _clock(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
