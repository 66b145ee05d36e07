"""What was decided to be erased: which parts of a case, and so which copies. Pure."""

from sluice.agreement.profiles import PROFILES
from sluice.exchange.hand_over import HANDED, KEPT_ANSWER
from sluice.rights.erase_model import ANSWER, Copy, Decided, Target
from sluice.rights.model import Action, State, SubCase
from sluice.rights.scope import DECIDES
from sluice.terms import FieldGroup

OPEN_DECISIONS = frozenset({State.INSTRUCTED, State.ACCEPTED, State.PARTIAL, State.EXECUTING})
"""Where a decided part stands before its erasure is done."""
CARRIED_OUT = frozenset(
    {
        State.EXECUTED,
        State.RECIPIENTS_NOTIFIED,
        State.ANSWERED,
        State.CONFIRMED_TO_CONTROLLER,
        State.PROVEN,
        State.CLOSED,
    }
)
"""Where it stands after; it may be run and scanned again."""
NOT_OF_THE_PERSON = frozenset({FieldGroup.AGENT_REF, FieldGroup.HANDLING_TIMES, FieldGroup.QA_SCORE})
"""Groups about our staff: they go with the row, and nobody else has to decide of them."""
PRINCIPAL = "principal"


def has_decided(part: SubCase) -> bool:
    """Whether a part was decided to be erased: by its controller's instruction, or by the center's own decision."""
    return part.action is Action.ERASE and part.state in OPEN_DECISIONS | CARRIED_OUT


def is_to_do(part: SubCase) -> bool:
    """Whether a part was decided to be erased, and its erasure is not proven yet."""
    return part.action is Action.ERASE and part.state in OPEN_DECISIONS - {State.EXECUTING}


def decided_of(part: SubCase) -> frozenset[Decided]:
    """What of a part goes: the field groups that were named, else all of it; nothing where it was not decided."""
    if not has_decided(part):
        return frozenset()
    return frozenset((part.controller, FieldGroup(word)) for word in part.action_fields or part.field_groups)


def is_decided(copy: Copy, target: Target) -> bool:
    """Whether everybody who decides of a copy's fields has decided to erase; a group can be two controllers'.

    Pointers to our staff go with the rest. A file without a contract is its principal's. An answer to the
    person is a copy of all of it, so it goes as soon as anything does.
    """
    if copy.kind in (ANSWER, KEPT_ANSWER, HANDED):
        return bool(target.decided)
    if copy.contract is None:
        return any(controller == PRINCIPAL for controller, _ in target.decided)
    needed = {
        (DECIDES[PROFILES[field.role_profile].controller][0], field.group)
        for field in copy.contract.fields
        if field.group not in NOT_OF_THE_PERSON
    }
    return needed <= target.decided
