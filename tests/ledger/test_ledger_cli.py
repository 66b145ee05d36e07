"""``sluice ledger verify`` on an installation with database, evidence bucket and receipts."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from documents.samples import a_record
from sluice.cli.ledger import app
from sluice.documents.receipt import make_receipt
from sluice.exchange.anchor import anchor_ledger, read_anchors
from sluice.exchange.house import open_house
from sluice.keys import Keyring
from sluice.lake import objects
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.sign import sign
from sluice.settings import get_settings
from sluice.terms import ExchangeId

EXCHANGES = ["019ab947-2c00-7e51-9d44-1f0c5f3a7b10", "019ab947-2c00-7e51-9d44-1f0c5f3a7b11"]


@pytest.fixture
def installation(store_settings, tmp_path, monkeypatch):
    """Two closed exchanges with receipts; the first one is anchored."""
    for name, value in {
        "VAR": store_settings.var,
        "DATABASE_URL": store_settings.database_url.get_secret_value(),
        "S3_ENDPOINT": store_settings.s3_endpoint,
        "S3_ACCESS_KEY": store_settings.s3_access_key.get_secret_value(),
        "S3_SECRET_KEY": store_settings.s3_secret_key.get_secret_value(),
        "BUCKET_EVIDENCE": store_settings.bucket_evidence,
    }.items():
        monkeypatch.setenv(f"SLUICE_{name}", str(value))
    get_settings.cache_clear()
    receipts = tmp_path / "receipts"
    receipts.mkdir()
    with open_house(get_settings()) as house:
        for exchange_id in EXCHANGES:
            record = a_record(exchange_id=exchange_id)
            with house.conn.transaction():
                entry = append(
                    house.conn,
                    chain="DPA-ENERGY01",
                    kind=EntryKind.EXCHANGE_CLOSED,
                    exchange_id=ExchangeId(exchange_id),
                    body=record,
                )
            receipt = make_receipt(record, entry, house.keyring, "nl")
            (receipts / f"{exchange_id}.json").write_bytes(receipt.jws)
            if exchange_id == EXCHANGES[0]:
                anchor_ledger(house, datetime.now(UTC))
    yield store_settings, receipts
    get_settings.cache_clear()


def run(*arguments):
    done = CliRunner().invoke(app, ["verify", *arguments, "--format", "json"], catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


def as_admin(settings, statement):
    with psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True) as conn:
        conn.execute(statement)


CUT = """
    delete from ledger.entry where seq > {keep};
    update ledger.chain set head_seq = {keep},
      head_hash = coalesce((select hash from ledger.entry where seq = {keep}), decode(repeat('00', 32), 'hex'))
"""


def test_an_intact_ledger_exits_0(installation):
    _, receipts = installation

    code, answer = run("--receipts", str(receipts), "--canonical")

    assert code == 0
    assert (answer["valid"], answer["entries"], answer["first_bad"]) == (True, 2, None)
    assert (answer["checkpoints"], answer["anchors"], answer["not_yet_anchored"]) == (1, 1, 1)
    assert answer["receipts"] == {"checked": 2, "refused": []}
    assert len(answer["head"]) == 64


def test_an_edited_entry_exits_1_with_its_place(installation):
    settings, _ = installation
    as_admin(settings, "update ledger.entry set body = '{}' where seq = 2")

    code, answer = run()

    assert code == 1
    assert answer["first_bad"] == {
        "chain": "DPA-ENERGY01",
        "seq": 2,
        "not_before": 2,
        "why": "its content does not give its hash",
    }


def test_the_evidence_bucket_shows_a_cut_that_took_the_checkpoints_along(installation):
    settings, _ = installation
    as_admin(settings, CUT.format(keep=0) + "; delete from ledger.checkpoint")

    code, answer = run()

    assert code == 1
    assert answer["first_bad"]["why"] == "the whole chain is missing"


def test_a_receipt_shows_a_cut_that_no_checkpoint_saw(installation):
    settings, receipts = installation
    as_admin(settings, CUT.format(keep=1))

    without, _ = run()
    code, answer = run("--receipts", str(receipts))

    assert (without, code) == (0, 1)
    assert answer["first_bad"]["why"] == f"missing; receipt {EXCHANGES[1]} signed number 2"


def test_a_receipt_that_does_not_hold_is_named(installation):
    _, receipts = installation
    (receipts / "bad.json").write_bytes(b"{}")

    code, answer = run("--receipts", str(receipts))

    assert code == 1
    assert answer["receipts"] == {"checked": 3, "refused": ["bad.json"]}


def test_of_a_copy_of_a_whole_prefix_what_is_no_receipt_is_passed_over_and_what_cannot_be_read_is_named(installation):
    settings, receipts = installation
    ring = Keyring.open(settings)
    (receipts / "folder.json").mkdir()
    (receipts / "f.roles.json").write_bytes(sign(b"{}", ring.signing, "sluice-role-statement+jws").flattened)
    forged = sign(b"{}", Ed25519PrivateKey.generate(), "sluice-role-statement+jws")
    (receipts / "forged.json").write_bytes(forged.flattened)
    (receipts / "gone.json").symlink_to(receipts / "nowhere")

    code, answer = run("--receipts", str(receipts))

    assert code == 1
    assert answer["receipts"] == {"checked": 4, "refused": ["forged.json", "gone.json"]}
    for name in ("forged.json", "gone.json"):
        (receipts / name).unlink()
    assert run("--receipts", str(receipts))[0] == 0  # the control


def test_without_the_copies_outside_nobody_can_say_that_it_holds(installation, monkeypatch):
    settings, _ = installation
    monkeypatch.setattr(objects, "TRY_FOR_SECONDS", 1)
    monkeypatch.setenv("SLUICE_S3_ENDPOINT", "http://127.0.0.1:9")
    get_settings.cache_clear()

    code, answer = run()
    assert (code, answer["valid"], answer["anchors"]) == (4, None, None)
    shown = CliRunner().invoke(app, ["verify"], catch_exceptions=False)
    assert "could not be told" in shown.stdout and "sluice up" in shown.stderr

    as_admin(settings, "update ledger.entry set body = '{}' where seq = 2")
    assert run()[0] == 1, "what is seen to be bad is bad"


def test_after_a_restore_new_checkpoints_lie_outside_beside_the_old_ones(installation):
    settings, _ = installation
    with open_house(get_settings()) as house:
        anchor_ledger(house, datetime.now(UTC))
        before = set(read_anchors(house))
        as_admin(settings, CUT.format(keep=1) + "; delete from ledger.checkpoint where seq > 1")
        append_one(house)
        last = anchor_ledger(house, datetime.now(UTC))
        after = set(read_anchors(house))
    assert (len(before), last) == (2, 2), "the number is given again"
    assert before < after and len(after) == 3
    assert run()[0] == 1, "and it goes on saying what the backup did not have"


def append_one(house):
    with house.conn.transaction():
        append(
            house.conn, chain="DPA-ENERGY01", kind=EntryKind.EXCHANGE_CLOSED, exchange_id=ExchangeId(EXCHANGES[1]),
            body=a_record(exchange_id=EXCHANGES[1]),
        )  # fmt: skip


def test_people_get_tables(installation):
    assert "The ledger holds" in CliRunner().invoke(app, ["verify"], catch_exceptions=False).stdout
