"""``sluice case``: requests of persons, from opening to closing. No value of a person is printed."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sluice.cli import case_steps, letters, notices
from sluice.cli.candidates import candidates_of_case, confirm, read_sought
from sluice.cli.case_output import CaseArgument, show_case
from sluice.cli.cut import LimitOption, cut
from sluice.cli.options import ByOption, channel_word, purpose_iri
from sluice.cli.output import Format, FormatOption, err, show_json, show_table
from sluice.errors import Ref, UsageError
from sluice.rights.case.describe import describe, flags
from sluice.settings import get_settings, login_name
from sluice.times import brussels_day

if TYPE_CHECKING:
    from sluice.exchange.house import House
    from sluice.rights.case.model import Right
    from sluice.rights.opening import NewRequest
    from sluice.rights.person.identifiers import Sought

app = typer.Typer(
    help="Requests of persons: their clock, their parts, their steps.",
    epilog="Example: sluice case open --right erasure --identifier phone:0470123456",
    no_args_is_help=True,
)


RightOption = Annotated[
    str,
    typer.Option(
        help="access, rectification, erasure, restriction, portability, objection, direct_marketing, "
        "consent_withdrawal."
    ),
]
IdentifierOption = Annotated[
    list[str] | None,
    typer.Option(
        help="KIND:VALUE; kind phone, email, customer, customer@PRINCIPAL, national_number, iban. May be repeated."
    ),
]
CandidateOption = Annotated[
    str | None, typer.Option(help="PRINCIPAL:CANDIDATE of `subject candidates`: you confirm that this is the person.")
]
SoughtOption = Annotated[
    str | None,
    typer.Option(help="File with a name, a tab and a birth date; - for stdin. The case then waits for `case confirm`."),
]
AddressedOption = Annotated[
    str | None, typer.Option(help="The principal that was addressed; by default all that know the person.")
]
ReceivedOption = Annotated[str | None, typer.Option(help="Brussels date of receipt, ISO; today by default.")]
CameByOption = Annotated[str, typer.Option(help="How it came: letter, mail, phone, form.")]
LanguageOption = Annotated[str, typer.Option(help="Language of the person: nl, fr or en.")]
PurposeOption = Annotated[
    list[str] | None,
    typer.Option(help="Purpose that an objection or withdrawal names: DPV IRI or its last part. May be repeated."),
]
ChannelOption = Annotated[
    str | None, typer.Option(help="Only this channel, if the person named one: phone, sms or email.")
]


@app.command("open")
def open_(
    right: RightOption,
    identifier: IdentifierOption = None,
    candidate: CandidateOption = None,
    sought: SoughtOption = None,
    principal: AddressedOption = None,
    received: ReceivedOption = None,
    channel: CameByOption = "letter",
    language: LanguageOption = "nl",
    purpose: PurposeOption = None,
    contact_channel: ChannelOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Open a case: the person is kept out at once, then one part is made for every controller.

    JSON: case, state, sub_cases [{sub_case, principal, agreement, controller, track, state, field_groups,
    forward_due}], received, legal_due, extended_due. Exit 2 for an identifier that names nobody, and for a
    customer number that several principals know. A case by --candidate is of that one principal. With
    --sought alone the case waits for `case confirm`, which takes a candidate of each.

    Example: sluice case open --right erasure --identifier phone:0470123456 --received 2026-11-24
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.model import desk_actor
    from sluice.rights.opening import NewRequest, open_case
    from sluice.rights.person.identifiers import parse_owned
    from sluice.terms import Principal

    now = datetime.now(UTC)
    if not (identifier or candidate or sought):
        raise UsageError(Ref("rule", "MISSING"), Ref("option", "one of --identifier, --candidate and --sought"))
    asked = NewRequest(
        right=_right(right),
        identifiers=[parse_owned(text, place) for place, text in enumerate(identifier or (), 1)],
        principal=Principal(principal) if principal else None,
        received=_date(received, now) or now,
        channel=_came_by(channel),
        language=language,
        actor=desk_actor(by or login_name()),
        sought=_one_sought(sought) if sought else None,
        purposes=[purpose_iri(each) for each in purpose or ()],
        contact_channel=channel_word(contact_channel),
    )
    confirmed = _confirmed(candidate, principal) if candidate else None
    with open_house(get_settings()) as house, err.status("opening"):
        if confirmed:
            asked = _with_candidate(house, asked, *confirmed)
        case = open_case(house, asked, now)
    show_case(case, format)


@app.command("list")
def list_(
    principal: Annotated[str | None, typer.Option(help="Only cases with a part of this principal.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only with this state, of the case or of a part, such as AWAITING_INSTRUCTION.")
    ] = None,
    open: Annotated[bool, typer.Option("--open", help="Only cases that are not closed.")] = False,
    limit: LimitOption = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List cases, newest first.

    JSON: cases: [as in `case show`, without steps], and more: whether `--limit` left some out.

    Example: sluice case list --state AWAITING_INSTRUCTION
    """
    from sluice.db import connect
    from sluice.exchange.read import pick_principals
    from sluice.rights.case.model import State
    from sluice.rights.case.store import CaseFilter, list_cases

    word = state.upper() if state else None
    if word and word not in [each.value for each in State]:
        raise UsageError(Ref("option", "--state"), Ref("one of", ", ".join(State)))
    with connect(get_settings()) as conn:
        pick_principals(conn, principal)
        looked_up = list_cases(conn, CaseFilter(principal=principal, state=word, only_open=open), limit=limit + 1)
    found, more = cut(looked_up, limit)
    if format is Format.JSON:
        show_json({"cases": [describe(case) for case in found], "more": more})
        return
    show_table(
        "Cases",
        ("case", "right", "state", "received", "legal due", "parts", "flags"),
        [(c.case_id, c.right, c.state, c.due.received, c.due.legal_due, len(c.sub_cases), flags(c)) for c in found],
    )


@app.command("show")
def show(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Show a case: its clock, what comes next, its parts and every step they took.

    JSON: as `case open`, and paused_legal_due, flags, persons, searched, steps [{at, sub_case, from, to,
    by, reason, evidence}], letters as `case letters`, next [{step, what, who, until, sub_case, command}]: what has to
    be done next and by whom (center, person, a principal, or the schedule by itself), the most pressing first.

    Example: sluice case show 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.owed import find_owed
    from sluice.rights.case.store import find_beginning, get_case, list_steps

    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case)
        found, steps = get_case(conn, case_id), list_steps(conn, case_id)
        owed = find_owed(conn, found)
    show_case(found, format, steps, owed)


app.command("candidates")(candidates_of_case)
app.command("confirm")(confirm)
app.command("identity")(case_steps.identity)
app.command("pause")(case_steps.pause)
app.command("extend")(case_steps.extend)
app.command("decide")(case_steps.decide)
app.command("withdraw")(case_steps.withdraw)
app.command("complaint")(case_steps.complaint)
app.command("lift")(case_steps.lift)
app.command("rectify")(case_steps.rectify)
app.command("letter")(letters.letter)
app.command("letters")(letters.letters)
app.command("tidy")(case_steps.tidy)
app.command("recipients")(notices.recipients)


FOLLOWED = (
    "forwarded", "late", "reminded", "escalated", "breached", "withdrawn", "released", "protected", "letters",
)  # fmt: skip


@app.command("follow")
def follow(format: FormatOption = Format.TABLE) -> None:
    """Read requests/ once, forward, remind, escalate and write the letters owed, as the schedule does.

    JSON: requests {outcome: files}, instructions {outcome: files}, finished, forwarded, late, reminded,
    escalated, breached, withdrawn, released (holds that ended), protected (persons kept out at principals that
    signed meanwhile), letters, failed. Exit 3 when something failed; it is tried again next time.

    Example: sluice case follow
    """
    from sluice.errors import Exit
    from sluice.exchange.house import open_house
    from sluice.rights.requests import read_requests
    from sluice.rights.schedule import follow as follow_once

    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("following"):
        read = read_requests(house, now)
        done = follow_once(house, now)
    counts = {
        "finished": read.finished,
        **{name: getattr(done, name) for name in FOLLOWED},
        "failed": read.failed + done.failed,
    }
    if format is Format.JSON:
        show_json({"requests": dict(read.requests), "instructions": dict(read.instructions), **counts})
    else:
        show_table("Followed", ("what", "count"), [*read.requests.items(), *read.instructions.items(), *counts.items()])
    if counts["failed"]:
        raise typer.Exit(Exit.UNDECIDED)


def _confirmed(candidate: str, principal: str | None) -> tuple[str, str]:
    """Split PRINCIPAL:CANDIDATE into its two parts. Raises UsageError, also where another principal was addressed."""
    name, _, ref = candidate.partition(":")
    if not ref or principal not in (None, name):
        raise UsageError(Ref("option", "--candidate"))
    return name, ref


def _with_candidate(house: "House", asked: "NewRequest", name: str, ref: str) -> "NewRequest":
    """Add the candidate to the request, and address it to the principal whose candidate it is. Raises NotFound."""
    from sluice.exchange.read import pick_principals
    from sluice.rights.copies.candidates import identifier_of

    principal = pick_principals(house.conn, name)[0]
    identifiers = [*asked.identifiers, identifier_of(house, principal, ref)]
    return replace(asked, principal=principal, identifiers=identifiers)


def _one_sought(file: str) -> "Sought":
    found = read_sought(file, Ref("option", "--sought"))
    if len(found) != 1:
        raise UsageError(Ref("option", "--sought"), Ref("lines", len(found)))
    return found[0]


def _right(word: str) -> "Right":
    from sluice.rights.case.model import Right

    if word not in [each.value for each in Right]:
        raise UsageError(Ref("option", "--right"), Ref("one of", ", ".join(Right)))
    return Right(word)


def _came_by(channel: str) -> str:
    """How a request came to the desk; not ``file``, which is for a principal's request files. Raises UsageError."""
    from sluice.rights.case.model import CameBy

    if channel not in get_args(CameBy):
        raise UsageError(Ref("option", "--channel"), Ref("one of", ", ".join(get_args(CameBy))))
    return channel


def _date(text: str | None, now: datetime) -> date | None:
    try:
        day = date.fromisoformat(text) if text else None
        if day is None or day <= brussels_day(now):
            return day
    except ValueError:
        pass
    raise UsageError(Ref("option", "--received"), Ref("takes", "YYYY-MM-DD, a day until today in Brussels"))
