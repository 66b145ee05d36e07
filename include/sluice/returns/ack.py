"""Acknowledgements of returns: what a file under ``acks/`` says, what that does, and how far a return is."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluice.ledger.model import EntryKind
from sluice.returns.ack_file import UUID, read_members
from sluice.terms import ExchangeId, Flow, Principal

SHA256 = re.compile(r"[0-9a-f]{64}")


class AckOutcome(StrEnum):
    """What one acknowledgement did. Only the first two close anything."""

    ACKNOWLEDGED = "ACKNOWLEDGED"
    ACKNOWLEDGED_LATE = "ACKNOWLEDGED_LATE"
    ALREADY_ACKNOWLEDGED = "ALREADY_ACKNOWLEDGED"
    UNKNOWN_EXCHANGE = "UNKNOWN_EXCHANGE"
    OTHER_PRINCIPAL = "OTHER_PRINCIPAL"
    NOT_DELIVERED = "NOT_DELIVERED"
    HASH_DIFFERS = "HASH_DIFFERS"
    UNREADABLE = "UNREADABLE"

    @property
    def closes(self) -> bool:
        return self in (AckOutcome.ACKNOWLEDGED, AckOutcome.ACKNOWLEDGED_LATE)


@dataclass(frozen=True, slots=True)
class Ack:
    """What an acknowledgement names; ``sha256`` is None if it names only the exchange."""

    exchange_id: ExchangeId
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The current state of the exchange that an acknowledgement names.

    ``hashes``: hashes of the plain file and of the file as delivered.
    """

    exchange_id: ExchangeId
    principal: Principal
    is_return: bool
    is_accepted: bool
    chain: str
    hashes: frozenset[str]
    delivered_at: datetime | None = None
    due_at: datetime | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AckFile:
    """One version under ``acks/`` and what it did.

    ``exchange_id``: the exchange it names, even another principal's; None if we have no such exchange.
    """

    principal: Principal
    bucket: str
    key: str
    version_id: str
    exchange_id: ExchangeId | None
    outcome: AckOutcome
    seen_at: datetime


class AckState(StrEnum):
    """How far the acknowledgement of a delivered return is."""

    SENT = "SENT"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    ACKNOWLEDGED_LATE = "ACKNOWLEDGED_LATE"
    OVERDUE = "OVERDUE"
    REMINDED = "REMINDED"
    ESCALATED = "ESCALATED"
    SUPERSEDED = "SUPERSEDED"


@dataclass(frozen=True, slots=True)
class AckLine:
    """One delivered return with its acknowledgement. ``chain``: the ledger chain of its entries.

    ``is_superseded``: a later return of the same day was delivered, so that nobody needs to say that this one arrived.
    """

    exchange_id: ExchangeId
    principal: Principal
    flow: Flow
    chain: str
    delivered_at: datetime
    due_at: datetime
    escalate_at: datetime
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    via: str | None = None
    is_superseded: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A message that is sent once: after the moment in column ``due``, recorded in column ``done``, under ``word``."""

    kind: EntryKind
    due: str
    done: str
    word: AckState


REMINDER = Step(EntryKind.RETURN_REMINDED, "due_at", "reminded_at", AckState.REMINDED)
ESCALATION = Step(EntryKind.RETURN_ESCALATED, "escalate_at", "escalated_at", AckState.ESCALATED)


def parse_ack(name: str, content: bytes) -> Ack | None:
    """The acknowledgement in a file under ``acks/``, or None if it is none. Pure.

    The file is empty and named ``<exchange id>`` or ``<exchange id>.ack``, or it is a JSON object with exactly
    ``exchange`` and ``sha256``. Upper case is read as lower case.
    """
    if not content:
        stem = name.lower().removesuffix(".ack")
        return Ack(ExchangeId(stem)) if UUID.fullmatch(stem) else None
    said = read_members(content, "exchange", "sha256")
    if said is None or not UUID.fullmatch(said["exchange"]) or not SHA256.fullmatch(said["sha256"]):
        return None
    return Ack(ExchangeId(said["exchange"]), said["sha256"])


def judge_ack(ack: Ack | None, principal: Principal, found: Delivery | None, at: datetime) -> AckOutcome:
    """The outcome of an acknowledgement that ``principal`` made at ``at``. Pure; at the due moment it is in time."""
    if ack is None:
        return AckOutcome.UNREADABLE
    if found is None:
        return AckOutcome.UNKNOWN_EXCHANGE
    if found.principal != principal:
        return AckOutcome.OTHER_PRINCIPAL
    if not found.is_return:
        return AckOutcome.UNKNOWN_EXCHANGE
    if found.due_at is None:
        return AckOutcome.NOT_DELIVERED
    if ack.sha256 is not None and ack.sha256 not in found.hashes:
        return AckOutcome.HASH_DIFFERS
    if found.acknowledged_at is not None:
        return AckOutcome.ALREADY_ACKNOWLEDGED
    return AckOutcome.ACKNOWLEDGED if at <= found.due_at else AckOutcome.ACKNOWLEDGED_LATE


def state_of(line: AckLine, now: datetime) -> AckState:
    """The state of a return at ``now``. Pure; at the due moment it is still in time. Time alone never closes it."""
    if line.acknowledged_at is not None:
        return AckState.ACKNOWLEDGED if line.acknowledged_at <= line.due_at else AckState.ACKNOWLEDGED_LATE
    if line.is_superseded:
        return AckState.SUPERSEDED
    if line.escalated_at is not None:
        return AckState.ESCALATED
    if line.reminded_at is not None:
        return AckState.REMINDED
    return AckState.OVERDUE if now > line.due_at else AckState.SENT
