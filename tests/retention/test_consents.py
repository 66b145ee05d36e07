"""The last day of consent records, and what a worker leaves that dies in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from uuid import uuid4

import pytest

from returns.commands import at_terminal, sluice
from sluice.exchange.house import open_house
from sluice.exchange.persons import consents
from sluice.exchange.persons.consent_store import find_runs, mark_gone
from sluice.exchange.persons.suppressed import keep_out
from sluice.retention.consents import drop_consents
from sluice.retention.give_back import give_back_due
from sluice.retention.holds import confirm_return
from sluice.retention.run import retain
from sluice.rights.consents.file import Said
from sluice.rights.consents.keep import record_consent
from sluice.settings import Settings
from sluice.subject.consent import last_words
from sluice.subject.refs import refer
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind
from sluice.times import BRUSSELS
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, Edit, with_papers

ENERGY01 = Principal(ENERGY[0])
DAY = timedelta(days=1)


class Killed(Exception):
    """Ends a worker at a place."""


def now() -> datetime:
    return datetime.now(UTC)


def tells(desk: Desk, customer: str, state: str, days_ago: int) -> None:
    assert record_consent(desk.house, ENERGY01, said(customer, state, days_ago), "anna", now()).is_new


def said(customer: str, state: str, days_ago: int) -> Said:
    at = (now() - days_ago * DAY).isoformat()
    return Said({"customer": customer}, "P-RENEW", "voice", state, at, "call", "W-7", "center")


def ref_of(desk: Desk, customer: str) -> str:
    return refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, customer).ref or ""


def lying(desk: Desk) -> list[str]:
    return [item.key for item in desk.objects(desk.settings.bucket_lake) if item.key.startswith("_consents/")]


def entries(desk: Desk) -> int:
    return len(desk.sql("select from ledger.entry where kind = 'consents.dropped'"))


def test_a_yes_goes_with_what_took_it_back_though_each_came_alone(desk: Desk) -> None:
    tells(desk, "C-1", "given", 40)
    tells(desk, "C-1", "expired", 20)
    tells(desk, "C-2", "given", 40)
    later = now() + 1070 * DAY

    assert drop_consents(desk.house, later, ENERGY01) == (0, 0)
    assert drop_consents(desk.house, later + DAY * 30) == (2, 0)
    left = consents.find_records(desk.house, ENERGY01)
    assert last_words(left, later.date())["ref"].to_list() == left["ref"].to_list() == [ref_of(desk, "C-2")]
    assert (entries(desk), len(lying(desk))) == (2, 1)


def test_records_of_an_ended_agreement_stay_until_its_data_is_back_where_it_asks_for_that(
    store_settings: Settings, tmp_path: Path
) -> None:
    end = now().astimezone(BRUSSELS).date() + DAY
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {end}\ndocument"),
        Edit(AGREEMENT, "g_end: {choice: delete", "g_end: {choice: return"),
    )  # fmt: skip
    with open_desk(settings, tmp_path) as desk:
        tells(desk, "C-1", "given", 40)
        after = now() + 60 * DAY

        assert drop_consents(desk.house, after) == (0, 0)
        confirm_return(desk.house.conn, ENERGY01, "ACK-1", "an", after)
        assert drop_consents(desk.house, after) == (1, 0)


@pytest.mark.parametrize(
    "contacts",
    [pytest.param(0, id="no file ever came", marks=pytest.mark.long), pytest.param(3, id="all went by their own rule")],
)
def test_records_go_with_an_agreement_of_whose_files_nothing_is_left_to_give_back(
    store_settings: Settings, tmp_path: Path, contacts: int
) -> None:
    end = now().astimezone(BRUSSELS).date() + 5 * DAY
    settings = with_papers(
        store_settings.model_copy(update={"keep_arrived_days": 1}), tmp_path,
        Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {end}\ndocument"),
        Edit(AGREEMENT, "g_end: {choice: delete", "g_end: {choice: return"),
        Edit(AGREEMENT, "startEvent: received, duration: P90D", "startEvent: received, duration: P1D"),
    )  # fmt: skip
    with open_desk(settings, tmp_path) as desk:
        if contacts:
            desk.drop(desk.campaign(contacts)[0])
            desk.work()
        tells(desk, "C-1", "given", 40)
        gone = retain(desk.house, now() + 4 * DAY)
        assert desk.sql("select from copy where gone_at is null") == [], "control: nothing is left of a file"
        assert (gone.deleted > 0, gone.consents) == (contacts > 0, 0)

        assert give_back_due(desk.house, now()) == (0, 0), "it is in force"
        assert [give_back_due(desk.house, now() + 6 * DAY) for _ in range(2)] == [(1, 0), (0, 0)]
        assert retain(desk.house, now() + 30 * DAY).consents == 0, "its days for deletion are not over"
        assert retain(desk.house, now() + 60 * DAY).consents == 1
        assert (lying(desk), entries(desk)) == ([], 1)
        [said_of_it] = desk.sql("select reference from end_return")
        assert said_of_it["reference"] == "NOTHING-LEFT", "nothing was put into its prefix, so nobody says that"


def test_records_can_be_taken_out_after_the_agreement_ended(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = now().astimezone(BRUSSELS).date() - DAY
    settings = with_papers(
        store_settings, tmp_path, Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {end}\ndocument")
    )
    with open_desk(settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        target = tmp_path / "consent.jsonld"
        assert sluice("consent", "export", ENERGY01, "customer:C-1", "--to", str(target)).document["records"] == 0
        assert target.is_file()


def test_what_a_dead_worker_left_goes_and_its_entry_is_made(desk: Desk) -> None:
    tells(desk, "C-1", "refused", 20)
    [run], later = find_runs(desk.house.conn, ENERGY01), now() + 1100 * DAY
    records = consents.find_records(desk.house, ENERGY01)

    def die(run_id: str, went: int) -> None:
        raise Killed

    with pytest.raises(Killed):  # before the entry
        consents.edit_records(desk.house, ENERGY01, lambda each: each.clear(), later, die)
    assert find_runs(desk.house.conn, ENERGY01) == [run]
    assert (drop_consents(desk.house, later), entries(desk), lying(desk)) == ((1, 0), 1, [])

    tells(desk, "C-3", "refused", 20)  # after the row, before the object
    [run] = find_runs(desk.house.conn, ENERGY01)
    mark_gone(desk.house.conn, run.run_id, later)
    assert lying(desk)
    assert (drop_consents(desk.house, later), lying(desk)) == ((0, 0), [])

    # recording: after the object, before the row
    consents.put(desk.house, ENERGY01, str(uuid4()), records)
    refs = frozenset(records["ref"].to_list())
    assert consents.count_left(desk.house, ENERGY01, refs) == 1, "control: it is found"
    assert consents.erase_consents(desk.house, ENERGY01, refs) == 0
    assert consents.count_left(desk.house, ENERGY01, refs) == 0
    consents.put(desk.house, ENERGY01, str(uuid4()), records)
    assert (drop_consents(desk.house, later), lying(desk)) == ((0, 0), [])


def test_who_is_erased_while_a_record_waits_for_its_turn_is_left_out(desk: Desk) -> None:
    refs = frozenset({ref_of(desk, "C-1")})
    with open_house(desk.settings) as other, ThreadPoolExecutor(1) as worker:
        with consents.hold_records(desk.house, ENERGY01):
            recording = worker.submit(record_consent, other, ENERGY01, said("C-1", "given", 1), "anna", now())
            while not desk.sql("select from pg_locks where locktype = 'advisory' and not granted"):
                assert not recording.done(), "control: it waits"
                sleep(0.05)
            keep_out(desk.house, ENERGY01, refs, Suppression.ERASED, cause="e", case_id=None, now=now())
        assert recording.result(60).left_out == 1
    assert consents.count_left(desk.house, ENERGY01, refs) == 0
