"""Open a case: seal who it is about, protect them, then commit. A worker may die at any point.

The sealed envelope comes first and is the record of the request. Protection comes before the case is visible.
``finish_openings`` completes what was begun.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from sluice.db import transaction
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.exchange.sweeping import Faults, Tally
from sluice.ledger.names import check_name
from sluice.rights.case import store
from sluice.rights.case.book import Book, close_book
from sluice.rights.case.clock import due_dates, received_on
from sluice.rights.case.errors import RequestIdReused
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.guards import check_language
from sluice.rights.case.model import FILE, WITHOUT_LETTERS, Actor, Case, CaseId, Order, Right, Role, State
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import Identifier, Sought, check_identifiers, check_sought, owned_by
from sluice.rights.person.owners import with_owners
from sluice.rights.person.protect import protect
from sluice.rights.person.scope import Scoped, check_principal
from sluice.rights.person.sealed import Sealed, case_id_of, find_sealed, list_sealed, open_sealed, seal
from sluice.subject.scope import MARKETING
from sluice.terms import Principal, SubjectKind
from sluice.times import midnight

LONGEST_WORD = 40
"""The channel of a principal's own request file, and of nothing else."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request of one person as it came in; nothing of it is checked yet."""

    right: Right
    identifiers: Sequence[tuple[SubjectKind, str] | Identifier] = field(repr=False)
    """All identifiers of the person, in any spelling. A customer number belongs to one principal."""
    principal: Principal | None
    """The principal that was addressed. None: all that know the person."""
    received: datetime | date
    """The moment it was received, or the Brussels date if only that is known."""
    channel: str
    """How the request came in, in one word."""
    language: str
    """The language of the person: nl, fr or en."""
    actor: Actor
    request_id: UUID | None = None
    """The client's own number. The same number again gives the existing case."""
    sought: Sought | None = None
    """Name and birth date of a person who gave no identifier; it waits (:mod:`sluice.rights.confirm_candidate`)."""
    purposes: Sequence[str] = ()
    """The DPV IRIs that an objection or withdrawal is about. Empty: all it can reach."""
    contact_channel: str | None = None
    """The agreement's word for a channel, if the person means that one only."""


def open_case(house: House, request: NewRequest, now: datetime) -> Case:
    """Open the case of one person, who is kept out before the case exists.

    Raises IdentifierInvalid for an identifier that names nobody, NumberOfSeveral, PrincipalUnknown, UsageError for a
    date in the future, RequestIdReused if the same number was used for another request.
    """
    envelope = _envelope(house, request, now)
    if request.request_id is None:
        return open_envelope(house, with_owners(house, envelope), now)
    known = store.find_cases(house.conn, [envelope.case_id])  # before sealing: what was removed is not sealed again
    case = known[0] if known else open_envelope(house, with_owners(house, envelope), now)
    _check_same(house, case, envelope)
    return case


def _envelope(house: House, request: NewRequest, now: datetime) -> Envelope:
    """Return the request as it will be sealed. Raises IdentifierInvalid, UsageError."""
    person = tuple(each if isinstance(each, Identifier) else Identifier(*each) for each in request.identifiers)
    if request.sought is None or person:
        check_identifiers(person)
    if request.sought is not None:
        check_sought(request.sought)
    case_id = case_id_of(house.keyring, request.request_id) if request.request_id else CaseId(str(uuid4()))
    return replace(
        envelope_of(
            case_id,
            right_asked(request.right, request.purposes),
            request.principal,
            (person,),
            request.received,
            now,
            request.actor,
        ),
        channel=_word("channel", request.channel),
        language=check_language(request.language),
        sought=request.sought,
        purposes=tuple(sorted(set(request.purposes))),
        contact_channel=request.contact_channel,
    )


def right_asked(right: Right, purposes: Sequence[str]) -> Right:
    """The right that a request is of. Pure.

    An objection that names nothing but marketing is one to direct marketing, which cannot be refused (Art. 21(2), (3)).
    ``purposes``: DPV IRIs.
    """
    is_to_marketing = right is Right.OBJECTION and bool(purposes) and MARKETING.issuperset(purposes)
    return Right.DIRECT_MARKETING if is_to_marketing else right


def _check_same(house: House, case: Case, said: Envelope) -> None:
    """Check that the case is of this very request. The date first given counts.

    Raises RequestIdReused.
    """
    sealed = find_sealed(house, case.subject_key)
    same = (case.right, case.principal, case.channel, case.language) == (
        said.right,
        said.principal,
        said.channel,
        said.language,
    )
    if not same or (sealed and not (_is_same_person(sealed.envelope, said) and _reaches_as_far(sealed.envelope, said))):
        raise RequestIdReused(Ref("case", case.case_id))


def _reaches_as_far(sealed: Envelope, said: Envelope) -> bool:
    """Whether both are about the same purposes and channel: whoever objects to more sends another request."""
    return (sealed.purposes, sealed.contact_channel) == (said.purposes, said.contact_channel)


def _is_same_person(sealed: Envelope, said: Envelope) -> bool:
    """Whether both name the same person. The owner of a customer number was determined when the first was sealed."""
    then, now = sealed.identifiers, said.identifiers
    bare = [[replace(each, owner=None) for each in every] for every in (then, now)]
    owners = all(one.owner in (None, other.owner) for one, other in zip(now, then, strict=False))
    return sealed.sought == said.sought and bare[0] == bare[1] and owners


def envelope_of(
    case_id: CaseId,
    right: Right,
    principal: Principal | None,
    persons: tuple[tuple[Identifier, ...], ...],
    received: datetime | date,
    now: datetime,
    actor: Actor,
) -> Envelope:
    """Return a request as it will be sealed. The caller may change its channel (file) and language (Dutch).

    A moment later today comes from a clock that runs ahead, so the agreement's hours begin now. Raises UsageError.
    """
    name = check_name(actor.name)  # otherwise it would be sealed and never opened
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
        actor=name,
        persons=tuple(owned_by(person, principal) for person in persons) if principal else persons,
    )


def open_envelope(house: House, envelope: Envelope, now: datetime) -> Case:
    """Seal a request, protect the person, and commit. The same case number again gives the existing case.

    A request that could not be opened is not sealed: raises PrincipalUnknown, ClockRefused.
    """
    if envelope.principal:
        check_principal(house, envelope.principal, envelope.opened_at)
    due_dates(envelope.received, house.settings.center_country, clock_parameters(envelope.received))
    return _finish(house, seal(house, envelope), now)


def finish_openings(house: House, now: datetime) -> Tally:
    """Open every case whose envelope is sealed but that does not exist yet. Returns how many, and how many failed."""
    sealed = list_sealed(house)
    known = store.find_known(house.conn, [case_id for case_id, _ in sealed])
    done, faults = 0, Faults(house.conn)
    for case_id, key in sealed:
        if case_id in known:
            continue
        with faults.kept_apart(f"the opening of case {case_id}"):
            _finish(house, open_sealed(house, key), now)
            done += 1
    return Tally(done, faults.count)


def _finish(house: House, sealed: Sealed, now: datetime) -> Case:
    case_id = sealed.envelope.case_id
    if store.find_known(house.conn, [case_id]):
        return store.get_case(house.conn, case_id)
    scoped = protect(house, sealed.envelope, now)
    _commit(house, _case_of(house, sealed, scoped), sealed)
    return store.get_case(house.conn, case_id)


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
    """Return the latest moment at which a request of that day can have come in."""
    return midnight(day + timedelta(days=1))


def _word(name: str, word: str) -> str:
    is_word = word.replace("_", "").replace("-", "").isalnum() and len(word) <= LONGEST_WORD
    if not is_word or word in WITHOUT_LETTERS:
        raise UsageError(Ref(name, "one word"))
    return word
