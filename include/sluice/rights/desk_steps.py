"""What the desk does to a case and must tell the person of at once: a decision, an extension."""

from collections.abc import Mapping, Sequence

from sluice.exchange.house import House
from sluice.rights.cases import decide, extend
from sluice.rights.letters import write_letter
from sluice.rights.model import Case, CaseId, LetterKind, Order, State, SubCaseId
from sluice.rights.reasons import iri
from sluice.rights.store import get_case


def decide_and_tell(house: House, case_id: CaseId, order: Order, parts: Sequence[SubCaseId] = ()) -> Case:
    """Decide as the order says: its action is done, the field groups of its reasons are refused, or both.

    The letter about a refusal is written at once; one that cannot be written now is owed. Raises TransitionRefused.
    """
    target = State.ACCEPTED if not order.reasons else State.PARTIAL if order.action else State.REFUSED
    done = decide(house.conn, case_id, target, order, parts)
    return _told(house, done, LetterKind.REFUSAL, order) if order.reasons else done


def extend_and_tell(house: House, case_id: CaseId, order: Order, parts: Sequence[SubCaseId] = ()) -> Case:
    """Two months more, and the letter about it: without it nothing is extended. Raises TransitionRefused."""
    return _told(house, extend(house.conn, case_id, order, parts), LetterKind.EXTENSION, order)


def reasons_of(given: Sequence[str]) -> Mapping[str, str]:
    """Of ``FIELD_GROUP=REASON``, an IRI per field group; without a group it stands for all. Pure."""
    pairs = [text.rpartition("=") for text in given]
    return {group or "*": iri(reason) for group, _, reason in pairs}


def _told(house: House, case: Case, kind: LetterKind, order: Order) -> Case:
    write_letter(house, case.case_id, kind, order.at)
    return get_case(house.conn, case.case_id)
