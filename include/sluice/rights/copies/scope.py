"""What was decided to be erased: which parts of a case, and therefore which copies. Pure."""

from collections.abc import Iterable
from typing import Final

from sluice.agreement.model import DataContract
from sluice.agreement.roles.profiles import PROFILES
from sluice.ledger.copy_kinds import ANSWER_KEPT, HANDED
from sluice.rights.case.model import Action, SubCase
from sluice.rights.case.states import CARRIED_OUT, TO_CARRY_OUT
from sluice.rights.copies.model import ANSWER, Copy, Decided, Fate, Target, words_of
from sluice.rights.person.deciders import deciders_of
from sluice.rights.person.scope import DECIDES
from sluice.terms import FieldGroup

NOT_OF_THE_PERSON = frozenset({FieldGroup.AGENT_REF, FieldGroup.HANDLING_TIMES, FieldGroup.QA_SCORE})
"""Field groups about our staff. They go with the row, and nobody else has to decide about them."""
PRINCIPAL: Final = "principal"
ANSWERS = frozenset({ANSWER, ANSWER_KEPT, HANDED})


def has_decided(part: SubCase) -> bool:
    """Whether the erasure of a part was decided, by its controller's instruction or by the center itself."""
    return part.action is Action.ERASE and part.state in TO_CARRY_OUT | CARRIED_OUT


def is_to_do(part: SubCase) -> bool:
    """Whether the erasure of a part was decided and is not proven yet."""
    return part.action is Action.ERASE and part.state in TO_CARRY_OUT


def decided_of(part: SubCase) -> frozenset[Decided]:
    """The field groups of a part that are erased: those that were named, or else all; none if that was not decided."""
    return groups_of(part, part.action_fields or part.field_groups) if has_decided(part) else frozenset()


def groups_of(part: SubCase, words: Iterable[str] | None = None) -> frozenset[Decided]:
    """Field groups of a part (or ``words``, those of them that are named), each with who decides of it."""
    return frozenset((part.controller, FieldGroup(word)) for word in (part.field_groups if words is None else words))


def decision_of(target: Target) -> str:
    """What is decided and undecided at a principal, as text that changes with each decision and nothing else."""
    return " ".join((*words_of(target.decided), "|", *words_of(target.undecided)))


def is_decided(copy: Copy, target: Target) -> bool:
    """Whether everybody who decides of a copy's fields has decided to erase."""
    return fate_of(copy, target) is Fate.GOES


def fate_of(copy: Copy, target: Target) -> Fate:
    """What those who decide of a copy's fields have decided; a field group can have two controllers.

    Pointers to our staff go with the rest. A file without a contract is its principal's to decide, or everybody's
    who decides if that principal decides of nothing. An answer to the person is a copy of all of it, so it is
    removed as soon as anything is.
    """
    theirs = frozenset(pair for pair in target.parts | target.decided if pair[0] == PRINCIPAL)
    if copy.kind in ANSWERS:
        asked, goes = target.parts, bool(target.decided)
    elif copy.contract is None and (theirs or not target.parts):
        asked, goes = theirs, not theirs.isdisjoint(target.decided)
    elif copy.contract is None:
        asked, goes = target.parts, target.parts <= target.decided
    else:
        asked = _not_erased(copy.contract, target)
        goes = not asked
    if goes:
        return Fate.GOES
    return Fate.STAYS if asked.isdisjoint(target.undecided) else Fate.WAITS


def fate_of_consents(target: Target) -> Fate:
    """What whoever decides of the principal's consents has decided about the records of them."""
    asked = _who_decides((PRINCIPAL, FieldGroup.CONSENT), target) - target.decided
    if not asked:
        return Fate.GOES
    return Fate.STAYS if asked.isdisjoint(target.undecided) else Fate.WAITS


def are_consents_decided(target: Target) -> bool:
    """Whether everybody who decides of the principal's consents has decided to erase: the records of them go too."""
    return fate_of_consents(target) is Fate.GOES


def comes_in_again(contracts: Iterable[DataContract], target: Target) -> bool:
    """Whether somebody decided that what comes in under one of these contracts stays (GDPR Art. 17(3))."""
    stays = [_not_erased(contract, target) for contract in contracts]
    return any(pairs and pairs.isdisjoint(target.undecided) for pairs in stays)


def stay_by_field(contract: DataContract, target: Target) -> dict[str, frozenset[Decided]]:
    """By column of a contract's files, what nobody decided to erase of it; nothing for a pointer to our staff."""
    return {
        field.name: frozenset()
        if field.group in NOT_OF_THE_PERSON
        else _who_decides((DECIDES[PROFILES[field.role_profile].controller][0], field.group), target) - target.decided
        for field in contract.fields
    }


def _not_erased(contract: DataContract, target: Target) -> frozenset[Decided]:
    """What is in a contract's files of which nobody decided that it is erased."""
    return frozenset[Decided]().union(*stay_by_field(contract, target).values())


def _who_decides(pair: Decided, target: Target) -> frozenset[Decided]:
    """Who decides of a field group of a copy, each with that group, or with all of theirs if it is nobody's now.

    ``pair``: the group and who decided of it, by the contract of the copy's day.
    """
    if not target.parts:
        return frozenset({pair})
    now = {name: frozenset(group for who, group in target.parts if who == name) for name, _ in target.parts}
    deciding = deciders_of(*pair, now)
    theirs = frozenset(each for each in target.parts if each[0] in deciding)
    return frozenset(each for each in theirs if each[1] == pair[1]) or theirs
