"""Who decides of a field group of a copy, after roles changed with a new version of the agreement. Pure.

The one rule of erasures, notices, answers and corrections: papers change while copies stay. Whoever decided of a group
by the papers of a copy's day still does, as long as the agreement says so; otherwise it is whoever has the group now.
"""

from collections.abc import Collection, Iterable, Mapping

from sluice.rights.case.model import SubCase
from sluice.terms import Decider


def deciders_of(controller: Decider, group: str, now: Mapping[Decider, Collection[str]]) -> tuple[Decider, ...]:
    """Return who decides of a field group of a copy.

    ``controller``: who did by the papers of the copy's day, and does as long as the group is theirs, or nobody's any
    more while they still decide of others. Otherwise it is who has the group ``now``, or all if nobody has it.
    ``now``: field groups by who decides of them, in the parts of a case; without any, the copy's day counts.
    """
    having = tuple(who for who, groups in now.items() if group in groups)
    if not now or controller in having or (controller in now and not having):
        return (controller,)
    return having or tuple(now)


def groups_by_decider(parts: Iterable[SubCase]) -> dict[Decider, frozenset[str]]:
    """Return the field groups of these parts by who decides of them."""
    found: dict[Decider, frozenset[str]] = {}
    for part in parts:
        found[part.controller] = found.get(part.controller, frozenset()).union(part.field_groups)
    return found


def covers(part: SubCase, group: str) -> bool:
    """Whether what was decided on a part reaches a field group: one that was named, or any if all of the part was."""
    named = part.action_fields or part.field_groups
    return group in named or set(named) >= set(part.field_groups)


def decides(part: SubCase, controller: Decider, group: str, parts: Iterable[SubCase]) -> bool:
    """Whether a part decides of a field group of a copy under its agreement (:func:`deciders_of`).

    ``parts``: of the case. Those under the same agreement at the same principal count.
    """
    name = part.principal, part.agreement_id
    mine = (each for each in parts if (each.principal, each.agreement_id) == name)
    return part.controller in deciders_of(controller, group, groups_by_decider(mine))
