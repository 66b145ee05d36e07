"""A breach of data that came under two agreements of one principal: the stricter one says by when it is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rights.estate import CONTACTS
from rights.people import as_csv, contact_rows, draw_people
from sluice.agreement.in_force.activate import activate_all
from sluice.breach.make import slice_exchange, slice_object
from sluice.breach.model import Slice, SliceEmpty
from sluice.settings import Settings
from support.desk import open_desk
from support.night import AGREEMENT, change, with_papers

NOW = datetime.now(UTC)
PEOPLE = draw_people(6)


def told_within(found: Slice) -> timedelta | None:
    [due] = [duty.due_at for duty in found.duties if duty.article == "33(2)"]
    return due - NOW if due else None


def test_the_fewest_hours_of_the_agreements_count_whichever_the_youngest_file_came_under(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = with_papers(store_settings, tmp_path)
    with open_desk(settings, tmp_path) as desk:
        first = desk.drop(as_csv(contact_rows(PEOPLE[:3])), "contacts.csv")
        desk.work()
        one_more_agreement(settings.principals_dir / "energy01")
        activate_all(desk.house.conn, settings.principals_dir, datetime.now(UTC))
        second = desk.drop(as_csv(contact_rows(PEOPLE[3:])), "contacts.csv")
        desk.work()
        url = f"s3://{settings.bucket_exchange}/{first.key}"

        both = slice_object(desk.house, url, NOW)

        alone = [slice_exchange(desk.house, desk.line(each).id, NOW) for each in (first, second)]
        assert [told_within(each) for each in alone] == [timedelta(hours=24), timedelta(hours=72)]
        assert told_within(both) == timedelta(hours=24)
        [part] = both.parts
        assert [each.agreement.agreement_id for each in part.papers] == ["DPA-ENERGY02", "DPA-ENERGY01"]


def one_more_agreement(papers: Path) -> None:
    """With 72 hours; the contract of contacts names it from now on."""
    more = papers / "agreement-other-3.0.0.yaml"
    more.write_text((papers / AGREEMENT).read_text(encoding="utf-8"), encoding="utf-8")
    change(more, "agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02")
    change(more, "supersedes: 2.4.0", "supersedes: null")
    change(more, "breachNoticeHours: 24", "breachNoticeHours: 72")
    change(papers / CONTACTS, "value: DPA-ENERGY01", "value: DPA-ENERGY02")


def test_what_is_of_no_exchange_is_not_called_free_of_persons(store_settings: Settings, tmp_path: Path) -> None:
    """A request file names somebody, and no slice knows it: whoever asks in the first hour is told where to look."""
    asked = f'{{"identifiers": [{{"kind": "phone", "value": "{PEOPLE[0].phone}"}}]}}'.encode()
    with open_desk(store_settings, tmp_path) as desk:
        there = desk.house.objects.put(desk.settings.bucket_exchange, "energy01/requests/r.json", asked, "text/plain")
        with pytest.raises(SliceEmpty) as told:
            slice_object(desk.house, f"s3://{there.bucket}/{there.key}", NOW)

    assert "holds data of persons" not in str(told.value) and "requests, notices and answers" in str(told.value)
