"""A cell has a value exactly if it passes the rule for its type, and it is the value Python reads."""

import re
from datetime import datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.gate.column_types import format_of, number_pattern
from sluice.gate.contract_rules import rules_for
from sluice.gate.gx import agrees, validate
from sluice.gate.model import ColumnType, ValueType
from sluice.gate.onepass import run_rules
from sluice.gate.typed import _fast, _plain, parsed

from .cases import COMMA, DATES, FORMATS, INTEGER, NUMBER, NUMBERS
from .pandas_judge import values_of
from .papers import a_contract, a_field

quick = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
moments = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31))
spelled = st.tuples(moments, st.sampled_from(FORMATS)).map(lambda pair: _spell(*pair))


def _spell(moment: datetime, strftime_format: str) -> str:
    return moment.strftime(strftime_format.replace("%Y", f"{moment.year:04}"))


def _python(text: str, strftime_format: str) -> datetime | None:
    try:
        return datetime.strptime(text, strftime_format)
    except ValueError:
        return None


@quick
@given(
    texts=st.lists(st.none() | spelled | st.sampled_from(DATES) | st.text("0123456789/-: T", max_size=10)),
    given_format=st.sampled_from(FORMATS),
)
def test_a_moment_is_what_strptime_reads(texts: list[str | None], given_format: str) -> None:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    found = frame.select(parsed(pl.col("text"), given_format)).to_series().to_list()
    assert found == [None if text is None else _python(text, given_format) for text in texts]


@pytest.mark.parametrize("given_format", ["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M"])
def test_the_plainest_spelling_is_read_without_python(given_format: str) -> None:
    moment = datetime(2024, 2, 29, 17, 5) if "H" in given_format else datetime(2024, 2, 29)
    texts = pl.Series([moment.strftime(given_format), None])
    assert _fast(texts, given_format, _plain(given_format)).to_list() == [moment, None]


@pytest.mark.parametrize(
    ("column_type", "asked"),
    [
        (ColumnType(ValueType.DATE), "%Y-%m-%d"),
        (ColumnType(ValueType.TIMESTAMP), "%Y-%m-%dT%H:%M:%S"),
        (ColumnType(ValueType.DATE, date_format="%d/%m/%y"), "%d/%m/%y"),
    ],
)
def test_a_format_is_the_contracts_or_iso_8601(column_type: ColumnType, asked: str) -> None:
    assert format_of(column_type) == asked


def test_dates_without_a_format_are_iso_and_polars_alone_would_read_other_moments():
    alone = pl.Series(DATES).str.to_datetime("%d/%m/%Y", strict=False).is_not_null().to_list()
    assert alone != [_python(text, "%d/%m/%Y") is not None for text in DATES]
    days = pl.Series("d", ["2024-02-29", "29/02/2024", "2023-02-29"])
    found = values_of(days, ColumnType(ValueType.DATE))
    assert found.is_not_null().to_list() == [True, False, False]


@quick
@given(
    texts=st.lists(st.sampled_from(NUMBERS) | st.text("0123456789.,eE+- ", max_size=8)),
    column_type=st.sampled_from([NUMBER, COMMA, INTEGER]),
)
def test_a_number_has_a_value_exactly_if_its_pattern_matches(texts: list[str], column_type: ColumnType) -> None:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    pattern = re.compile(number_pattern(column_type))
    found = values_of(frame["text"], column_type)
    assert found.is_not_null().to_list() == [pattern.search(text) is not None for text in texts]
    read = int if column_type is INTEGER else float
    points = [text.replace(",", ".") if column_type is COMMA else text for text in texts if pattern.search(text)]
    assert found.drop_nulls().to_list() == [read(text) for text in points]


@pytest.mark.parametrize(
    ("text", "value"), [("1.234,5", None), ("1234,5", 1234.5), ("1234.5", None), ("NaN", None), ("-0,5", -0.5)]
)
def test_a_decimal_comma_is_a_comma_and_nothing_else(text: str, value: float | None) -> None:
    assert values_of(pl.Series("t", [text]), COMMA).item() == value


CLOSE = ["%d%m%Y", "%Y%m%d", "%d%m%y", "%y%m%d", "%Y%m%d%H%M%S", "%d%m%Y%H%M", "%Y%m%dT%H%M%S"]
SHORT = ["1122024", "112024", "202411", "11224", "0٣022024", "240000", "20241302", "30022024"]
spelled_closely = st.tuples(moments, st.sampled_from(CLOSE)).map(lambda pair: _spell(*pair))


@pytest.mark.parametrize(
    ("given_format", "text", "is_read"),
    [
        ("%Y-%m-%d %H%M", "2024-11-01 0930", True),
        ("%Y-%m-%d %H%M", "2024-1-01 0930", True),
        ("%Y-%m-%d %H%M", "2024-11-1 0930", True),
        ("%Y-%m-%d %H%M", "2024-11-01 930", False),
        ("%Y-%m-%d %H%M", "2024-11-01 093", False),
        ("%H%M%S%f", "093000123", True),
        ("%H%M%S%f", "093000123456", True),
        ("%H%M%S%f", "240000123", False),
        ("%d%m%Y %H:%M", "01022024 9:05", True),
        ("%d%m%Y %H:%M", "1022024 9:05", False),
        ("%d/%m/%Y", "1/2/2024", True),
    ],
)
def test_only_parts_that_stand_together_need_every_digit(given_format, text, is_read):
    moment = ColumnType(ValueType.TIMESTAMP, date_format=given_format)
    assert (values_of(pl.Series("t", [text]), moment).item() is not None) is is_read


@quick
@given(
    texts=st.lists(spelled_closely | st.text("0123456789 ", max_size=9) | st.sampled_from(SHORT), max_size=20),
    given_format=st.sampled_from(CLOSE),
)
def test_parts_that_stand_together_are_read_exactly_if_every_digit_is_there(texts, given_format):
    texts = [*texts, *(text[:-1] for text in texts), *(text.replace("0", "", 1) for text in texts)]
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    found = values_of(frame["t"], ColumnType(ValueType.TIMESTAMP, date_format=given_format))
    meant = [_python(text, given_format) for text in texts]
    written = [each is not None and _spell(each, given_format) == text for text, each in zip(texts, meant, strict=True)]
    assert found.is_not_null().to_list() == written
    rules = rules_for(a_contract(a_field("t", "timestamp", date_format=given_format)), ())
    wrong = [
        place for each in run_rules(frame, rules).outcomes if each.rule.code == "VALUE_DATE" for place in each.failing
    ]
    assert sorted({*range(len(texts))} - {*wrong}) == [place for place, is_so in enumerate(written) if is_so]


@pytest.mark.parametrize("logical_type", ["date", "timestamp", "time"])
@pytest.mark.parametrize(
    ("given_format", "texts"),
    [
        (
            "%Y-%m-%d",
            ["2024-02-29", "\uff12\uff10\uff12\uff14-02-29", "\u0662\u0660\u0662\u0664-02-29", "2024-02-2\uff19"],
        ),
        ("%d %b %Y", ["9 Feb 2024", "9 Feb \uff12\uff10\uff12\uff14", "1\uff19 Feb 2024"]),
        ("%H:%M", ["12:30", "1\uff12:30", "12:3\uff10"]),
    ],
)
def test_digits_are_those_of_ascii(logical_type: str, given_format: str, texts: list[str]) -> None:
    frame = pl.DataFrame({"t": texts})
    rules = rules_for(a_contract(a_field("t", logical_type, date_format=given_format)), ())
    found = values_of(frame["t"], ColumnType(ValueType.TIMESTAMP, date_format=given_format))
    outcomes = run_rules(frame, rules).outcomes
    assert found.is_not_null().to_list() == [True] + [False] * (len(texts) - 1)
    refused = {place for each in outcomes if each.failing is not None for place in each.failing}
    assert refused == {*range(1, len(texts))}
    assert agrees(validate(run_rules(frame, rules), rules), run_rules(frame, rules))
