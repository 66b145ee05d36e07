"""A type is only proposed for a column if the gate takes every cell of it."""

from datetime import datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.papers import a_contract, a_field
from sluice.agreement.contract.columns import strptime_format
from sluice.agreement.contract.guess import profile_columns
from sluice.agreement.contract.infer import ColumnProfile
from sluice.agreement.model import FieldRole
from sluice.agreement.shape import OPEN
from sluice.gate.contract_rules import rules_for
from sluice.gate.onepass import run_rules

SPELLINGS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
)  # fmt: skip
ODD = (
    "0000-01-01", "2026-02-30", "٢٠٢٦-01-01", "2026-01-01 23:59:60", "2026-01-01 24:00:00", "01/02/0000", "-0", "007",
    "١٢", "1." + "3" * 40, "1,5", "1.5", "1.5\n", "12\n", "1e3", "123456789012345", "1234567890123456",
)  # fmt: skip
dates = st.tuples(st.datetimes(datetime(1, 1, 1)), st.sampled_from(SPELLINGS)).map(lambda one: one[0].strftime(one[1]))
numbers = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.decimals(-1000, 1000, places=2).map(lambda one: str(one).replace(".", ",")),
)
cells = st.one_of(
    *(st.lists(st.none() | st.datetimes(datetime(1, 1, 1)).map(lambda one, form=form: one.strftime(form)), max_size=5)
      for form in SPELLINGS),
    st.lists(st.none() | numbers | st.sampled_from(ODD) | dates, max_size=3),
    st.sampled_from(ODD).map(lambda one: [one]),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(cells, st.booleans())
def test_what_is_proposed_for_a_column_takes_every_cell_of_it(cells: list[str | None], comma: bool) -> None:
    frame = pl.DataFrame({"x": cells}, schema={"x": pl.String})
    [profile] = profile_columns(frame, comma)

    for field in fields_of(profile):
        result = run_rules(frame, rules_for(a_contract(field, comma=comma), ()))
        wrong = {each.rule.id for each in result.outcomes if each.failing is not None and len(each.failing)}
        assert not wrong, (profile.logical_type, profile.date_format)


def fields_of(profile: ColumnProfile) -> list[FieldRole]:
    """As a person would declare it: both ways, where the date is left open."""
    kind = "date" if profile.logical_type == OPEN else profile.logical_type
    patterns = profile.date_format.split(" or ") if profile.date_format else [None]
    return [
        a_field(profile.name, kind, date_format=strptime_format(each) if each else None, required=profile.required)
        for each in patterns
    ]
