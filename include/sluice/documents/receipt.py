"""The receipt of one exchange: signed JSON for machines, a PDF for people, joined by a hash.

Both are pure functions of the record and its ledger entry, so making them again gives the same bytes.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

import rfc8785

from sluice.documents.page import make_page
from sluice.documents.pdf import make_pdf
from sluice.documents.returned import SUPPLIED_BY, contacts_on
from sluice.documents.special import special_columns, special_found
from sluice.documents.verify import FORMAT, TYPE
from sluice.errors import Ref, SluiceError
from sluice.keys import Keyring
from sluice.ledger.model import Entry
from sluice.ledger.record import ExchangeRecord, HowLong
from sluice.ledger.sign import key_id, sign
from sluice.terms import Decision, Direction

SCREEN_LIMIT = "Found by listed terms and checksummed numbers; nothing found is not proven clean."
STAYS_HERE = frozenset({"inputs", "agreement", "copies", "role_warnings"})
"""Keys that are left out of a receipt for the next controller."""


class ReceiptTooEarly(SluiceError):
    code: ClassVar[str] = "SLU-461"
    summary: ClassVar[str] = "a receipt was asked for before the exchange was closed"
    cure: ClassVar[str] = "close the exchange first; a receipt states a decision"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt. The signed ``jws`` (flattened JSON, RFC 7515) is authoritative; it holds the SHA-256 of ``pdf``."""

    pdf: bytes
    jws: bytes


def make_receipt(record: ExchangeRecord, entry: Entry, keyring: Keyring, language: str) -> Receipt:
    """The receipt of a closed exchange. ``language`` (nl, fr or en) comes first in the PDF.

    Raises ReceiptTooEarly for an open exchange.
    """
    return _receipt(record, entry, keyring, language, frozenset())


def make_receipt_for_other(record: ExchangeRecord, entry: Entry, keyring: Keyring, language: str) -> Receipt:
    """The receipt for the next controller, to whom a person had their data sent (GDPR Art. 20(2)).

    It leaves out what the answer was made from, the agreement with the principal that gives it, our copies and where
    they are, and warnings about roles. Raises ReceiptTooEarly for an open exchange.
    """
    why = {"agreement_id": None, "agreement_version": None, "agreement_sha256": None}
    shared = {
        "why": record.why.model_copy(update=why),
        "what": record.what.model_copy(update={"inputs": ()}),
        "how_long": HowLong(copies=(), at_contract_end=None),
        "who": record.who.model_copy(update={"role_warnings": ()}),
    }
    return _receipt(record.model_copy(update=shared), entry, keyring, language, STAYS_HERE)


def _receipt(
    record: ExchangeRecord, entry: Entry, keyring: Keyring, language: str, left_out: frozenset[str]
) -> Receipt:
    if record.decision is Decision.OPEN:
        raise ReceiptTooEarly(Ref("exchange", record.exchange_id))
    closed_at = datetime.fromisoformat(record.closed_at)
    pdf = make_pdf(make_page(record, entry, key_id(keyring.public), language), closed_at)
    said = _statement(record, entry, sha256(pdf).hexdigest())
    payload = rfc8785.dumps({name: value for name, value in said.items() if name not in left_out})
    return Receipt(pdf, sign(payload, keyring.signing, TYPE).flattened)


def _statement(record: ExchangeRecord, entry: Entry, pdf_sha256: str) -> dict[str, Any]:
    """The statement to sign. Its keys are a promise to principals: keys may be added, but none may change."""
    what, how, why = record.what, record.how, record.why
    whole = record.model_dump(mode="json")
    return {
        "format": FORMAT,
        "exchange": record.exchange_id,
        "principal": record.who.principal,
        "direction": record.direction.value,
        "flow": record.flow,
        "opened_at": record.opened_at,
        "closed_at": record.closed_at,
        "decision": record.decision.value,
        "reason_code": record.reason_code,
        **_content(record),
        "reasons": whole["reasons"],
        "held_back": dict(record.right_treatment.held_back),
        "withheld": dict(record.right_treatment.withheld),
        "contacts_on": contacts_on(record),
        "inputs": whole["what"]["inputs"],
        "supersedes": what.supersedes,
        "purposes": whole["why"]["purposes"],
        **{name: whole["who"][name] for name in ("recipients", "sub_processors", "countries")},
        "roles": whole["who"]["roles"],
        "role_warnings": whole["who"]["role_warnings"],
        "column_roles": _column_roles(record),
        "agreement": {"id": why.agreement_id, "version": why.agreement_version, "sha256": why.agreement_sha256},
        "contract": {"id": how.contract_id, "version": how.contract_version, "sha256": how.contract_sha256},
        "screened": _screened(record),
        "copies": whole["how_long"]["copies"],
        "ledger": {"chain": entry.chain, "seq": entry.seq, "entry_hash": entry.hash.hex()},
        "pdf_sha256": pdf_sha256,
    }


def _content(record: ExchangeRecord) -> dict[str, Any]:
    what = record.what
    return {
        "file": {
            "bucket": what.bucket,
            "key": what.key,
            "version_id": what.version_id,
            "sha256": what.sha256,
            "bytes": what.size_bytes,
            "format": what.format,
        },
        "rows": {
            "in": what.rows_in,
            "accepted": what.rows_accepted,
            "refused": what.rows_refused,
            "held": what.rows_held,
        },
        "distinct_subjects": what.distinct_subjects,
        "special_categories": {
            "present": what.special_categories,
            "columns": special_columns(record),
            "found_in_notes": special_found(record),
        },
    }


def _screened(record: ExchangeRecord) -> dict[str, Any]:
    how = record.how
    return {
        "columns": [column.name for column in record.what.columns],
        "suites": dict(how.suites),
        "gate_counts": dict(how.gate_counts),
        "dialect": dict(how.dialect),
        "free_text": how.screening.model_dump(mode="json") | {"limit": SCREEN_LIMIT} if how.screening else None,
    }


def _column_roles(record: ExchangeRecord) -> list[dict[str, Any]]:
    """Every column of a return with its role and who supplied it; empty for other exchanges."""
    if record.direction is not Direction.OUTBOUND_RETURN:
        return []
    return [
        column.model_dump(mode="json") | {"supplied_by": SUPPLIED_BY.get((column.source or "").partition(".")[0])}
        for column in record.what.columns
    ]
