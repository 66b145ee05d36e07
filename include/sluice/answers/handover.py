"""Hand an answer to a controller: an exchange of its own with purpose, record and receipt.

The controller is the next one, if the person asked for that (GDPR Art. 20(2)), or the principal, if it decides and
answers the person itself. There is one package per principal with only its data, so that none learns of another. The
exchange is opened before the package is made; the package is kept first, and an effect puts it in place after its
receipt. If a worker is killed anywhere, the next run finishes the same exchange.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid5

from sluice.agreement.in_force.store import find_version
from sluice.agreement.model import Agreement
from sluice.agreement.papers import PaperMissing, PaperReason
from sluice.answers import handover_store
from sluice.answers.authority import is_given, parts_of_principals
from sluice.answers.facts import Facts
from sluice.answers.handover_model import ControllerInvalid, Handed, Handover, NotAsked, Receiver, Wish
from sluice.answers.handover_pack import keep_package
from sluice.answers.handover_record import Sending, record_of_handover
from sluice.answers.keep import check_not_erased, is_stuck
from sluice.answers.make import PackageWish, answered, check_case, gather, is_known, nothing_of
from sluice.answers.model import AnswerKind, ErasedMeanwhile, NothingPortable, NothingToGive
from sluice.answers.next_controller import SENT_ON, load_controller
from sluice.answers.store import find_moment
from sluice.db import transaction
from sluice.errors import Ref, ServiceMissing, SluiceError, UsageError
from sluice.exchange.carry_alone import carry_alone
from sluice.exchange.close import close_record
from sluice.exchange.house import House
from sluice.exchange.model import NO_RUN, AirflowRun, Opened
from sluice.exchange.naming import handed_key, index_key
from sluice.exchange.open import record_opened
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.ledger.answered import HandoverAsked
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.rights.case.model import CASES_CHAIN, Actor, Case, CaseId
from sluice.rights.copies.find import open_request
from sluice.rights.erasure.control_store import let_none_begin
from sluice.rights.person.envelope import Envelope
from sluice.terms import Principal
from sluice.times import utc_text

REFERENCE = re.compile(r"[A-Z0-9][A-Z0-9/._-]{0,39}")


def ask_handover(house: House, case_id: CaseId, code: str, reference: str, now: datetime, actor: Actor) -> bool:
    """Note that the person asked to have their data sent to a controller; return False when that is noted already.

    ``reference``: of the letter that says so. Raises ControllerInvalid, AnotherRight, UsageError, NotFound.
    """
    if not REFERENCE.fullmatch(reference):
        raise UsageError(Ref("option", "--asked"))
    load_controller(house.settings, code, now)
    check_case(open_request(house, case_id)[0], AnswerKind.PORTABILITY)
    asked = Wish(case_id, code, reference, actor.name, now)
    with transaction(house.conn):
        is_new = handover_store.insert_wish(house.conn, asked)
        if is_new:
            body = HandoverAsked(
                case_id=case_id,
                controller=code,
                reference=reference,
                noted_by=actor.name,
                noted_at=utc_text(now),
            )
            append(house.conn, chain=CASES_CHAIN, kind=EntryKind.HANDOVER_ASKED, exchange_id=None, body=body)
    return is_new


def send_on(house: House, case_id: CaseId, code: str, now: datetime, run: AirflowRun = NO_RUN) -> tuple[Handed, ...]:
    """Send what may be taken along to a controller, once the person asked for it: one package per principal.

    A principal of which nothing may go, or that fails, does not hold up the others. Raises NotAsked, ControllerInvalid,
    ErasedMeanwhile; if nothing may go of any of them, NothingToGive or NothingPortable (with every field's reason).
    """
    case, envelope = open_request(house, case_id)
    check_case(case, AnswerKind.PORTABILITY)
    asked = next((wish for wish in handover_store.find_wishes(house.conn, case_id) if wish.controller == code), None)
    if asked is None:
        raise NotAsked(Ref("case", case_id), Ref("controller", code))
    kind = AnswerKind.PORTABILITY
    givers = [part.principal for part in case.sub_cases if part.agreement_id and is_given(part, kind.action)]
    if not givers or not is_known(case):
        raise NothingToGive(Ref("case", case_id))
    receiver, names = load_controller(house.settings, code, now), dict.fromkeys(givers)

    def send(name: str) -> None:
        hand(house, case, envelope, Handover(case_id, kind, Principal(name), receiver), now, run, asked.reference)

    faults = _hand_each(names, send)
    nothing = [error for error in faults if isinstance(error, (NothingToGive, NothingPortable))]
    _raise_gravest(house, [error for error in faults if error not in nothing])
    if len(nothing) == len(names):
        raise nothing[0]
    return handed_to(house, case_id, code)


def give_to_principals(
    house: House, case_id: CaseId, kind: AnswerKind, now: datetime, run: AirflowRun = NO_RUN
) -> tuple[Handed, ...]:
    """Give principals what they decided to give and answer themselves, to each what is its own, whoever asked us.

    One that fails does not hold up the others; then the gravest fault is raised.

    Raises NothingToGive, NothingPortable, AnotherRight, OnePersonOnly, CertificateRefused, ErasedMeanwhile.
    """
    case, envelope = open_request(house, case_id)
    check_case(case, kind)
    mine = parts_of_principals(case, kind.action)
    if not mine:
        raise NothingToGive(Ref("case", case_id))
    papers = {part.principal: (part.agreement_id or "", part.agreement_version or "") for part in reversed(mine)}
    names = dict.fromkeys(part.principal for part in mine)

    def give(name: str) -> None:
        agreement = find_version(house.conn, *papers[name])
        if agreement is None:
            raise NothingToGive(Ref("case", case_id), Ref("agreement", "unknown"))
        handover = Handover(case_id, kind, Principal(name), principal_as_receiver(house, agreement))
        hand(house, case, envelope, handover, now, run)

    faults = _hand_each(names, give)
    for error in faults:
        if isinstance(error, NothingPortable):
            raise error  # first: whoever calls ends these parts, and the next run meets the others
    _raise_gravest(house, faults)
    return tuple(each for name in names for each in handed_to(house, case_id, name) if each.kind is kind)


def _hand_each(names: Iterable[str], step: Callable[[str], None]) -> list[SluiceError]:
    """Do a step for every principal, even after faults; return these. Raises ServiceMissing."""
    faults: list[SluiceError] = []
    for name in names:
        try:
            step(name)
        except ServiceMissing:
            raise
        except SluiceError as error:
            faults.append(error)
    return faults


def _raise_gravest(house: House, faults: Iterable[SluiceError]) -> None:
    """Raises the first of these faults; one that only waits for an erasure, which is not in error, comes last."""

    def only_waits(error: SluiceError) -> bool:
        return isinstance(error, ErasedMeanwhile) and not is_stuck(house, error)

    for error in sorted(faults, key=only_waits):
        raise error


def principal_as_receiver(house: House, agreement: Agreement) -> Receiver:
    """Return a principal as its agreement says it receives: under its prefix, encrypted where that is agreed.

    Raises ControllerInvalid when the pinned certificate is missing.
    """
    pinned = agreement.delivery.pgp
    receiver = Receiver(agreement.principal, agreement.principal_name, agreement.delivery.country, agreement.principal)
    if pinned is None:
        return receiver
    path = house.settings.principals_dir / agreement.principal / pinned.file
    if not path.is_file():
        raise ControllerInvalid(Ref("file", pinned.file), Ref("rule", "the certificate lies beside the agreement"))
    return Receiver(
        receiver.code, receiver.name, receiver.country, receiver.place, path.read_bytes(), pinned.fingerprint
    )


def close_left(house: House, opened: Opened, handover: Handover, run: AirflowRun = NO_RUN) -> None:
    """Close an exchange that a dead worker left open and whose case is over since: nothing of it goes."""
    sending = Sending(opened, handover, None, None, house.settings.center, run)
    carry_alone(
        house, opened, lambda: close_record(house, opened, record_of_handover(sending, None, datetime.now(UTC)))
    )


def handed_to(house: House, case_id: CaseId, code: str) -> tuple[Handed, ...]:
    """Return what went to one receiver."""
    return tuple(each for each in handover_store.find_handed(house.conn, case_id) if each.receiver == code)


def hand(
    house: House,
    case: Case,
    envelope: Envelope,
    handover: Handover,
    now: datetime,
    run: AirflowRun = NO_RUN,
    reference: str | None = None,
) -> None:
    """Take one handover to its end; what is done already stays as it is."""
    opened = handover_store.find_opened(house.conn, handover)
    if opened is None:
        facts = _gather(house, case, envelope, handover, now)
        if not _has_something(facts):
            raise (
                nothing_of(facts)
                if handover.kind is AnswerKind.PORTABILITY
                else NothingToGive(Ref("case", case.case_id))
            )
        opened = _open(house, handover, facts.found[0].agreement, now)
    close = partial(_close, house, opened, case, envelope, handover, run, reference)
    carry_alone(house, opened, partial(_or_dropped, house, opened, close))


def _gather(house: House, case: Case, envelope: Envelope, handover: Handover, now: datetime) -> Facts:
    wish = PackageWish(only=handover.principal, to_principal=handover.is_to_principal)
    return gather(house, case, envelope, handover.kind, now, wish)


def _has_something(facts: Facts) -> bool:
    """Whether there is something to hand over: it was decided to give it, and a portability package is not empty."""
    is_empty = facts.kind is AnswerKind.PORTABILITY and not facts.selected.tables
    return bool(answered(facts)) and not is_empty


def _open(house: House, handover: Handover, agreement: Agreement | None, now: datetime) -> Opened:
    chain = agreement.agreement_id if agreement else principal_chain(handover.principal)
    bucket, key = house.settings.bucket_exchange, key_of(handover)
    with transaction(house.conn):
        opened = handover_store.insert_open(house.conn, handover, bucket, key, chain, now)
        if opened is not None:
            record_opened(house.conn, opened, PaperMissing(PaperReason.NO_CONTRACT, agreement=agreement))
    found = opened or handover_store.find_opened(house.conn, handover)
    assert found is not None  # somebody opened it just now
    return found


def key_of(handover: Handover) -> str:
    """Return where its receiver reads it: under its own prefix, or where the desk takes it, encrypted."""
    receiver, kind = handover.receiver, handover.kind.value
    number = uuid5(UUID(handover.case_id), f"{handover.principal}/{receiver.code}").hex[:8]
    name = f"{kind}-{number}.zip{'.pgp' if receiver.certificate else ''}"
    if receiver.place == SENT_ON:
        return f"{SENT_ON}/{handover.principal}/{receiver.code}/{name}"
    return f"{receiver.place}/outbound/{kind}/{name}"


def _or_dropped(house: House, opened: Opened, close: Callable[[], None]) -> None:
    """Close it. If it was erased meanwhile, what the erasure may not have seen is removed; the exchange stays open.

    Raises SuppressedMeanwhile, ErasedMeanwhile.
    """
    try:
        close()
    except ErasedMeanwhile:
        _drop_kept(house, opened)
        raise


def _close(
    house: House,
    opened: Opened,
    case: Case,
    envelope: Envelope,
    handover: Handover,
    run: AirflowRun,
    reference: str | None,
) -> None:
    """Make it, keep it, close it. Raises SuppressedMeanwhile, ErasedMeanwhile."""
    known, since = find_in_force(house.conn, handover.principal), find_moment(house.conn)
    check_not_erased(house, [handover.principal], since)  # before everything is read for nothing
    facts = _gather(house, case, envelope, handover, datetime.now(UTC))
    check_not_erased(house, [handover.principal], since)
    agreement = facts.found[0].agreement if facts.found else None
    sending = Sending(opened, handover, agreement, reference, house.settings.center, run)
    package = None
    if _has_something(facts):
        package = keep_package(house, opened, facts, handover.receiver, envelope)
        handover_store.note_package(house.conn, opened.exchange_id, answered(facts), package.sha256)
    record = record_of_handover(sending, package, datetime.now(UTC))
    close_record(house, opened, record, known, check=partial(_check_none_begins, house, handover, since))


def _drop_kept(house: House, opened: Opened) -> None:
    """Remove what an earlier try or a dead worker kept for an exchange that is still open: no line names it."""
    settings = house.settings
    for bucket, prefix in ((settings.bucket_vault, handed_key(opened, "")), (settings.bucket_lake, index_key(opened))):
        for item in house.objects.list_versions(bucket, prefix):
            house.objects.delete_version(bucket, item.key, item.version_id)


def _check_none_begins(house: House, handover: Handover, since: datetime) -> None:
    """Check, in the transaction of the record, that no erasure ran meanwhile.

    An erasure that begins later looks at what that transaction commits. Raises ErasedMeanwhile.
    """
    let_none_begin(house.conn)
    check_not_erased(house, [handover.principal], since)
