"""Destroy a principal's keys for good after its agreement ended (GDPR Art. 28(3)(g), 4(5)). It takes two persons.

Afterwards the references in the index, in suppressions, in backups and in the write-ahead log name nobody. One person
asks and another confirms. The confirmation is noted before the first key is destroyed, so that a rerun can finish.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sluice.db import transaction
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.read import pick_principals
from sluice.exchange.sweeping import Tally, do_each
from sluice.keys import OPENPGP, QUARANTINE, SUBJECT
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.keyed import KeyDestructionAsked, KeyDestructionDone, KeyDestructionRefused
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name, is_same_person
from sluice.rights import destroy_store
from sluice.rights.case.clock import received_on
from sluice.rights.destroy_store import Destruction, Unfinished
from sluice.terms import Principal
from sluice.times import utc_text

PURPOSES = (SUBJECT, QUARANTINE, OPENPGP)
ASKED_COUNTS_FOR = timedelta(days=14)
"""How long the first person's request is valid. The center's own rule: an older one says nothing about today."""


class Obstacle(StrEnum):
    """Why the keys of a principal must stay."""

    AGREEMENT_IN_FORCE = "AGREEMENT_IN_FORCE"
    CASE_OPEN = "CASE_OPEN"
    HOLD_STANDS = "HOLD_STANDS"
    RECIPIENT_NOT_DONE = "RECIPIENT_NOT_DONE"
    EXCHANGE_OPEN = "EXCHANGE_OPEN"
    COPIES_LEFT = "COPIES_LEFT"
    NOBODY_ASKED = "NOBODY_ASKED"
    ASKED_IT = "ASKED_IT"


class KeyKept(SluiceError):
    """The keys of a principal must stay. Values of ``Ref("because", ...)``: :class:`Obstacle`."""

    code: ClassVar[str] = "SLU-565"
    summary: ClassVar[str] = "the keys of this principal have to stay"
    cure: ClassVar[str] = "docs/how-to/end-an-agreement.md says for each reason what comes first"
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key as `sluice keys list` shows it; ``obstacles``: what keeps it."""

    principal: str
    purpose: str
    state: str
    fingerprint: str | None
    obstacles: tuple[str, ...]


def list_lines(house: House, now: datetime) -> list[KeyLine]:
    """Return every key, and what keeps it. The center's own keys are never destroyed."""
    asked, lines = destroy_store.find_all(house.conn), []
    for key in house.keyring.list_keys():
        is_own = key.principal.startswith("_")
        standing = None if is_own else destroy_store.standing(house.conn, Principal(key.principal), received_on(now))
        request = asked.get(key.principal)
        stays = tuple(obstacles(standing)) if standing and not key.is_destroyed else ()
        lines.append(KeyLine(key.principal, key.purpose, _state(key.is_destroyed, request), key.fingerprint, stays))
    return lines


def _state(is_destroyed: bool, request: Destruction | None) -> str:
    if is_destroyed:
        return "destroyed" if request and request.destroyed_at else "being destroyed"
    return "there" if request is None or request.destroyed_at else "waits for a second person"


def obstacles(standing: Unfinished) -> Iterator[Obstacle]:
    """Yield what is not over at a principal. Pure."""
    found = {
        Obstacle.AGREEMENT_IN_FORCE: standing.in_force,
        Obstacle.CASE_OPEN: standing.cases,
        Obstacle.HOLD_STANDS: standing.holds,
        Obstacle.RECIPIENT_NOT_DONE: standing.notices,
        Obstacle.EXCHANGE_OPEN: standing.exchanges,
        Obstacle.COPIES_LEFT: standing.copies,
    }
    return (obstacle for obstacle, count in found.items() if count)


def ask(house: House, principal: Principal, by: str, now: datetime) -> Destruction:
    """Ask for the destruction, as the first person, once retention has removed what the principal's agreement left.

    Raises KeyKept, NotFound for a principal without a key, KeyDestroyed if it is gone, UsageError.
    """
    name = check_name(by)
    fingerprints_of(house, principal)
    with transaction(house.conn):
        destroy_store.lock(house.conn, principal)
        _check_over(house, principal, received_on(now))
        destroy_store.ask(house.conn, principal, name, now)
        body = KeyDestructionAsked(principal=principal, asked_by=name, asked_at=utc_text(now))
        append(
            house.conn,
            chain=principal_chain(principal),
            kind=EntryKind.KEY_DESTRUCTION_ASKED,
            exchange_id=None,
            body=body,
        )
    asked = destroy_store.find(house.conn, principal)
    assert asked is not None  # just asked
    return asked


def confirm_destruction(house: House, principal: Principal, by: str, now: datetime) -> Destruction:
    """Confirm the destruction, as the second person, and destroy the keys.

    Once confirmed, a further call by anybody finishes what was begun. Raises KeyKept, NotFound, EvidenceInvalid if
    the master key is another one, UsageError.
    """
    name = check_name(by)
    asked = destroy_store.find(house.conn, principal)
    if asked is None:
        pick_principals(house.conn, principal)  # a name that nobody has is not repeated
    if asked is None or asked.confirmed_at is None:
        asked = _confirmed(house, principal, name, now)
    if asked.destroyed_at is None:
        _carry_out(house, asked, now)
    done = destroy_store.find(house.conn, principal)
    assert done is not None  # it was confirmed
    return done


def finish(house: House, now: datetime) -> Tally:
    """Finish confirmed destructions that a dead worker left. Returns how many were finished, and how many failed."""
    every = destroy_store.find_all(house.conn).values()
    begun = [one for one in every if one.confirmed_at and not one.destroyed_at]
    return do_each(house.conn, "keys that were to be destroyed", begun, lambda one: _carry_out(house, one, now))


def fingerprints_of(house: House, principal: Principal) -> Mapping[str, str]:
    """Return the fingerprints of a principal's keys. Raises NotFound if it has none, KeyDestroyed, EvidenceInvalid."""
    found = {
        purpose: house.keyring.fingerprint(principal, purpose)
        for purpose in PURPOSES
        if house.keyring.has(principal, purpose)
    }
    if not found or principal.startswith("_"):
        raise NotFound(Ref("keys of principal", "as given"))
    return found


def _check_over(house: House, principal: Principal, today: date) -> Unfinished:
    standing = destroy_store.standing(house.conn, principal, today)
    first = next(obstacles(standing), None)
    if first is not None:
        raise KeyKept(Ref("principal", principal), Ref("because", first))
    return standing


def _confirmed(house: House, principal: Principal, by: str, now: datetime) -> Destruction:
    """Confirm the destruction if somebody else asked for it and nothing prevents it.

    Whoever asked for it themselves is refused, and that is recorded. Raises KeyKept.
    """
    with transaction(house.conn):
        destroy_store.lock(house.conn, principal)
        asked = destroy_store.find(house.conn, principal)
        if asked is None or now - asked.asked_at > ASKED_COUNTS_FOR:
            raise KeyKept(Ref("principal", principal), Ref("because", Obstacle.NOBODY_ASKED))
        is_own = is_same_person(asked.asked_by, by)
        if is_own:
            _record_refusal(house, principal, by, now)
        else:
            _check_over(house, principal, received_on(now))
            destroy_store.confirm(house.conn, principal, by, now, fingerprints_of(house, principal))
        confirmed = destroy_store.find(house.conn, principal)
    if is_own:
        raise KeyKept(Ref("principal", principal), Ref("because", Obstacle.ASKED_IT))
    assert confirmed is not None  # it was there
    return confirmed


def _record_refusal(house: House, principal: Principal, by: str, now: datetime) -> None:
    """Record that somebody wanted to be both persons. Call at the end of a transaction."""
    body = KeyDestructionRefused(
        principal=principal, asked_by=by, refused_at=utc_text(now), reason=Obstacle.ASKED_IT.value
    )
    chain = principal_chain(principal)
    append(house.conn, chain=chain, kind=EntryKind.KEY_DESTRUCTION_REFUSED, exchange_id=None, body=body)


def _carry_out(house: House, asked: Destruction, now: datetime) -> int:
    """Destroy the keys, then write the entry, once. Returns 1 if this call wrote it."""
    fingerprints = asked.fingerprints or {}
    for purpose, fingerprint in fingerprints.items():
        house.keyring.destroy(asked.principal, purpose, fingerprint)
    for purpose in PURPOSES:
        if purpose not in fingerprints:
            house.keyring.forbid(asked.principal, purpose)
    with transaction(house.conn):
        standing = destroy_store.standing(house.conn, asked.principal, received_on(now))
        if not destroy_store.end(house.conn, asked.principal, now):
            return 0
        body = KeyDestructionDone(
            principal=asked.principal,
            fingerprints=dict(fingerprints),
            kept_out=standing.kept_out,
            asked_by=asked.asked_by,
            confirmed_by=asked.confirmed_by or "",
            confirmed_at=utc_text(asked.confirmed_at or now),
            destroyed_at=utc_text(now),
        )
        append(
            house.conn,
            chain=principal_chain(asked.principal),
            kind=EntryKind.KEY_DESTROYED,
            exchange_id=None,
            body=body,
        )
    return 1
