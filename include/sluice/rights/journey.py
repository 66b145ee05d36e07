"""Trace a person's rows: through which exchanges, in which roles, to which recipients. Read-only.

The index of each principal says which exchanges hold the person; the ledger says the rest. What an erasure removed from
the index is not found any more. Refused files have no entry (`sluice subject where`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.persons.merged import named_in
from sluice.keys import KeyDestroyed
from sluice.ledger.copy_kinds import INDEX, LAKE, REST
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.drawing import ASIDE
from sluice.lineage.follow import Followed, follow_all
from sluice.lineage.graph import trace_of, with_person
from sluice.lineage.model import Graph
from sluice.lineage.trace import find_undelivered, read_records
from sluice.rights.case.model import CaseId
from sluice.rights.copies import copy_store, outcome_store
from sluice.rights.copies.bench import asking_bench
from sluice.rights.copies.find import open_request
from sluice.rights.copies.lead import BY_BOTH, BY_INDEX, find_lead
from sluice.rights.copies.model import Target
from sluice.rights.erasure.proven import Erased, find_erased
from sluice.rights.person.identifiers import Identifier, values_of
from sluice.rights.person.whom import all_refs_at
from sluice.terms import ExchangeId, Principal

RUN_OF = {LAKE: INDEX, ASIDE: REST}
"""The index run that says who is in each kind of copy of a file that stays here."""


@dataclass(frozen=True, slots=True)
class RoleHeld:
    """The roles of the parties for one field group of an exchange."""

    field_group: str
    profile: str
    controller: str
    processor: str
    owner_label: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One exchange that holds the person's rows. ``opened_at``: UTC with ``Z``.

    ``recipients``: whom the rows went to; empty for what was not delivered.
    """

    exchange: str
    principal: str
    direction: str
    flow: str
    opened_at: str
    decision: str
    sender: str
    recipients: tuple[str, ...]
    roles: tuple[RoleHeld, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """The passages, oldest first, and the same as a graph. ``searched``: the principals whose index was read."""

    passages: tuple[Passage, ...]
    graph: Graph
    paths: tuple[tuple[str, ...], ...]
    searched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Followable:
    """The exchanges that hold the persons of a case, and what could not be searched.

    ``persons``: their number in the case. ``lost``: principals whose key is destroyed. ``silent``: exchanges of which
    no index says who is in them, such as files that were no table; only their bytes would tell. ``erased``: where the
    erasure of the case is proven. ``is_over``: it is proven wherever the persons were found, and no index names them
    any more.
    """

    followed: Followed
    persons: int
    searched: tuple[str, ...]
    lost: tuple[str, ...]
    silent: int
    erased: tuple[Erased, ...]
    is_over: bool


def follow_case(house: House, case_id: CaseId, at: datetime) -> Followable:
    """Find where the rows of the persons of a case went, as of a moment, at every principal with a part in it.

    The index is today's; what the case's own erasure removed from it was noted. Raises NotFound, SubjectUnreadable,
    MaterialGone.
    """
    case, envelope = open_request(house, case_id)
    erased = find_erased(house, case, at)
    proven = {each.principal for each in erased}
    found: set[ExchangeId] = set()
    silent: set[ExchangeId] = set()
    elsewhere: set[tuple[str, str]] = set()
    searched, lost, left = [], [], []
    for name in sorted({part.principal for part in case.sub_cases if part.agreement_id}):
        try:
            key = house.subject_key(Principal(name))
        except KeyDestroyed:
            lost.append(name)
            continue
        refs = all_refs_at(house, envelope.identifiers, Principal(name))
        values = values_of(envelope.identifiers, key, Principal(name))
        target = Target(Principal(name), key, refs, values, frozenset(), case_id=case_id)
        named, noted, unsaid, apart = _pointed_at(house, target)
        found, silent, elsewhere = found | named | noted, silent | unsaid, elsewhere | apart
        searched.append(name)
        left += [name] if named or (noted and name not in proven) else []
    cleared = outcome_store.find_cleared(house.conn, case_id, sorted(proven), at)
    followed = follow_all(house.conn, found, at, cleared, frozenset(elsewhere))
    told = (tuple(searched), tuple(lost), len(silent))
    return Followable(followed, case.persons, *told, erased, is_over=bool(erased) and not left)


def _pointed_at(
    house: House, target: Target
) -> tuple[frozenset[ExchangeId], frozenset[ExchangeId], frozenset[ExchangeId], frozenset[tuple[str, str]]]:
    """Return exchanges in three sets: named by the index, named before the case edited it, and unknown to the index.

    The fourth set has the copies of named exchanges that the person is not in: if their row was kept out, the one in
    the lake.
    """
    copies = copy_store.find_copies(house.conn, target.principal)
    lead = find_lead(asking_bench(house, target), copies)
    files = (copy for copy in copies if copy.kind in BY_INDEX | BY_BOTH)
    unsaid = frozenset(copy.exchange_id for copy in files if lead.may_hold(copy)) - lead.named - lead.noted
    apart = {(each, kind) for each in lead.named for kind, run in RUN_OF.items() if lead.clears(each, run)}
    return lead.named, lead.noted, unsaid, frozenset(apart)


def journey_of(house: House, identifiers: Sequence[Identifier], principals: Sequence[Principal]) -> Journey:
    """Find where the rows of a person went. Has no passage if no index knows them. Raises KeyLost."""
    holders = [each for principal in principals for each in _holders(house, identifiers, principal)]
    records = read_records(house.conn, holders)
    undelivered = find_undelivered(house.conn, records)
    trace = trace_of(records, undelivered)
    return Journey(
        tuple(_passage(record, undelivered) for record in records),
        with_person(trace.graph, [record.exchange_id for record in records]),
        trace.paths,
        tuple(principals),
    )


def _holders(house: House, identifiers: Sequence[Identifier], principal: Principal) -> Iterator[ExchangeId]:
    """Yield the exchanges whose index run names the person."""
    refs = sorted(all_refs_at(house, identifiers, principal))
    yield from (run.exchange_id for run, _ in named_in(house, principal, refs))


def _passage(record: ExchangeRecord, undelivered: Collection[str]) -> Passage:
    return Passage(
        exchange=record.exchange_id,
        principal=record.who.principal,
        direction=record.direction.value,
        flow=record.flow,
        opened_at=record.opened_at,
        decision=record.decision.value,
        sender=record.who.sender,
        recipients=_reached(record, undelivered),
        roles=tuple(_roles(record)),
    )


def _reached(record: ExchangeRecord, undelivered: Collection[str]) -> tuple[str, ...]:
    """Return the recipients in the record. A return that was made but never delivered reached nobody."""
    return () if record.exchange_id in undelivered else tuple(dict.fromkeys(record.who.recipients))


def _roles(record: ExchangeRecord) -> Iterable[RoleHeld]:
    """Yield the roles of the field groups that the columns of the file had."""
    there = {column.field_group for column in record.what.columns}
    for role in record.who.roles:
        if role.field_group in there:
            yield RoleHeld(role.field_group, role.role_profile, role.controller, role.processor, role.owner_label)
