"""The steps of an open case: identity, assessment, decision, extension, withdrawal, close.

Each function is one transaction: all its steps and their ledger entries are written, or none.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sluice.db import Connection
from sluice.errors import Ref
from sluice.rights.case import store
from sluice.rights.case.book import Book, open_book
from sluice.rights.case.clock import Pause, PausedClock, paused, received_on
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.guards import NOT_NEEDED, is_refused
from sluice.rights.case.history import Step
from sluice.rights.case.letter_due import goes_to_person
from sluice.rights.case.model import (
    SYSTEM,
    Action,
    Actor,
    Case,
    CaseId,
    Flag,
    Order,
    Right,
    Role,
    State,
    SubCase,
    SubCaseId,
    Track,
    desk_actor,
)
from sluice.rights.case.reasons import IDENTITY, iri
from sluice.rights.case.states import IDENTITY_NOT_ASKED, left_to_decide

UNTIL_PENDING = (State.ACKNOWLEDGED, State.ID_PENDING)
NO_DOUBT, VOUCHED = "NO_REASONABLE_DOUBT", "VOUCHED_BY_CONTROLLER"
NOT_ASKED = "IDENTITY_NOT_ASKED"
"""The reason of an identity check that the machine ended, because this right is given to whoever asks."""


def desk_order(who: str, at: datetime, reason_code: str, evidence_sha256: str | None = None) -> Order:
    """Make an order of the desk. Pure. Raises NameInvalid.

    Without a document, the hash of the order itself is its evidence.
    """
    actor = desk_actor(who)
    given = f"{actor.name}\n{at.isoformat()}\n{reason_code}".encode()
    return Order(actor, at, reason_code, evidence_sha256 or hashlib.sha256(given).hexdigest())


def advance(
    conn: Connection, case_id: CaseId, target: State, order: Order, sub_case_id: SubCaseId | None = None
) -> Case:
    """Take one step of a case, or of one of its parts. The case closes with its last part.

    Raises TransitionRefused (naming every guard that does not hold), NotFound.
    """
    with open_book(conn, case_id) as book:
        if sub_case_id is None:
            book.take(target, order)
        else:
            book.take_part(sub_case_id, target, order)
        _close_when_over(book, order)
        return book.case


def set_flag(conn: Connection, case_id: CaseId, flag: Flag, order: Order) -> Case:
    """Set a flag on a case, which then stays. Raises TransitionRefused, NotFound."""
    with open_book(conn, case_id) as book:
        book.flag(flag, order)
        return book.case


def pause(conn: Connection, case_id: CaseId, order: Order) -> Case:
    """Ask the person who they are: the paused clock stands still, the strict one goes on (Art. 12(6)).

    ``order.reason_code``: why there is doubt (A12IdentityRequired, A12InformationRequired). Raises
    TransitionRefused, NotFound.
    """
    with open_book(conn, case_id) as book:
        _walk(book, UNTIL_PENDING, order)
        return book.case


def settle_identity(conn: Connection, case_id: CaseId, is_ok: bool, order: Order) -> Case:
    """End the identity check, or note that nobody doubted, so that it never began. Then the case is scoped.

    If the check failed, parts whose controller told us to give data to the person wait for another instruction.
    Raises TransitionRefused, NotFound.
    """
    with open_book(conn, case_id) as book:
        _settle(book, State.ID_OK if is_ok else State.ID_FAILED, order, NO_DOUBT if is_ok else None)
        for part in () if is_ok else book.case.sub_cases:
            if part.state is State.INSTRUCTED and goes_to_person(part, part.action):
                book.take_part(part.sub_case_id, State.AWAITING_INSTRUCTION, order)
        return book.case


def vouch(conn: Connection, case_id: CaseId, principal: str, at: datetime, evidence_sha256: str) -> Case:
    """Settle identity, because a controller sent the request itself and so knows whom it names.

    Repeating it changes nothing. Raises TransitionRefused, NotFound.
    """
    with open_book(conn, case_id) as book:
        if book.case.state is State.RECEIVED:
            _vouched(book, Order(Actor(Role.PRINCIPAL, principal), at, VOUCHED, evidence_sha256))
        return book.case


def accept_marketing(conn: Connection, case_id: CaseId, at: datetime) -> bool:
    """Accept the center's parts of an objection to direct marketing; return False if there is nothing to accept.

    Such an objection has only one answer, so nobody has to decide it (Art. 21(3)), and nobody checks who asks.
    While the desk checks it all the same, nothing is accepted (False). Repeating changes nothing. Raises NotFound.
    """
    with open_book(conn, case_id) as book:
        case, order = book.case, Order(SYSTEM, at, NOT_ASKED, book.case.subject_sha256)
        parts = left_to_decide(case)
        if case.right is not Right.DIRECT_MARKETING or not parts or case.state is State.ID_PENDING:
            return False
        if not case.is_scoped:
            _settle(book, State.ID_OK, order, NO_DOUBT)
        for part in parts:
            accepted = replace(order, reason_code="NO_REFUSAL_PATH", action=Action.STOP)
            _decide(book, part, State.ACCEPTED, accepted)
        return True


def decide(
    conn: Connection, case_id: CaseId, target: State, order: Order, sub_case_ids: Sequence[SubCaseId] = ()
) -> Case:
    """Decide parts that the center decides: ACCEPTED, PARTIAL or REFUSED. Without any named: all that are undecided.

    ``order.reasons``: an IRI for each field group that is refused; the key ``*`` stands for every group of a part.
    Raises TransitionRefused, NotFound.
    """
    return _on_parts(conn, case_id, sub_case_ids, lambda book, part: _decide(book, part, target, order))


def extend(conn: Connection, case_id: CaseId, order: Order, sub_case_ids: Sequence[SubCaseId] = ()) -> Case:
    """Take two more months for parts that the center decides: once, with a reason, before the first month is over.

    Raises TransitionRefused, NotFound.
    """
    return _on_parts(conn, case_id, sub_case_ids, lambda book, part: _decide(book, part, State.EXTENDED, order))


def withdraw(conn: Connection, case_id: CaseId, order: Order) -> Case:
    """Withdraw the request for the person: every part that is not over, then the case. A running erasure notices it.

    Raises TransitionRefused, NotFound.
    """
    with open_book(conn, case_id) as book:
        for part in book.case.sub_cases:
            if not part.state.is_over:
                book.take_part(part.sub_case_id, State.WITHDRAWN_BY_SUBJECT, order)
        book.take(State.WITHDRAWN_BY_SUBJECT, order)
        return book.case


def pauses_of(steps: Sequence[Step]) -> tuple[Pause, ...]:
    """The pauses of a case, from its history: when the person was asked, and when the check was over. Pure."""
    found: list[Pause] = []
    for step in steps:
        if step.sub_case_id is None and step.to_state is State.ID_PENDING:
            found.append(Pause(received_on(step.at)))
        elif step.sub_case_id is None and step.from_state is State.ID_PENDING and found:
            found[-1] = Pause(found[-1].asked_on, received_on(step.at))
    return tuple(found)


def paused_clock(case: Case, steps: Sequence[Step]) -> PausedClock:
    """The clock that stands still while identity is not proven, beside the strict one. Pure."""
    return paused(case.due, pauses_of(steps), case.country, clock_parameters(case.due.received))


def _on_parts(
    conn: Connection, case_id: CaseId, wanted: Sequence[SubCaseId], step: Callable[[Book, SubCase], None]
) -> Case:
    with open_book(conn, case_id) as book:
        parts = [book.part(each) for each in wanted] if wanted else left_to_decide(book.case)
        if not parts:
            raise TransitionRefused(Ref("case", case_id), Ref("guard", "center_is_controller"))
        for part in parts:
            step(book, part)
        return book.case


def _decide(book: Book, part: SubCase, target: State, order: Order) -> None:
    """Decide a part. If it was not assessed yet, the same person assesses it first, at the same moment."""
    if part.track is Track.CONTROLLER and part.state is State.SCOPED:
        book.take_part(part.sub_case_id, State.ASSESSED, replace(order, reason_code="ASSESSED", reasons={}))
    reasons = dict(order.reasons)
    if every := reasons.pop("*", None):
        reasons = {**dict.fromkeys(part.field_groups or ("*",), every), **reasons}
    held = {group: named for group, named in reasons.items() if group in (part.field_groups or ("*",))}
    unknown = set(reasons) - {group for each in book.case.sub_cases for group in each.field_groups or ("*",)}
    given = reasons if unknown else held
    book.take_part(part.sub_case_id, target, replace(order, reasons=given))


def _walk(book: Book, states: Sequence[State], order: Order) -> None:
    """Walk the case from its state to the last of these. The order's reason belongs to the last step only."""
    left = list(states[states.index(book.case.state) + 1 :]) if book.case.state in states else list(states)
    for state in left or states[-1:]:
        said = order if state is states[-1] else replace(order, reason_code=state.value)
        book.take(state, said)


def _settle(book: Book, outcome: State, order: Order, without_doubt: str | None) -> None:
    if book.case.state in IDENTITY_NOT_ASKED:
        asked = without_doubt or iri("A12IdentityRequired")
        _walk(book, UNTIL_PENDING, replace(order, actor=_clerk(order), reason_code=asked))
    book.take(outcome, order)
    book.take(State.SCOPED, replace(order, actor=_clerk(order), reason_code="SCOPED"))


def _vouched(book: Book, order: Order) -> None:
    _settle(book, State.ID_OK, order, VOUCHED)


def _clerk(order: Order) -> Actor:
    """The actor of steps that follow of themselves: the desk if it gave the order, otherwise the machine."""
    return order.actor if order.actor.role is Role.DESK else SYSTEM


def _close_when_over(book: Book, order: Order) -> None:
    """Close the case with its last part.

    A controller that told us to do something has thereby vouched for the person, and one that refused has not: where
    all of a request was refused, the machine ends the identity check. It failed if that was the reason of one of them;
    otherwise nothing needed it.
    """
    parts = book.case.sub_cases
    if book.case.state.is_over or not all(part.state.is_over for part in parts):
        return
    if book.case.state in (State.RECEIVED, *UNTIL_PENDING):
        done = next((part for part in parts if not is_refused(part)), None)
        reasons = _refused_for(book)
        if done is None and not IDENTITY.isdisjoint(reasons):
            failed = replace(order, actor=SYSTEM, reason_code=iri("A12IdentityFailure"), refused_for=reasons)
            _settle(book, State.ID_FAILED, failed, None)
        elif done is None:
            _settle(book, State.ID_OK, replace(order, actor=SYSTEM, reason_code=NOT_NEEDED), NOT_NEEDED)
        else:
            _vouched(book, replace(order, actor=Actor(Role.PRINCIPAL, done.principal), reason_code=VOUCHED))
    if book.case.state is State.SCOPED:
        book.take(State.CLOSED, replace(order, actor=_clerk(order), reason_code="EVERY_PART_CLOSED"))


def _refused_for(book: Book) -> frozenset[str]:
    """IRIs of the reasons in the last decision on each part of a case that was refused."""
    refused = {part.sub_case_id for part in book.case.sub_cases if is_refused(part)}
    last = {step.sub_case_id: step.reasons for step in store.list_steps(book.conn, book.case.case_id) if step.reasons}
    return frozenset(reason for part in refused for reason in last.get(part, {}).values())
