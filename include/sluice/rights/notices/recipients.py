"""Who has to be told of a decided part of a case (GDPR Art. 19; Art. 7(3) and 21 upstream). Pure.

The rule, also in docs/explanation/cases.md: everybody whom the record of an exchange names as recipient, if the
exchange held the person and had a field group that was decided and that this part's controller decides of. For
a return, only if it was delivered with the person in it, or if nothing is left that could tell whether they
were. Whoever decided is not told of its own decision. If something has to stop, the supplier of the person's
rows is told too. What was exchanged under an agreement that no part of the case is about, such as one that has
ended, goes with every part of the same controller at that principal.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from sluice.ledger.record import ExchangeRecord
from sluice.rights.case.model import Action, SubCase
from sluice.rights.notices.model import Channel, Holder, Recipient, Side
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
    part: SubCase, holders: Iterable[Holder], center: str, orphans: Collection[str] = ()
) -> tuple[Recipient, ...]:
    """Everybody who has to be told of a part, by name and side; empty for decisions that are not passed on.

    ``holders``: exchanges of the part's principal that held the persons of the case. ``center``: our own code.
    ``orphans``: agreements of that principal that no part of the case is about.
    """
    groups: dict[tuple[str, Side], set[str]] = defaultdict(set)
    exchanges: dict[tuple[str, Side], set[ExchangeId]] = defaultdict(set)
    sure = set[tuple[str, Side]]()
    for holder in holders:
        for name, side, told in _told(part, holder, center, orphans):
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
    given: Iterable[SubCase], parts: Iterable[SubCase], holders: Sequence[Holder], center: str, company: str
) -> dict[str, bool]:
    """Who else got what the person is given (Art. 15(1)(c), C-154/21): each name, and whether it is a guess.

    They are those who would be told of an erasure. ``given``: parts of one principal, whose name is ``company``;
    ``parts``: all of its parts in the case; ``holders``: exchanges of that principal.
    """
    orphans, names = without_part(parts, holders), dict[str, bool]()
    for part in given:
        for each in recipients_of(replace(part, action=Action.RESTRICT), holders, center, orphans):
            name = company if each.recipient == part.principal else each.recipient
            names[name] = names.get(name, True) and each.is_guess
    return names


def decider_of(part: SubCase, center: str) -> str:
    """Who decided a part: its principal by an instruction, or else the center's own desk, alone or jointly."""
    return part.principal if part.controller == PRINCIPAL else center


def groups_of(record: ExchangeRecord, controller: Decider) -> frozenset[str]:
    """Field groups of an exchange that a controller decides of; by column, where the record is by column."""
    by_group: dict[str, set[str]] = defaultdict(set)
    for role in record.who.roles:
        by_group[role.field_group].add(role.controller)
    found = set()
    for column in record.what.columns:
        group = column.field_group
        said = {column.controller} if column.controller else by_group[group or ""]
        if group and controller in {DECIDES[word][0] for word in said if word in DECIDES}:
            found.add(group)
    return frozenset(found)


def _told(
    part: SubCase, holder: Holder, center: str, orphans: Collection[str]
) -> Iterator[tuple[str, Side, frozenset[str]]]:
    record, decider = holder.record, decider_of(part, center)
    if part.action not in PASSED_ON or record.why.agreement_id not in (part.agreement_id, *orphans):
        return
    decided = _decided(part, record)
    for name in _receivers(holder, center) if decided else ():
        if name != decider:
            yield name, Side.RECIPIENT, decided
    supplier = record.who.principal  # also for held rows, which we ourselves put there again
    if part.action in UPSTREAM and holder.direction is Direction.INBOUND and supplier != decider:
        yield supplier, Side.SUPPLIER, frozenset(c.field_group for c in record.what.columns if c.field_group)


def _decided(part: SubCase, record: ExchangeRecord) -> frozenset[str]:
    """Field groups of an exchange that were decided with a part.

    If its agreement has no part in the case, they are all that the controller decides of, provided that all of the
    part was decided.
    """
    groups, named = groups_of(record, part.controller), set(part.action_fields or part.field_groups)
    is_all = record.why.agreement_id != part.agreement_id and named == set(part.field_groups)
    return groups if is_all else groups & named


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
