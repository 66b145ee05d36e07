"""Somebody must stay out while a file is being judged: it does not close with them in it, nor wait for nothing."""

import io
from datetime import UTC, datetime

import polars as pl
import pytest

from sluice.exchange.close import close
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.persons.suppressed import SuppressedMeanwhile, keep_out
from sluice.exchange.read import get_accepted
from sluice.exchange.store import claim_next
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Decision, Direction, Flow, Principal
from support.desk import Desk

ENERGY, FLOW = Principal("energy01"), Flow("renewal_campaign")


def hold(desk: Desk, record: str) -> None:
    person = [parse_identifier(f"customer:{record}", 1)]
    refs = frozenset(refs_of(person, desk.house.subject_key(ENERGY), ENERGY).values())
    keep_out(desk.house, ENERGY, refs, Suppression.SOFT_HOLD, cause=record, case_id=None, now=datetime.now(UTC))


def test_who_is_kept_out_while_a_file_is_judged_does_not_come_in_with_it(desk: Desk) -> None:
    path, _ = desk.campaign(rows=20)
    records = pl.read_csv(path, separator=";", infer_schema=False)["customer_number"].to_list()
    dropped = desk.drop(path)
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY, FLOW) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as judged:
            kept = keep(desk.house, judged)
            hold(desk, records[3])
            with pytest.raises(SuppressedMeanwhile):
                close(desk.house, kept, {})
    assert desk.line(dropped).decision == "open"

    desk.house.conn.execute("update exchange set next_attempt_at = now()")
    desk.work()

    assert desk.line(dropped).decision == "partly_accepted"
    item = get_accepted(desk.house.conn, desk.line(dropped).id)
    lake = pl.read_parquet(io.BytesIO(desk.house.objects.read(item.bucket, item.key, item.version_id)))
    assert sorted(lake["customer_number"].to_list()) == sorted(set(records) - {records[3]})
    rest = [each for each in desk.objects(desk.settings.bucket_lake) if "/part" in each.key]
    assert len(rest) == 1, "what was kept before is swept"


def test_who_is_not_in_the_file_keeps_it_from_nothing(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY, FLOW) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as judged:
            kept = keep(desk.house, judged)
            hold(desk, "E00000000")
            assert close(desk.house, kept, {}) is Decision.ACCEPTED
    assert desk.line(dropped).decision == "accepted"
