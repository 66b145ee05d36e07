"""Steps of a case that people take: identity, pause, extension, decision, withdrawal and others."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluice.cli.case_output import CaseArgument, show_case
from sluice.cli.options import ByOption
from sluice.cli.output import Format, FormatOption, err
from sluice.errors import Ref, UsageError
from sluice.given_files import read_given
from sluice.settings import get_settings, login_name

if TYPE_CHECKING:
    from sluice.rights.case.model import Action, Order, SubCaseId
    from sluice.rights.desk_steps import StepTaken

EvidenceOption = Annotated[
    Path | None, typer.Option(help="A file that proves it (a letter, a form): its hash is kept.")
]
ReasonOption = Annotated[str, typer.Option(help="A DPV justification: its last part (A12Complexity) or its IRI.")]
PartOption = Annotated[list[str] | None, typer.Option("--sub-case", help="Only this part. May be repeated.")]


def identity(
    case: CaseArgument,
    failed: Annotated[bool, typer.Option("--failed", help="The person could not prove who they are.")] = False,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """End the identity check, also where nobody asked for one; the case is then scoped.

    JSON: as `case open`. Exit 1 when the case does not wait for it.

    Example: sluice case identity 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.reasons import iri
    from sluice.rights.case.steps import settle_identity
    from sluice.rights.case.store import find_beginning

    order = _order(iri("A12IdentityFailure") if failed else "IDENTITY_SHOWN", evidence, by)
    with connect(get_settings()) as conn:
        done = settle_identity(conn, find_beginning(conn, case), not failed, order)
    show_case(done, format)


def pause(
    case: CaseArgument,
    reason: ReasonOption = "A12IdentityRequired",
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask the person to prove who they are. This pauses one clock; the strict clock still runs and raises alarms.

    JSON: as `case open`. `case identity` ends the pause. Exit 1 when the person was asked before.

    Example: sluice case pause 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.reasons import iri
    from sluice.rights.case.steps import pause as pause_case
    from sluice.rights.case.store import find_beginning

    order = _order(iri(reason), evidence, by)
    with connect(get_settings()) as conn:
        done = pause_case(conn, find_beginning(conn, case), order)
    show_case(done, format)


def extend(
    case: CaseArgument,
    reason: ReasonOption,
    sub_case: PartOption = None,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Take two more months for the parts that the center decides: once, and before the first month is over.

    The letter about it is written at once; if it could not be, stderr says that it is owed. JSON: as `case open`.
    Reasons: A12Complexity, A12HighVolume. Exit 1 when the month is over or the case was extended before.

    Example: sluice case extend 6f0c4f0e --reason A12Complexity
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.reasons import DELAYS, iri, short
    from sluice.rights.case.store import find_beginning
    from sluice.rights.desk_steps import extend_and_tell

    if iri(reason) not in DELAYS:
        raise UsageError(Ref("option", "--reason"), Ref("one of", ", ".join(sorted(map(short, DELAYS)))))
    order = _order(iri(reason), evidence, by)
    with open_house(get_settings()) as house, err.status("extending"):
        done = extend_and_tell(house, find_beginning(house.conn, case), order, _parts(sub_case))
    _show_done(done, format)


def decide(
    case: CaseArgument,
    accept: Annotated[
        str | None, typer.Option(help="What to do: give, rectify, erase, restrict, export or stop.")
    ] = None,
    refuse: Annotated[
        list[str] | None,
        typer.Option(help="FIELD_GROUP=REASON, or REASON for the whole part. May be repeated."),
    ] = None,
    ground: Annotated[
        str | None,
        typer.Option(
            help="Why it has to be erased: no-longer-needed, consent-withdrawn, objection-upheld, unlawful, legal-duty "
            "or child (GDPR Art. 17(1)(a) to (f)). Only with --accept erase."
        ),
    ] = None,
    remedies: Annotated[
        str | None, typer.Option(help="The text about complaint and court, such as remedies.be.")
    ] = None,
    language: Annotated[str, typer.Option(help="Language of that text; it must be the person's.")] = "nl",
    abuse_proven: Annotated[
        bool, typer.Option("--abuse-proven", help="The file of --evidence proves that the request is abusive.")
    ] = False,
    sub_case: PartOption = None,
    evidence: EvidenceOption = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Decide the parts that the center decides: accept, refuse, or both in one part. A principal decides its own parts.

    Restricting data instead of erasing or correcting it is a refusal: --accept restrict, and a --refuse reason for all.

    The letter about a refusal is written at once; if it could not be, stderr says that it is owed. JSON: as
    `case open`. Exit 1 when the step is not allowed; the message names the guard that forbids it.

    Example: sluice case decide 6f0c4f0e --accept erase --ground no-longer-needed
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.model import Remedies
    from sluice.rights.case.store import find_beginning
    from sluice.rights.desk_steps import decide_and_tell, decision, reasons_of

    if accept is None and not refuse:
        raise UsageError(Ref("option", "--accept or --refuse"))
    reasons = reasons_of(refuse or [])
    order = decision(
        by or login_name(),
        datetime.now(UTC),
        _ground(ground, accept) or next(iter(reasons.values()), "ACCEPTED"),
        _proof(evidence),
        action=_action(accept),
        reasons=reasons,
        remedies=Remedies(remedies, language) if remedies else None,
        has_proof_of_abuse=abuse_proven,
    )
    with open_house(get_settings()) as house, err.status("deciding"):
        done = decide_and_tell(house, find_beginning(house.conn, case), order, _parts(sub_case))
    _show_done(done, format)


def withdraw(
    case: CaseArgument, evidence: EvidenceOption = None, by: ByOption = None, format: FormatOption = Format.TABLE
) -> None:
    """Record that the person takes the request back: every part ends, and whoever was told of the request is told.

    JSON: as `case open`. Exit 1 when the case is over.

    Example: sluice case withdraw 6f0c4f0e
    """
    from sluice.db import connect
    from sluice.rights.case.steps import withdraw as withdraw_case
    from sluice.rights.case.store import find_beginning

    order = _order("SUBJECT_ASKED", evidence, by)
    with connect(get_settings()) as conn:
        done = withdraw_case(conn, find_beginning(conn, case), order)
    show_case(done, format)


def complaint(
    case: CaseArgument, evidence: EvidenceOption = None, by: ByOption = None, format: FormatOption = Format.TABLE
) -> None:
    """Record that the person complained (Article 77) or went to court (Article 79), so that sealed data is kept.

    The state of the case does not change. JSON: as `case open`. Repeating it changes nothing.

    Example: sluice case complaint 6f0c4f0e --evidence letter-of-the-authority.pdf
    """
    from sluice.db import connect
    from sluice.rights.case.model import Flag
    from sluice.rights.case.steps import set_flag
    from sluice.rights.case.store import find_beginning

    order = _order("COMPLAINED", evidence, by)
    with connect(get_settings()) as conn:
        done = set_flag(conn, find_beginning(conn, case), Flag.COMPLAINT, order)
    show_case(done, format)


def lift(
    case: CaseArgument, evidence: EvidenceOption = None, by: ByOption = None, format: FormatOption = Format.TABLE
) -> None:
    """End the restriction of a case, after the person was told that it ends (Article 18(3)).

    JSON: as `case open`. Exit 1 when the person was not told first, another part at the same principal is not carried
    out yet, or nothing is restricted.

    Example: sluice case lift 6f0c4f0e
    """
    from sluice.exchange.house import open_house
    from sluice.rights.case.store import find_beginning, get_case
    from sluice.rights.lifting import lift_restriction

    order = _order("RESTRICTION_LIFTED", evidence, by)
    with open_house(get_settings()) as house, err.status("lifting"):
        case_id = find_beginning(house.conn, case)
        lift_restriction(house, case_id, order, evidence is not None)
        done = get_case(house.conn, case_id)
    show_case(done, format)


def rectify(
    case: CaseArgument,
    values: Annotated[
        Path, typer.Argument(metavar="FILE", help="File with a JSON object of columns and their right values.")
    ],
    as_of: Annotated[
        str | None,
        typer.Option(help="Since when they are right, not in the future; ISO 8601 with zone; now by default."),
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Give the right values before `case decide --accept rectify`; they are sealed with the case until it is decided.

    A column with an opinion (a note, a disposition) keeps its text, and the value is attached as the person's
    statement. JSON: as `case open`. Exit 1 for a column that no contract of the case has.

    Example: sluice case rectify 6f0c4f0e values.json --as-of 2026-11-25T12:00:00+01:00
    """
    import json

    from sluice.exchange.house import open_house
    from sluice.rights.case.store import find_beginning, get_case
    from sluice.rights.person.rectify import ask
    from sluice.rights.person.wanted import Wanted, is_since

    content = read_given(values, Ref("argument", "FILE"))
    try:
        now = datetime.now(UTC)
        said, since = json.loads(content), datetime.fromisoformat(as_of) if as_of else now
    except ValueError:
        raise UsageError(Ref("argument", "FILE, or --as-of")) from None
    if (
        not isinstance(said, dict)
        or not all(isinstance(each, str) for each in said.values())
        or not is_since(since, now)
    ):
        raise UsageError(Ref("argument", "FILE, or --as-of"))
    with open_house(get_settings()) as house, err.status("sealing"):
        case_id = find_beginning(house.conn, case)
        ask(house, case_id, Wanted(said, since))
        done = get_case(house.conn, case_id)
    show_case(done, format)


def _order(code: str, evidence: Path | None, by: str | None) -> "Order":
    from sluice.rights.case.steps import desk_order

    return desk_order(by or login_name(), datetime.now(UTC), code, _proof(evidence))


def _proof(evidence: Path | None) -> str | None:
    """The SHA-256 of the file given as evidence, if one was. Raises FileMissing, FileUnreadable."""
    if evidence is None:
        return None
    return hashlib.sha256(read_given(evidence, Ref("option", "--evidence"))).hexdigest()


def _action(word: str | None) -> "Action | None":
    from sluice.rights.case.model import Action

    if word is not None and word not in [each.value for each in Action]:
        raise UsageError(Ref("option", "--accept"), Ref("one of", ", ".join(Action)))
    return Action(word) if word else None


def _ground(word: str | None, accept: str | None) -> str | None:
    """The reason code of a ground for erasure. Raises UsageError for an unknown one, or if nothing is to be erased."""
    from sluice.rights.case.model import Action
    from sluice.rights.case.reasons import GROUNDS

    if word is None:
        return None
    if accept != Action.ERASE:
        raise UsageError(Ref("option", "--ground"), Ref("only with", "--accept erase"))
    if word not in GROUNDS:
        raise UsageError(Ref("option", "--ground"), Ref("one of", ", ".join(GROUNDS)))
    return GROUNDS[word].value


def _show_done(done: "StepTaken", format: Format) -> None:
    show_case(done.case, format)
    if done.is_letter_owed:
        typer.echo("The letter about it is still owed: the schedule, or `sluice case follow`, writes it.", err=True)


def _parts(named: Sequence[str] | None) -> "tuple[SubCaseId, ...]":
    from sluice.rights.case.model import SubCaseId

    return tuple(SubCaseId(each.lower()) for each in named or ())


def tidy(
    case: Annotated[
        str | None,
        typer.Argument(metavar="[CASE]", help="Case id or its beginning; by default every case that is due."),
    ] = None,
    by: ByOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Remove the sealed data of closed cases (request, letters, what to look for), as the schedule does by itself.

    It is removed 180 days after the case is closed, if every recipient is done and no hold stands; after a complaint,
    only when the case is named here. Steps, hashes, suppression and certificate stay.

    JSON: cases, failed. Exit 1 with the reason when the named case has to wait; 3 when something failed.

    Example: sluice case tidy
    """
    from sluice.cli.output import show_json, show_pairs
    from sluice.errors import Exit
    from sluice.exchange.house import open_house
    from sluice.rights.case.store import find_beginning
    from sluice.rights.tidy import Tidied, tidy_case
    from sluice.rights.tidy import tidy as tidy_due

    now = datetime.now(UTC)
    with open_house(get_settings()) as house, err.status("removing"):
        if case is None:
            done = tidy_due(house, now)
        else:
            case_id = find_beginning(house.conn, case)
            done = Tidied(cases=int(tidy_case(house, case_id, by or login_name(), now)))
    counts = {"cases": done.cases, "failed": done.failed}
    show_json(counts) if format is Format.JSON else show_pairs("Sealed material removed", counts)
    if done.failed:
        raise typer.Exit(Exit.UNDECIDED)
