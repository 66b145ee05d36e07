"""Take steps of one case in one transaction: state, history and ledger change together, or nothing does.

The case is locked first. The ledger's chains are locked last, in order of name, so that two books cannot
deadlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.ledger.append import append_many
from sluice.ledger.cased import CaseFlagged, CaseLetterWritten, CaseTransitioned
from sluice.ledger.model import EntryKind
from sluice.ledger.record import Part
from sluice.rights.case import letter_store, store
from sluice.rights.case.clock import received_on
from sluice.rights.case.guards import Attempt
from sluice.rights.case.history import Step
from sluice.rights.case.model import (
    CASES_CHAIN,
    SYSTEM,
    Action,
    Case,
    CaseId,
    Flag,
    Letter,
    LetterKind,
    Order,
    State,
    SubCase,
    SubCaseId,
)
from sluice.rights.case.states import ends_a_decision
from sluice.rights.case.transitions import check_flag, check_step
from sluice.times import utc_text


@dataclass
class Book:
    """A case as it stands inside the transaction, and the ledger entries that are still to be appended."""

    conn: Connection
    case: Case
    entries: list[tuple[str, EntryKind, Part]] = field(default_factory=list)

    def take(self, target: State, order: Order) -> None:
        """Take a step of the case itself. Raises TransitionRefused."""
        source = self.case.state
        check_step(source, target, Attempt(self.case, order))
        if target.is_over and not self.case.sub_cases:
            self._note_miss(self.case.due.legal_due, order.at, order)
        failed = self.case.has_failed_identity or target is State.ID_FAILED
        self.case = replace(self.case, state=target, has_failed_identity=failed)
        store.update_case(self.conn, self.case)
        self._write(None, source, target, order)

    def take_part(self, sub_case_id: SubCaseId, target: State, order: Order) -> None:
        """Take a step of one part. Raises TransitionRefused, NotFound."""
        part = self.part(sub_case_id)
        if ends_a_decision(part.state, target, bool(step_reasons(order))):
            order = self._overtake(sub_case_id, order)
        check_step(part.state, target, Attempt(self.case, order, part))
        changed = moved(part, target, order)
        if changed.is_answered and not part.is_answered:
            self._note_miss(self.case.last_day_of(part), changed.answered_at or order.at, order)
        store.update_part(self.conn, changed)
        parts = tuple(changed if each.sub_case_id == sub_case_id else each for each in self.case.sub_cases)
        self.case = replace(self.case, sub_cases=parts)
        self._write(changed, part.state, target, order)

    def _overtake(self, sub_case_id: SubCaseId, order: Order) -> Order:
        """Note that letters with reasons say no longer what holds of a part.

        Return the order, dated after these letters whatever clock dated them: by that they are told apart later.
        """
        letters = list[Letter]()
        for letter in self.case.letters:
            if letter.kind is LetterKind.REFUSAL and sub_case_id in letter.sub_cases:
                order = replace(order, at=max(order.at, letter.written_at + timedelta(microseconds=1)))
                letter = replace(letter, overtaken=tuple(sorted({*letter.overtaken, sub_case_id})))
            letters.append(letter)
        self.case = replace(self.case, letters=tuple(letters))
        return order

    def begin(self, order: Order) -> None:
        """Record how the case and its parts began; their rows are stored already. Raises TransitionRefused."""
        check_step(None, State.RECEIVED, Attempt(self.case, order))
        self._write(None, None, State.RECEIVED, order)
        for part in self.case.sub_cases:
            check_step(None, State.SCOPED, Attempt(self.case, order, part))
            self._write(part, None, State.SCOPED, order)

    def scope(self, case: Case, order: Order) -> None:
        """Add the first parts to a case that waited until its person was known.

        case: with the parts, and with the sealed request that names the person. A second call raises, because the parts
        are there already.
        """
        self.case = replace(case, state=self.case.state)
        store.insert_parts(self.conn, self.case)
        for part in self.case.sub_cases:
            check_step(None, State.SCOPED, Attempt(self.case, order, part))
            self._write(part, None, State.SCOPED, order)

    def widen(self, parts: Sequence[SubCase], searched: Sequence[str], order: Order) -> None:
        """Add parts to a scoped case, because more principals know the person by now.

        searched: the principals whose index was looked in. A second call raises, because the parts are there already.
        """
        whole = tuple(sorted({*self.case.searched, *searched}))
        self.case = replace(self.case, searched=whole, sub_cases=(*self.case.sub_cases, *parts))
        store.insert_parts(self.conn, replace(self.case, sub_cases=tuple(parts)))
        for part in parts:
            check_step(None, State.SCOPED, Attempt(self.case, order, part))
            self._write(part, None, State.SCOPED, order)

    def flag(self, flag: Flag, order: Order) -> None:
        """Set a flag; setting it again changes nothing. Raises TransitionRefused."""
        check_flag(flag, Attempt(self.case, order))
        changed = replace(
            self.case,
            is_breached=self.case.is_breached or flag is Flag.BREACHED_DEADLINE,
            has_complaint=self.case.has_complaint or flag is Flag.COMPLAINT,
        )
        if changed == self.case:
            return
        self.case = changed
        store.update_case(self.conn, changed)
        body = CaseFlagged(
            case_id=changed.case_id,
            flag=flag,
            actor=order.actor.name,
            at=utc_text(order.at),
            evidence_sha256=order.evidence_sha256,
        )
        self.entries.append((CASES_CHAIN, EntryKind.CASE_FLAGGED, body))

    def _note_miss(self, last_day: date, ended_at: datetime, order: Order) -> None:
        """Flag a deadline that was missed, when the case or part ends and no sweep has noticed the miss before."""
        if received_on(ended_at) > last_day:
            self.flag(Flag.BREACHED_DEADLINE, replace(order, actor=SYSTEM, reason_code="DEADLINE_PASSED"))

    def tell(self, letter: Letter) -> None:
        """Log a letter to the person that lies in the vault, so that later steps can refer to it."""
        letter_store.insert_letter(self.conn, letter)
        self.case = replace(self.case, letters=(*self.case.letters, letter))
        body = CaseLetterWritten(
            case_id=letter.case_id,
            kind=letter.kind,
            language=letter.language,
            sub_cases=letter.sub_cases,
            sha256=letter.sha256,
            document_sha256=letter.document_sha256,
            template=letter.template,
            written_at=utc_text(letter.written_at),
        )
        self.entries.append((CASES_CHAIN, EntryKind.CASE_LETTER, body))

    def part(self, sub_case_id: SubCaseId) -> SubCase:
        """Return a part of this case. Raises NotFound."""
        for part in self.case.sub_cases:
            if part.sub_case_id == sub_case_id:
                return part
        raise NotFound(Ref("sub-case", sub_case_id))

    def _write(self, part: SubCase | None, source: State | None, target: State, order: Order) -> None:
        step = step_of(self.case, part, source, target, order)
        store.insert_step(self.conn, step)
        chain = part.chain if part else CASES_CHAIN
        self.entries.append((chain, EntryKind.CASE_TRANSITIONED, body_of(self.case, part, step)))


@contextmanager
def open_book(conn: Connection, case_id: CaseId) -> Iterator[Book]:
    """Lock one case in a transaction, and append its entries at the end. Raises NotFound."""
    with transaction(conn):
        book = Book(conn, store.lock_case(conn, case_id))
        yield book
        close_book(book)


def close_book(book: Book) -> None:
    """Append the collected entries, chain by chain in order of name. Call this last in the transaction."""
    for (chain, kind), group in groupby(sorted(book.entries, key=lambda e: e[:2]), key=lambda e: e[:2]):
        append_many(book.conn, chain=chain, kind=kind, bodies=[(None, body) for *_, body in group])
    book.entries.clear()


def moved(part: SubCase, target: State, order: Order) -> SubCase:
    """Return the part as it is after a step. Pure.

    An accepted part acts on the field groups that have no reason to be refused. If every group has a reason, the
    action applies to all of them: all of the part was restricted instead of what was asked.
    """
    changed = replace(part, state=target)
    match target:
        case State.FORWARDED:
            return replace(changed, forwarded_at=order.at, told_at=order.at)
        case State.AWAITING_INSTRUCTION:
            return replace(changed, action=None, action_fields=())
        case State.REMINDED:
            return replace(changed, reminders=part.reminders + 1, told_at=order.at)
        case State.ESCALATED:
            return replace(changed, told_at=order.at, action=None, action_fields=())  # what was decided is taken back
        case State.EXTENDED:
            return replace(changed, extended_at=order.at)
        case State.ANSWERED:
            return replace(changed, answered_at=order.answered_at or order.at)
        case State.INSTRUCTED if order.instruction:
            instruction = order.instruction
            return replace(changed, action=instruction.action, action_fields=instruction.fields or part.field_groups)
        case State.ACCEPTED | State.PARTIAL:
            fields = tuple(group for group in part.field_groups if group not in order.reasons)
            return replace(changed, action=order.action, action_fields=fields or part.field_groups)
        case State.REFUSED:
            return replace(changed, action=Action.REFUSE, action_fields=part.field_groups)
        case State.EXECUTED | State.EXECUTING if order.reasons:  # nothing could be given after all
            return replace(changed, action=Action.REFUSE, action_fields=part.field_groups)
        case _:
            return changed


def step_of(case: Case, part: SubCase | None, source: State | None, target: State, order: Order) -> Step:
    """Make the line of the history for a step. Pure."""
    return Step(
        case_id=case.case_id,
        sub_case_id=part.sub_case_id if part else None,
        from_state=source,
        to_state=target,
        actor_role=order.actor.role,
        actor=order.actor.name,
        at=order.at,
        reason_code=order.reason_code,
        evidence_sha256=order.evidence_sha256,
        reasons=dict(step_reasons(order)),
        remedies_ref=order.remedies.text_ref if order.remedies else None,
        remedies_language=order.remedies.language if order.remedies else None,
    )


def step_reasons(order: Order) -> Mapping[str, str]:
    """Return the IRI per field group that an order gives, by instruction or by itself. Pure."""
    return order.instruction.reasons if order.instruction else order.reasons


def body_of(case: Case, part: SubCase | None, step: Step) -> CaseTransitioned:
    """Make the ledger entry for a step; it names no person. Pure."""
    return CaseTransitioned(
        case_id=step.case_id,
        sub_case_id=step.sub_case_id,
        from_state=step.from_state,
        to_state=step.to_state,
        actor_role=step.actor_role,
        actor=step.actor,
        at=utc_text(step.at),
        reason_code=step.reason_code,
        evidence_sha256=step.evidence_sha256,
        right=case.right,
        reasons=dict(step.reasons),
        remedies_ref=step.remedies_ref,
        action=part.action if part else None,
    )
