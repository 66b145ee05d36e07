"""Put a signed document only once: if one is there already, read it, verify that we signed it, and use it.

A worker may die after it gave one, and the next may run a version that words or lays out its pages differently.
"""

from collections.abc import Callable

from sluice.documents.receipt import Receipt
from sluice.documents.statement import TYPE as STATEMENT
from sluice.documents.verify import verify_receipt
from sluice.errors import EvidenceInvalid, Ref
from sluice.exchange.house import House
from sluice.ledger.model import Entry
from sluice.ledger.sign import open_signed, split_flattened
from sluice.media_types import JSON, PDF


def give_receipt(house: House, bucket: str, stem: str, entry: Entry, make: Callable[[], Receipt]) -> Receipt:
    """Return the receipt that lies there, or give a new one: PDF first, then the JSON that holds its hash.

    Raises EvidenceInvalid when what lies there is not our receipt of this entry with its page.
    """
    if house.objects.head(bucket, f"{stem}.json") is not None:
        return _read_receipt(house, bucket, stem, entry)
    receipt = make()
    house.objects.put_converging(bucket, f"{stem}.pdf", receipt.pdf, PDF)
    house.objects.put_once(bucket, f"{stem}.json", receipt.jws, JSON)
    return receipt


def _read_receipt(house: House, bucket: str, stem: str, entry: Entry) -> Receipt:
    given = Receipt(*(house.objects.read(bucket, f"{stem}.{end}") for end in ("pdf", "json")))
    check = verify_receipt(given.jws, house.keyring.public_pem, given.pdf)
    if (check.chain, check.seq, check.entry_hash) != (entry.chain, entry.seq, entry.hash.hex()):
        raise EvidenceInvalid(Ref("exchange", str(entry.exchange_id)), Ref("receipt", check.why or "of another entry"))
    return given


def give_statement(house: House, bucket: str, key: str, entry_hash: str, make: Callable[[], bytes]) -> None:
    """Put the role statement of a return beside it, unless one lies there.

    Raises EvidenceInvalid when what lies there is not our statement of this entry.
    """
    if house.objects.head(bucket, key) is None:
        house.objects.put_once(bucket, key, make(), JSON)
        return
    said = open_signed(split_flattened(house.objects.read(bucket, key)), house.keyring.public, STATEMENT)
    if said.get("entry_hash") != entry_hash:
        raise EvidenceInvalid(Ref("entry", entry_hash), Ref("role statement", "of another entry"))
