"""Set and lift legal holds, and confirm that an ended agreement's data was given back; each with a ledger entry."""

import re
from datetime import date, datetime
from uuid import uuid4

from sluice.agreement.model import Agreement
from sluice.db import Connection, transaction
from sluice.errors import NotFound, Ref
from sluice.exchange.read import check_flow, pick_principals, show_exchange
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.retained import HoldLifted, HoldSet, ReturnConfirmed
from sluice.retention import store
from sluice.retention.ended import pick_returning
from sluice.retention.model import HoldReason, LegalHold, RetentionRefused
from sluice.terms import ExchangeId, Flow, Principal
from sluice.times import brussels_day, utc_text

REFERENCE = re.compile(r"[A-Z0-9][A-Z0-9/._-]{0,39}")
"""The form of a file number, so that it cannot be a sentence about a person."""


def hold(
    conn: Connection,
    principal: Principal,
    reason: HoldReason,
    reference: str,
    until: date,
    by: str,
    now: datetime,
    *,
    flow: Flow | None = None,
    exchange_id: ExchangeId | None = None,
) -> LegalHold:
    """Set a legal hold, which keeps copies beyond their day: of a principal, one of its flows, or one exchange.

    Raises RetentionRefused, NameInvalid, and NotFound for a principal, flow or exchange that does not exist or belongs
    to another: such a hold would keep nothing, and what was typed would stay in the ledger.
    """
    _check_exists(conn, principal, flow, exchange_id)
    if until < brussels_day(now):
        raise RetentionRefused(Ref("rule", "UNTIL_IS_PAST"))
    made = LegalHold(
        hold_id=str(uuid4()),
        principal=principal,
        flow=flow,
        exchange_id=exchange_id,
        reason=reason,
        reference=_reference(reference),
        until=until,
        set_by=check_name(by),
        set_at=now,
    )
    with store.lock_principal(conn, principal), transaction(conn):
        store.insert_hold(conn, made)
        append(conn, chain=principal_chain(principal), kind=EntryKind.HOLD_SET, exchange_id=None, body=_entry(made))
    return made


def _entry(made: LegalHold) -> HoldSet:
    return HoldSet(
        hold_id=made.hold_id,
        principal=made.principal,
        flow=made.flow,
        exchange_id=made.exchange_id,
        reason=made.reason.value,
        reference=made.reference,
        until=str(made.until),
        set_by=made.set_by,
        set_at=utc_text(made.set_at),
    )


def lift(conn: Connection, hold_id: str, by: str, now: datetime) -> LegalHold:
    """End a hold before its last day, by its id or the beginning of that.

    Raises NotFound, Ambiguous, RetentionRefused, UsageError.
    """
    held, name = store.get_hold(conn, hold_id), check_name(by)
    with transaction(conn):
        if not store.lift_hold(conn, held.hold_id, name, now):
            raise RetentionRefused(Ref("rule", "ALREADY_LIFTED"), Ref("legal hold", held.hold_id))
        body = HoldLifted(hold_id=held.hold_id, lifted_by=name, lifted_at=utc_text(now))
        append(conn, chain=principal_chain(held.principal), kind=EntryKind.HOLD_LIFTED, exchange_id=None, body=body)
    return held


def confirm_return(
    conn: Connection, principal: Principal, reference: str, by: str, now: datetime, agreement_id: str | None = None
) -> Agreement:
    """Confirm that the data of an ended agreement was given back (Art. 28(3)(g)), so that its copies may be deleted.

    With several ended ones it must be named: what was said of one, or said twice, must not let the next one's data go.
    Raises as :func:`pick_returning`; raises NotFound for an unknown principal.
    """
    pick_principals(conn, principal)
    ends, ended = pick_returning(conn, principal, now, agreement_id)
    if agreement_id is None and sum(each.end_choice == "return" for each in ends.ended.values()) > 1:
        raise RetentionRefused(Ref("rule", "AGREEMENT_NOT_NAMED"), Ref("principal", principal))
    name, said = check_name(by), _reference(reference)
    with transaction(conn):
        if store.insert_return(conn, ended, said, name, now):
            body = ReturnConfirmed(
                principal=principal,
                agreement_id=ended.agreement_id,
                agreement_version=ended.version,
                reference=said,
                confirmed_by=name,
                confirmed_at=utc_text(now),
            )
            append(conn, chain=principal_chain(principal), kind=EntryKind.RETURN_CONFIRMED, exchange_id=None, body=body)
    return ended


def _check_exists(conn: Connection, principal: Principal, flow: Flow | None, exchange_id: ExchangeId | None) -> None:
    pick_principals(conn, principal)
    if flow is not None:
        check_flow(conn, principal, flow)
    if exchange_id is not None:
        line = show_exchange(conn, exchange_id).line
        if line.principal != principal or flow not in (None, line.flow):
            raise NotFound(Ref("exchange", exchange_id), Ref("rule", "OF_ANOTHER_PRINCIPAL_OR_FLOW"))


def _reference(text: str) -> str:
    if not REFERENCE.fullmatch(text):
        raise RetentionRefused(Ref("rule", "NOT_A_REFERENCE"), Ref("form", "CAPITALS, DIGITS AND - / . _"))
    return text
