"""What a return repeats of its contacts it writes as its own contract says, whatever their contract wrote."""

import csv
from datetime import datetime
from pathlib import Path

import pytest

from sluice.settings import Settings
from support.night import AT_ONCE, CONTRACT, Call, Edit, open_night, with_papers

pytestmark = pytest.mark.stores
ENDS = (
    "contract_end_date\n        logicalType: date\n        logicalTypeOptions: {{format: {}}}\n        required: false"
)
ECHO = Edit(CONTRACT, "product\n        logicalType: string\n        required: false", ENDS.format("MM/dd/yyyy"))
SOURCE = Edit(CONTRACT, "contacts.product", "contacts.contract_end_date")


def test_a_day_that_a_return_repeats_stays_that_day(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, ECHO, SOURCE), tmp_path, contacts=30) as night:
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(30))))
        night.make()

        sent = csv.DictReader(night.contacts.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
        days = {row["customer_number"]: datetime.strptime(row["contract_end_date"], "%d/%m/%Y") for row in sent}
        [line] = night.returns()
        told = list(csv.DictReader(night.file(line).decode("utf-8-sig").splitlines(), delimiter=";"))
        assert len(told) == 30, "a day after the twelfth of its month is no reason to refuse a row"
        for row in told:
            assert datetime.strptime(row["contract_end_date"], "%m/%d/%Y") == days[row["customer_number"]]
