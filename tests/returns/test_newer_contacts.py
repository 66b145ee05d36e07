"""What proves a person is decided by the file that the row comes from, not by older ones that lie there still."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.test_roles import amend
from sluice.agreement.in_force.activate import activate_principal
from sluice.sample.files import write_campaign
from sluice.settings import Settings
from sluice.times import brussels_today
from support.night import AT_ONCE, Call, Night, change, open_night, with_papers

pytestmark = pytest.mark.stores
CONTACTS_CONTRACT = "renewal_campaign.inbound.odcs.yaml"
OTHER_PHONE = "+32470000009"


def only_its_number(night: Night, settings: Settings) -> None:
    """From now on the principal's own number is all that names a person in its contacts."""
    papers = settings.principals_dir / "energy01"
    amend(settings, "3.1.0", brussels_today())
    for kind in ("phone_e164", "email"):
        change(papers / CONTACTS_CONTRACT, f"          - {{property: subjectKey, value: {kind}}}\n", "")
    assert not activate_principal(night.desk.house.conn, papers, datetime.now(UTC)).is_refused


def later_contacts(night: Night, also: str) -> list[str]:
    """One more file of contacts, with a person of the first file in it; numbers of those who are new."""
    path = night.desk.folder / "later.csv"
    write_campaign(path, 30, 77)
    with path.open(encoding="utf-8", newline="") as file:
        new = [row["customer_number"] for row in csv.DictReader(file, delimiter=";")]
    [again] = [line for line in night.contacts.read_text(encoding="utf-8").splitlines() if line.startswith(also)]
    path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n{again}\n", encoding="utf-8")
    dropped = night.desk.drop(path, "later.csv")
    night.desk.work()
    assert night.desk.line(dropped).decision in ("accepted", "partly_accepted")
    return new


def test_an_older_file_that_gave_a_telephone_decides_nothing_about_a_newer_one(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    with open_night(settings, tmp_path, 5) as night:
        told, wrong, again = night.people(3)
        only_its_number(night, settings)
        new = later_contacts(night, also=again[0])[0]
        night.called(
            Call("c1", *told), Call("c2", wrong[0], OTHER_PHONE),
            Call("c3", new, OTHER_PHONE), Call("c4", again[0], OTHER_PHONE),
        )  # fmt: skip

        night.make()

        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {"RESULT_OTHER_PERSON": 1}
        sent = {row["customer_number"] for row in csv.DictReader(night.file(line).decode().splitlines(), delimiter=";")}
        assert sent == {told[0], new, again[0]}
