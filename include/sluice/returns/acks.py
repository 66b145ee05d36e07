"""Acknowledgements: the principal confirms that a return arrived, by a file under ``acks/`` or by telling the desk.

Every version under ``acks/`` is answered once. Its outcome and its ledger entry are one transaction; the notice follows
and is a pure function of that record, so a rerun gives the notices that a dead worker left out.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sluice.db import Connection, transaction
from sluice.documents.words import in_each_language
from sluice.errors import NotFound, Ref
from sluice.exchange.beginning import get_by_beginning
from sluice.exchange.house import House
from sluice.exchange.inbox import InboxSweep, put_at, sweep
from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.ledger.returned import AcknowledgedReturn, AcknowledgementRefused
from sluice.returns import ack_store as store
from sluice.returns.ack import Ack, AckFile, AckOutcome, Delivery, judge_ack, parse_ack
from sluice.returns.ack_file import is_of_notice, read_small
from sluice.returns.notices import find_missing, give_notice
from sluice.terms import ExchangeId, Principal
from sluice.times import utc_text

log = logging.getLogger(__name__)
UNDER_WAY_FOR = timedelta(hours=1)
"""How long a file may wait until the delivery that it acknowledges is recorded."""
RETURNS = "select exchange_id as id from exchange where direction = 'outbound_return'"
NOT_SAID = frozenset({AckOutcome.UNKNOWN_EXCHANGE, AckOutcome.OTHER_PRINCIPAL, AckOutcome.UNREADABLE})
"""Outcomes whose notice names no exchange, so that nobody learns which exchange ids of others exist."""
SAID = {AckOutcome.OTHER_PRINCIPAL: AckOutcome.UNKNOWN_EXCHANGE}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an acknowledgement by command did."""

    exchange_id: ExchangeId
    outcome: AckOutcome


def read_acks(house: House, now: datetime) -> InboxSweep:
    """Answer every version under ``<principal>/acks/`` that has no answer yet, oldest first.

    An acknowledgement counts from the moment the store took the file, not from when it is read. Raises ServiceMissing
    when a store is away; other faults are counted, and the files are met again.
    """
    answer = partial(_answer, house, now)
    return sweep(house, "an acknowledgement", partial(_find, house), answer, partial(_give_notices, house))


def acknowledge(conn: Connection, named: str, by: str, now: datetime, *, reason: str | None = None) -> Answer:
    """Acknowledge a delivered return by command. ``named``: its exchange id or an unambiguous beginning of that.

    ``by``: the person who says so, recorded as :func:`~sluice.ledger.names.check_name` spells it. ``reason``: a code
    or an IRI. Raises NotFound, Ambiguous, UsageError.
    """
    check_reason(reason)
    name, exchange_id = check_name(by), ExchangeId(get_by_beginning(conn, "return", named, RETURNS))
    with transaction(conn):
        found = store.lock_delivery(conn, exchange_id, None)
        if found is None:
            raise NotFound(Ref("return", exchange_id))
        outcome = judge_ack(Ack(exchange_id), found.principal, found, now)
        if outcome.closes:
            _close(conn, found, name, "command", now, reason)
    return Answer(exchange_id, outcome)


def _find(house: House, principal: Principal) -> tuple[list[StoredObject], list[AckFile]]:
    under = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "acks"))
    there = [item for item in under if not is_of_notice(item.key)]
    return there, store.find_answered(house.conn, there)


def _answer(house: House, now: datetime, principal: Principal, item: StoredObject) -> AckFile | None:
    """Read one version and record its outcome; None if it waits or another worker has it."""
    content = read_small(house, item)
    ack = None if content is None else parse_ack(item.key.rsplit("/", 1)[-1], content)
    since = put_at(item, now)
    with transaction(house.conn):
        found = store.lock_delivery(house.conn, ack.exchange_id, item.bucket) if ack else None
        at = max(since, found.delivered_at) if found and found.delivered_at else since
        outcome = judge_ack(ack, principal, found, at)
        if outcome is AckOutcome.NOT_DELIVERED and found and found.is_accepted and now - since < UNDER_WAY_FOR:
            return None  # the principal has the file before its delivery is recorded
        exchange_id = found.exchange_id if found else None
        file = AckFile(principal, item.bucket, item.key, item.version_id, exchange_id, outcome, now)
        if not store.insert_file(house.conn, file):
            return None
        if found and outcome.closes:
            _close(house.conn, found, principal, "file", at)
        else:
            _refuse(house.conn, file)
    return file


def _close(conn: Connection, found: Delivery, by: str, via: str, at: datetime, reason: str | None = None) -> None:
    store.close_delivery(conn, found.exchange_id, by, via, at)
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
    append(conn, chain=principal_chain(file.principal), kind=kind, exchange_id=None, body=body)
    log.warning("an acknowledgement of %s closes nothing: %s", file.principal, file.outcome)


def notice_of(file: AckFile) -> dict[str, object]:
    """The notice to the principal about a file that acknowledged nothing; a function of its record alone."""
    outcome = SAID.get(file.outcome, file.outcome)
    return {
        "notice": "acknowledgement.refused",
        "outcome": outcome.value,
        "exchange": None if file.outcome in NOT_SAID else file.exchange_id,
        "file": {"key": withheld_unless_safe(file.key, NO_FLOW), "version_id": file.version_id},
        "seen_at": utc_text(file.seen_at),
        "text": in_each_language(f"acknowledgement.{outcome}"),
    }


def _give_notices(house: House, principal: Principal, files: Iterable[AckFile]) -> int:
    """Give the missing notices about refused files, and return how many."""
    refused = {f"{principal}/notices/ack-{file.version_id}.json": file for file in files if not file.outcome.closes}
    missing = find_missing(house, principal, refused)
    for key in missing:
        give_notice(house, key, notice_of(refused[key]))
    return len(missing)
