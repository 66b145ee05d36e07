"""A whole request, as it is sealed in the vault, and its JSON. Pure."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import rfc8785

from sluice.rights.case.model import CaseId, Right
from sluice.rights.person.identifiers import NOBODY, Identifier, Person, Sought, is_unowned
from sluice.terms import Principal, SubjectKind
from sluice.times import utc_text


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
    purposes: tuple[str, ...] = ()
    """DPV IRIs that an objection or a withdrawal names; none means all that it can reach."""
    contact_channel: str | None = None
    """The agreement's word for the channel, if the person means one channel only."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All identifiers in order. A part names those that its principal knows by their place in this list."""
        return tuple(each for person in self.persons for each in person)

    @property
    def is_waiting(self) -> bool:
        """Whether it is not known yet who the request is about."""
        return self.sought is not None and not self.identifiers


def name_owners(envelope: Envelope, knew: Mapping[Principal, Collection[int]]) -> Envelope:
    """Return the request with an owner for every customer number. Pure.

    ``knew``: the places that each principal knows; no two know the same one.
    """
    owners = {place: name for name, places in knew.items() for place in places}
    named = iter(
        replace(each, owner=owners.get(place, NOBODY)) if is_unowned(each) else each
        for place, each in enumerate(envelope.identifiers)
    )
    return replace(envelope, persons=tuple(tuple(next(named) for _ in person) for person in envelope.persons))


def write_envelope(envelope: Envelope) -> bytes:
    """The request as canonical JSON (RFC 8785), which is what gets sealed."""
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


def read_envelope(content: bytes) -> Envelope:
    """Read what :func:`write_envelope` wrote."""
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


def _said(principal: str | None, kind: str, value: str, owner: str | None = None) -> Identifier:
    is_number = SubjectKind(kind) is SubjectKind.PRINCIPAL_CUSTOMER_ID
    known = owner or (principal if is_number else None)
    return Identifier(SubjectKind(kind), value, Principal(known) if known else None)
