"""The types of the ledger: its entries, checkpoints and errors, and the verifier's report."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sluice.errors import EvidenceInvalid, Exit, SluiceError
from sluice.terms import ExchangeId


class EntryKind(StrEnum):
    """What an entry records. An exchange has at most one entry of each kind, ever."""

    EXCHANGE_OPENED = "exchange.opened"
    EXCHANGE_CLOSED = "exchange.closed"
    STAFF_IMPORTED = "staff.imported"
    RETURN_PREPARED = "return.prepared"
    RETURN_RELEASED = "return.released"
    RETURN_RELEASE_REFUSED = "return.release_refused"
    RETURN_ACKNOWLEDGED = "return.acknowledged"
    RETURN_REMINDED = "return.reminded"
    RETURN_ESCALATED = "return.escalated"
    RETURN_REDELIVERED = "return.redelivered"
    ACKNOWLEDGEMENT_REFUSED = "acknowledgement.refused"
    CASE_TRANSITIONED = "case.transitioned"
    CASE_FLAGGED = "case.flagged"
    CASE_LETTER = "case.letter"
    CASE_LETTER_OPENED = "case.letter_opened"
    CASE_REQUEST_READ = "case.request_read"
    CASE_TIDIED = "case.tidied"
    CASE_INSTRUCTION_REFUSED = "case.instruction_refused"
    SUPPRESSION_CHANGED = "suppression.changed"
    ERASURE_DONE = "erasure.done"
    NOTES_READ = "notes.read"
    REVIEW_DECIDED = "review.decided"
    RECIPIENTS_FOUND = "recipients.found"
    NOTICE_MOVED = "notice.moved"
    NOTICE_ANSWER_REFUSED = "notice.answer_refused"
    ERASURE_PLANNED = "erasure.planned"
    ERASURE_RELEASED = "erasure.released"
    ERASURE_REFUSED = "erasure.refused"
    ERASURE_STOPPED = "erasure.stopped"
    ERASURE_RESUMED = "erasure.resumed"
    COPIES_DELETED = "copies.deleted"
    HOLD_SET = "hold.set"
    HOLD_LIFTED = "hold.lifted"
    RETURN_CONFIRMED = "return.confirmed"
    KEY_DESTRUCTION_ASKED = "key.destruction_asked"
    KEY_DESTRUCTION_REFUSED = "key.destruction_refused"
    KEY_DESTROYED = "key.destroyed"
    DNCM_IMPORTED = "dncm.imported"
    DIAL_RECALLED = "dial.recalled"
    CONSENTS_RECORDED = "consents.recorded"
    CONSENTS_DROPPED = "consents.dropped"
    CORRECTION_MADE = "correction.made"
    CORRECTION_DROPPED = "correction.dropped"
    ANSWER_MADE = "answer.made"
    ANSWER_LINKED = "answer.linked"
    ANSWER_TAKEN = "answer.taken"
    ANSWER_LINK_CLOSED = "answer.link_closed"
    ANSWER_REMOVED = "answer.removed"
    HANDOVER_ASKED = "handover.asked"
    ROLE_SIGNED_OFF = "role.signed_off"
    ROLE_SIGN_OFF_REFUSED = "role.sign_off_refused"
    FLOW_STOPPED = "flow.stopped"
    FLOW_RESUMED = "flow.resumed"


class LedgerMisused(SluiceError):
    """Something was appended outside a transaction, or a checkpoint signed inside one."""

    code: ClassVar[str] = "SLU-451"
    summary: ClassVar[str] = "the ledger was called in the wrong place of a transaction"
    cure: ClassVar[str] = "append inside the transaction that commits the work; make a checkpoint outside any"


class BodyNotCanonical(SluiceError):
    """RFC 8785 cannot represent a body, e.g. because of a lone surrogate or an integer beyond 2^53."""

    code: ClassVar[str] = "SLU-452"
    summary: ClassVar[str] = "a record cannot be written as canonical JSON"
    cure: ClassVar[str] = "keep integers below 2^53 and text valid Unicode"


class SignatureInvalid(EvidenceInvalid):
    """A signed document that is not exactly what its signer made."""

    code: ClassVar[str] = "SLU-453"
    summary: ClassVar[str] = "a signed document does not hold"


class PublicKeyInvalid(SluiceError):
    """The file given as public key holds none."""

    code: ClassVar[str] = "SLU-454"
    summary: ClassVar[str] = "the public key cannot be read"
    cure: ClassVar[str] = "give the Ed25519 public key of the contact center, PEM"
    exit: ClassVar[Exit] = Exit.USAGE


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as ``append`` returns it; ``is_new`` is False when it was there already."""

    chain: str
    seq: int
    kind: str
    exchange_id: ExchangeId | None
    hash: bytes
    prev_hash: bytes
    body: bytes
    appended_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as the verifier reads it: exactly the bytes that were hashed.

    ``exchange``: the 16 bytes of the UUID, or no bytes. ``appended``: 64-bit big-endian microseconds
    since 2000-01-01T00:00:00Z.
    """

    chain: str
    seq: int
    kind: str
    exchange: bytes
    body: bytes
    prev_hash: bytes
    hash: bytes
    appended: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: its last sequence number and the hash there."""

    chain: str
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed statement of all heads. ``jws`` (compact) is anchored outside the database."""

    seq: int
    body: bytes
    jws: bytes
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Witness:
    """A signed statement that ``chain`` has ``hash`` at ``seq``; ``source`` names the document that says so."""

    chain: str
    seq: int
    hash: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Bad:
    """One thing that is wrong with a chain.

    ``seq``: the entry at which it shows. ``not_before``: the earliest entry that can have been changed,
    which is right after the last one that a signature vouches for if the hashes were recomputed too.
    """

    chain: str
    seq: int
    why: str
    not_before: int


class TableDiffers(EvidenceInvalid):
    """A table says something else than the entry that it repeats: somebody changed it, or the program is at fault."""

    code: ClassVar[str] = "SLU-457"
    summary: ClassVar[str] = "a table of the database does not say what the ledger says"
    cure: ClassVar[str] = (
        "the ledger counts: `sluice ledger verify` names every row; find out who wrote to the database, keep a copy"
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a table that does not say what the ledger says.

    ``row``: its id. ``columns``: in which columns; ``not in the ledger``, or ``not in the table``, if one of both is
    missing. Never what they say.
    """

    table: str
    row: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """Result for one chain: its number of entries, its last hash, and how many entries no checkpoint covers yet."""

    chain: str
    entries: int
    head: str
    not_yet_anchored: int
    bad: Bad | None


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The verifier's report. ``head``: SHA-256 of the canonical list of all chains' heads.

    ``only_inside``: checkpoints in the database that were not among the anchors, oldest first.
    """

    entries: int
    head: str
    chains: tuple[ChainReport, ...]
    checkpoints: int
    only_inside: tuple[Checkpoint, ...]
    not_yet_anchored: int
    bad: tuple[Bad, ...]

    @property
    def valid(self) -> bool:
        return not self.bad

    @property
    def first_bad(self) -> Bad | None:
        return self.bad[0] if self.bad else None
