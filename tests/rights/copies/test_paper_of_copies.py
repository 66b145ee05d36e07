"""Every copy is read by the contract that its exchange was opened under, also where another came the same day."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rights.town import Town, now, open_town, papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.rights.copies.copy_store import find_copies
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import ENERGY
from support.night import change

pytestmark = pytest.mark.stores
PRINCIPAL = Principal(ENERGY[0])
CONTACTS = f"{ENERGY[1]}.inbound.odcs.yaml"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL]), tmp_path, [PRINCIPAL], 2) as opened:
        yield opened


def test_a_contract_that_changes_during_a_day_is_of_the_files_after_it(town: Town) -> None:
    papers = town.desk.settings.principals_dir
    town.arrive(PRINCIPAL, town.people[:1], "first.csv")
    change(papers / PRINCIPAL / CONTACTS, "version: 1.0.0", "version: 1.1.0")
    activate_all(town.house.conn, papers, now())
    town.arrive(PRINCIPAL, town.people[1:], "second.csv")

    copies = [copy for copy in find_copies(town.house.conn, PRINCIPAL) if copy.kind == "arrived" and copy.contract]
    read_by = {copy.key.rpartition("/")[2]: copy.contract.version for copy in copies if copy.contract}
    assert read_by == {"first.csv": "1.0.0", "second.csv": "1.1.0"}
