"""Open a case: seal who it is about, protect them, then commit. A worker may die anywhere in between.

The sealed envelope comes first and is the record of the request; protection comes before the case is
visible. ``finish_openings`` does the rest of what was begun.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from sluice.db import transaction
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults
from sluice.rights import store
from sluice.rights.book import Book, close_book
from sluice.rights.clock import BRUSSELS, due_dates, received_on
from sluice.rights.errors import RequestIdReused
from sluice.rights.facts import clock_parameters
from sluice.rights.guards import LANGUAGES, names_somebody
from sluice.rights.identifiers import (
    Envelope,
    Identifier,
    Sealed,
    Sought,
    case_id_of,
    check_identifiers,
    check_sought,
    find_sealed,
    list_sealed,
    open_sealed,
    seal,
)
from sluice.rights.model import PROTECTED, Actor, Case, CaseId, Hold, Order, Right, Role, State
from sluice.rights.reach import scope_of_request
from sluice.rights.scope import Scoped, check_principal, find_scope
from sluice.subject.scope import Scope
from sluice.terms import Principal, SubjectKind

log = logging.getLogger(__name__)
LONGEST_WORD = 40
FILE = "file"
"""The channel of a principal's own request file, and of nothing else."""


class Protection(Protocol):
    """How a person is kept out of dial lists and outbound files.

    ``apply`` must be repeatable: the same case, principal and reason again changes nothing. It holds
    when it returns. ``refs``: SubjectRefs under the key of ``principal``. ``scope``: what it stops.
    """

    def apply(self, case_id: CaseId, principal: Principal, refs: Sequence[str], reason: Hold, scope: Scope) -> None: ...


def open_case(
    house: House,
    right: Right,
    identifiers: Sequence[tuple[SubjectKind, str]],
    principal: Principal | None,
    received: datetime | date,
    channel: str,
    language: str,
    now: datetime,
    *,
    protection: Protection,
    actor: Actor,
    request_id: UUID | None = None,
    sought: Sought | None = None,
    purposes: Sequence[str] = (),
    contact_channel: str | None = None,
) -> Case:
    """Open the case of one person; ``identifiers``: all of them, in any spelling.

    purposes, contact_channel: what an objection or a withdrawal is about (DPV IRIs, a word of agreements).
    received: the moment, or the Brussels date when only that is known. request_id: the client's own
    number; the same one again gives the case that is there. sought: name and birth date of a person who gave no
    identifier; such a case waits (:mod:`sluice.rights.confirm`). Raises IdentifierInvalid when an identifier
    names nobody, PrincipalUnknown, UsageError for a date to come, RequestIdReused for another content.
    """
    person = tuple(Identifier(kind, value) for kind, value in identifiers)
    if sought is None or person:
        check_identifiers(person)
    if sought is not None:
        check_sought(sought)
    case_id = case_id_of(house.keyring, request_id) if request_id else CaseId(str(uuid4()))
    envelope = envelope_of(case_id, right, principal, (person,), received, now, actor)
    envelope = replace(envelope, channel=_word("channel", channel), language=_language(language), sought=sought)
    envelope = replace(envelope, purposes=tuple(sorted(set(purposes))), contact_channel=contact_channel)
    if request_id is None:
        return open_envelope(house, envelope, protection)
    known = store.find_cases(house.conn, [case_id])  # asked before sealing: what was removed is not sealed again
    case = known[0] if known else open_envelope(house, envelope, protection)
    _check_same(house, case, envelope)
    return case


def _check_same(house: House, case: Case, said: Envelope) -> None:
    """Raises RequestIdReused unless the case is of this very request; the first word on the date counts."""
    sealed = find_sealed(house, case.subject_key)
    same = (case.right, case.principal, case.channel, case.language) == (
        said.right,
        said.principal,
        said.channel,
        said.language,
    )
    if not same or (sealed and (sealed.envelope.persons, sealed.envelope.sought) != (said.persons, said.sought)):
        raise RequestIdReused(Ref("case", case.case_id))


def envelope_of(
    case_id: CaseId,
    right: Right,
    principal: Principal | None,
    persons: tuple[tuple[Identifier, ...], ...],
    received: datetime | date,
    now: datetime,
    actor: Actor,
) -> Envelope:
    """A request as it will be sealed; by file and in Dutch until said otherwise. Raises UsageError.

    A moment of today that is yet to come is that of a clock that runs ahead: the agreement's hours begin now.
    """
    if not names_somebody(actor.name):
        raise UsageError(Ref("actor", "a name that a record can hold"))  # else it were sealed and never opened
    day = received_on(received) if isinstance(received, datetime) else received
    if day > received_on(now):
        raise UsageError(Ref("received", "in the future"))
    return Envelope(
        case_id=case_id,
        right=right,
        principal=principal,
        received=day,
        opened_at=now,
        forward_from=min(now, received if isinstance(received, datetime) else _end_of(day)),
        channel=FILE,
        language="nl",
        actor_role=actor.role,
        actor=actor.name,
        persons=persons,
    )


def open_envelope(house: House, envelope: Envelope, protection: Protection) -> Case:
    """Seal a request, protect and commit. The same case number again gives the case that is there.

    What could not be opened is not sealed: raises PrincipalUnknown, ClockRefused.
    """
    if envelope.principal:
        check_principal(house, envelope.principal, envelope.opened_at)
    due_dates(envelope.received, house.settings.center_country, clock_parameters(envelope.received))
    return _finish(house, seal(house, envelope), protection)


def finish_openings(house: House, protection: Protection) -> tuple[int, int]:
    """Open every case whose envelope is sealed and that is not there: how many, and how many are met again."""
    sealed = list_sealed(house)
    known = store.find_known(house.conn, [case_id for case_id, _ in sealed])
    done, faults = 0, Faults()
    for case_id, key in sealed:
        if case_id in known:
            continue
        with faults.kept_apart(f"the opening of case {case_id}"):
            _finish(house, open_sealed(house, key), protection)
            done += 1
    return done, faults.count


def _finish(house: House, sealed: Sealed, protection: Protection) -> Case:
    case_id = sealed.envelope.case_id
    if store.find_known(house.conn, [case_id]):
        return store.get_case(house.conn, case_id)
    scoped = protect(house, sealed.envelope, protection)
    _commit(house, _case_of(house, sealed, scoped), sealed)
    return store.get_case(house.conn, case_id)


def protect(house: House, envelope: Envelope, protection: Protection) -> Scoped:
    """Find who is meant and keep them out as far as they mean it, before anything else is known of the case."""
    scoped = find_scope(house, envelope)
    hold_at(protection, envelope, scoped.refs)
    return scoped


def hold_at(protection: Protection, envelope: Envelope, refs: Mapping[Principal, Sequence[str]]) -> int:
    """Keep the person out at these principals, as the right that was asked for says; at how many."""
    hold = PROTECTED.get(envelope.right)
    wanted = {principal: own for principal, own in refs.items() if own} if hold else {}
    for principal, own in wanted.items():
        assert hold is not None  # else nobody is wanted
        protection.apply(envelope.case_id, principal, own, hold, scope_of_request(envelope, hold))
    return len(wanted)


def _commit(house: House, case: Case, sealed: Sealed) -> None:
    said = sealed.envelope
    order = Order(
        Actor(Role(said.actor_role), said.actor),
        said.opened_at,
        "REQUEST_RECEIVED",
        sealed.sha256,
        is_protected=True,
    )
    with transaction(house.conn):
        if not store.insert_case(house.conn, case):
            return  # another worker finished it meanwhile
        book = Book(house.conn, case)
        book.begin(order)
        close_book(book)


def _case_of(house: House, sealed: Sealed, scoped: Scoped) -> Case:
    said, country = sealed.envelope, house.settings.center_country
    return Case(
        case_id=said.case_id,
        right=said.right,
        state=State.RECEIVED,
        persons=len(said.persons),
        principal=said.principal,
        channel=said.channel,
        language=said.language,
        country=country,
        opened_at=said.opened_at,
        due=due_dates(said.received, country, clock_parameters(said.received)),
        subject_bucket=sealed.bucket,
        subject_key=sealed.key,
        subject_sha256=sealed.sha256,
        searched=scoped.searched,
        sub_cases=scoped.parts,
    )


def _end_of(day: date) -> datetime:
    """The latest moment a request of that day can have come."""
    return datetime.combine(day + timedelta(days=1), time(), BRUSSELS)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise UsageError(Ref("language", "nl, fr or en"))
    return language


def _word(name: str, word: str) -> str:
    if not word or word == FILE or len(word) > LONGEST_WORD or not word.replace("_", "").replace("-", "").isalnum():
        raise UsageError(Ref(name, "one word"))
    return word
