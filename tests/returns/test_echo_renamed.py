"""An echoed column that a later contract names otherwise: no cell of an older file is emptied without a word."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice.agreement.in_force.activate import activate_all
from sluice.settings import Settings
from support.desk import ENERGY
from support.night import AT_ONCE, CONTRACT, Call, Night, change, open_night, with_papers

pytestmark = pytest.mark.stores
CONTACTS = "renewal_campaign.inbound.odcs.yaml"
PEOPLE = 3


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path) -> Iterator[Night]:
    """Returns go at once."""
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path, contacts=8) as opened:
        yield opened


def rename(night: Night) -> None:
    """From now on ``product`` is called ``product_code``; the return follows."""
    folder = night.desk.settings.principals_dir / ENERGY[0]
    change(folder / CONTACTS, "      - name: product\n", "      - name: product_code\n")
    change(folder / CONTRACT, "contacts.product", "contacts.product_code")
    for name in (CONTACTS, CONTRACT):
        change(folder / name, "version: 1.0.0", "version: 1.1.0")
    for done in activate_all(night.desk.house.conn, night.desk.settings.principals_dir, datetime.now(UTC)):
        assert not done.is_refused, done.problems


def send(night: Night, name: str, lines: slice) -> None:
    """A file under the new contract with these rows of the first one."""
    head, *rows = night.contacts.read_text(encoding="utf-8-sig").splitlines()
    text = "\n".join([head.replace("product", "product_code"), *rows[lines]])
    dropped = night.desk.drop(f"{text}\n".encode(), name)
    night.desk.work()
    assert night.desk.line(dropped).decision == "accepted"


def test_rows_of_a_file_that_cannot_say_what_is_echoed_are_held_until_one_can(night: Night) -> None:
    rename(night)
    send(night, "last.csv", slice(-1, None))
    people = [*night.people(PEOPLE), night.people(8)[-1]]
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people)))

    night.make()

    [line] = night.returns()
    assert night.record(line).right_treatment.held_back == {"HEADER_SOURCE_MISSING": PEOPLE}
    assert [row["customer_number"] for row in rows_of(night)] == [people[-1][0]], "control: the new file can say it"

    send(night, "first.csv", slice(PEOPLE))
    night.make()

    assert night.record(night.returns()[0]).right_treatment.held_back == {}
    assert len(rows_of(night)) == len(people)
    assert all(row["product"] for row in rows_of(night))


def rows_of(night: Night) -> list[dict[str, str]]:
    """The youngest return as its principal reads it."""
    return list(csv.DictReader(night.file(night.returns()[0]).decode("utf-8-sig").splitlines(), delimiter=";"))
