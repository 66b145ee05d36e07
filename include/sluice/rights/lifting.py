"""End a restriction: never before the person was told (GDPR Art. 18(3)), and with the name of whoever ends it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sluice.db import Connection
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import lift_case, run_id_of, tied
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case import store
from sluice.rights.case.letter_due import answers
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, State, SubCase
from sluice.rights.case.states import CARRIED_OUT
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


class NotToldFirst(SluiceError):
    """A restriction would end before its person was told."""

    code: ClassVar[str] = "SLU-611"
    summary: ClassVar[str] = "the person was not told before the restriction ends"
    cure: ClassVar[str] = (
        "`sluice case letter CASE --kind lifting --to FILE`, post it, then lift; where the principal answers the "
        "person, give its word that it did with --evidence"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class NothingRestricted(SluiceError):
    code: ClassVar[str] = "SLU-612"
    summary: ClassVar[str] = "this case restricts nothing now"
    cure: ClassVar[str] = (
        "`sluice case show` says what was decided; a hold ends by itself once all is decided, or the request taken back"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class StillToRestrict(SluiceError):
    """Another part may still restrict the person, which it could not do any more after the restriction was lifted."""

    code: ClassVar[str] = "SLU-613"
    summary: ClassVar[str] = "another part at the same principal may still restrict the person"
    cure: ClassVar[str] = (
        "lift it once every part there is decided and carried out: `sluice case show` says what each waits for"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Standing:
    """A restriction that stands, and how many parts of its case are in the way of its end.

    ``waiting``: parts that may still restrict. ``untold``: parts about whose end no letter of ours left the vault.
    ``theirs``: parts whose principal answers the person, so that its word that it did is the proof.
    """

    waiting: int
    untold: int
    theirs: int


def find_standing(conn: Connection, case: Case, at: datetime) -> Standing | None:
    """Return what stands between a case and the end of its restriction; None where it restricts nothing now."""
    parts = restricting(case)
    if not _is_in_force(conn, case, parts):
        return None
    return Standing(
        waiting=len(_waiting(case, parts)),
        untold=sum(answers(part) and not was_told(case, part, at, False) for part in parts),
        theirs=sum(not answers(part) for part in parts),
    )


def restricting(case: Case) -> list[SubCase]:
    """The parts that were decided so, without what the person took back. Pure."""
    standing = [part for part in case.sub_cases if State.WITHDRAWN_BY_SUBJECT not in (case.state, part.state)]
    return [part for part in standing if part.action is Action.RESTRICT]


def _waiting(case: Case, parts: Sequence[SubCase]) -> list[SubCase]:
    """Parts at the same principals that may still restrict the person."""
    principals = {part.principal for part in parts}
    return [part for part in case.sub_cases if part.principal in principals and not is_done(part)]


def _is_in_force(conn: Connection, case: Case, parts: Sequence[SubCase]) -> bool:
    causes = (case.case_id, tied(case.case_id))
    principals = {Principal(part.principal) for part in parts}
    ours = [run_id_of(each, Suppression.RESTRICTED, cause) for each in principals for cause in causes]
    return bool(ours and find_runs(conn, only=ours, in_force=True))


def lift_restriction(house: House, case_id: CaseId, order: Order, has_evidence: bool) -> int:
    """End every restriction of a case, and return at how many principals.

    ``has_evidence``: the order comes with a document. A restriction that the person took back ends by itself. Raises
    NotToldFirst and StillToRestrict before anything is lifted, NothingRestricted.
    """
    case = store.get_case(house.conn, case_id)
    parts = restricting(case)
    if waiting := _waiting(case, parts):
        raise StillToRestrict(Ref("case", case_id), Ref("parts", len(waiting)))
    untold = [part for part in parts if not was_told(case, part, order.at, has_evidence)]
    if untold:
        raise NotToldFirst(Ref("case", case_id), Ref("parts", len(untold)))
    lifted = sum(_lift(house, case, Principal(name), order) for name in {part.principal for part in parts})
    if not lifted:
        raise NothingRestricted(Ref("case", case_id))
    return lifted


def is_done(part: SubCase) -> bool:
    """Whether nothing of a part can restrict the person any more: it is over, refused or carried out. Pure."""
    return part.state.is_over or part.action is Action.REFUSE or part.state in CARRIED_OUT


def was_told(case: Case, part: SubCase, at: datetime, has_evidence: bool) -> bool:
    """Whether the person was told before: by our letter, taken out to be posted, or by whoever answers them. Pure."""
    if not answers(part):
        return has_evidence
    letter = case.find_letter(LetterKind.LIFTING, part.sub_case_id)
    return letter is not None and letter.opened_at is not None and letter.opened_at < at


def _lift(house: House, case: Case, principal: Principal, order: Order) -> bool:
    by, evidence = order.actor.name, order.evidence_sha256
    return lift_case(house, principal, Suppression.RESTRICTED, case.case_id, order.at, by=by, evidence=evidence)
