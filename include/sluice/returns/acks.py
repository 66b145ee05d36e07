"""Acknowledgements: the principal confirms that a return arrived, by a file under ``acks/`` or by telling the desk.

Every version under ``acks/`` is answered once. Its outcome and its ledger entry are one transaction; the notice follows
and is a pure function of that record, so a rerun gives the notices that a dead worker left out.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.exchange.beginning import find_by_beginning
from sluice.exchange.house import House
from sluice.exchange.inbox import list_principals, oldest_first, put_at
from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
from sluice.exchange.sweeping import Faults
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.ledger.returned import AcknowledgedReturn, AcknowledgementRefused
from sluice.returns.ack_file import UUID, is_of_notice, read_members, read_small
from sluice.returns.notices import TEXTS, give_notice, list_notices
from sluice.terms import Decision, Direction, ExchangeId, Principal
from sluice.times import utc_text

T = TypeVar("T")
log = logging.getLogger(__name__)
MOST_PER_SWEEP = 1000
"""The most new files of one principal per sweep, so that a flood keeps nobody else waiting."""
UNDER_WAY_FOR = timedelta(hours=1)
"""How long a file may wait until the delivery that it acknowledges is recorded."""
SHA256 = re.compile(r"[0-9a-f]{64}")
RETURNS = "select exchange_id as id from exchange where direction = 'outbound_return'"


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


@dataclass(frozen=True, slots=True)
class AckSweep:
    """One sweep over all ``acks/``: new files by outcome, notices given, files left for the next sweep.

    ``waiting``: files whose return is just being delivered, or that another worker has. ``failed``: how often a step
    failed for a file or a principal, each logged by its code.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    notices: int = 0
    waiting: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an acknowledgement by command did."""

    exchange_id: ExchangeId
    outcome: AckOutcome


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


def read_acks(house: House, now: datetime) -> AckSweep:
    """Answer every version under ``<principal>/acks/`` that has no answer yet, oldest first.

    An acknowledgement counts from the moment the store took the file, not from when it is read. Raises ServiceMissing
    when a store is away; other faults are counted, and the files are met again.
    """
    sweep = AckSweep()
    for principal in list_principals(house):
        sweep = _sum(sweep, _read_principal(house, principal, now))
    return sweep


def acknowledge(conn: Connection, named: str, by: str, now: datetime, *, reason: str | None = None) -> Answer:
    """Acknowledge a delivered return by command. ``named``: its exchange id or an unambiguous beginning of that.

    ``by``: the person who says so, recorded as :func:`~sluice.ledger.names.check_name` spells it. ``reason``: a code
    or an IRI. Raises NotFound, Ambiguous, UsageError.
    """
    check_reason(reason)
    name, exchange_id = check_name(by), ExchangeId(find_by_beginning(conn, "return", named, RETURNS))
    with transaction(conn):
        found = _find_delivery(conn, exchange_id, None)
        if found is None:
            raise NotFound(Ref("return", exchange_id))
        outcome = judge_ack(Ack(exchange_id), found.principal, found, now)
        if outcome.closes:
            _close(conn, found, name, "command", now, reason)
    return Answer(exchange_id, outcome)


def list_ack_files(conn: Connection, principal: str | None = None, limit: int = 200) -> list[AckFile]:
    """Files under ``acks/`` with their outcome, newest first."""
    rows = conn.execute(
        """select principal, bucket, key, version_id, exchange_id::text as exchange_id, outcome, seen_at
           from ack_file where (%(principal)s::text is null or principal = %(principal)s)
           order by seen_at desc, key, version_id limit %(limit)s""",
        {"principal": principal, "limit": limit},
    ).fetchall()
    return [_ack_file(row) for row in rows]


def _sum(one: AckSweep, other: AckSweep) -> AckSweep:
    return AckSweep(
        dict(Counter(one.outcomes) + Counter(other.outcomes)),
        one.notices + other.notices,
        one.waiting + other.waiting,
        one.failed + other.failed,
    )


def _read_principal(house: House, principal: Principal, now: datetime) -> AckSweep:
    there = _try(house, principal, partial(_list, house, principal))
    if there is None:
        return AckSweep(failed=1)
    answered = _find_answered(house.conn, there)
    known = {(file.key, file.version_id) for file in answered}
    fresh = oldest_first(item for item in there if (item.key, item.version_id) not in known)
    tried = [_try(house, principal, partial(_answer, house, principal, item, now)) for item in fresh[:MOST_PER_SWEEP]]
    done = [file for files in tried if files for file in files]
    notices = _try(house, principal, partial(_give_notices, house, principal, [*answered, *done]))
    failed = tried.count(None)
    outcomes = Counter(file.outcome.value for file in done)
    return AckSweep(outcomes, notices or 0, len(fresh) - len(done) - failed, failed + (notices is None))


def _list(house: House, principal: Principal) -> list[StoredObject]:
    under = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "acks"))
    return [item for item in under if not is_of_notice(item.key)]


def _try(house: House, principal: Principal, step: Callable[[], T]) -> T | None:
    """The result of ``step``; None if it fails for this principal, which is logged by its code and tried again."""
    with Faults(house.conn).kept_apart(f"an acknowledgement of {principal}"):
        return step()
    return None


def _answer(house: House, principal: Principal, item: StoredObject, now: datetime) -> list[AckFile]:
    """Read one version and record its outcome; an empty list if it waits or another worker has it."""
    content = read_small(house, item)
    ack = None if content is None else parse_ack(item.key.rsplit("/", 1)[-1], content)
    since = put_at(item, now)
    with transaction(house.conn):
        found = _find_delivery(house.conn, ack.exchange_id, item.bucket) if ack else None
        at = max(since, found.delivered_at) if found and found.delivered_at else since
        outcome = judge_ack(ack, principal, found, at)
        if outcome is AckOutcome.NOT_DELIVERED and found and found.is_accepted and now - since < UNDER_WAY_FOR:
            return []  # the principal has the file before its delivery is recorded
        exchange_id = found.exchange_id if found else None
        file = AckFile(principal, item.bucket, item.key, item.version_id, exchange_id, outcome, now)
        if not _insert_file(house.conn, file):
            return []
        if found and outcome.closes:
            _close(house.conn, found, principal, "file", at)
        else:
            _refuse(house.conn, file)
    return [file]


def _close(conn: Connection, found: Delivery, by: str, via: str, at: datetime, reason: str | None = None) -> None:
    conn.execute(
        "update acknowledgement set acknowledged_at = %s, acknowledged_by = %s, via = %s where exchange_id = %s",
        (at, by, via, found.exchange_id),
    )
    body = AcknowledgedReturn(
        exchange_id=found.exchange_id,
        acknowledged_by=by,
        acknowledged_at=utc_text(at),
        via=via,
        was_late=found.due_at is not None and at > found.due_at,
        reason=reason,
    )
    append(conn, chain=found.chain, kind=EntryKind.RETURN_ACKNOWLEDGED, exchange_id=found.exchange_id, body=body)


def _refuse(conn: Connection, file: AckFile) -> None:
    body = AcknowledgementRefused(
        principal=file.principal,
        outcome=file.outcome,
        exchange_id=file.exchange_id,
        bucket=file.bucket,
        key=withheld_unless_safe(file.key, NO_FLOW),
        version_id=file.version_id,
    )
    kind = EntryKind.ACKNOWLEDGEMENT_REFUSED
    append(conn, chain=f"principal.{file.principal}", kind=kind, exchange_id=None, body=body)
    log.warning("an acknowledgement of %s closes nothing: %s", file.principal, file.outcome)


def _insert_file(conn: Connection, file: AckFile) -> bool:
    row = conn.execute(
        """insert into ack_file (principal, bucket, key, version_id, exchange_id, outcome, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (
            file.principal,
            file.bucket,
            file.key,
            file.version_id,
            file.exchange_id,
            file.outcome.value,
            file.seen_at,
        ),
    ).fetchone()
    return row is not None


def _find_answered(conn: Connection, items: Sequence[StoredObject]) -> list[AckFile]:
    rows = conn.execute(
        """select f.principal, f.bucket, f.key, f.version_id, f.exchange_id::text as exchange_id, f.outcome, f.seen_at
           from unnest(%s::text[], %s::text[], %s::text[]) as a(bucket, key, version_id)
           join ack_file f using (bucket, key, version_id)""",
        ([i.bucket for i in items], [i.key for i in items], [i.version_id for i in items]),
    ).fetchall()
    return [_ack_file(row) for row in rows]


def _ack_file(row: Mapping[str, Any]) -> AckFile:
    return AckFile(**{**row, "outcome": AckOutcome(row["outcome"])})


def _find_delivery(conn: Connection, exchange_id: ExchangeId, bucket: str | None) -> Delivery | None:
    """The exchange in its current state; its acknowledgement stays locked until the transaction ends."""
    row = conn.execute(
        """select principal, direction, decision, chain, sha256, array(select c.sha256 from copy c
               where c.exchange_id = e.exchange_id and c.bucket = %(bucket)s
                 and starts_with(c.key, e.principal || '/outbound/')) as delivered
           from exchange e where exchange_id = %(id)s""",
        {"id": exchange_id, "bucket": bucket},
    ).fetchone()
    if row is None:
        return None
    waiting = conn.execute(
        "select delivered_at, due_at, acknowledged_at from acknowledgement where exchange_id = %s for update",
        (exchange_id,),
    ).fetchone()
    return Delivery(
        exchange_id=exchange_id,
        principal=Principal(row["principal"]),
        is_return=row["direction"] == Direction.OUTBOUND_RETURN,
        is_accepted=row["decision"] in (Decision.ACCEPTED, Decision.PARTLY_ACCEPTED),
        chain=row["chain"],
        hashes=frozenset(each for each in (row["sha256"], *row["delivered"]) if each),
        **(waiting or {}),
    )


NOT_SAID = frozenset({AckOutcome.UNKNOWN_EXCHANGE, AckOutcome.OTHER_PRINCIPAL, AckOutcome.UNREADABLE})
"""Outcomes whose notice names no exchange, so that nobody learns which exchange ids of others exist."""
SAID = {AckOutcome.OTHER_PRINCIPAL: AckOutcome.UNKNOWN_EXCHANGE}


def notice_of(file: AckFile) -> dict[str, object]:
    """The notice to the principal about a file that acknowledged nothing; a function of its record alone."""
    outcome = SAID.get(file.outcome, file.outcome)
    return {
        "notice": "acknowledgement.refused",
        "outcome": outcome.value,
        "exchange": None if file.outcome in NOT_SAID else file.exchange_id,
        "file": {"key": withheld_unless_safe(file.key, NO_FLOW), "version_id": file.version_id},
        "seen_at": utc_text(file.seen_at),
        "text": dict(TEXTS[outcome.value]),
    }


def _give_notices(house: House, principal: Principal, files: Iterable[AckFile]) -> int:
    """Give the missing notices about refused files, and return how many."""
    refused = {f"{principal}/notices/ack-{file.version_id}.json": file for file in files if not file.outcome.closes}
    missing = sorted(set(refused) - list_notices(house, principal)) if refused else []
    for key in missing:
        give_notice(house, key, notice_of(refused[key]))
    return len(missing)
