"""Instruction files: what a controller tells us to do with one part of a case, in ``requests/instruction-*.json``.

A file is authenticated by its prefix, where only that principal's key can write. If the center holds a key of the
principal, the signature is required as well. An instruction that is not followed is recorded and answered.
"""

import hashlib
import logging
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sluice.db import Connection, transaction
from sluice.errors import Ref, SluiceError
from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME, shown_beside_flows
from sluice.exchange.said_json import read_said
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.append import append
from sluice.ledger.cased import CaseInstructionRefused
from sluice.ledger.model import EntryKind
from sluice.ledger.sign import open_signed, read_public, split_compact
from sluice.rights.case import store
from sluice.rights.case.book import Book, close_book
from sluice.rights.case.errors import InstructionKeyMissing, TransitionRefused
from sluice.rights.case.letter_due import goes_to_person, stays_of
from sluice.rights.case.model import SYSTEM, Action, Actor, Instruction, Order, Role, State, SubCase, SubCaseId
from sluice.rights.case.reasons import iri
from sluice.rights.erasure.control import stop
from sluice.rights.notices.to_controller import TEXTS, put_notice
from sluice.rights.person.rectify import Wanted, can_take, find_asked, is_since, seal_instructed
from sluice.terms import Principal

log = logging.getLogger(__name__)
LARGEST_BYTES = 64 << 10
NAME = re.compile(r"instruction-[^/]*\.json", re.IGNORECASE)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TYPE = "sluice-instruction+jws"
KEY_FILE = "instruction-key.pem"
MEMBERS = {"case", "decision", "fields", "reason", "reasons", "values", "as_of"}
WAITING = frozenset({State.AWAITING_INSTRUCTION, State.REMINDED, State.ESCALATED})


class InstructionOutcome(StrEnum):
    """What became of an instruction file. Only the first outcome means that it is followed."""

    INSTRUCTED = "INSTRUCTED"
    UNREADABLE = "UNREADABLE"
    WRONG_SIGNATURE = "WRONG_SIGNATURE"
    UNKNOWN_CASE = "UNKNOWN_CASE"
    OTHER_PRINCIPAL = "OTHER_PRINCIPAL"
    REPLAYED = "REPLAYED"
    NOT_AWAITED = "NOT_AWAITED"
    NOT_ADMITTED = "NOT_ADMITTED"
    IDENTITY_FAILED = "IDENTITY_FAILED"
    CONTRADICTS = "CONTRADICTS"
    """It contradicts the one that was followed and is not carried out yet. Neither is, until a person decides."""


CONTRADICTING = "CONTRADICTING_INSTRUCTION"
"""Why a part waits for its controller again, and why its erasure is stopped."""
SAID = {InstructionOutcome.OTHER_PRINCIPAL: InstructionOutcome.UNKNOWN_CASE}
"""Outcome shown to the sender instead, so that nobody learns from us which case numbers of others exist."""


@dataclass(frozen=True, slots=True)
class Told:
    """Content of an instruction file. ``reason`` applies to every field refused, left out or restricted instead."""

    case: str
    action: Action
    fields: tuple[str, ...] = ()
    reason: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)
    wanted: Wanted | None = None
    """For a rectification: what is right."""


@dataclass(frozen=True, slots=True)
class InstructionFile:
    """One version of an instruction file, and its outcome. ``sub_case_id``: the part of ours it names, whoever's it is.

    ``sha256``: hash of the content.
    """

    principal: Principal
    version_id: str
    sub_case_id: SubCaseId | None
    outcome: InstructionOutcome
    action: Action | None
    sha256: str | None
    seen_at: datetime


def is_instruction(key: str) -> bool:
    """Whether a key under ``requests/`` has the name of an instruction."""
    return NAME.fullmatch(key.rsplit("/", 1)[-1]) is not None


def parse_instruction(said: object, now: datetime) -> Told | None:
    """Return the content of an instruction, or None if it is not a valid one. Pure."""
    if not isinstance(said, dict) or not {"case", "decision"} <= set(said) <= MEMBERS:
        return None
    case, decision, fields = said["case"], said["decision"], said.get("fields", [])
    reason, reasons = said.get("reason"), said.get("reasons", {})
    texts = [case, decision, *(fields if isinstance(fields, list) else [0]), reason or ""]
    if not isinstance(reasons, dict) or not all(isinstance(each, str) for each in [*texts, *reasons.values()]):
        return None
    if not UUID.fullmatch(case.lower()) or decision not in [each.value for each in Action]:
        return None
    named = {name: iri(each) for name, each in reasons.items()}
    wanted = _wanted(said, now)
    if ("values" in said or "as_of" in said) and (wanted is None or decision != Action.RECTIFY):
        return None
    return Told(case.lower(), Action(decision), tuple(fields), iri(reason) if reason else None, named, wanted)


def _wanted(said: dict[str, Any], now: datetime) -> Wanted | None:
    """Parse ``values`` (right value by column) and ``as_of`` (ISO moment since when). None if missing or invalid."""
    values, since = said.get("values"), said.get("as_of")
    if not isinstance(values, dict) or not values or not isinstance(since, str):
        return None
    if not all(isinstance(each, str) for each in values.values()):
        return None
    try:
        as_of = datetime.fromisoformat(since)
    except ValueError:
        return None
    return Wanted(values, as_of) if is_since(as_of, now) else None


def read_instruction(house: House, principal: Principal, item: StoredObject, now: datetime) -> InstructionFile:
    """Follow or refuse one instruction: row, step and ledger entry in one transaction, then the notice.

    Raises InstructionKeyMissing.
    """
    content = b"" if item.size_bytes > LARGEST_BYTES else house.objects.read(item.bucket, item.key, item.version_id)
    payload = _open(house, principal, content)
    told = parse_instruction(payload, now) if isinstance(payload, dict) else None
    sha256 = hashlib.sha256(content).hexdigest()
    with transaction(house.conn):
        earlier = _find(house.conn, principal, item.version_id)
        if earlier is None:
            part = store.find_part(house.conn, told.case) if told else None
            outcome = _judge(house, payload, told, part, principal, sha256, now)
            number = part.sub_case_id if part else None
            action = told.action if told else None
            earlier = InstructionFile(principal, item.version_id, number, outcome, action, sha256, now)
            _insert(house.conn, earlier, item)
    _give_notice(house, earlier)
    return earlier


def _judge(
    house: House,
    payload: object,
    told: Told | None,
    part: SubCase | None,
    principal: Principal,
    sha256: str,
    now: datetime,
) -> InstructionOutcome:
    """Decide what becomes of an instruction, and carry out the step."""
    if isinstance(payload, InstructionOutcome):
        return payload
    if told is None:
        return InstructionOutcome.UNREADABLE
    if part is None:
        return InstructionOutcome.UNKNOWN_CASE
    if part.principal != principal:
        return InstructionOutcome.OTHER_PRINCIPAL
    return _follow(house, told, part, principal, sha256, now)


def _follow(
    house: House, told: Told, part: SubCase, principal: Principal, sha256: str, now: datetime
) -> InstructionOutcome:
    """Judge the instruction, and only then seal the right values under its own hash: a refused one leaves no values."""
    case = store.lock_case(house.conn, part.case_id)
    book = Book(house.conn, case)
    part = book.part(part.sub_case_id)
    if _was_followed(house.conn, principal, sha256):
        return InstructionOutcome.REPLAYED
    if part.state is State.INSTRUCTED and _differs(house, part, told):
        return _hold_back(book, told, part, sha256, now)
    if part.state not in WAITING:
        return InstructionOutcome.NOT_AWAITED
    if case.has_failed_identity and goes_to_person(part, told.action):
        return InstructionOutcome.IDENTITY_FAILED
    if told.wanted is not None and not can_take(house, case, told.wanted, now):
        return InstructionOutcome.UNREADABLE
    reasons = told.reasons
    if told.reason:
        reasons = dict.fromkeys(stays_of(case.right, part, told.action, told.fields), told.reason) | reasons
    instruction = Instruction(part.sub_case_id, principal, told.action, True, told.fields, reasons)
    order = Order(Actor(Role.PRINCIPAL, principal), now, "INSTRUCTED_BY_CONTROLLER", sha256, instruction=instruction)
    try:
        book.take_part(part.sub_case_id, State.INSTRUCTED, order)
    except TransitionRefused as refused:
        log.warning("an instruction on %s is not admitted: %s", part.sub_case_id, refused)
        return InstructionOutcome.NOT_ADMITTED
    if told.wanted is not None:
        seal_instructed(house, part, told.wanted, sha256)
    close_book(book)
    return InstructionOutcome.INSTRUCTED


def _differs(house: House, part: SubCase, told: Told) -> bool:
    """Whether an instruction differs from the one that was followed."""
    groups = set(told.fields or part.field_groups)
    if told.action is not part.action or groups != set(part.action_fields):
        return True
    asked = find_asked(house, part) if told.wanted is not None else None
    return told.wanted is not None and (asked is None or asked.wanted != told.wanted)


def _hold_back(book: Book, told: Told, part: SubCase, sha256: str, now: datetime) -> InstructionOutcome:
    """Handle a contradiction: the controller took back its decision (Art. 28(3)(a)).

    Nothing of it is carried out any more, not even by a run at work. The part waits for the controller again, and for
    our staff to call it.
    """
    actor, is_erasure = Actor(Role.PRINCIPAL, part.principal), part.action is Action.ERASE
    instruction = Instruction(part.sub_case_id, Principal(part.principal), told.action, True, told.fields, told.reasons)
    try:
        book.take_part(
            part.sub_case_id, State.ESCALATED, Order(actor, now, CONTRADICTING, sha256, instruction=instruction)
        )
    except TransitionRefused as refused:
        log.warning("an instruction on %s is not admitted: %s", part.sub_case_id, refused)
        return InstructionOutcome.NOT_ADMITTED
    if is_erasure:
        stop(book.conn, part.case_id, CONTRADICTING, SYSTEM.name, now)
    close_book(book)
    return InstructionOutcome.CONTRADICTS


def _open(house: House, principal: Principal, content: bytes) -> dict[str, Any] | InstructionOutcome:
    """Return the content, after checking the signature if there must be one. One that nobody can check counts as wrong.

    Raises InstructionKeyMissing if a signature is required and the principal's key is gone.
    """
    key = house.settings.principals_dir / principal / KEY_FILE
    if not key.exists() and _has_key(house.conn, principal):
        raise InstructionKeyMissing(Ref("principal", principal))
    is_signed = content.lstrip()[:2] == b"ey" and content.count(b".") == 2
    if is_signed or key.exists():
        try:
            if is_signed and key.exists():
                return open_signed(split_compact(content.strip()), read_public(key.read_bytes()), TYPE)
        except SluiceError as error:
            log.warning("an instruction of %s is not signed by its key: %s", principal, error)
        return InstructionOutcome.WRONG_SIGNATURE
    try:
        said = read_said(content, _once)
    except (ValueError, RecursionError):
        return InstructionOutcome.UNREADABLE
    return said if isinstance(said, dict) else InstructionOutcome.UNREADABLE


def note_keys(house: House) -> None:
    """Remember which principals have a key: if the file of one is lost later, nothing unsigned is followed."""
    with transaction(house.conn):
        for file in sorted(house.settings.principals_dir.glob(f"*/{KEY_FILE}")):
            if PRINCIPAL_NAME.fullmatch(file.parent.name) and not _has_key(house.conn, file.parent.name):
                house.conn.execute(
                    "insert into instruction_key (principal) values (%s) on conflict do nothing", (file.parent.name,)
                )


def _has_key(conn: Connection, principal: str) -> bool:
    return conn.execute("select 1 from instruction_key where principal = %s", (principal,)).fetchone() is not None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build a JSON object. Two members with the same name make it invalid."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("duplicate member")
    return dict(pairs)


def _was_followed(conn: Connection, principal: str, sha256: str) -> bool:
    row = conn.execute(
        "select 1 from instruction where principal = %s and sha256 = %s and outcome = %s",
        (principal, sha256, InstructionOutcome.INSTRUCTED.value),
    ).fetchone()
    return row is not None


def _insert(conn: Connection, file: InstructionFile, item: StoredObject) -> None:
    conn.execute(
        """insert into instruction (principal, version_id, sub_case_id, outcome, action, sha256, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (
            file.principal,
            file.version_id,
            file.sub_case_id,
            file.outcome.value,
            file.action.value if file.action else None,
            file.sha256,
            file.seen_at,
        ),
    )
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
    append(conn, chain=f"principal.{file.principal}", kind=kind, exchange_id=None, body=body)
    log.warning("an instruction of %s is refused: %s", file.principal, file.outcome)


def _find(conn: Connection, principal: str, version_id: str) -> InstructionFile | None:
    row = conn.execute(
        """select principal, version_id, sub_case_id::text as sub_case_id, outcome, action, sha256, seen_at
           from instruction where principal = %s and version_id = %s""",
        (principal, version_id),
    ).fetchone()
    if row is None:
        return None
    return InstructionFile(
        Principal(row["principal"]),
        row["version_id"],
        SubCaseId(row["sub_case_id"]) if row["sub_case_id"] else None,
        InstructionOutcome(row["outcome"]),
        Action(row["action"]) if row["action"] else None,
        row["sha256"],
        row["seen_at"],
    )


def _give_notice(house: House, file: InstructionFile) -> None:
    """Answer the sender. The notice is a function of the row alone."""
    outcome = SAID.get(file.outcome, file.outcome)
    is_followed = outcome is InstructionOutcome.INSTRUCTED
    is_said = file.outcome not in (InstructionOutcome.OTHER_PRINCIPAL, InstructionOutcome.UNKNOWN_CASE)
    put_notice(
        house,
        f"{file.principal}/notices/instruction-{file.version_id}.json",
        {
            "notice": "case.instructed" if is_followed else "case.instruction_refused",
            "outcome": outcome.value,
            "case": file.sub_case_id if is_said else None,
            "version_id": file.version_id,
            "sha256": file.sha256,
            "text": dict(TEXTS.get(outcome, TEXTS["REFUSED"])),
        },
    )
