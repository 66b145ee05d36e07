"""The bytes of an accepted file are a duplicate while what was accepted is there, and not once it is gone."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rights.asking import asked
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.catalogue import get_copy
from sluice.lake.s3.objects import StoredObject
from sluice.retention.run import retain
from sluice.rights.erasure.erase import run
from sluice.terms import ExchangeId
from support.copies import Copies
from support.desk import ENERGY, Desk
from support.night import AT_ONCE, RESULTS_CONTRACT, Call, Night, call_log, change, copied_night

pytestmark = pytest.mark.stores
YEARS = timedelta(days=400)
"""Longer than any rule of energy01 for contacts and results."""


def what_became_of(desk: Desk, dropped: StoredObject) -> str:
    line = desk.line(dropped)
    return str(line.reason_code or line.decision)


def sent(desk: Desk, content: bytes, name: str) -> str:
    dropped = desk.drop(content, name)
    desk.work()
    return what_became_of(desk, dropped)


def is_deleted(desk: Desk, times: int = 1) -> bool:
    """Retention goes by; whether it left nothing that was accepted."""
    retain(desk.house, datetime.now(UTC) + YEARS * times)
    return not desk.sql("select from accepted_data where direction = 'inbound'")


def test_a_list_that_was_deleted_may_come_again_once_after_each_time(desk: Desk) -> None:
    content = desk.campaign(20)[0].read_bytes()

    assert sent(desk, content, "leads_b.csv") == "accepted"
    assert sent(desk, content, "leads_c.csv") == "DUPLICATE_CONTENT", "the control: while it is there"
    assert is_deleted(desk)
    assert sent(desk, content, "leads_2026-01-05.csv") == "accepted"
    assert sent(desk, content, "leads_d.csv") == "DUPLICATE_CONTENT"
    assert is_deleted(desk)
    assert sent(desk, content, "leads_b.csv") == "accepted", "the oldest of them was not the last that was accepted"
    assert sent(desk, content, "leads_b.csv") == "DUPLICATE_CONTENT"


def test_who_was_erased_does_not_come_back_with_it(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path) as night:
        desk, (_, (number, phone)) = night.desk, night.people(2)
        assert run(desk.house, asked(night, phone, number).case_id, datetime.now(UTC)).residual == 0
        content = night.contacts.read_bytes()
        assert sent(desk, content, "edited.csv") == "DUPLICATE_CONTENT", "the control: an erasure of one edits it"
        assert is_deleted(desk)

        again = desk.drop(content, "again.csv")
        desk.work()

        assert desk.line(again).decision in ("accepted", "partly_accepted")
        taken = lake_of(desk, again)["customer_number"].to_list()
        assert number not in taken
        assert len(taken) == len(night.people(1000)) - 1, "and everybody else is there"


def lake_of(desk: Desk, dropped: StoredObject) -> pl.DataFrame:
    copy = get_copy(desk.house.conn, ExchangeId(desk.line(dropped).id), "lake")
    return pl.read_parquet(io.BytesIO(desk.house.objects.read(copy.bucket, copy.key, copy.version_id)))


def test_results_that_were_deleted_are_sent_twice_all_the_same(copies: Copies, tmp_path: Path) -> None:
    """They went to the principal, and would go a second time."""
    with copied_night(copies, tmp_path) as night:
        log = call_log([Call("c1", *night.people(1)[0])])
        assert arrived(night, log, "log.csv") == "accepted"
        assert is_deleted(night.desk)
        assert not night.desk.sql("select from accepted_data")

        assert arrived(night, log, "again.csv") == "DUPLICATE_CONTENT"


@pytest.mark.parametrize("is_gone", [True, False], ids=["deleted", "the control: still there"])
def test_a_new_contract_brings_no_results_back_that_were_deleted(
    copies: Copies, tmp_path: Path, *, is_gone: bool
) -> None:
    """What it refused of them may come again while the rest is here to compare with; else all would be due again."""
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        desk = night.desk
        log = call_log([Call(f"c{n}", *person) for n, person in enumerate(night.people(4))] + [Call("c4", "", "")])
        assert desk.line(night.results(log)).decision == "partly_accepted"
        assert night.make().decisions == {"accepted": 1}
        if is_gone:
            assert is_deleted(desk)
        change(desk.settings.principals_dir / ENERGY[0] / RESULTS_CONTRACT, "version: 1.0.0", "version: 1.0.1")
        assert not any(each.is_refused for each in activate_all(desk.house.conn, desk.settings.principals_dir, now()))

        again = night.results(log, "again.csv")

        expected = ("refused", "DUPLICATE_CONTENT") if is_gone else ("partly_accepted", desk.line(again).reason_code)
        assert (desk.line(again).decision, desk.line(again).reason_code) == expected
        if is_gone:
            assert not night.make().decisions


def now() -> datetime:
    return datetime.now(UTC)


def arrived(night: Night, log: bytes, name: str) -> str:
    return what_became_of(night.desk, night.results(log, name))
