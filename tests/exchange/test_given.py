"""A worker died around a document that it gave, and the next one is of a version that words it otherwise.

The other wording is that of another language: a page and a signature of ours over the same entry.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from answers.handing import asked, sent
from answers.handing import town as town  # the fixture
from rights.town import Town
from sluice.documents.receipt import make_receipt, make_receipt_for_other
from sluice.documents.statement import make_statement
from sluice.errors import EvidenceInvalid
from sluice.exchange.effects.run import EFFECTS, do_effects
from sluice.exchange.house import House
from sluice.exchange.naming import lake_key, receipt_stem
from sluice.exchange.store import get_opened
from sluice.keys import Keyring
from sluice.ledger.model import Entry, EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.terms import ExchangeId
from support.copies import Copies
from support.desk import Desk
from support.night import copied_night, three_returned

OTHERWISE = "fr"
PLACES = ("page", "signature", "copy beside the data")


def closed(house: House, exchange_id: ExchangeId) -> tuple[ExchangeRecord, Entry]:
    entry = find_entry(house.conn, exchange_id, EntryKind.EXCHANGE_CLOSED)
    assert entry is not None
    record = ExchangeRecord.model_validate_json(entry.body)
    assert record.who.language != OTHERWISE
    return record, entry


def lay(house: House, bucket: str, key: str, content: bytes | None) -> None:
    """Put what a dead worker may have left at a key; None puts nothing."""
    house.objects.delete_others(bucket, key, frozenset())
    if content is not None:
        house.objects.put_once(bucket, key, content, "application/octet-stream")


@pytest.fixture
def closed_one(desk: Desk) -> ExchangeId:
    """An exchange that is closed."""
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.work()
    return ExchangeId(desk.line(dropped).id)


def owe_receipt(desk: Desk) -> None:
    desk.sql("update exchange set receipt_at = null returning 1")
    desk.sql("update outbox set done_at = null, next_attempt_at = now() where effect = 'receipt' returning 1")


def places(desk: Desk, exchange_id: ExchangeId) -> dict[str, tuple[str, str]]:
    opened = get_opened(desk.house.conn, exchange_id)
    bucket, stem = desk.settings.bucket_exchange, receipt_stem(opened)
    beside = (desk.settings.bucket_lake, lake_key(opened, "_receipt.json"))
    return dict(zip(PLACES, ((bucket, f"{stem}.pdf"), (bucket, f"{stem}.json"), beside), strict=True))


def test_the_receipt_that_was_given_is_the_receipt_and_what_is_none_of_ours_is_given_to_nobody(
    desk: Desk, closed_one: ExchangeId, tmp_path: Path
) -> None:
    """Whatever version goes on."""
    (record, entry), ours, at = closed(desk.house, closed_one), desk.house.keyring, places(desk, closed_one)
    given = make_receipt(record, entry, ours, OTHERWISE)
    for left in (1, 2, 3):  # the page; the signature with it; the copy beside the data too
        owe_receipt(desk)
        for number, (place, content) in enumerate(zip(PLACES, (given.pdf, given.jws, given.jws), strict=True)):
            lay(desk.house, *at[place], content if number < left else None)

        assert do_effects(desk.house) == 1, left

        page, signature, beside = (desk.house.objects.read(*at[place]) for place in PLACES)
        assert desk.lines()[0].receipt_at and beside == signature
        assert (page == given.pdf, signature == given.jws) == (left > 1, left > 1), "a page alone was given to nobody"

    for foreign in ("key", "entry", "page"):
        owe_receipt(desk)
        signing = Ed25519PrivateKey.generate() if foreign == "key" else ours.signing
        about = replace(entry, seq=entry.seq + 1) if foreign == "entry" else entry
        laid = make_receipt(record, about, Keyring(tmp_path / "other", bytes(32), signing), OTHERWISE)
        lay(desk.house, *at["page"], b"%PDF-1.7" if foreign == "page" else laid.pdf)
        lay(desk.house, *at["signature"], laid.jws)

        assert do_effects(desk.house) == 0, foreign

        assert desk.lines()[0].receipt_at is None
        waits = desk.sql("select effect, last_error from outbox where done_at is null")
        assert waits == [{"effect": "receipt", "last_error": EvidenceInvalid.code}]


def test_roles_that_were_stated_beside_a_return_do_not_keep_its_file_from_going(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, fill=three_returned) as night:
        house, [line] = night.desk.house, night.returns()
        (record, entry), exchange_id = closed(house, ExchangeId(line.id)), ExchangeId(line.id)
        where = (night.desk.settings.bucket_exchange, f"{record.what.key}.roles.json")
        for about, warning in ((entry.hash.hex(), "WORDED_OTHERWISE"), ("ab" * 32, "OF_ANOTHER_ENTRY")):
            stated = make_statement(record, about, house.keyring, profile_warnings=(warning,))
            lay(house, *where, stated)
            lay(house, where[0], record.what.key, None)
            if about == entry.hash.hex():
                EFFECTS["delivery"](house, exchange_id)
                assert night.file(line) and house.objects.read(*where) == stated
            else:
                with pytest.raises(EvidenceInvalid):
                    EFFECTS["delivery"](house, exchange_id)
                assert record.what.key not in night.delivered()


def test_the_receipt_that_a_next_controller_has_does_not_keep_the_package_from_it(town: Town) -> None:
    handed = sent(town, asked(town, 0))
    house, opened = town.house, handed.opened
    given = make_receipt_for_other(*closed(house, opened.exchange_id), house.keyring, OTHERWISE)
    ends = dict(zip((".receipt.pdf", ".receipt.json"), (given.pdf, given.jws), strict=True))
    for left in (1, 2):
        for number, (end, content) in enumerate(ends.items()):
            lay(house, opened.bucket, f"{opened.key}{end}", content if number < left else None)
        lay(house, opened.bucket, opened.key, None)

        EFFECTS["delivery"](house, opened.exchange_id)

        assert house.objects.head(opened.bucket, opened.key)
        pair = [house.objects.read(opened.bucket, f"{opened.key}{end}") for end in ends]
        assert [one == other for one, other in zip(pair, ends.values(), strict=True)] == [left > 1] * 2
