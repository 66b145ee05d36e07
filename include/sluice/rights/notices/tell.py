"""Find out who has to be told of what was decided, and tell them: a notice and a signed receipt in their own prefix.

Who they are was noted before an erasure removed the traces. A notice is put first. Then its hash goes into the
ledger together with the state SENT. The receipt follows and is a function of that entry. If a worker is killed
at any point, a rerun continues.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from sluice.agreement.folder.load import parse_agreement
from sluice.agreement.in_force.store import get_body
from sluice.db import transaction
from sluice.exchange.house import House
from sluice.exchange.locks import try_lock
from sluice.exchange.persons.merged import named_in
from sluice.exchange.sweeping import do_each
from sluice.ledger.append import append
from sluice.ledger.copy_kinds import DELIVERED
from sluice.ledger.model import EntryKind
from sluice.ledger.noticed import RecipientLine, RecipientsFound
from sluice.media_types import JOSE_JSON, JSON
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, CaseId, State, SubCase, SubCaseId
from sluice.rights.case.states import CARRIED_OUT, TO_CARRY_OUT
from sluice.rights.copies.model import ANSWER, Place
from sluice.rights.notices import holder_store, notice_store
from sluice.rights.notices.book import take
from sluice.rights.notices.model import Channel, Holder, Notice, NoticeId, NoticeState, Recipient
from sluice.rights.notices.persons import note_named
from sluice.rights.notices.recipients import PASSED_ON, recipients_of
from sluice.rights.notices.states import WAITING
from sluice.rights.notices.to_recipient import key_of, notice_document, receipt_document, written
from sluice.rights.person.rectify import corrected_groups
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.terms import Direction, ExchangeId, Principal
from sluice.times import utc_text

ERASED = CARRIED_OUT - {State.CLOSED}
"""States of a part that was erased and of which somebody may still have to be told."""


@dataclass(frozen=True, slots=True)
class Told:
    """The result of one sweep: parts looked into, recipients found, notices and receipts given.

    ``failed``: what is tried again by the next sweep.
    """

    parts: int = 0
    found: int = 0
    sent: int = 0
    receipts: int = 0
    failed: int = 0


def tell(house: House, now: datetime) -> Told:
    """Find the recipients of every decision and tell those that have a prefix.

    Raises ServiceMissing when a store is away; other faults are logged by their code, and tried again by the next
    sweep.
    """
    unasked = notice_store.find_unasked(house.conn, TO_CARRY_OUT, ERASED)
    found, failed = do_each(house.conn, "finding recipients", unasked, lambda part: find_recipients(house, *part, now))
    sent, not_sent = do_each(
        house.conn,
        "telling a recipient",
        notice_store.find_to_tell(house.conn),
        lambda number: _send(house, number, now),
    )
    owed = notice_store.find_without_receipt(house.conn)
    receipts, not_given = do_each(house.conn, "a receipt", owed, lambda notice: _give_receipt(house, notice, now))
    return Told(len(unasked) - failed, found, sent, receipts, failed + not_sent + not_given)


def note_places(house: House, case_id: CaseId, principal: Principal, places: Iterable[Place]) -> None:
    """Note which exchanges hold a person, before an erasure removes what shows it. ``places``: where it found them."""
    holder_store.note_holders(house.conn, case_id, principal, _held_in(places))
    note_named(house, store.get_case(house.conn, case_id), principal)


def foresee_recipients(house: House, part: SubCase, case: Case, places: Iterable[Place]) -> dict[str, Recipient]:
    """Return by name who would be told of the erasure of a part, as far as known now. Changes nothing.

    ``places``: where a dry run found the person at the principal of the part.
    """
    holders = holder_store.find_holders(house.conn, case.case_id, part.principal, _held_in(places))
    found = recipients_of(part, holders, house.settings.center, case.sub_cases)
    return {_name(house, part, each, holders): each for each in found}


def _held_in(places: Iterable[Place]) -> dict[str, bool]:
    """Return the exchanges of these places, and of each whether its delivered file is among them."""
    found: dict[str, bool] = {}
    for place in places:
        if place.copy.kind == ANSWER:
            continue  # what the person got went to nobody else
        in_file = place.copy.kind == DELIVERED
        found[place.copy.exchange_id] = found.get(place.copy.exchange_id, False) or in_file
    return found


def find_open_notices(house: House, principal: Principal) -> frozenset[tuple[str, str]]:
    """Bucket and key of the notices that name a person to a principal, until it says that it is done.

    They are why copies elsewhere are removed, so a second scan passes over them, and the certificate says so.
    """
    waiting = notice_store.list_notices(
        house.conn, recipient=principal, states=(NoticeState.OWED, *WAITING), limit=None
    )
    bucket = house.settings.bucket_exchange
    return frozenset((bucket, key_of(notice)) for notice in waiting if notice.channel is Channel.PREFIX)


def find_recipients(house: House, case_id: CaseId, sub_case_id: SubCaseId, now: datetime) -> int:
    """Find out who has to be told of a decision on a part, once, and record it with its ledger entry; return how many.

    Nothing is recorded if that decision was taken back meanwhile.
    """
    decision = notice_store.find_decision(house.conn, sub_case_id)
    case = store.get_case(house.conn, case_id)
    part = next(each for each in case.sub_cases if each.sub_case_id == sub_case_id)
    if part.action in PASSED_ON and part.action is not Action.ERASE:
        _note_indexed(house, case, part)
    holders = holder_store.find_holders(house.conn, case_id, part.principal)
    found = _recipients(house, case, part, holders, now)
    notices = [_notice(house, part, decision, each, holders, now) for each in found]
    with transaction(house.conn):
        store.lock_case(house.conn, case_id)
        if notice_store.find_decision(house.conn, sub_case_id) != decision:
            return 0  # it was taken back meanwhile
        if notice_store.find_propagation(house.conn, sub_case_id):
            return 0  # another worker found them meanwhile
        entry = append(
            house.conn,
            chain=part.chain,
            kind=EntryKind.RECIPIENTS_FOUND,
            exchange_id=None,
            body=_found_body(part, notices, len(holders), now),
        )
        notice_store.insert_propagation(house.conn, sub_case_id, decision, notices, now, entry.hash.hex())
    return len(notices)


def _recipients(
    house: House, case: Case, part: SubCase, holders: Sequence[Holder], now: datetime
) -> tuple[Recipient, ...]:
    """The recipients of a part. A rectification concerns only those who have something that was corrected."""
    if part.action is Action.RECTIFY:
        groups = corrected_groups(house.conn, part, now)
        if not groups:
            return ()
        part = replace(part, action_fields=groups)
    return recipients_of(part, holders, house.settings.center, case.sub_cases)


def _note_indexed(house: House, case: Case, part: SubCase) -> None:
    """Ask the index once something other than erasure was decided: the person can still be found in it."""
    identifiers, principal = open_sealed(house, case.subject_key).envelope.identifiers, Principal(part.principal)
    refs = sorted(all_refs_at(house, identifiers, principal))
    found: dict[str, bool] = dict.fromkeys(_indexed(house, principal, refs), False)
    holder_store.note_holders(house.conn, case.case_id, part.principal, found, by_index=True)
    note_named(house, case, principal)


def _indexed(house: House, principal: Principal, refs: Sequence[str]) -> Iterator[ExchangeId]:
    """Exchanges whose index run of accepted rows, or of a return, names one of these references."""
    found = named_in(house, principal, refs)
    yield from (run.exchange_id for run, _ in found if run.direction is not Direction.INTERNAL)


def _notice(
    house: House, part: SubCase, decision: int, found: Recipient, holders: Sequence[Holder], now: datetime
) -> Notice:
    """The notice to one recipient. Of the first decision its number is not in the notice's id, as it never was."""
    assert part.action is not None  # it was decided
    name = f"{found.side}/{found.recipient}" + (f"/{decision}" if decision else "")
    return Notice(
        notice_id=NoticeId(str(uuid5(UUID(part.sub_case_id), name))),
        sub_case_id=part.sub_case_id,
        case_id=part.case_id,
        principal=part.principal,
        recipient=found.recipient,
        name=_name(house, part, found, holders),
        side=found.side,
        channel=found.channel,
        action=part.action,
        field_groups=found.field_groups,
        exchanges=found.exchanges,
        state=NoticeState.OWED,
        found_at=now,
        decision=decision,
    )


def _name(house: House, part: SubCase, found: Recipient, holders: Sequence[Holder]) -> str:
    """The name that the person reads: for a principal the one in its agreement, else what the record says."""
    if found.recipient != part.principal:
        return found.recipient
    sha256 = next(h.record.why.agreement_sha256 for h in reversed(holders) if h.exchange_id in found.exchanges)
    assert sha256 is not None  # nothing is accepted without paper
    return parse_agreement(get_body(house.conn, sha256), found.recipient).principal_name


def _found_body(part: SubCase, notices: Sequence[Notice], holders: int, now: datetime) -> RecipientsFound:
    return RecipientsFound(
        case_id=part.case_id,
        sub_case_id=part.sub_case_id,
        principal=part.principal,
        action=part.action or "",
        found_at=utc_text(now),
        exchanges=holders,
        recipients=tuple(
            RecipientLine(
                notice_id=each.notice_id,
                recipient=each.recipient,
                side=each.side,
                channel=each.channel,
                field_groups=each.field_groups,
                exchanges=len(each.exchanges),
            )
            for each in notices
        ),
    )


def _send(house: House, notice_id: NoticeId, now: datetime) -> bool:
    """Put one notice, then record that it was put.

    False if another worker has or had it, or if its part or its decision was taken back.
    """
    with try_lock(house.conn, notice_id) as is_free:
        notice = notice_store.find_notice(house.conn, notice_id)
        if not is_free or notice is None or notice.state is not NoticeState.OWED:
            return False
        part = store.find_part(house.conn, notice.sub_case_id)
        if part is None or part.state is State.WITHDRAWN_BY_SUBJECT or notice_store.is_over(house.conn, notice):
            return False  # taken back since it was listed
        bucket = house.settings.bucket_exchange
        stored = house.objects.put_once(bucket, key_of(notice), document_of(house, notice), JSON)
        return take(house.conn, notice, NoticeState.SENT, now, evidence_sha256=stored.sha256)


def document_of(house: House, notice: Notice) -> bytes:
    """The notice as its recipient reads it. It names the person. Raises NotFound once the identifiers are gone."""
    case = store.get_case(house.conn, notice.case_id)
    part = next(each for each in case.sub_cases if each.sub_case_id == notice.sub_case_id)
    holders = holder_store.find_holders(house.conn, notice.case_id, notice.principal)
    files = [holder for holder in holders if holder.exchange_id in notice.exchanges]
    key = house.subject_key(Principal(notice.principal))
    return written(notice_document(notice, case, part, open_sealed(house, case.subject_key).envelope, files, key))


def _give_receipt(house: House, notice: Notice, now: datetime) -> bool:
    """Put the receipt of a notice that was sent. Repeating it finds the receipt there."""
    content = receipt_document(notice, house.keyring.signing)
    house.objects.put_once(house.settings.bucket_exchange, key_of(notice, ".receipt.json"), content, JOSE_JSON)
    notice_store.mark_receipted(house.conn, notice.notice_id, now)
    return True
