"""Who has to be told of a decided part of a case (GDPR Art. 19; Art. 7(3) and 21 upstream). Pure.

The rule, also in docs/explanation/cases.md: whoever the record of an exchange names as recipient, if the
exchange held the person and had a field group of this part's controller that was decided. Of a return, only
if it was delivered with the person in it, or if nothing is left that could say whether they were. Whoever
decided is not told of its own decision. Of a stop, the supplier of the person's rows is told too. What was
exchanged under an agreement that no part of the case is about, as one that has ended, goes with every part of
the same controller at that principal.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from sluice.ledger.record import ExchangeRecord
from sluice.rights.case.model import Action, SubCase
from sluice.rights.notices.model import Channel, Holder, Recipient, Side
from sluice.rights.person.scope import DECIDES
from sluice.terms import Direction, ExchangeId

PASSED_ON = frozenset({Action.ERASE, Action.RECTIFY, Action.RESTRICT, Action.STOP})
"""Decisions a recipient has to follow too; what is given or exported to the person concerns nobody else."""
UPSTREAM = frozenset({Action.STOP})
"""Decisions the supplier has to hear of, or its next file brings the person back (C-129/21)."""
BY_HAND = frozenset({Action.RECTIFY})
"""Decisions that no file of ours can carry yet: the new value is not in the case."""
PRINCIPAL = "principal"


def without_part(parts: Iterable[SubCase], holders: Iterable[Holder]) -> frozenset[str]:
    """Agreements under which exchanges held the person, and that none of these parts is about."""
    under = {holder.record.why.agreement_id for holder in holders}
    return frozenset(each for each in under if each) - {part.agreement_id for part in parts if part.agreement_id}


def recipients_of(
    part: SubCase, holders: Iterable[Holder], center: str, orphans: Collection[str] = ()
) -> tuple[Recipient, ...]:
    """Everybody who has to be told of a part, by name and side; nobody for what is not passed on.

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


def decider_of(part: SubCase, center: str) -> str:
    """Who decided of a part: its principal by an instruction, else the center's own desk, alone or jointly."""
    return part.principal if part.controller == PRINCIPAL else center


def groups_of(record: ExchangeRecord, controller: str) -> frozenset[str]:
    """Field groups of an exchange that a controller decides of, by column where the record says it by column."""
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
    supplier = record.who.principal  # also of held rows that we ourselves put there again
    if part.action in UPSTREAM and holder.direction is Direction.INBOUND and supplier != decider:
        yield supplier, Side.SUPPLIER, frozenset(c.field_group for c in record.what.columns if c.field_group)


def _decided(part: SubCase, record: ExchangeRecord) -> frozenset[str]:
    """Field groups of an exchange that were decided with a part; what its own agreement does not list goes with all."""
    groups, named = groups_of(record, part.controller), set(part.action_fields or part.field_groups)
    is_all = record.why.agreement_id != part.agreement_id and named == set(part.field_groups)
    return groups if is_all else groups & named


def _receivers(holder: Holder, center: str) -> tuple[str, ...]:
    """Whom the record names, without us. What was made and never delivered reached nobody."""
    if holder.direction is Direction.OUTBOUND_RETURN and not holder.was_delivered:
        return ()
    return tuple(name for name in dict.fromkeys(holder.record.who.recipients) if name != center)


def _channel(part: SubCase, name: str) -> Channel:
    """A prefix is its own principal's only: what anybody else got of its data is told by the desk."""
    return Channel.PREFIX if name == part.principal and part.action not in BY_HAND else Channel.DESK
