"""``sluice case``: requests of persons, from the first word to the close. No value of a person is printed."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluice.cli.output import Format, FormatOption, err, show_json, show_pairs, show_table
from sluice.errors import FileMissing, Ref, UsageError
from sluice.settings import get_settings

if TYPE_CHECKING:
    from sluice.rights.model import Case, Order, Right, Step, SubCase, SubCaseId

app = typer.Typer(
    help="Requests of persons: their clock, their parts, their steps.",
    epilog="Example: sluice case open --right erasure --identifier phone:0470123456",
    no_args_is_help=True,
)
CaseArgument = Annotated[str, typer.Argument(help="Case number, or an unambiguous beginning of it.")]
ByOption = Annotated[str | None, typer.Option(help="Who does it; the user of this machine by default.")]
EvidenceOption = Annotated[
    Path | None, typer.Option(help="A file that proves it (a letter, a form): its hash is kept.")
]
ReasonOption = Annotated[str, typer.Option(help="A DPV justification, short (A12Complexity) or as IRI.")]
PartOption = Annotated[list[str] | None, typer.Option("--sub-case", help="Only this part; may be repeated.")]
MOST_CASES = 100_000


@app.command("open")
def open_(
    right: Annotated[
        str,
        typer.Option(
            help="access, rectification, erasure, restriction, portability, objection, direct_marketing, "
            "consent_withdrawal."
        ),
    ],
    identifier: Annotated[
        list[str], typer.Option(help="KIND:VALUE; kind phone, email, customer, national_number, iban. May be repeated.")
    ],
    principal: Annotated[str | None, typer.Option(help="Who was addressed; else all that know the person.")] = None,
    received: Annotated[str | None, typer.Option(help="Brussels date of receipt, ISO; today by default.")] = None,
    channel: Annotated[str, typer.Option(help="How it came: letter, mail, phone, form.")] = "letter",
    language: Annotated[str, typer.Option(help="Of the person: nl, fr or en.")] = "nl",
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Open a case: the person is protected at once, then every controller's part is made.

    JSON: case, state, sub_cases [{sub_case, principal, agreement, controller, track, state, field_groups,
    forward_due}], received, legal_due, extended_due. Exit 2 for an identifier that names nobody.

    Example: sluice case open --right erasure --identifier phone:0470123456 --received 2026-11-24
    """
    from sluice.exchange.house import open_house
    from sluice.rights.identifiers import parse_identifier
    from sluice.rights.model import Actor, Role
    from sluice.rights.opening import open_case
    from sluice.rights.protect import protection_of
    from sluice.terms import Principal

    wanted, day = _right(right), _date(received)
    persons = [parse_identifier(text, place) for place, text in enumerate(identifier, 1)]
    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("opening"):
        case = open_case(
            house,
            wanted,
            [(each.kind, each.value) for each in persons],
            Principal(principal) if principal else None,
            day or now,
            channel,
            language,
            now,
            protection=protection_of(house),
            actor=Actor(Role.DESK, by or _user()),
        )
    _show(case, format)


@app.command("list")
def list_(
    principal: Annotated[str | None, typer.Option(help="With a part of this principal.")] = None,
    state: Annotated[str | None, typer.Option(help="Of the case or of a part, such as AWAITING_INSTRUCTION.")] = None,
    open: Annotated[bool, typer.Option("--open", help="Only what is not over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_CASES, help="At most so many, newest first.")] = 200,
    format: FormatOption = Format.TABLE,
) -> None:
    """List cases, newest first.

    JSON: cases: [as in `case show`, without steps].

    Example: sluice case list --state AWAITING_INSTRUCTION
    """
    from sluice.db import connect
    from sluice.rights.model import State
    from sluice.rights.store import list_cases

    word = state.upper() if state else None
    if word and word not in [each.value for each in State]:
        raise UsageError(Ref("option", "--state"))
    with connect(get_settings()) as conn:
        found = list_cases(conn, principal=principal, state=word, only_open=open, limit=limit)
    if format is Format.JSON:
        show_json({"cases": [_told(case) for case in found]})
        return
    show_table(
        "Cases",
        ("case", "right", "state", "received", "legal due", "parts", "flags"),
        [(c.case_id, c.right, c.state, c.due.received, c.due.legal_due, len(c.sub_cases), _flags(c)) for c in found],
    )


@app.command("show")
def show(case: CaseArgument, format: FormatOption = Format.TABLE) -> None:
    """Show a case: its clock, its parts and every step they took.

    JSON: as `case open`, and paused_legal_due, flags, persons, searched, steps [{at, sub_case, from, to,
    by, reason, evidence}].

    Example: sluice case show 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.store import find_beginning, get_case, list_steps

    with connect(get_settings()) as conn:
        case_id = find_beginning(conn, case.lower())
        found, steps = get_case(conn, case_id), list_steps(conn, case_id)
    _show(found, format, steps)


@app.command("identity")
def identity(
    case: CaseArgument,
    failed: Annotated[bool, typer.Option("--failed", help="The person could not prove who they are.")] = False,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """End the identity check (where nobody doubted, it never began); the case is then scoped.

    JSON: as `case open`. Exit 1 when the case does not wait for it.

    Example: sluice case identity 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.cases import settle_identity
    from sluice.rights.reasons import iri
    from sluice.rights.store import find_beginning

    order = _order(iri("A12IdentityFailure") if failed else "IDENTITY_SHOWN", evidence, by)
    with connect(get_settings()) as conn:
        done = settle_identity(conn, find_beginning(conn, case.lower()), not failed, order)
    _show(done, format)


@app.command("pause")
def pause(
    case: CaseArgument,
    reason: ReasonOption = "A12IdentityRequired",
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask the person who they are: the paused clock stands still, the strict one stays visible and alarms.

    JSON: as `case open`. `case identity` ends the pause. Exit 1 when it was asked before.

    Example: sluice case pause 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.cases import pause as pause_case
    from sluice.rights.reasons import iri
    from sluice.rights.store import find_beginning

    order = _order(iri(reason), evidence, by)
    with connect(get_settings()) as conn:
        done = pause_case(conn, find_beginning(conn, case.lower()), order)
    _show(done, format)


@app.command("extend")
def extend(
    case: CaseArgument,
    reason: ReasonOption,
    sub_case: PartOption = None,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take two months more for what the center decides: once, before the first month is over.

    JSON: as `case open`. Reasons: A12Complexity, A12HighVolume. Exit 1 when it is late or was done before.

    Example: sluice case extend 6f0c4f0e --reason A12Complexity
    """
    from sluice.db import connect
    from sluice.rights.cases import extend as extend_case
    from sluice.rights.reasons import iri
    from sluice.rights.store import find_beginning

    order = _order(iri(reason), evidence, by)
    with connect(get_settings()) as conn:
        done = extend_case(conn, find_beginning(conn, case.lower()), order, _parts(sub_case))
    _show(done, format)


@app.command("decide")
def decide(
    case: CaseArgument,
    accept: Annotated[
        str | None, typer.Option(help="What is done: give, rectify, erase, restrict, export, stop.")
    ] = None,
    refuse: Annotated[
        list[str] | None,
        typer.Option(help="FIELD_GROUP=REASON, or REASON for all of a part. May be repeated."),
    ] = None,
    remedies: Annotated[str | None, typer.Option(help="Which text of complaint and court the letter has.")] = None,
    language: Annotated[str, typer.Option(help="Language of that text: the person's.")] = "nl",
    abuse_proven: Annotated[bool, typer.Option("--abuse-proven", help="The evidence proves abuse.")] = False,
    sub_case: PartOption = None,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Decide what the center decides: accept, refuse, or both for a part. What a principal decides waits for it.

    JSON: as `case open`. Exit 1 when a guard does not hold; the message names it.

    Example: sluice case decide 6f0c4f0e --accept erase
    """
    from dataclasses import replace

    from sluice.db import connect
    from sluice.rights.cases import decide as decide_case
    from sluice.rights.model import Action, Remedies, State
    from sluice.rights.store import find_beginning

    if accept is None and not refuse:
        raise UsageError(Ref("option", "--accept or --refuse"))
    if accept is not None and accept not in [each.value for each in Action]:
        raise UsageError(Ref("option", "--accept"))
    reasons = _reasons(refuse or [])
    order = replace(
        _order(next(iter(reasons.values()), "ACCEPTED"), evidence, by),
        reasons=reasons,
        action=Action(accept) if accept else None,
        remedies=Remedies(remedies, language) if remedies else None,
        has_proof_of_abuse=abuse_proven,
    )
    target = State.ACCEPTED if not refuse else State.PARTIAL if accept else State.REFUSED
    with connect(get_settings()) as conn:
        done = decide_case(conn, find_beginning(conn, case.lower()), target, order, _parts(sub_case))
    _show(done, format)


@app.command("withdraw")
def withdraw(
    case: CaseArgument, evidence: EvidenceOption = None, by: ByOption = None, format: FormatOption = Format.TABLE
) -> None:
    """The person takes the request back: every part ends, and who was told of it is told.

    JSON: as `case open`. Exit 1 when the case is over.

    Example: sluice case withdraw 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.cases import withdraw as withdraw_case
    from sluice.rights.store import find_beginning

    order = _order("SUBJECT_ASKED", evidence, by)
    with connect(get_settings()) as conn:
        done = withdraw_case(conn, find_beginning(conn, case.lower()), order)
    _show(done, format)


@app.command("follow")
def follow(format: FormatOption = Format.TABLE) -> None:
    """Read requests/ once, forward, remind and escalate what is due: what the schedule does.

    JSON: requests {outcome: files}, instructions {outcome: files}, finished, forwarded, late, reminded,
    escalated, breached, withdrawn, released (holds that ended), failed. Exit 3 when something failed; it
    is tried again next time.

    Example: sluice case follow
    """
    from sluice.errors import Exit
    from sluice.exchange.house import open_house
    from sluice.rights.forward import follow as follow_once
    from sluice.rights.protect import protection_of
    from sluice.rights.requests import read_requests

    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("following"):
        read = read_requests(house, protection_of(house), now)
        told = follow_once(house, now)
    counts = {
        "finished": read.finished,
        **{
            name: getattr(told, name)
            for name in ("forwarded", "late", "reminded", "escalated", "breached", "withdrawn", "released")
        },
        "failed": read.failed + told.failed,
    }
    if format is Format.JSON:
        show_json({"requests": dict(read.requests), "instructions": dict(read.instructions), **counts})
    else:
        show_table("Followed", ("what", "count"), [*read.requests.items(), *read.instructions.items(), *counts.items()])
    if counts["failed"]:
        raise typer.Exit(Exit.UNDECIDED)


def _show(case: "Case", format: Format, steps: "Sequence[Step] | None" = None) -> None:
    told = _told(case, steps)
    if format is Format.JSON:
        show_json(told)
        return
    show_pairs("Case", {name: value for name, value in told.items() if not isinstance(value, list)})
    show_table(
        "Parts",
        ("sub-case", "principal", "agreement", "decides", "state", "forward due (UTC)", "field groups"),
        [
            (p.sub_case_id, p.principal, p.agreement_id, p.controller, p.state, _clock(p), ", ".join(p.field_groups))
            for p in case.sub_cases
        ],
    )
    if steps:
        rows = [
            (f"{s.at:%Y-%m-%d %H:%M:%S}", s.sub_case_id, s.from_state, s.to_state, s.actor, s.reason_code)
            for s in steps
        ]
        show_table("Steps", ("at (UTC)", "sub-case", "from", "to", "by", "reason"), rows)


def _told(case: "Case", steps: "Sequence[Step] | None" = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "case": case.case_id,
        "right": case.right.value,
        "state": case.state.value,
        "persons": case.persons,
        "received": case.due.received,
        "legal_due": case.due.legal_due,
        "extended_due": case.due.extended_due,
        "extended": case.is_extended,
        "flags": _flags(case),
        "searched": list(case.searched),
        "sub_cases": [_told_part(part) for part in case.sub_cases],
    }
    if steps is None:
        return told
    from sluice.rights.cases import paused_clock

    told["paused_legal_due"] = paused_clock(case, steps).legal_due
    told["steps"] = [
        {
            "at": step.at,
            "sub_case": step.sub_case_id,
            "from": step.from_state,
            "to": step.to_state,
            "by": step.actor,
            "reason": step.reason_code,
            "reasons": dict(step.reasons),
            "evidence": step.evidence_sha256,
        }
        for step in steps
    ]
    return told


def _told_part(part: "SubCase") -> dict[str, Any]:
    return {
        "sub_case": part.sub_case_id,
        "principal": part.principal,
        "agreement": part.agreement_id,
        "controller": part.controller,
        "track": part.track.value,
        "state": part.state.value,
        "field_groups": list(part.field_groups),
        "forward_due": part.forward_due_at,
        "forwarded_at": part.forwarded_at,
        "action": part.action.value if part.action else None,
    }


def _flags(case: "Case") -> str:
    flags = {"BREACHED_DEADLINE": case.is_breached, "COMPLAINT": case.has_complaint}
    return ", ".join(name for name, is_set in flags.items() if is_set)


def _clock(part: "SubCase") -> str | None:
    return f"{part.forward_due_at:%Y-%m-%d %H:%M}" if part.forward_due_at else None


def _order(code: str, evidence: Path | None, by: str | None) -> "Order":
    """The desk's order; without a file its evidence is the order itself, as given."""
    from sluice.rights.model import Actor, Order, Role

    now, who = datetime.now(UTC), by or _user()
    if evidence is None:
        proof = f"{who}\n{now.isoformat()}\n{code}".encode()
    elif evidence.is_file():
        proof = evidence.read_bytes()
    else:
        raise FileMissing(Ref("option", "--evidence"))
    return Order(Actor(Role.DESK, who), now, code, hashlib.sha256(proof).hexdigest())


def _reasons(given: Sequence[str]) -> Mapping[str, str]:
    """``FIELD_GROUP=REASON``; without a group it stands for all."""
    from sluice.rights.reasons import iri

    pairs = [text.rpartition("=") for text in given]
    return {group or "*": iri(reason) for group, _, reason in pairs}


def _parts(named: Sequence[str] | None) -> "tuple[SubCaseId, ...]":
    from sluice.rights.model import SubCaseId

    return tuple(SubCaseId(each.lower()) for each in named or ())


def _right(word: str) -> "Right":
    from sluice.rights.model import Right

    if word not in [each.value for each in Right]:
        raise UsageError(Ref("option", "--right"))
    return Right(word)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        pass
    raise UsageError(Ref("option", "--received"))


def _user() -> str:
    """The login name of this process, from the system, not from the environment; else its number."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
