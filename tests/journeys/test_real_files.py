"""Real files through the DAG to their receipt, counted independently (UCI bank calls, IBM Telco)."""

from collections import Counter
from pathlib import Path

import pytest

from sluice.demo.real import count_csv, kept_values
from sluice.exchange.house import open_house
from support.installation import Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("file", "where", "rows"),
    [
        ("campaign/bank-additional-full.csv", ("bank01", "bank_telemarketing"), 41_188),
        ("subscribers/telco-customer-churn.csv", ("telco01", "telco_churn"), 7_043),
    ],
)
def test_a_real_file_is_kept_cell_for_cell(
    stack: Stack, real_data: Path, file: str, where: tuple[str, str], rows: int, record_property: Record
) -> None:
    put = stack.put(real_data / file, where)
    (line,) = stack.wait([put]).values()
    assert (line.decision, line.rows_in, line.rows_accepted) == ("accepted", rows, rows)
    counted = count_csv(real_data / file)
    with open_house(stack.settings) as house:
        kept = kept_values(house, line.id)
    same = [name for name, values in counted.items() if kept[name] == values]
    assert len(same) == len(counted)
    assert _mean(kept) == pytest.approx(_mean(counted))
    record_property(f"{Path(file).name} through the DAG", f"{rows:,} rows, {len(same)} of {len(counted)} columns equal")


def _mean(columns: dict[str, Counter[str | None]]) -> dict[str, float]:
    """Mean of every column that is a number throughout."""
    means = {}
    for name, values in columns.items():
        try:
            total = sum(float(value) * count for value, count in values.items() if value is not None)
        except ValueError:
            continue
        means[name] = total / values.total()
    return means
