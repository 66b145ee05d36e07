"""Everybody who has a copy of what was decided is told, nobody else is, and nobody learns of another principal."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import Town, is_notice, open_town, papers_of
from sluice.ledger.sign import open_signed, split_flattened
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case import store
from sluice.rights.case.model import State
from sluice.rights.erasure.erase import run, verify
from sluice.rights.finish import finish
from sluice.rights.notices.model import NoticeState
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import Told, tell
from sluice.rights.notices.to_recipient import RECEIPT_TYPE
from sluice.settings import Settings

PRINCIPALS = ("energy01", "gas01", "heat01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, PRINCIPALS), tmp_path, PRINCIPALS, 12) as opened:
        yield opened


def test_an_erasure_tells_who_got_the_return_and_nobody_else(town: Town) -> None:
    person = town.people[0]
    for name in ("energy01", "gas01"):
        town.arrive(name, town.people[:6])
    town.arrive("heat01", town.people[6:])
    town.give_back("energy01", town.people[:3])
    case = town.decided(person)
    assert tell(town.house, datetime.now(UTC)) == Told(), "nothing is told before it is carried out"
    run(town.house, case.case_id, datetime.now(UTC))

    told = tell(town.house, datetime.now(UTC))

    assert (told.found, told.sent, told.receipts, told.failed) == (1, 1, 1, 0)
    assert town.told("gas01") == town.told("heat01") == []
    [notice] = town.told("energy01")
    assert (notice["action"], notice["you_are"], notice["article"]) == ("erase", "recipient", "A19")
    assert {"call_event", "disposition", "agent_ref"} <= set(notice["field_groups"])
    assert not {"identity", "contact_point", "contract"} & set(notice["field_groups"]), "its own decision"
    assert [each["value"] for each in notice["identifiers"][0]] == [person.phone, person.record("energy01")]
    [line] = list_notices(town.house.conn)
    assert (line.state, line.name, line.recipient) == (NoticeState.SENT, "Energy One NV", "energy01")
    receipt = town.notices("energy01")[f"notice-{line.notice_id}.receipt.json"]
    said = open_signed(split_flattened(receipt), town.house.keyring.public, RECEIPT_TYPE)
    assert said["file"]["sha256"] == line.sha256 and said["ledger"]["entry_hash"] == line.entry_hash
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    assert tell(town.house, datetime.now(UTC)) == Told(), "once"

    assert finish(town.house, datetime.now(UTC)).failed == 0

    states = {part.principal: part.state for part in parts(town, case.case_id) if part.controller == "center"}
    assert states == {"energy01": State.RECIPIENTS_NOTIFIED, "gas01": State.RECIPIENTS_NOTIFIED}
    ledger = json.dumps(town.desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry"))
    assert person.phone not in ledger and person.record("energy01") not in ledger


def parts(town: Town, case_id: str):  # type: ignore[no-untyped-def]
    return store.get_case(town.house.conn, case_id).sub_cases  # type: ignore[arg-type]


def test_the_notice_is_no_residue_of_a_later_scan_and_anything_beside_it_is(town: Town) -> None:
    town.arrive("energy01", town.people[:6])
    town.give_back("energy01", town.people[:3])
    case = town.decided(town.people[0])
    run(town.house, case.case_id, datetime.now(UTC))
    tell(town.house, datetime.now(UTC))
    [name] = filter(is_notice, town.notices("energy01"))

    assert verify(town.house, case.case_id, datetime.now(UTC)).residual == 0

    content, bucket = town.notices("energy01")[name], town.desk.settings.bucket_exchange
    town.house.objects.put(bucket, f"energy01/notices/copy-of-{name}", content, "application/json")
    assert verify(town.house, case.case_id, datetime.now(UTC)).residual == 1
