"""A date that the platform gives as text is judged as it came; it is not emptied."""

from pathlib import Path

import pytest

from sluice.settings import Settings
from support.night import AT_ONCE, CONTRACT, Call, Edit, open_night, with_papers

pytestmark = pytest.mark.stores
A_DATE = Edit(
    CONTRACT,
    "      - name: order_number\n        logicalType: string",
    '      - name: order_number\n        logicalType: date\n        logicalTypeOptions: {format: "dd/MM/yyyy"}',
)


def test_a_date_from_a_text_column_goes_as_it_is_written_or_is_refused_by_the_contract(
    store_settings: Settings, tmp_path: Path
) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, A_DATE), tmp_path, 6) as night:
        people = night.people(5)
        orders = ("01/12/2026", "2026-12-01", "", "", "")
        night.called(*(Call(f"c{n}", *who, order=orders[n]) for n, who in enumerate(people)))

        night.make()

        [line] = night.returns()
        record = night.record(line)
        assert (record.what.rows_accepted, record.what.rows_refused) == (4, 1)
        assert [reason.column for reason in record.reasons] == ["order_number"]
        text = night.file(line).decode()
        assert ";01/12/2026;" in text and people[1][0] not in text
