"""One principal with several agreements: what came under one of them ends with that one, and as that one says."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from retention.keeping import at_night, exists, last_day
from returns.commands import at_terminal, sluice
from rights.estate import CONTACTS
from rights.people import as_csv, contact_rows, draw_people
from sluice.agreement.in_force.activate import activate_all
from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies
from sluice.ledger.record import CopyLine
from sluice.retention.give_back import give_back, give_back_due
from sluice.retention.holds import confirm_return
from sluice.retention.model import RetentionRefused
from sluice.retention.run import retain
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, change, with_papers

CARE = "care_contacts"
PRINCIPAL = Principal(ENERGY[0])
END = brussels_today() + timedelta(days=3)
"""The last day of the agreement that ends first."""
GONE = END + timedelta(days=30)
"""The day in whose night everything of it is deleted."""
AT_ONCE = {"twoPersonRelease: true": "twoPersonRelease: false"}
DELETE, RETURN = "g_end: {choice: delete, days: 30", "g_end: {choice: return, days: 30"
OPEN = "validTo: null\ndocument"


def ends_on(day: date) -> str:
    return f"validTo: {day}\ndocument"


@contextmanager
def two_agreements(
    settings: Settings, folder: Path, care: Mapping[str, str], renewal: Mapping[str, str] = {}
) -> Iterator[tuple[Desk, CopyLine, CopyLine]]:
    """A file of contacts under each agreement of energy01: care_contacts under DPA-ENERGY02, which began later.

    Yields the desk and the accepted rows of either. ``care``, ``renewal``: changes to the two agreements.
    """
    longer = settings.model_copy(update={"keep_arrived_days": 60})  # a test gives back before its day
    settings = with_papers(longer, folder)
    papers = settings.principals_dir / PRINCIPAL
    one_more(papers, care)
    for old, new in renewal.items():
        change(papers / AGREEMENT, old, new)
    with open_desk(settings, folder) as desk:
        people = draw_people(6)
        files = [
            desk.drop(as_csv(contact_rows(some)), "contacts.csv", (PRINCIPAL, flow))
            for some, flow in ((people[:3], CARE), (people[3:], ENERGY[1]))
        ]
        desk.work()
        first, second = (lake_of(desk, desk.line(each).id) for each in files)
        yield desk, first, second


def one_more(papers: Path, changes: Mapping[str, str]) -> None:
    more, contract = papers / "agreement-other-3.0.0.yaml", papers / f"{CARE}.inbound.odcs.yaml"
    text = (papers / AGREEMENT).read_text(encoding="utf-8").replace("DPA-ENERGY01", "DPA-ENERGY02")
    text = text.replace("supersedes: 2.4.0", "supersedes: null")
    more.write_text(re.sub(r"\nvalidFrom: .*\n", "\nvalidFrom: 2026-02-01\n", text, count=1), encoding="utf-8")
    contract.write_text((papers / CONTACTS).read_text(encoding="utf-8"), encoding="utf-8")
    change(contract, "renewal_campaign", CARE)
    change(contract, "value: DPA-ENERGY01", "value: DPA-ENERGY02")
    for old, new in changes.items():
        change(more, old, new)


def lake_of(desk: Desk, exchange_id: str) -> CopyLine:
    return next(copy for copy in find_copies(desk.house.conn, ExchangeId(exchange_id)) if copy.kind == "lake")


def test_what_came_under_an_agreement_that_ended_goes_although_another_one_runs(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDPR Art. 28(3)(g): within the days that this agreement says."""
    with two_agreements(store_settings, tmp_path, {OPEN: ends_on(END)}) as (desk, care, renewal):
        with at_terminal(desk, monkeypatch):
            found = sluice("retention", "due", "--on", str(GONE)).document["copies"]
        told = {(each["kind"], each["last_day"]) for each in found if each["why"] == "agreement_ended"}
        last = str(GONE - timedelta(days=1))
        assert ("lake", last) in told and last_day(care) >= GONE, "before its rule ends"
        assert {day for _, day in told} == {last}
        retain(desk.house, at_night(GONE - timedelta(days=1)))
        assert exists(desk, care), "control: the days are not over"
        retain(desk.house, at_night(GONE))
        assert not exists(desk, care)
        assert exists(desk, renewal), "of the one that runs nothing goes"


def test_what_an_agreement_wants_back_is_not_deleted_because_another_one_ended_earlier_or_asks_for_less(
    store_settings: Settings, tmp_path: Path
) -> None:
    last = END + timedelta(days=20)
    with two_agreements(store_settings, tmp_path, {OPEN: ends_on(END)}, {OPEN: ends_on(last), DELETE: RETURN}) as (
        desk,
        care,
        renewal,
    ):
        retain(desk.house, at_night(last + timedelta(days=15)))
        assert not exists(desk, care), "control: of the one that asks to delete"
        assert exists(desk, renewal), "15 of its 30 days are over"
        retain(desk.house, at_night(last + timedelta(days=31)))
        assert exists(desk, renewal), "it goes back first"


def test_what_the_ended_one_wants_back_goes_back_while_the_other_one_runs(
    store_settings: Settings, tmp_path: Path
) -> None:
    wanted = {OPEN: ends_on(END), DELETE: RETURN, **AT_ONCE}
    with two_agreements(store_settings, tmp_path, wanted) as (desk, care, renewal):
        house, first = desk.house, at_night(END + timedelta(days=1))
        assert retain(house, at_night(GONE)).waiting >= 1 and exists(desk, care), "it goes back first"
        with pytest.raises(RetentionRefused, match="AGREEMENT_IN_FORCE"):
            give_back(house, PRINCIPAL, first, "an", agreement_id="DPA-ENERGY01")
        with pytest.raises(NotFound):
            give_back(house, PRINCIPAL, first, "an", agreement_id="DPA-TELECOM01")

        assert give_back_due(house, first) == (1, 0) and give_back_due(house, first) == (0, 0)

        given = [
            each.key for each in house.objects.list_versions(desk.settings.bucket_exchange, f"{PRINCIPAL}/outbound/")
        ]
        assert {key.split("/")[2] for key in given} == {CARE}, "nothing of the one that runs"
        [told] = entries_of(desk, "return.confirmed")
        assert (told["agreement_id"], told["reference"]) == ("DPA-ENERGY02", "GIVEN-BACK")
        retain(house, at_night(GONE))
        assert not exists(desk, care) and exists(desk, renewal)


def test_of_two_that_want_their_data_back_the_one_is_named_whose_return_is_confirmed(
    store_settings: Settings, tmp_path: Path
) -> None:
    """Said without a name, or said twice, it would let data go that nobody gave back."""
    wanted = {OPEN: ends_on(END), DELETE: RETURN}
    with two_agreements(store_settings, tmp_path, wanted, wanted) as (desk, care, renewal):
        conn, first = desk.house.conn, at_night(END + timedelta(days=1))
        with pytest.raises(RetentionRefused, match="AGREEMENT_NOT_NAMED"):
            confirm_return(conn, PRINCIPAL, "ACK-1", "an", first)
        for _ in range(2):
            assert confirm_return(conn, PRINCIPAL, "ACK-1", "an", first, "DPA-ENERGY02").agreement_id == "DPA-ENERGY02"
        with pytest.raises(RetentionRefused, match="AGREEMENT_NOT_NAMED"):
            confirm_return(conn, PRINCIPAL, "ACK-1", "an", first)
        retain(desk.house, at_night(GONE))
        assert not exists(desk, care) and exists(desk, renewal)


def test_a_flow_that_went_over_to_another_agreement_goes_on_under_that_one(
    store_settings: Settings, tmp_path: Path
) -> None:
    with two_agreements(store_settings, tmp_path, {OPEN: ends_on(END)}) as (desk, care, _):
        papers = desk.settings.principals_dir
        change(papers / PRINCIPAL / f"{CARE}.inbound.odcs.yaml", "value: DPA-ENERGY02", "value: DPA-ENERGY01")
        activate_all(desk.house.conn, papers, datetime.now(UTC))

        retain(desk.house, at_night(GONE))

        assert exists(desk, care)
        retain(desk.house, at_night(last_day(care) + timedelta(days=1)))
        assert not exists(desk, care), "control: by its rule"


def entries_of(desk: Desk, kind: str) -> list[dict[str, object]]:
    rows = desk.sql(f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}' order by seq")
    return [json.loads(str(row["body"])) for row in rows]
