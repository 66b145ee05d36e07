"""What the nightly verification says where the copies outside the database are not there."""

from datetime import UTC, datetime

import pytest

from desk import Desk
from returns.commands import at_terminal
from sluice.errors import EvidenceInvalid
from sluice.exchange.anchor import AnchorsMissing, anchor_ledger
from sluice.orchestration.operators import VerifyLedger


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
