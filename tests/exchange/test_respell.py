"""Cells that came under one contract, as another one writes them, against Python's own calendar."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers.answer_samples import a_role
from sluice.agreement.model import DataContract, FileFormat
from sluice.exchange.respell import differing, respelled
from sluice.gate.contract_rules import column_types
from sluice.terms import Direction, FieldGroup, Flow, Principal

NONE: Any = None
FORMS = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d%m%Y", "%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%y")
UTC, LOCAL = "%Y-%m-%dT%H:%M:%SZ", "%d/%m/%Y %H:%M"


def a_contract(kind: str, form: str | None = None, *, comma: bool = False) -> DataContract:
    role = replace(a_role("cell", FieldGroup.CONTRACT), logical_type=kind, date_format=form)
    file_format = FileFormat("csv", ";", None, comma, None, "BE", None, "*.csv")
    return DataContract(
        "energy01.inbound.renewal", "1.0.0", "active", Principal("energy01"), Direction.INBOUND, Flow("renewal"), "A",
        "1.0.0", file_format, (role,), (), (), 0.1, NONE, "",
    )  # fmt: skip


def told(cell: str, was: DataContract | None, now: DataContract, came: str | None = None) -> str:
    frame = pl.DataFrame({"cell": [cell]})
    before = frame if came is None else pl.DataFrame({"cell": [came]})
    return str(respelled(frame, before, was, column_types(now))["cell"].item())


DAY_FIRST, MONTH_FIRST = a_contract("date", "%d/%m/%Y"), a_contract("date", "%m/%d/%Y")
IN_UTC, HERE = a_contract("timestamp", UTC), a_contract("timestamp", LOCAL)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)), st.sampled_from(FORMS), st.sampled_from(FORMS))
def test_a_moment_stays_what_it_was_or_the_cell_as_it_came(moment: datetime, old: str, new: str) -> None:
    cell = moment.strftime(old)
    said = datetime.strptime(cell, old)

    found = told(cell, a_contract("timestamp", old), a_contract("timestamp", new))

    try:
        is_whole = datetime.strptime(said.strftime(new), new) == said and not ("%y" in old and "%Y" in new)
    except ValueError:
        is_whole = False
    assert found == (said.strftime(new) if is_whole else cell)


@pytest.mark.parametrize(
    ("why", "cell", "was", "now", "right"),
    [
        ("no number", "1.250,5", a_contract("number", comma=True), a_contract("number"), "1.250,5"),
        ("comma", "62,271", a_contract("number", comma=True), a_contract("number"), "62.271"),
        ("point", "-0.50", a_contract("number"), a_contract("number", comma=True), "-0,50"),
        ("bare digits", "3/4/2027", DAY_FIRST, MONTH_FIRST, "04/03/2027"),
        ("no day", "31/02/2027", DAY_FIRST, MONTH_FIRST, "31/02/2027"),
        ("UTC", "2026-11-24T10:00:00Z", IN_UTC, HERE, "2026-11-24T10:00:00Z"),
        ("our clocks", "24/11/2026 10:00", HERE, IN_UTC, "24/11/2026 10:00"),
        ("of which century", "03/04/55", a_contract("date", "%d/%m/%y"), a_contract("date", "%Y-%m-%d"), "03/04/55"),
        (
            "control: that stays open",
            "03/04/55",
            a_contract("date", "%d/%m/%y"),
            a_contract("date", "%m/%d/%y"),
            "04/03/55",
        ),
        ("a text", "03/04/2027", a_contract("string"), MONTH_FIRST, "03/04/2027"),
        ("nobody knows", "03/04/2027", None, MONTH_FIRST, "03/04/2027"),
        ("control: the same form", "3/4/2027", DAY_FIRST, DAY_FIRST, "3/4/2027"),
    ],
)
def test_what_is_known_is_written_anew(
    why: str, cell: str, was: DataContract | None, now: DataContract, right: str
) -> None:
    assert told(cell, was, now) == right, why


def test_a_corrected_cell_is_left_as_it_was_given() -> None:
    was, now = a_contract("date", "%d/%m/%Y"), a_contract("date", "%m/%d/%Y")
    assert told("04/05/2027", was, now, came="03/04/2027") == "04/05/2027"


def test_whole_numbers_are_written_alike_so_that_no_file_is_read_for_them() -> None:
    assert differing(a_contract("integer", comma=True), column_types(a_contract("integer"))) == {}
