"""Who a case is about: identifiers as they were given, sealed in the vault and nowhere else.

The sealed envelope is the record of the request and is written before anything else. Opening a case is a
function of it, so a rerun finishes from it what a dead worker left.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

import rfc8785

from sluice.errors import NotFound, Ref, StoreConflict
from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.keys import Keyring
from sluice.lake.s3.objects import StoredObject
from sluice.media_types import OCTETS
from sluice.rights.case import store
from sluice.rights.case.errors import IdentifierInvalid, SubjectUnreadable
from sluice.rights.case.model import CaseId, Right
from sluice.subject.candidate import normal_candidate
from sluice.subject.columns import normalise_column
from sluice.subject.customer import without_zeros
from sluice.subject.key import SubjectKey
from sluice.subject.normalise import normalise
from sluice.subject.refs import ref_column, refer
from sluice.terms import Principal, Sha256, SubjectKind
from sluice.times import utc_text

PREFIX = "_cases/"
KEY_OWNER = Principal("_cases")
"""Begins with ``_``, which the code of a principal cannot."""
NOBODY = Principal("_nobody")
"""The owner of a customer number that no principal knew when the case was opened."""
KINDS: Mapping[str, SubjectKind] = {
    "phone": SubjectKind.PHONE,
    "email": SubjectKind.EMAIL,
    "customer": SubjectKind.PRINCIPAL_CUSTOMER_ID,
    "national_number": SubjectKind.NATIONAL_NUMBER,
    "iban": SubjectKind.IBAN,
}
FEW = 8
"""Up to this many identifiers are read one by one, because reading whole columns takes milliseconds even if they are
short."""
WORDS: Mapping[SubjectKind, str] = {kind: word for word, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier as it was given. The value stays out of every repr.

    ``owner``: of a customer number, the principal whose number it is, or ``NOBODY``. None: nobody said, as for
    every other kind. ``knew``: of a number sealed before numbers had owners, the several principals that knew it;
    it counts at these only.
    """

    kind: SubjectKind
    value: str = field(repr=False)
    owner: Principal | None = None
    knew: frozenset[Principal] = frozenset()


Person = tuple[Identifier, ...]
"""Identifiers that are said to belong to one person."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A name, its parts in any order, and a birth date, as given. They only point at candidates and identify nobody."""

    name: str = field(repr=False)
    birth_date: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A whole request, as it is sealed. ``received``: Brussels date; ``opened_at``: UTC; ``actor``: role and name."""

    case_id: CaseId
    right: Right
    principal: Principal | None
    received: date
    opened_at: datetime
    forward_from: datetime
    """The moment from which the hours to forward the request run."""
    channel: str
    language: str
    actor_role: str
    actor: str
    persons: tuple[Person, ...] = field(repr=False)
    sought: Sought | None = field(default=None, repr=False)
    """Set if the person gave no identifier. The case then waits until somebody confirms a candidate."""

    @property
    def is_waiting(self) -> bool:
        """Whether it is not known yet who the request is about."""
        return self.sought is not None and not self.identifiers

    purposes: tuple[str, ...] = ()
    """DPV IRIs that an objection or a withdrawal names; none means all that it can reach."""
    contact_channel: str | None = None
    """The agreement's word for the channel, if the person means one channel only."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All identifiers in order. A part names those that its principal knows by their place in this list."""
        return tuple(each for person in self.persons for each in person)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope and where it lies. ``sha256`` is that of the sealed bytes."""

    envelope: Envelope
    bucket: str
    key: str
    sha256: Sha256


def parse_identifier(text: str, place: int) -> Identifier:
    """Read an identifier from ``KIND:VALUE``. Raises IdentifierInvalid, naming its place (1 = first)."""
    word, _, value = text.partition(":")
    kind = KINDS.get(word) or next((kind for kind in SubjectKind if kind.value == word), None)
    if kind is None or not value.strip():
        raise IdentifierInvalid(Ref("identifier", place))
    return Identifier(kind, value)


def parse_owned(text: str, place: int) -> Identifier:
    """Read ``KIND:VALUE`` or, for one principal, ``customer@PRINCIPAL:VALUE``. Raises IdentifierInvalid, naming its
    place."""
    head, _, value = text.partition(":")
    word, at, owner = head.partition("@")
    found = parse_identifier(f"{word}:{value}", place)
    if not at:
        return found
    if found.kind is not SubjectKind.PRINCIPAL_CUSTOMER_ID or not PRINCIPAL_NAME.fullmatch(owner):
        raise IdentifierInvalid(Ref("identifier", place))
    return replace(found, owner=Principal(owner))


def owned_by(person: Person, principal: Principal) -> Person:
    """The same person, with this principal as owner of every customer number that has none."""
    return tuple(replace(each, owner=principal) if is_unowned(each) else each for each in person)


def is_unowned(identifier: Identifier) -> bool:
    """Whether it is a customer number and nobody said whose."""
    return identifier.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID and identifier.owner is None


def places_at(identifiers: Sequence[Identifier], principal: Principal, *, nobodys: bool = False) -> list[int]:
    """Places of the identifiers that may be used at a principal.

    The customer numbers of other principals are left out: here, the same number is somebody else's. nobodys:
    include the customer numbers that no principal knew. They serve to look and to compare, never to act on.
    """
    may = {None, principal} | ({NOBODY} if nobodys else set())
    return [
        place
        for place, each in enumerate(identifiers)
        if each.owner in may and (not each.knew or principal in each.knew)
    ]


def refs_of(
    identifiers: Sequence[Identifier], key: SubjectKey, principal: Principal, *, nobodys: bool = False
) -> dict[int, str]:
    """References at one principal, under its key, by place in the list. An identifier that names nobody there has none.

    nobodys: as for :func:`places_at`.
    """
    import polars as pl

    there = places_at(identifiers, principal, nobodys=nobodys)
    if len(there) <= FEW:
        told = ((place, refer(key, identifiers[place].kind, identifiers[place].value).ref) for place in there)
        return {place: ref for place, ref in told if ref is not None}
    found: dict[int, str] = {}
    for kind in {identifiers[place].kind for place in there}:
        places = [place for place in there if identifiers[place].kind is kind]
        values = pl.Series("value", [identifiers[place].value for place in places], dtype=pl.String)
        refs = ref_column(normalise_column(values, kind).values, kind, key)
        found |= {place: ref for place, ref in zip(places, refs.to_list(), strict=True) if ref is not None}
    return dict(sorted(found.items()))


def values_of(
    identifiers: Sequence[Identifier], key: SubjectKey, principal: Principal, *, nobodys: bool = False
) -> tuple[str, ...]:
    """The identifiers that may be used at a principal, in every form in which a file may have them.

    These are what was given, its normal form, and customer numbers without leading zeros. nobodys: as for
    :func:`places_at`.
    """
    import polars as pl

    there = [identifiers[place] for place in places_at(identifiers, principal, nobodys=nobodys)]
    found = {each.value for each in there}
    numbers = (each.value for each in there if each.kind is SubjectKind.PRINCIPAL_CUSTOMER_ID)
    found.update(filter(None, (without_zeros(number, key) for number in numbers)))
    if len(there) <= FEW:
        forms = (normalise(each.kind, each.value).value for each in there)
        return tuple(sorted(found.union(filter(None, forms))))
    for kind in {each.kind for each in there}:
        values = pl.Series("value", [each.value for each in there if each.kind is kind], dtype=pl.String)
        found.update(normalise_column(values, kind).values.drop_nulls().to_list())
    return tuple(sorted(found))


def check_identifiers(identifiers: Sequence[Identifier]) -> None:
    """Raise IdentifierInvalid for the first identifier that names nobody, or if there are none."""
    if not identifiers:
        raise IdentifierInvalid(Ref("identifiers", 0))
    for place, each in enumerate(identifiers, 1):
        if refer(SubjectKey(bytes(32)), each.kind, each.value).ref is None:
            raise IdentifierInvalid(Ref("identifier", place), Ref("kind", each.kind))


def check_sought(sought: Sought) -> None:
    """Raise IdentifierInvalid unless this is a name and a birth date."""
    if normal_candidate((sought.name,), sought.birth_date) is None:
        raise IdentifierInvalid(Ref("name and birth date", 1))


def subject_key(case_id: CaseId) -> str:
    """The key in the vault of the sealed envelope of a case."""
    return f"{PREFIX}{case_id}/subject.age"


def seal(house: House, envelope: Envelope, key: str | None = None) -> Sealed:
    """Put the envelope into the vault, once. If one is there already, return that one.

    ``key``: where the envelope with a confirmed person goes, beside the one with what was asked. Raises
    SubjectUnreadable.
    """
    key = key or subject_key(envelope.case_id)
    try:
        stored = house.objects.put_once(
            house.settings.bucket_vault, key, encrypt(house.keyring, _write(envelope)), OCTETS
        )
    except StoreConflict:
        return open_sealed(house, key)
    return Sealed(envelope, stored.bucket, key, _known(stored))


def open_sealed(house: House, key: str) -> Sealed:
    """Open the envelope under a key of the vault. Raises NotFound, SubjectUnreadable."""
    bucket = house.settings.bucket_vault
    content = house.objects.read(bucket, key)
    envelope = _with_owners(house, _read(decrypt(house.keyring, content)))
    return Sealed(envelope, bucket, key, Sha256(hashlib.sha256(content).hexdigest()))


def _with_owners(house: House, envelope: Envelope) -> Envelope:
    """Add owners to the customer numbers of an envelope that was sealed before they had any.

    The parts of its case say which principals knew a number. These were told it, hold the person and decide, so the
    number counts at each of them; if none knew it, it is nobody's. If the case does not exist yet, its opener
    looks.
    """
    if not any(is_unowned(each) for each in envelope.identifiers):
        return envelope
    knew = store.find_knowing(house.conn, envelope.case_id)
    return name_owners(envelope, knew) if knew else envelope


def name_owners(envelope: Envelope, knew: Mapping[Principal, Collection[int]]) -> Envelope:
    """Return the request with an owner for every customer number. Pure.

    ``knew``: the places that each principal knows. If several know a number, nobody can tell whose it is, so the
    number names those that knew it instead.
    """
    named = iter(
        _owned(each, frozenset(name for name, places in knew.items() if place in places)) if is_unowned(each) else each
        for place, each in enumerate(envelope.identifiers)
    )
    return replace(envelope, persons=tuple(tuple(next(named) for _ in person) for person in envelope.persons))


def _owned(identifier: Identifier, knew: frozenset[Principal]) -> Identifier:
    if len(knew) > 1:
        return replace(identifier, knew=knew)
    return replace(identifier, owner=next(iter(knew), NOBODY), knew=frozenset())


def find_sealed(house: House, key: str) -> Sealed | None:
    """Like :func:`open_sealed`, but None once the identifiers were removed."""
    try:
        return open_sealed(house, key)
    except NotFound:
        return None


def list_sealed(house: House) -> list[tuple[CaseId, str]]:
    """Case number and key of every envelope in the vault."""
    found = house.objects.list_versions(house.settings.bucket_vault, PREFIX)
    envelopes = {item.key for item in found if item.key.endswith("/subject.age")}
    return sorted((CaseId(key.split("/")[1]), key) for key in envelopes)


def _known(stored: StoredObject) -> Sha256:
    assert stored.sha256 is not None  # we wrote it
    return stored.sha256


def case_id_of(keyring: Keyring, request_id: UUID) -> CaseId:
    """The case number for a client's own request number (RFC 9562, 5.5).

    It is always the same for that number, and no outsider can compute it.
    """
    secret = keyring.quarantine_identity(KEY_OWNER).encode()
    space = UUID(bytes=hmac.digest(secret, b"numbers of requests", "sha256")[:16])
    return CaseId(str(uuid5(space, str(request_id))))


def encrypt(keyring: Keyring, content: bytes) -> bytes:
    """Seal something that belongs to a case. Only the center's own key opens it."""
    import pyrage

    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(KEY_OWNER))
    sealed: bytes = pyrage.encrypt(content, [identity.to_public()])
    return sealed


def decrypt(keyring: Keyring, content: bytes) -> bytes:
    """Open what :func:`encrypt` sealed. Raises SubjectUnreadable."""
    import pyrage

    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(KEY_OWNER))
    try:
        opened: bytes = pyrage.decrypt(content, [identity])
        return opened
    except pyrage.DecryptError:
        pass
    raise SubjectUnreadable(Ref("reason", "wrong key or changed bytes"))


def _write(envelope: Envelope) -> bytes:
    persons = [[_told(each, envelope.principal) for each in person] for person in envelope.persons]
    document: dict[str, Any] = {
        "case_id": envelope.case_id,
        "right": envelope.right.value,
        "principal": envelope.principal,
        "received": envelope.received.isoformat(),
        "opened_at": utc_text(envelope.opened_at),
        "forward_from": utc_text(envelope.forward_from),
        "channel": envelope.channel,
        "language": envelope.language,
        "actor_role": envelope.actor_role,
        "actor": envelope.actor,
        "persons": persons,
    }
    if envelope.sought is not None:
        document["sought"] = [envelope.sought.name, envelope.sought.birth_date]
    if envelope.purposes or envelope.contact_channel:
        document |= {"purposes": list(envelope.purposes), "contact_channel": envelope.contact_channel}
    return rfc8785.dumps(document)


def _told(identifier: Identifier, principal: Principal | None) -> list[str]:
    """Write an identifier as a list, with its owner only if the request itself does not say it."""
    owner = identifier.owner
    return [identifier.kind.value, identifier.value, *([owner] if owner and owner != principal else [])]


def _said(principal: str | None, kind: str, value: str, owner: str | None = None) -> Identifier:
    is_number = SubjectKind(kind) is SubjectKind.PRINCIPAL_CUSTOMER_ID
    known = owner or (principal if is_number else None)
    return Identifier(SubjectKind(kind), value, Principal(known) if known else None)


def _read(content: bytes) -> Envelope:
    said: dict[str, Any] = json.loads(content)
    return Envelope(
        case_id=CaseId(said["case_id"]),
        right=Right(said["right"]),
        principal=Principal(said["principal"]) if said["principal"] else None,
        received=date.fromisoformat(said["received"]),
        opened_at=datetime.fromisoformat(said["opened_at"]),
        forward_from=datetime.fromisoformat(said["forward_from"]),
        channel=said["channel"],
        language=said["language"],
        actor_role=said["actor_role"],
        actor=said["actor"],
        persons=tuple(tuple(_said(said["principal"], *each) for each in person) for person in said["persons"]),
        sought=Sought(*said["sought"]) if "sought" in said else None,
        purposes=tuple(said.get("purposes", ())),
        contact_channel=said.get("contact_channel"),
    )
