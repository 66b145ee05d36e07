"""Take the last steps of cases by schedule: every step whose evidence exists, and no other.

Steps that need a person wait for one: a letter that must be taken out and posted, a recipient without a prefix. The
room of answers makes what is given to the person (access, portability); steps here record that it was made, and
fetched.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import run_id_of, tied
from sluice.exchange.sweeping import do_each
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.letter_due import GIVEN, answers, is_refusal_out, is_told_by_file
from sluice.rights.case.model import SYSTEM, WITHOUT_LETTERS, Action, Case, LetterKind, Order, State, SubCase, Track
from sluice.rights.case.states import TELLABLE
from sluice.rights.case.steps import advance
from sluice.rights.copies import answer_store
from sluice.rights.erasure.certificate import issue_of
from sluice.rights.erasure.erase import drop_notices
from sluice.rights.erasure.scan_store import Scan, find_last_scans
from sluice.rights.letters.had import comes_with_package, final_letter, find_had, find_ready
from sluice.rights.letters.write import write_letter
from sluice.rights.notices import notice_store
from sluice.rights.person.reach import keeps_out, marketing_of
from sluice.rights.person.rectify import NOBODY, carry_out
from sluice.rights.report_to_controller import report_done
from sluice.subject.suppression import Suppression
from sluice.terms import Principal

WRITE_BEFORE = timedelta(days=5)
"""Time before the last day to answer from which a letter no longer waits for other parts."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Result of one sweep: steps taken and cases closed. ``failed``: cases that failed, were logged and are retried."""

    steps: int = 0
    closed: int = 0
    failed: int = 0


def finish(house: House, now: datetime) -> Finished:
    """Take every step that is ready, in all open cases. Raises ServiceMissing; other faults are tried again."""
    closed = 0

    def end(case: Case) -> int:
        nonlocal closed
        taken, is_over = finish_case(house, case, now)
        closed += is_over
        return taken

    steps, failed = do_each(house.conn, "the end of a case", store.list_open_cases(house.conn), end)
    return Finished(steps, closed, failed)


@dataclass(frozen=True, slots=True)
class Seen:
    """What all steps of one case go by: the moment, and the last second scan of each principal, read once."""

    now: datetime
    scans: Mapping[str, Scan]


@dataclass(frozen=True, slots=True)
class PartStep:
    """The next step of one part of a case, as the case stands."""

    house: House
    case: Case
    part: SubCase
    seen: Seen

    @property
    def scan(self) -> Scan | None:
        """The last second scan at the principal of the part."""
        return self.seen.scans.get(self.part.principal)

    @property
    def is_proven(self) -> bool:
        """Whether the last second scan was clean, if something had to be erased."""
        return not _needs_proof(self.part) or (self.scan is not None and self.scan.is_clean)

    def last_evidence(self) -> str:
        """Return the evidence of the last step of the part."""
        steps = store.list_steps(self.house.conn, self.part.case_id)
        return [step for step in steps if step.sub_case_id == self.part.sub_case_id][-1].evidence_sha256

    def take(
        self,
        target: State,
        word: str,
        evidence: str,
        *,
        answered_at: datetime | None = None,
        untold: int | None = None,
    ) -> Case:
        """Take the step, and return the case after it. ``word``: its reason code. Raises TransitionRefused."""
        residue = 0 if self.is_proven else None
        order = Order(SYSTEM, self.seen.now, word, evidence, residue=residue, untold=untold, answered_at=answered_at)
        return advance(self.house.conn, self.case.case_id, target, order, self.part.sub_case_id)


def finish_case(house: House, case: Case, now: datetime) -> tuple[int, bool]:
    """Take every step of one case that is ready. Returns the number of steps, and whether the case is over now."""
    erases = any(map(_needs_proof, case.sub_cases))
    seen = Seen(now, find_last_scans(house.conn, case.case_id) if erases else {})
    taken = 0
    for part in case.sub_cases:
        while try_step := _STEPS.get((part.track, part.state)):
            stands = try_step(PartStep(house, case, part, seen))
            if stands is None:
                break
            case, taken = stands, taken + 1
            part = next(each for each in case.sub_cases if each.sub_case_id == part.sub_case_id)
    return taken, case.state.is_over


def _try_execute(step: PartStep) -> Case | None:
    """Carry out a part that needs no erasing: once it is corrected, the answer is made, or the person is kept out.

    A refusal, and a part about nobody whom we know, are carried out at once.
    """
    house, case, part = step.house, step.case, step.part
    target = State.EXECUTED if part.track is Track.PROCESSOR else State.EXECUTING
    if part.action is Action.REFUSE:
        return step.take(target, "REFUSED_BY_CONTROLLER", step.last_evidence())
    if part.agreement_id is None:
        return step.take(target, NOBODY, step.last_evidence())
    if part.action is Action.RECTIFY:
        done = carry_out(house, case, part, step.seen.now)
        return None if done is None else step.take(target, done.word, done.evidence_sha256)
    if part.action in GIVEN:
        made = answer_store.find_made(house.conn, part)
        if made is None:
            return None
        drop_notices(house, part)
        return step.take(target, "PACKAGE_MADE", made)
    evidence = notice_store.find_kept_out(house.conn, part, keeps_out(case.right, part.action), _for_marketing(part))
    return None if evidence is None else step.take(target, "KEPT_OUT", evidence)


def _for_marketing(part: SubCase) -> list[str]:
    """The suppressions that keep the person of a part out of marketing only, whatever is decided."""
    cause, principal = marketing_of(part.case_id), Principal(part.principal)
    return [run_id_of(principal, Suppression.OBJECTED, each) for each in (cause, tied(cause))]


def _try_notify(step: PartStep) -> Case | None:
    """Every recipient was told; the evidence is the entry that says who they are. A refusal is told to no recipient."""
    if step.part.action is Action.REFUSE:
        return step.take(State.RECIPIENTS_NOTIFIED, "NOTHING_TO_PASS_ON", step.last_evidence(), untold=0)
    evidence = notice_store.find_propagation(step.house.conn, step.part.sub_case_id)
    untold = notice_store.count_untold(step.house.conn, step.part.sub_case_id)
    if evidence is None or untold or not step.is_proven:
        return None
    return step.take(State.RECIPIENTS_NOTIFIED, "RECIPIENTS_TOLD", evidence, untold=untold)


def _try_answer(step: PartStep) -> Case | None:
    """The person has the last letter: it was written and taken out.

    A principal's own file is answered to that principal.
    """
    house, case, part = step.house, step.case, step.part
    if is_told_by_file(case, part):
        if not is_refusal_out(case, part):
            return None
        evidence = report_done(house, case, part, step.scan)
        return None if evidence is None else step.take(State.ANSWERED, "CONFIRMED", evidence)
    if had := find_had(house.conn, case, part):
        return step.take(State.ANSWERED, had.word, had.sha256, answered_at=had.at)
    kind = final_letter(part)
    is_there = case.find_letter(kind, part.sub_case_id) is not None
    if not is_there and kind is LetterKind.COMPLETION and _is_time_to_write(house, case, part, step.seen.now):
        write_letter(house, case.case_id, kind, step.seen.now, sub_case_id=part.sub_case_id)
    return None


def _is_time_to_write(house: House, case: Case, part: SubCase, now: datetime) -> bool:
    """Whether to write the completion letter: one for the whole case, once no part of it is on its way any more.

    Near the last day it does not wait for other parts.
    """
    if not notice_store.are_recipients_told(house.conn, part):
        return False  # the letter names the other recipients as told
    if comes_with_package(part) and find_ready(house.conn, part) is None:
        return False  # the letter says that there is a copy
    return received_on(now) >= case.last_day_of(part) - WRITE_BEFORE or not any(
        _is_on_its_way(house, each) for each in case.sub_cases
    )


def _is_on_its_way(house: House, part: SubCase) -> bool:
    """Whether the person will be told about a part that is not done yet, or has recipients who were not told."""
    if not answers(part) or part.state.is_over or part.state is State.REFUSED:
        return False
    return part.state not in TELLABLE[part.track] or not notice_store.are_recipients_told(house.conn, part)


def _try_prove(step: PartStep) -> Case | None:
    """An erasure is proven by its certificate, everything else by the evidence on which it was carried out."""
    evidence = _certificate(step) if _needs_proof(step.part) else step.last_evidence()
    return None if evidence is None else step.take(State.PROVEN, "PROVEN", evidence)


def _try_confirm(step: PartStep) -> Case | None:
    """The controller is told what was done on its instruction, once every recipient was told.

    If the agreement lets us answer the person, that comes first.
    """
    house, case, part = step.house, step.case, step.part
    if part.state is State.EXECUTED and part.may_answer and case.channel not in WITHOUT_LETTERS:
        return _try_answer(step)
    if not notice_store.are_recipients_told(house.conn, part):
        return None
    evidence = report_done(house, case, part, step.scan)
    if evidence is None:
        return None
    return step.take(State.CONFIRMED_TO_CONTROLLER, "CONFIRMED", evidence)


def _close(step: PartStep) -> Case | None:
    """Nothing of this part is left to do."""
    return step.take(State.CLOSED, "NOTHING_LEFT", step.last_evidence())


def _needs_proof(part: SubCase) -> bool:
    """Whether something of a part had to be erased, so that a second scan has to prove it."""
    return part.action is Action.ERASE and part.agreement_id is not None


def _certificate(step: PartStep) -> str | None:
    """Return the SHA-256 of the certificate of a part's principal, or None until the erasure is proven."""
    if not step.is_proven:
        return None
    [certificate] = issue_of(step.house, step.case.case_id, [step.scan])
    return hashlib.sha256(certificate.jws).hexdigest()


_STEPS: Mapping[tuple[Track, State], Callable[[PartStep], Case | None]] = {
    (Track.CONTROLLER, State.ACCEPTED): _try_execute,
    (Track.CONTROLLER, State.PARTIAL): _try_execute,
    (Track.CONTROLLER, State.EXECUTING): _try_notify,
    (Track.CONTROLLER, State.RECIPIENTS_NOTIFIED): _try_answer,
    (Track.CONTROLLER, State.REFUSED): _try_answer,
    (Track.CONTROLLER, State.ANSWERED): _try_prove,
    (Track.CONTROLLER, State.PROVEN): _close,
    (Track.PROCESSOR, State.INSTRUCTED): _try_execute,
    (Track.PROCESSOR, State.EXECUTED): _try_confirm,
    (Track.PROCESSOR, State.ANSWERED): _try_confirm,
    (Track.PROCESSOR, State.CONFIRMED_TO_CONTROLLER): _close,
}
