"""Times of results as the contract of the return writes them: by our clocks, or in UTC where its format ends in Z."""

from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from exchange.test_respell import a_contract
from sluice.returns.make import _in_contract_form


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-11-24T10:00:05Z"),
        ("%d/%m/%Y %H:%M:%S", "24/11/2026 11:00:05"),
        ("%d/%m/%Y %H:%M:%S.%f", "24/11/2026 11:00:05.120000"),
        (None, "2026-11-24T11:00:05"),
    ],
    ids=["UTC", "our clocks", "fractions", "no format"],
)
def test_a_time_is_written_in_the_zone_and_form_of_the_contract(form: str | None, written: str) -> None:
    contract = a_contract("timestamp", form)
    contract = replace(contract, fields=(replace(contract.fields[0], source="results.started_at"),))

    told = _in_contract_form(pl.DataFrame({"cell": ["2026-11-24T10:00:05.120000Z"]}), contract)["cell"].item()

    assert told == written
    assert datetime.strptime(told, form or "%Y-%m-%dT%H:%M:%S")
