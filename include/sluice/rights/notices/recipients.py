"""Who has to be told of a decided part of a case (GDPR Art. 19; Art. 7(3) and 21 upstream). Pure.

The rule, also in docs/explanation/cases.md: everybody whom the record of an exchange names as recipient, if the
exchange held the person and had a field group that was decided and that this part's controller decides of. For
a return, only if it was delivered with the person in it, or if nothing is left that could tell whether they
were. Where a role changed since, with a new version of the agreement, whoever decides of the group now counts
(:mod:`sluice.rights.person.deciders`). Whoever decided is not told of its own decision. If something has to stop, the
supplier of the person's rows is told too. What was exchanged under an agreement that no part of the case is about, such
as one that has ended, goes with every part of the same controller at that principal.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from sluice.ledger.record import ExchangeRecord
from sluice.rights.case.model import Action, SubCase
from sluice.rights.notices.model import Channel, Holder, Recipient, Side
from sluice.rights.person.deciders import covers, deciders_of, groups_by_decider
from sluice.rights.person.scope import DECIDES
from sluice.terms import Decider, Direction, ExchangeId

PASSED_ON = frozenset({Action.ERASE, Action.RECTIFY, Action.RESTRICT, Action.STOP})
"""Decisions that a recipient has to follow too. What is given or exported to the person concerns nobody else."""
UPSTREAM = frozenset({Action.STOP})
"""Decisions that the supplier has to be told of, because otherwise its next file brings the person back (C-129/21)."""
BY_HAND = frozenset({Action.RECTIFY})
"""Decisions that none of our files can carry yet, because the new value is not in the case."""
PRINCIPAL = "principal"


def without_part(parts: Iterable[SubCase], holders: Iterable[Holder]) -> frozenset[str]:
    """Agreements under which exchanges held the person, but that none of these parts is about."""
    under = {holder.record.why.agreement_id for holder in holders}
    return frozenset(each for each in under if each) - {part.agreement_id for part in parts if part.agreement_id}


def recipients_of(
    part: SubCase, holders: Sequence[Holder], center: str, parts: Collection[SubCase] = ()
) -> tuple[Recipient, ...]:
    """Everybody who has to be told of a part, by name and side; empty for decisions that are not passed on.

    ``holders``: exchanges of the part's principal that held the persons of the case. ``center``: our own code.
    ``parts``: all parts of the case; without any, the roles of an exchange's own day count, and its own agreement only.
    """
    own = tuple(each for each in parts if each.principal == part.principal)
    orphans = without_part(own, holders) if own else frozenset()
    groups: dict[tuple[str, Side], set[str]] = defaultdict(set)
    exchanges: dict[tuple[str, Side], set[ExchangeId]] = defaultdict(set)
    sure = set[tuple[str, Side]]()
    for holder in holders:
        for name, side, told in _told(part, holder, center, orphans, own):
            groups[name, side] |= told
            exchanges[name, side].add(holder.exchange_id)
            if not holder.is_guess:
                sure.add((name, side))
    return tuple(
        Recipient(
            *(name, side, _channel(part, name), tuple(sorted(told)), tuple(sorted(exchanges[name, side]))),
            is_guess=(name, side) not in sure,
        )
        for (name, side), told in sorted(groups.items())
    )


def names_of(
    given: Iterable[SubCase], parts: Collection[SubCase], holders: Sequence[Holder], center: str, company: str
) -> dict[str, bool]:
    """Who else got what the person is given (Art. 15(1)(c), C-154/21): each name, and whether it is a guess.

    They are those who would be told of an erasure. ``given``: parts of one principal, whose name is ``company``;
    ``parts``: all of its parts in the case; ``holders``: exchanges of that principal.
    """
    names = dict[str, bool]()
    for part in given:
        for each in recipients_of(replace(part, action=Action.RESTRICT), holders, center, parts):
            name = company if each.recipient == part.principal else each.recipient
            names[name] = names.get(name, True) and each.is_guess
    return names


def decider_of(part: SubCase, center: str) -> str:
    """Who decided a part: its principal by an instruction, or else the center's own desk, alone or jointly."""
    return part.principal if part.controller == PRINCIPAL else center


def groups_of(record: ExchangeRecord, controller: Decider) -> frozenset[str]:
    """Field groups of an exchange that a controller decides of, by the papers of its day."""
    return frozenset(group for decider, group in _held(record) if decider == controller)


def _held(record: ExchangeRecord) -> Iterator[tuple[Decider, str]]:
    """Field groups of an exchange, each with who decides of it by the papers of its day.

    By column, where the record is by column.
    """
    by_group: dict[str, set[str]] = defaultdict(set)
    for role in record.who.roles:
        by_group[role.field_group].add(role.controller)
    for column in record.what.columns:
        group = column.field_group
        said = {column.controller} if column.controller else by_group[group or ""]
        if group:
            yield from ((DECIDES[word][0], group) for word in said if word in DECIDES)


def _told(
    part: SubCase, holder: Holder, center: str, orphans: Collection[str], parts: Collection[SubCase]
) -> Iterator[tuple[str, Side, frozenset[str]]]:
    record, decider = holder.record, decider_of(part, center)
    if part.action not in PASSED_ON or record.why.agreement_id not in (part.agreement_id, *orphans):
        return
    decided = _decided(part, record, parts)
    for name in _receivers(holder, center) if decided else ():
        if name != decider:
            yield name, Side.RECIPIENT, decided
    supplier = record.who.principal  # also for held rows, which we ourselves put there again
    if part.action in UPSTREAM and holder.direction is Direction.INBOUND and supplier != decider:
        yield supplier, Side.SUPPLIER, frozenset(c.field_group for c in record.what.columns if c.field_group)


def _decided(part: SubCase, record: ExchangeRecord, parts: Collection[SubCase]) -> frozenset[str]:
    """Field groups of an exchange that the part's controller decides of, and that were decided with the part.

    A part that was decided as a whole includes groups that its agreement no longer names. ``parts``: of the same
    principal. Those of the exchange's agreement say who decides, or all if none is about it.
    """
    now = groups_by_decider([each for each in parts if each.agreement_id == record.why.agreement_id] or parts)
    return frozenset(
        group
        for controller, group in _held(record)
        if _reaches(part, group) and part.controller in deciders_of(controller, group, now)
    )


def _reaches(part: SubCase, group: str) -> bool:
    """Whether recipients of a group are told: of a correction, those of what was corrected, which the part names."""
    return group in part.action_fields if part.action is Action.RECTIFY and part.action_fields else covers(part, group)


def _receivers(holder: Holder, center: str) -> tuple[str, ...]:
    """The recipients in the record, without us; none for a return that was made and never delivered."""
    if holder.direction is Direction.OUTBOUND_RETURN and not holder.was_delivered:
        return ()
    return tuple(name for name in dict.fromkeys(holder.record.who.recipients) if name != center)


def _channel(part: SubCase, name: str) -> Channel:
    """By a file for the part's own principal, if one can carry the decision; otherwise by the desk.

    A prefix is for its own principal only, so the desk tells anybody else who got data of that principal.
    """
    return Channel.PREFIX if name == part.principal and part.action not in BY_HAND else Channel.DESK
