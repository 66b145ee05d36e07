"""Instruction files: what a controller tells us to do with one part of a case, in ``requests/instruction-*.json``.

A file is authenticated by its prefix, where only that principal's key can write. If the center holds a key of the
principal, the signature is required as well. An instruction that is not followed is recorded and answered.
"""

import hashlib
import logging
from datetime import datetime
from typing import Any

from sluice.db import Connection, transaction
from sluice.documents.words import in_each_language
from sluice.errors import ObjectUnreadable, Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME, shown_beside_flows
from sluice.exchange.said_json import read_said
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.append import append
from sluice.ledger.cased import CaseInstructionRefused
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.sign import open_signed, read_public, split_compact
from sluice.returns.notices import give_notice
from sluice.rights import instruction_store
from sluice.rights.case import store
from sluice.rights.case.book import Book, close_book
from sluice.rights.case.errors import InstructionKeyMissing, TransitionRefused
from sluice.rights.case.letter_due import GIVEN, goes_to_person, stays_of
from sluice.rights.case.model import SYSTEM, Action, Actor, Instruction, Order, Role, State, SubCase
from sluice.rights.case.states import WITH_PRINCIPAL
from sluice.rights.copies.packages import take_back
from sluice.rights.erasure.control import stop
from sluice.rights.instruction_rules import (
    KEY_FILE,
    MEMBERS,
    SAID,
    TOLD_APART,
    TYPE,
    InstructionContent,
    InstructionFile,
    InstructionOutcome,
    parse_instruction,
    why_unfit,
)
from sluice.rights.person.rectify import can_take, find_asked, seal_instructed
from sluice.rights.person.unreadable import Unreadable, read_object
from sluice.terms import Principal

log = logging.getLogger(__name__)
LARGEST_BYTES = 64 << 10
ENDINGS = (b"", b"\n", b"\r\n")
"""What may follow a signed instruction in its file, as tools end one. Anything more would make many files of one
signature, none of which was seen before."""


CONTRADICTING = "CONTRADICTING_INSTRUCTION"
"""Why a part waits for its controller again, and why its erasure is stopped."""


def read_instruction(house: House, principal: Principal, item: StoredObject, now: datetime) -> InstructionFile:
    """Follow or refuse one instruction: row, step and ledger entry in one transaction, then the notice.

    Raises InstructionKeyMissing.
    """
    content = content_of(house, item, LARGEST_BYTES)
    payload = _open(house, principal, content)
    instruction = parse_instruction(payload, now) if isinstance(payload, dict) else None
    with transaction(house.conn):
        earlier = instruction_store.find_file(house.conn, principal, item.version_id)
        if earlier is None:
            part = store.find_part(house.conn, instruction.case) if instruction else None
            outcome = _follow_or_refuse(house, payload, instruction, part, principal, content, now)
            number = part.sub_case_id if part else None
            action = instruction.action if instruction else None
            earlier = InstructionFile(principal, item.version_id, number, outcome, action, _hash(content), now)
            _record(house.conn, earlier, item)
    is_unreadable = earlier.outcome is InstructionOutcome.UNREADABLE
    _give_notice(house, earlier, why_unreadable(item, content, payload, now) if is_unreadable else None)
    return earlier


def why_unreadable(item: StoredObject, content: bytes, payload: object, now: datetime) -> Unreadable:
    """Why a version is no instruction: its bytes never change, so whoever asks again is told the same."""
    if not content and item.size_bytes:
        return Unreadable("FILE_TOO_LARGE" if item.size_bytes > LARGEST_BYTES else "NOT_GIVEN_BY_THE_STORE")
    try:
        said = payload if isinstance(payload, dict) else read_object(content, set(), MEMBERS, _once)
    except Unreadable as found:
        return found
    return why_unfit(said, now) or Unreadable("VALUES_DO_NOT_FIT", "values")


def content_of(house: House, item: StoredObject, most_bytes: int) -> bytes:
    """Return the bytes of a file; none if it is too large, or if it was put so that the store does not give it."""
    try:
        return b"" if item.size_bytes > most_bytes else house.objects.read(item.bucket, item.key, item.version_id)
    except ObjectUnreadable:
        return b""


def _follow_or_refuse(
    house: House,
    payload: object,
    instruction: InstructionContent | None,
    part: SubCase | None,
    principal: Principal,
    content: bytes,
    now: datetime,
) -> InstructionOutcome:
    """Refuse a file that instructs nothing of this principal; let any other take its step. Returns the outcome."""
    if isinstance(payload, InstructionOutcome):
        return payload
    if instruction is None:
        return InstructionOutcome.UNREADABLE
    if part is None:
        return InstructionOutcome.UNKNOWN_CASE
    if part.principal != principal:
        return InstructionOutcome.OTHER_PRINCIPAL
    return _take_step(house, instruction, part, principal, content, now)


def _take_step(
    house: House, instruction: InstructionContent, part: SubCase, principal: Principal, content: bytes, now: datetime
) -> InstructionOutcome:
    """Lock the case and take the step of an instruction, unless it cannot be taken as the case stands.

    The right values are sealed, under the hash of the instruction, only after that: a refused one leaves no values.
    """
    case = store.lock_case(house.conn, part.case_id)
    book = Book(house.conn, case)
    part, sha256 = book.part(part.sub_case_id), _hash(content)
    if instruction_store.is_replay(house.conn, principal, part.sub_case_id, _spellings(content)):
        return InstructionOutcome.REPLAYED
    if part.state is State.INSTRUCTED and _differs(house, part, instruction):
        return _hold_back(house, book, instruction, part, sha256, now)
    if part.state not in WITH_PRINCIPAL:
        return InstructionOutcome.NOT_AWAITED
    if case.has_failed_identity and goes_to_person(part, instruction.action):
        return InstructionOutcome.IDENTITY_FAILED
    if instruction.wanted is not None and not can_take(house, case, [part], instruction.wanted, now):
        return InstructionOutcome.UNREADABLE
    reasons = instruction.reasons
    if instruction.reason:
        stays = stays_of(case.right, part, instruction.action, instruction.fields)
        reasons = dict.fromkeys(stays, instruction.reason) | reasons
    authentic = Instruction(part.sub_case_id, principal, instruction.action, True, instruction.fields, reasons)
    code = instruction.ground.value if instruction.ground else "INSTRUCTED_BY_CONTROLLER"
    order = Order(Actor(Role.PRINCIPAL, principal), now, code, sha256, instruction=authentic)
    try:
        book.take_part(part.sub_case_id, State.INSTRUCTED, order)
    except TransitionRefused as refused:
        log.warning("an instruction on %s is not admitted: %s", part.sub_case_id, refused)
        return InstructionOutcome.NOT_ADMITTED
    if instruction.wanted is not None:
        seal_instructed(house, part, instruction.wanted, sha256)
    close_book(book)
    return InstructionOutcome.INSTRUCTED


def _differs(house: House, part: SubCase, instruction: InstructionContent) -> bool:
    """Whether an instruction differs from the one that was followed."""
    groups = set(instruction.fields or part.field_groups)
    if instruction.action is not part.action or groups != set(part.action_fields):
        return True
    asked = find_asked(house, part) if instruction.wanted is not None else None
    return instruction.wanted is not None and (asked is None or asked.wanted != instruction.wanted)


def _hold_back(
    house: House, book: Book, instruction: InstructionContent, part: SubCase, sha256: str, now: datetime
) -> InstructionOutcome:
    """Handle a contradiction: the controller took back its decision (Art. 28(3)(a)).

    Nothing of it is carried out any more, not even by a run at work, and no package made for it goes out. The part
    waits for the controller again, and for our staff to call it.
    """
    actor, is_erasure = Actor(Role.PRINCIPAL, part.principal), part.action is Action.ERASE
    principal, action = Principal(part.principal), instruction.action
    authentic = Instruction(part.sub_case_id, principal, action, True, instruction.fields, instruction.reasons)
    try:
        book.take_part(
            part.sub_case_id, State.ESCALATED, Order(actor, now, CONTRADICTING, sha256, instruction=authentic)
        )
    except TransitionRefused as refused:
        log.warning("an instruction on %s is not admitted: %s", part.sub_case_id, refused)
        return InstructionOutcome.NOT_ADMITTED
    if is_erasure:
        stop(book.conn, part.case_id, CONTRADICTING, SYSTEM.name, now)
    if part.action in GIVEN:
        take_back(house, part, now)
    close_book(book)
    return InstructionOutcome.CONTRADICTS


def _open(house: House, principal: Principal, content: bytes) -> dict[str, Any] | InstructionOutcome:
    """Return the content, after checking the signature if there must be one. One that nobody can check counts as wrong.

    Raises InstructionKeyMissing if a signature is required and the principal's key is gone.
    """
    key = house.settings.principals_dir / principal / KEY_FILE
    if not key.exists() and instruction_store.has_key(house.conn, principal):
        raise InstructionKeyMissing(Ref("principal", principal))
    is_signed = _is_signed(content)
    if is_signed or key.exists():
        try:
            if is_signed and key.exists() and content.removeprefix(content.strip()) in ENDINGS:
                return open_signed(split_compact(content.strip()), read_public(key.read_bytes()), TYPE)
        except SluiceError as error:
            log.warning("an instruction of %s is not signed by its key: %s", principal, error)
        return InstructionOutcome.WRONG_SIGNATURE
    try:
        said = read_said(content, _once)
    except (ValueError, RecursionError, Unreadable):
        return InstructionOutcome.UNREADABLE
    return said if isinstance(said, dict) else InstructionOutcome.UNREADABLE


def _is_signed(content: bytes) -> bool:
    return content.lstrip()[:2] == b"ey" and content.count(b".") == 2


def _spellings(content: bytes) -> tuple[str, ...]:
    """Return the hash of every file that is this one again: a signed one may end in each of the ways."""
    ends = ENDINGS if _is_signed(content) else (b"",)
    return tuple(_hash((content.strip() if _is_signed(content) else content) + end) for end in ends)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def note_keys(house: House) -> None:
    """Remember which principals have a key: if the file of one is lost later, nothing unsigned is followed."""
    with transaction(house.conn):
        for file in sorted(house.settings.principals_dir.glob(f"*/{KEY_FILE}")):
            name = file.parent.name
            if PRINCIPAL_NAME.fullmatch(name) and not instruction_store.has_key(house.conn, name):
                instruction_store.note_key(house.conn, name)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build a JSON object. Two members with the same name make it invalid: raises Unreadable."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise Unreadable("MEMBER_TWICE")
    return dict(pairs)


def _record(conn: Connection, file: InstructionFile, item: StoredObject) -> None:
    instruction_store.insert_file(conn, file)
    if file.outcome is InstructionOutcome.INSTRUCTED:
        return
    body = CaseInstructionRefused(
        principal=file.principal,
        outcome=file.outcome,
        sub_case_id=file.sub_case_id,
        bucket=item.bucket,
        key=shown_beside_flows(item.key),
        version_id=file.version_id,
        sha256=file.sha256,
    )
    kind = EntryKind.CASE_INSTRUCTION_REFUSED
    append(conn, chain=principal_chain(file.principal), kind=kind, exchange_id=None, body=body)
    log.warning("an instruction of %s is refused: %s", file.principal, file.outcome)


def _give_notice(house: House, file: InstructionFile, why: Unreadable | None) -> None:
    """Answer the sender. The notice is a function of the row and the file alone. ``why``: of one that is unreadable."""
    outcome = SAID.get(file.outcome, file.outcome)
    is_followed = outcome is InstructionOutcome.INSTRUCTED
    is_said = file.outcome not in (InstructionOutcome.OTHER_PRINCIPAL, InstructionOutcome.UNKNOWN_CASE)
    give_notice(
        house,
        f"{file.principal}/notices/instruction-{file.version_id}.json",
        {
            "notice": "case.instructed" if is_followed else "case.instruction_refused",
            "outcome": outcome.value,
            "case": file.sub_case_id if is_said else None,
            "version_id": file.version_id,
            "sha256": file.sha256,
            "reasons": [why.as_reason()] if why else [],
            "text": in_each_language(f"controller.{outcome if outcome in TOLD_APART else 'REFUSED'}"),
        },
    )
