"""What is put outside the database each minute, and what the nightly verification says where it is not there."""

from datetime import UTC, datetime, timedelta

import pytest

from returns.commands import at_terminal
from sluice.errors import EvidenceInvalid
from sluice.exchange.anchor import AnchorsMissing, anchor_ledger
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.checkpoint import make_checkpoint
from sluice.ledger.model import TableDiffers
from sluice.orchestration.operators import VerifyLedger
from support.desk import Desk, requests


def test_a_night_without_copies_outside_is_no_night_in_which_it_held(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly = VerifyLedger(task_id="ledger")
    anchor_ledger(desk.house, datetime.now(UTC))
    with at_terminal(desk, monkeypatch):
        assert "not yet anchored: 0" in nightly.work({}), "the control"
        for item in desk.objects(desk.settings.bucket_evidence):
            desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
        with pytest.raises(AnchorsMissing) as missing:
            nightly.work({})
        assert not isinstance(missing.value, EvidenceInvalid), "nobody is told that it was tampered with"
        assert "not yet anchored: 0" in nightly.work({}), "it is told once, and there again"


def signed(desk: Desk, count: int) -> None:
    """So many checkpoints more, none of them outside the database yet."""
    for _ in range(count):
        make_checkpoint(desk.house.conn, desk.house.keyring, datetime.now(UTC))


def outside(desk: Desk) -> list[int]:
    """Numbers of the checkpoints in the evidence bucket."""
    items = desk.objects(desk.settings.bucket_evidence)
    return sorted(int(item.key.removeprefix("checkpoints/")[:12]) for item in items)


def test_what_a_minute_asks_of_the_store_does_not_grow_with_the_checkpoints(desk: Desk) -> None:
    anchor_ledger(desk.house, datetime.now(UTC))
    costs = []
    for more in (3, 60):
        signed(desk, more)
        last = anchor_ledger(desk.house, datetime.now(UTC))
        assert outside(desk) == list(range(1, last + 1)), "those of a worker that died are put there too"
        with requests(desk) as asked:
            assert anchor_ledger(desk.house, datetime.now(UTC)) == last
        costs.append(asked)
    assert costs == [["HeadObject"]] * 2


def test_killed_between_two_checkpoints_none_is_missing_below_one_that_was_stored(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor_ledger(desk.house, datetime.now(UTC))
    signed(desk, 4)
    put = desk.house.objects.put_once

    def dying(bucket: str, key: str, content: bytes, content_type: str) -> StoredObject:
        if len(outside(desk)) == 3:
            raise KeyboardInterrupt
        return put(bucket, key, content, content_type)

    with monkeypatch.context() as patch:
        patch.setattr(desk.house.objects, "put_once", dying)
        with pytest.raises(KeyboardInterrupt):
            anchor_ledger(desk.house, datetime.now(UTC))
    assert outside(desk) == [1, 2, 3]
    anchor_ledger(desk.house, datetime.now(UTC))
    assert outside(desk) == [1, 2, 3, 4, 5]


def test_one_that_was_taken_away_in_the_middle_is_told_in_the_night_and_put_there_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for minutes in (40, 30, 20):
        make_checkpoint(desk.house.conn, desk.house.keyring, now - timedelta(minutes=minutes))
    anchor_ledger(desk.house, now)
    second = desk.objects(desk.settings.bucket_evidence)[1]
    desk.house.objects.delete_version(second.bucket, second.key, second.version_id)
    anchor_ledger(desk.house, now)
    assert outside(desk) == [1, 3], "a minute does not look for it, so that the night can tell"

    with at_terminal(desk, monkeypatch):
        with pytest.raises(AnchorsMissing, match="not in the bucket 1"):
            VerifyLedger(task_id="ledger").work({})
        assert outside(desk) == [1, 2, 3]
        VerifyLedger(task_id="ledger").work({})


def test_a_table_that_differs_hides_no_missing_checkpoint(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.drop(b"no table")
    desk.work()
    anchor_ledger(desk.house, datetime.now(UTC))
    desk.sql("update exchange set reason_code = 'OTHER' returning 1")
    nightly = VerifyLedger(task_id="ledger")
    with at_terminal(desk, monkeypatch):
        for item in desk.objects(desk.settings.bucket_evidence):
            desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
        with pytest.raises(AnchorsMissing):
            nightly.work({})
        assert outside(desk) == [1], "put there again"
        with pytest.raises(TableDiffers):
            nightly.work({})
