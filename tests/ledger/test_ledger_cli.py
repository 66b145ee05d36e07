"""``sluice ledger verify`` on an installation with database, evidence bucket and receipts."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from documents.samples import a_record
from sluice.cli.ledger import app
from sluice.documents.receipt import make_receipt
from sluice.exchange.anchor import AnchorsMissing, anchor_ledger, check_compared, read_anchors
from sluice.exchange.house import open_house
from sluice.exchange.store import update_closed
from sluice.keys import Keyring
from sluice.lake.s3 import objects
from sluice.ledger.append import append
from sluice.ledger.checkpoint import make_checkpoint
from sluice.ledger.model import EntryKind
from sluice.ledger.sign import sign
from sluice.ledger.verify import verify
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
            record = a_record(exchange_id=exchange_id, sha256=exchange_id[-2:] * 32)
            with house.conn.transaction():
                entry = append(
                    house.conn,
                    chain="DPA-ENERGY01",
                    kind=EntryKind.EXCHANGE_CLOSED,
                    exchange_id=ExchangeId(exchange_id),
                    body=record,
                )
                exchange_of(house.conn, record)
                update_closed(house.conn, record, entry.hash.hex(), datetime.fromisoformat(record.closed_at))
            receipt = make_receipt(record, entry, house.keyring, "nl")
            (receipts / f"{exchange_id}.json").write_bytes(receipt.jws)
            if exchange_id == EXCHANGES[0]:
                anchor_ledger(house, datetime.now(UTC))
    yield store_settings, receipts
    get_settings.cache_clear()


def exchange_of(conn, record):
    """The exchange that this record closes, as it is opened."""
    conn.execute(
        """insert into exchange (exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain,
               opened_at) values (%s, %s, %s, %s, %s, %s, %s, %s, 'DPA-ENERGY01', %s)""",
        (
            *(record.exchange_id, record.who.principal, record.direction.value, record.flow, record.what.bucket),
            *(record.exchange_id, record.what.version_id, record.what.size_bytes, record.opened_at),
        ),
    )


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
    none = {"refused": [], "first_bad": None, "bad": [], "unknown": []}
    assert (answer["why"], answer["receipts"]) == (None, {"checked": 2, **none})
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


def test_a_verdict_that_was_changed_beside_the_ledger_exits_1_and_is_named(installation):
    settings, _ = installation
    assert run()[1]["differing"] == [], "the control"
    change = f"set decision = 'refused' where exchange_id = '{EXCHANGES[1]}'"
    as_admin(settings, f"update sluice.exchange {change}")

    code, answer = run()

    assert (code, answer["valid"], answer["first_bad"]) == (1, False, None)
    named = {"code": "SLU-457", "table": "exchange", "row": EXCHANGES[1], "columns": ["decision"]}
    assert answer["differing"] == [named] and answer["why"].startswith(f"table exchange, row {EXCHANGES[1]}, is not")
    shown = CliRunner().invoke(app, ["verify"]).stdout
    assert "The ledger holds; a table does NOT" in shown and "SLU-457" in shown and "The ledger does NOT" not in shown
    as_admin(settings, "update ledger.entry set body = '{}' where seq = 2")
    assert run()[1]["differing"] is None, "what does not hold is compared with nothing"


def test_the_evidence_bucket_shows_a_cut_that_took_the_checkpoints_along(installation):
    settings, _ = installation
    as_admin(settings, CUT.format(keep=0) + "; delete from ledger.checkpoint")

    code, answer = run()

    assert code == 1
    assert answer["first_bad"]["why"] == "the whole chain is missing"


def test_a_receipt_shows_a_cut_that_no_checkpoint_saw(installation):
    settings, receipts = installation
    as_admin(settings, CUT.format(keep=1))
    as_admin(settings, f"delete from sluice.exchange where exchange_id = '{EXCHANGES[1]}'")

    without, _ = run()
    code, answer = run("--receipts", str(receipts))

    assert (without, code) == (0, 1)
    assert answer["first_bad"]["why"] == f"missing; receipt {EXCHANGES[1]} signed number 2"


def test_a_receipt_that_does_not_hold_is_named(installation):
    _, receipts = installation
    (receipts / "bad.json").write_bytes((receipts / f"{EXCHANGES[0]}.json").read_bytes().replace(b":", b" :", 1))

    code, answer = run("--receipts", str(receipts))

    why = "form not a canonical JSON object"
    assert (code, answer["valid"], answer["why"]) == (1, False, f"receipt bad.json: {why}")
    told = answer["receipts"]
    assert (told["checked"], told["refused"], told["unknown"]) == (3, ["bad.json"], [])
    assert told["first_bad"] == told["bad"][0] == {"file": "bad.json", "why": why}
    shown = CliRunner().invoke(app, ["verify", "--receipts", str(receipts)], catch_exceptions=False).stdout
    assert "bad.json" in shown and why in shown and "a receipt does NOT" in shown
    assert "The ledger does NOT hold" not in shown, "of the ledger nothing was changed"


def test_a_json_that_is_no_receipt_is_named_as_unknown_and_what_is_left_of_one_is_not(installation):
    _, receipts = installation
    (receipts / "package.json").write_bytes(b'{"name": "receipts"}')

    code, answer = run("--receipts", str(receipts))

    assert (code, answer["valid"], answer["receipts"]["unknown"]) == (0, True, ["package.json"])
    shown = CliRunner().invoke(app, ["verify", "--receipts", str(receipts)], catch_exceptions=False).stdout
    assert "package.json" in shown and "The ledger holds" in shown
    one = receipts / f"{EXCHANGES[0]}.json"
    (receipts / "half.json").write_bytes(one.read_bytes()[:20])
    one.write_bytes(b"")
    code, answer = run("--receipts", str(receipts))
    assert (code, answer["receipts"]["refused"]) == (1, [one.name, "half.json"])


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
    assert (answer["receipts"]["checked"], answer["receipts"]["refused"]) == (4, ["forged.json", "gone.json"])
    assert answer["receipts"]["bad"][1]["why"] == "it cannot be read"
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


def empty(settings):
    """Everything in the evidence bucket, away for good: what whoever may write there can do."""
    with open_house(settings) as house:
        for item in list(house.objects.list_versions(settings.bucket_evidence, "")):
            house.objects.delete_version(item.bucket, item.key, item.version_id)


def test_of_an_emptied_bucket_nobody_can_say_that_nothing_was_cut_off(installation):
    settings, receipts = installation
    empty(settings)

    code, answer = run()
    assert (code, answer["valid"], answer["first_bad"]) == (4, None, None)
    assert (answer["checkpoints"], answer["anchors"], answer["only_inside"]) == (1, 0, 1)
    shown = CliRunner().invoke(app, ["verify"], catch_exceptions=False)
    assert "could not be told" in shown.stdout and "SLU-455" in shown.stderr

    (receipts / "bad.json").write_bytes(b'{"payload": 1}')
    assert run("--receipts", str(receipts))[0] == 1, "what is seen to be bad is bad"


def test_another_bucket_that_exists_vouches_for_nothing(installation, monkeypatch):
    monkeypatch.setenv("SLUICE_BUCKET_EVIDENCE", installation[0].bucket_internal)
    get_settings.cache_clear()
    assert run()[0] == 4


def test_a_copy_that_is_missing_for_longer_than_it_takes_to_put_it_there_is_missed(installation):
    """Signed an hour ago, it is missed. Signed now, it may be on its way."""
    for signed_at, code in ((datetime.now(UTC) - timedelta(hours=1), 4), (datetime.now(UTC), 0)):
        with open_house(get_settings()) as house:
            last = make_checkpoint(house.conn, house.keyring, signed_at).seq
            assert run()[0] == code
            anchor_late(house, last)
            assert run()[0] == 0, "the control: where it was put there, it holds"


def anchor_late(house, last):
    """Anchor as the next worker does for one that died after its commit."""
    assert anchor_ledger(house, datetime.now(UTC)) == last


def test_a_ledger_without_any_checkpoint_is_young_or_was_left_alone(installation):
    settings, _ = installation
    empty(settings)
    as_admin(settings, "delete from ledger.checkpoint")
    code, answer = run()
    assert (code, answer["anchors"], answer["not_yet_anchored"]) == (0, 0, 2), "nothing was anchored yet"

    with open_house(settings) as house:
        report = verify(house.conn, public_pem=house.keyring.public_pem)
        check_compared(house, report, [], datetime.now(UTC) + timedelta(hours=23))
        with pytest.raises(AnchorsMissing):
            check_compared(house, report, [], datetime.now(UTC) + timedelta(hours=25))


def test_of_an_empty_ledger_nobody_says_that_it_holds(installation):
    settings, _ = installation
    empty(settings)
    as_admin(settings, CUT.format(keep=0) + "; delete from ledger.checkpoint; delete from sluice.exchange")
    shown = CliRunner().invoke(app, ["verify"], catch_exceptions=False)
    assert "holds" not in shown.stdout and "The ledger is empty" in shown.stdout
