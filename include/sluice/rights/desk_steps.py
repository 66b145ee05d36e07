"""Steps of the desk that the person must be told of at once: a decision, an extension."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from sluice.errors import Ref, ServiceMissing, UsageError
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Remedies, State, SubCaseId
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, desk_order, extend
from sluice.rights.case.store import get_case
from sluice.rights.letters.write import write_letter


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A committed step of the desk. ``is_letter_owed``: the person was not told yet; the schedule writes the letter."""

    case: Case
    is_letter_owed: bool = False


def decision(
    who: str,
    at: datetime,
    reason_code: str,
    evidence_sha256: str | None,
    *,
    action: Action | None,
    reasons: Mapping[str, str],
    remedies: Remedies | None = None,
    has_proof_of_abuse: bool = False,
) -> Order:
    """Make the desk's order to do ``action``, to refuse the field groups of ``reasons``, or both. Pure.

    Raises UsageError if there is no evidence, although it is said to prove abuse (C-526/24).
    """
    if has_proof_of_abuse and evidence_sha256 is None:
        raise UsageError(Ref("proof of abuse", "needs evidence"))
    return replace(
        desk_order(who, at, reason_code, evidence_sha256),
        action=action,
        reasons=reasons,
        remedies=remedies,
        has_proof_of_abuse=has_proof_of_abuse,
    )


def decide_and_tell(house: House, case_id: CaseId, order: Order, parts: Sequence[SubCaseId] = ()) -> StepTaken:
    """Decide as the order says: carry out its action, refuse the field groups of its reasons, or both.

    The letter about a refusal is written at once; if that fails, it is owed. Raises TransitionRefused.
    """
    target = State.ACCEPTED if not order.reasons else State.PARTIAL if order.action else State.REFUSED
    done = decide(house.conn, case_id, target, order, parts)
    return _write_letter_about(house, done, LetterKind.REFUSAL, order) if order.reasons else StepTaken(done)


def extend_and_tell(house: House, case_id: CaseId, order: Order, parts: Sequence[SubCaseId] = ()) -> StepTaken:
    """Extend by two months and write the letter about it; if that fails, it is owed. Raises TransitionRefused."""
    return _write_letter_about(house, extend(house.conn, case_id, order, parts), LetterKind.EXTENSION, order)


def reasons_of(given: Sequence[str]) -> Mapping[str, str]:
    """Parse ``FIELD_GROUP=REASON`` into an IRI per field group. A reason without a group is for all groups. Pure."""
    pairs = [text.rpartition("=") for text in given]
    return {group or "*": iri(reason) for group, _, reason in pairs}


def _write_letter_about(house: House, case: Case, kind: LetterKind, order: Order) -> StepTaken:
    """Write the letter about a step. The step is committed, so a fault of the letter is no error of the step."""
    with suppress(ServiceMissing), Faults(house.conn).kept_apart(f"case {case.case_id}: its letter {kind}"):
        write_letter(house, case.case_id, kind, order.at)
        return StepTaken(get_case(house.conn, case.case_id))
    return StepTaken(case, is_letter_owed=True)
