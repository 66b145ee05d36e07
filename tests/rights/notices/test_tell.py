"""Everybody who has a copy of what was decided is told, nobody else is, and nobody learns of another principal."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.changing import ADDED, ALL_THE_PRINCIPALS, PRINCIPAL, center_decides_of_what_is_added
from rights.instructing import current
from rights.town import Town, is_notice, open_town, papers_of, swept
from sluice.ledger.sign import open_signed, split_flattened
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import State
from sluice.rights.erasure.erase import run, verify
from sluice.rights.finish import finish
from sluice.rights.notices.model import NoticeState
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import Told, tell
from sluice.rights.notices.to_recipient import RECEIPT_TYPE
from sluice.settings import Settings
from support.night import Edit

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

    states = {part.principal: part.state for part in current(town, case).sub_cases if part.controller == "center"}
    assert states == {"energy01": State.RECIPIENTS_NOTIFIED, "gas01": State.RECIPIENTS_NOTIFIED}
    ledger = json.dumps(town.desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry"))
    assert person.phone not in ledger and person.record("energy01") not in ledger

    assert verify(town.house, case.case_id, datetime.now(UTC)).residual == 0, "the notice is no residue"
    [name] = filter(is_notice, town.notices("energy01"))
    content, bucket = town.notices("energy01")[name], town.desk.settings.bucket_exchange
    town.house.objects.put(bucket, f"energy01/notices/copy-of-{name}", content, "application/json")
    assert verify(town.house, case.case_id, datetime.now(UTC)).residual == 1, "and anything beside it is"


STILL_ITS_OWN = frozenset({"disposition", "note_free_text"})
"""What its files of contacts bring too, so that it goes on deciding of what was its own."""


@pytest.mark.parametrize(
    "before",
    [ALL_THE_PRINCIPALS, pytest.param(ALL_THE_PRINCIPALS[:1], marks=pytest.mark.long)],
    ids=["of-nothing", "of-staff"],
)
def test_after_what_agents_add_went_over_to_the_center_the_principal_is_told_that_it_went(
    store_settings: Settings, tmp_path: Path, before: Sequence[Edit]
) -> None:
    """``before``: what the center decided of when the return was made."""
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL], *before), tmp_path, [PRINCIPAL], 2) as town:
        town.arrive(PRINCIPAL, town.people)
        town.give_back(PRINCIPAL, town.people)
        center_decides_of_what_is_added(town)
        case = town.decided(town.people[0])
        report = run(town.house, case.case_id, datetime.now(UTC))
        swept(town)
        told = list_notices(town.house.conn, case_id=case.case_id, limit=None)

    assert (report.residual, report.doubts) == (0, 0), "all went"
    assert [each.recipient for each in told] == [PRINCIPAL]
    assert set(told[0].field_groups) >= ADDED - STILL_ITS_OWN
    assert STILL_ITS_OWN.isdisjoint(told[0].field_groups), "nobody is told of what it decided itself"
