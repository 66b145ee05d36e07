"""Release a prepared return, or deliver one again: actions of people, recorded with their name."""

from collections.abc import Sequence
from datetime import datetime

from sluice.agreement.papers import PaperReason
from sluice.db import transaction
from sluice.errors import Ref
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.effects import deliver
from sluice.exchange.effects.kept_out import names_kept_out
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.persons.suppressed import SuppressedMeanwhile, commit_unless_suppressed
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.exchange.read import show_exchange
from sluice.exchange.stops import check_not_stopped
from sluice.exchange.store import get_opened
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.append import append
from sluice.ledger.copy_kinds import RETURN
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name, is_same_person
from sluice.ledger.reason import check_reason
from sluice.ledger.record import CopyLine, is_given_back
from sluice.ledger.returned import PreparedReturn, RedeliveredReturn, ReleasedReturn, ReturnReleaseRefused
from sluice.ledger.store import find_entry
from sluice.returns import store
from sluice.returns.model import NotDelivered, NotReleasable
from sluice.returns.overtaken import may_still_go, names_corrected, past_day
from sluice.returns.unready import holds_unready
from sluice.terms import ExchangeId
from sluice.times import utc_text

NAMES_KEPT_OUT = "NAMES_SOMEBODY_KEPT_OUT"


def release(house: House, named: str, by: str, now: datetime, *, reason: str | None = None) -> ExchangeId:
    """Release a prepared return; the next slot closes and delivers it. ``named``: its id or the beginning of that.

    ``reason``: a code or an IRI, for the ledger. Raises NotReleasable if it is not waiting for release, if ``by``
    prepared it, which is recorded, if its last day is past, in which case the next run replaces it, or if no agreement
    holds any more and it is not what goes back because one ended (GDPR Art. 28(3)). Raises FlowIsStopped.
    """
    check_reason(reason)
    by = check_name(by)
    exchange_id = ExchangeId(show_exchange(house.conn, named).line.id)
    prepared = find_entry(house.conn, exchange_id, EntryKind.RETURN_PREPARED)
    if prepared is None:
        raise NotReleasable(Ref("exchange", exchange_id), Ref("state", "not prepared"))
    draft = PreparedReturn.model_validate_json(prepared.body)
    opened = get_opened(house.conn, exchange_id)
    check_not_stopped(house.conn, opened.principal, opened.flow)
    last_day = past_day(draft.record.how_long.copies, now)
    if last_day and not is_given_back(opened.direction, opened.version_id):  # those get a new last day when they close
        raise NotReleasable(Ref("exchange", exchange_id), Ref("kept until", last_day))
    if not may_still_go(house.conn, opened, now):
        raise NotReleasable(Ref("exchange", exchange_id), Ref("rule", PaperReason.AGREEMENT_EXPIRED))
    not_by_them = NotReleasable(Ref("exchange", exchange_id), Ref("prepared_by", draft.prepared_by))
    if is_same_person(draft.prepared_by, by):
        _record_refusal(house, opened, by, now)
        raise not_by_them
    with transaction(house.conn):
        if not store.mark_released(house.conn, exchange_id, by, now):
            raise not_by_them
        body = ReleasedReturn(
            exchange_id=exchange_id,
            released_by=by,
            released_at=utc_text(now),
            sha256=draft.record.what.sha256 or "",
            reason=reason,
        )
        append(house.conn, chain=opened.chain, kind=EntryKind.RETURN_RELEASED, exchange_id=exchange_id, body=body)
    return exchange_id


def _record_refusal(house: House, opened: Opened, by: str, now: datetime) -> None:
    """Record, in a transaction of its own, that somebody wanted to be both persons. Once per attempt."""
    body = ReturnReleaseRefused(
        exchange_id=opened.exchange_id, asked_by=by, refused_at=utc_text(now), reason="PREPARED_IT"
    )
    with transaction(house.conn):
        append(house.conn, chain=opened.chain, kind=EntryKind.RETURN_RELEASE_REFUSED, exchange_id=None, body=body)


def deliver_again(house: House, named: str, by: str, now: datetime) -> StoredObject:
    """Deliver the same bytes again, as a new version of the same key.

    Raises UsageError and FlowIsStopped. Raises NotDelivered if the return was never delivered, while its first delivery
    is under way (no receipt, no transfer), once its bytes are past their retention, and if somebody in it must stay
    out since, had a value corrected since, or was called by an agent who, as is known since, was not ready then
    (GDPR Art. 32(4)): the same bytes would hold them.
    """
    by, shown = check_name(by), show_exchange(house.conn, named)
    if shown.record is None or not store.is_delivered(house.conn, shown.line.id):
        raise NotDelivered(Ref("exchange", shown.line.id))
    if last_day := past_day([get_copy(house.conn, ExchangeId(shown.line.id), RETURN)], now):
        raise NotDelivered(Ref("exchange", shown.line.id), Ref("kept until", last_day))
    opened, record = get_opened(house.conn, shown.line.id), shown.record

    def put() -> StoredObject:
        check_not_stopped(house.conn, opened.principal, opened.flow)
        stored = deliver.copy_again(house, opened, record)
        body = RedeliveredReturn(
            exchange_id=shown.line.id,
            asked_by=by,
            redelivered_at=utc_text(now),
            sha256=stored.sha256 or "",
            version_id=stored.version_id,
        )
        append(house.conn, chain=opened.chain, kind=EntryKind.RETURN_REDELIVERED, exchange_id=None, body=body)
        return stored

    with deliver.holding(house, opened):
        copies, kept_out = find_copies(house.conn, opened.exchange_id), find_in_force(house.conn, opened.principal)
        if rule := _must_not_go_again(house, opened, copies):
            raise NotDelivered(Ref("exchange", shown.line.id), Ref("rule", rule))
        try:
            return commit_unless_suppressed(house, opened.principal, kept_out, copies, put)
        except SuppressedMeanwhile:
            raise NotDelivered(Ref("exchange", shown.line.id), Ref("rule", NAMES_KEPT_OUT)) from None


def _must_not_go_again(house: House, opened: Opened, copies: Sequence[CopyLine]) -> str | None:
    """Return the rule by which the bytes of a delivered return must not go again; None if they may."""
    if names_kept_out(house, opened.principal, copies, paper_under(house.conn, opened)):
        return NAMES_KEPT_OUT
    if names_corrected(house, opened.principal, copies, opened.opened_at):
        return "HOLDS_A_CORRECTED_VALUE"
    return "AGENT_WAS_NOT_READY" if holds_unready(house, opened) else None
