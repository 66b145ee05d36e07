"""What the ledger holds and what its verifier says."""

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
    AGREEMENT_ACTIVATED = "agreement.activated"
    STAFF_IMPORTED = "staff.imported"
    RETURN_PREPARED = "return.prepared"
    RETURN_RELEASED = "return.released"
    RETURN_ACKNOWLEDGED = "return.acknowledged"
    RETURN_REMINDED = "return.reminded"
    RETURN_ESCALATED = "return.escalated"
    RETURN_REDELIVERED = "return.redelivered"
    ACKNOWLEDGEMENT_REFUSED = "acknowledgement.refused"
    CASE_TRANSITIONED = "case.transitioned"
    CASE_FLAGGED = "case.flagged"
    CASE_LETTER = "case.letter"
    CASE_REQUEST_READ = "case.request_read"
    CASE_INSTRUCTION_REFUSED = "case.instruction_refused"
    SUPPRESSION_CHANGED = "suppression.changed"
    ERASURE_DONE = "erasure.done"
    RECIPIENTS_FOUND = "recipients.found"
    NOTICE_MOVED = "notice.moved"
    NOTICE_ANSWER_REFUSED = "notice.answer_refused"
