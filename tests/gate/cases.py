"""Random tables and random checks on them, made to hit what is easy to get wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl
from hypothesis import strategies as st

from sluice.gate.kinds import KINDS, check_of, typed
from sluice.gate.model import Check, ColumnType, ValueType

TEXTS = [
    "", " ", "a", "A", "aa", "ab", "a\n", "a\nb", "\n", "é", "e\u0301", "ß", "İ", "日本", "👩‍👩‍👧", "٣", "\uff12", "1",
    "01", "1.0", "-1", "NaN", "nan", "None", "null", "\x00", "\u00a0", "\u2028", "_", "a_1", "x" * 40, "+32475123456",
    "0475 12 34 56",
]  # fmt: skip
# Not (?a): pandas 3 hands it to RE2, which raises, but only where all text is ASCII.
PATTERNS = [
    r"^a", r"a$", r"\d", r"^\d+$", r"\w", r"^\w+$", r"\s", r"^\S*$", r"\D", r"\W", r"[^a]", r"[\d_]", r"[^\w]", r"^$",
    r"", r"a|b", r"(a)(b)?$", r"a{2}", r"a{1,2}$", r"a+?", r".", r"^.$", r"\Aa\Z", r"\ba", r"(?=a)a", r"(a)\1",
    r"(?i)A", r"[a-é]", r"^(\+32|0032|0)[1-9][0-9]{7,8}$", r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", r"a$|b", r"(?:a$)*b",
    r"\x00", r"[^\x00]", r"\A[\D0-9]*\Z",
]  # fmt: skip
FORMATS = [
    "%d/%m/%Y", "%Y-%m-%d", "%Y%m%d", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S", "%d %b %Y", "%H:%M", "%y-%m-%d",
    "%m/%d/%Y", "%Y-%m-%d %H",
]  # fmt: skip
DATES = [
    "01/02/2024", "1/2/2024", "29/02/2023", "29/02/2024", "31/12/9999", "01/01/0000", "01/01/0001", " 1/2/2024",
    "1/2/2024 ", "2٣/02/2024", "2024-02-29", "2023-02-29", "2024-2-9", "20240229", "2024-02-29T23:59:59",
    "2024-02-29T24:00:00", "2024-02-29T23:59:60", "29.02.2024 12:30", "29.02.2024  12:30", "9 Feb 2024", "09 feb 2024",
    "12:30", "24:00", "24-02-29", "13/13/2024", "12/31/2024", "+1/02/2024", "01/02/+024", "01/02/12024", "",
    "2024-02-29 23", "2024-02-29 24", "29/02/\uff12\uff10\uff12\uff14",
    "\u0662\u0660\u0662\u0664-02-29T23:59:59", "12:3\uff10",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "1", "-1", "1.5", "1,5", "1e3", "1E-2", ".5", "5.", "+7", "007", "1_0", " 1", "1 ", "inf", "NaN", "",
    "x", "123456789012345678", "1234567890123456789", "9007199254740993", "2", "2.0", "1.234,5",
]  # fmt: skip
NUMBER = ColumnType(ValueType.NUMBER)
COMMA = ColumnType(ValueType.NUMBER, decimal_comma=True)
INTEGER = ColumnType(ValueType.INTEGER)
DATE = ColumnType(ValueType.DATE, date_format="%d/%m/%Y")
MOMENT = ColumnType(ValueType.TIMESTAMP, date_format="%Y-%m-%dT%H:%M:%S")
TYPES = {"n": NUMBER, "m": COMMA, "i": INTEGER, "j": INTEGER, "d": DATE, "e": DATE, "t": MOMENT}


@dataclass(frozen=True)
class Case:
    """A table, how its text becomes values, and one check."""

    frame: pl.DataFrame
    check: Check
    types: dict[str, ColumnType] = field(default_factory=lambda: dict(TYPES))


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Up to twelve rows; small pools, so that values repeat and NULLs meet."""
    rows = draw(st.integers(0, 12))
    free = st.text(max_size=4) if draw(st.booleans()) else st.sampled_from(TEXTS)
    few = st.lists(free, min_size=1, max_size=4) | st.sampled_from(
        [["a", "A", "é", "e\u0301"], ["1", "1.0", "01", " 1"]]
    )
    pools = {
        "a": st.sampled_from(draw(few)),
        "b": st.sampled_from(draw(few)),
        "s": st.sampled_from(TEXTS),
        "n": st.sampled_from(NUMBERS),
        "m": st.sampled_from(NUMBERS),
        "i": st.sampled_from(NUMBERS),
        "j": st.sampled_from(NUMBERS),
        "d": st.sampled_from(DATES),
        "e": st.sampled_from(DATES),
        "t": st.sampled_from(DATES),
    }
    empty = draw(st.sampled_from([None, *pools]))
    columns = {
        name: [None] * rows if name == empty else draw(st.lists(st.none() | pool, min_size=rows, max_size=rows))
        for name, pool in pools.items()
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(pools, pl.String))


text_column = st.sampled_from(["a", "b", "s", "n", "d"])
flag = st.booleans()
share = st.none() | st.sampled_from([0, 0.25, 0.5, 0.6, 1])
small = st.none() | st.integers(0, 4)
number = st.none() | st.sampled_from([-1, 0, 0.5, 1, 1.5, 2, 7, 1000])
day = st.none() | st.sampled_from(["2024-02-01", "2024-02-29", "0001-01-01", "9999-12-31"])
moment = st.none() | st.sampled_from(["2024-02-29T23:59:59", "2024-03-01T00:00:00"])
skip_pair = st.sampled_from(["both_values_are_missing", "either_value_is_missing", "neither"])
skip_key = st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"])


def _ends(bound: st.SearchStrategy) -> st.SearchStrategy[dict[str, object]]:
    ends = st.fixed_dictionaries({"min_value": bound, "max_value": bound, "strict_min": flag, "strict_max": flag})
    return ends.filter(_is_range)


def _is_range(ends: dict[str, object]) -> bool:
    low, high = ends["min_value"], ends["max_value"]
    return (low is not None or high is not None) and (low is None or high is None or low <= high)


def _ranges() -> st.SearchStrategy[dict[str, object]]:
    return st.one_of(
        st.builds(lambda column, ends: {"column": column, **ends}, st.sampled_from(columns), _ends(bound))
        for columns, bound in ((["n", "m", "i"], number), (["d", "e"], day), (["t"], moment))
    )


def _on(column: st.SearchStrategy[str], **options: st.SearchStrategy) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"column": column, **options})


def _counts(bound: st.SearchStrategy) -> st.SearchStrategy[dict[str, object]]:
    return st.builds(lambda column, ends: {"column": column, **ends}, text_column, _ends(bound))


def _comparisons() -> st.SearchStrategy[dict[str, object]]:
    """Checks that compare columns which are text in every view of a table."""
    column = st.fixed_dictionaries({"name": st.sampled_from(["a", "b", "s"])})
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("nullity"), "column": column, "is_null": flag}),
        st.fixed_dictionaries(
            {
                "type": st.just("comparison"), "column": column, "operator": st.sampled_from(["==", "!="]),
                "parameter": st.sampled_from(TEXTS),
            }
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("comparison"), "column": column, "operator": st.sampled_from(["IN", "NOT_IN"]),
                "parameter": st.lists(st.sampled_from(TEXTS), max_size=4),
            }
        ),
    )  # fmt: skip


def conditions() -> st.SearchStrategy[dict[str, object]]:
    def all_of(kind: str, parts: st.SearchStrategy) -> st.SearchStrategy[dict[str, object]]:
        return st.fixed_dictionaries({"type": st.just(kind), "conditions": st.lists(parts, min_size=1, max_size=3)})

    one = _comparisons()
    both = one | all_of("and", one)
    return both | all_of("or", both)


_texts = st.lists(st.sampled_from(TEXTS) | st.none(), max_size=5)
_sets = st.one_of(
    _on(text_column, value_set=_texts),
    _on(st.sampled_from(["n", "m", "i"]), value_set=st.lists(st.sampled_from([-1, 0, 1, 1.5, 2, 7]), min_size=1)),
)
_pairs = st.sampled_from([("a", "b"), ("i", "j"), ("n", "m"), ("d", "e"), ("a", "s")])
_keys = st.lists(st.sampled_from(["a", "b", "s", "n"]), min_size=2, max_size=3, unique=True)
_names = st.lists(st.sampled_from(["a", "b", "s", "n", "m", "i", "j", "d", "e", "t", "z"]), min_size=1, unique=True)
_all = ["a", "b", "s", "n", "m", "i", "j", "d", "e", "t"]

KWARGS: dict[str, Callable[[], st.SearchStrategy[dict[str, object]]]] = {
    "expect_column_values_to_not_be_null": lambda: _on(text_column),
    "expect_column_values_to_be_null": lambda: _on(text_column),
    "expect_column_values_to_be_unique": lambda: _on(text_column),
    "expect_column_values_to_be_in_set": lambda: _sets,
    "expect_column_values_to_not_be_in_set": lambda: _sets,
    "expect_column_values_to_match_regex": lambda: _on(text_column, regex=st.sampled_from(PATTERNS)),
    "expect_column_values_to_not_match_regex": lambda: _on(text_column, regex=st.sampled_from(PATTERNS)),
    "expect_column_values_to_match_regex_list": lambda: _on(
        text_column,
        regex_list=st.lists(st.sampled_from([p for p in PATTERNS if p]), min_size=1, max_size=3),
        match_on=st.sampled_from(["any", "all"]),
    ),
    "expect_column_values_to_not_match_regex_list": lambda: _on(
        text_column, regex_list=st.lists(st.sampled_from([p for p in PATTERNS if p]), min_size=1, max_size=3)
    ),
    "expect_column_value_lengths_to_be_between": lambda: st.builds(
        lambda column, ends: {"column": column, **ends}, text_column, _ends(small)
    ),
    "expect_column_value_lengths_to_equal": lambda: _on(text_column, value=st.integers(0, 4)),
    "expect_column_values_to_be_between": _ranges,
    "expect_column_values_to_match_strftime_format": lambda: _on(
        st.sampled_from(["d", "e", "t"]), strftime_format=st.sampled_from(FORMATS)
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": lambda: st.builds(
        lambda pair, or_equal, skip: {
            "column_A": pair[0], "column_B": pair[1], "or_equal": or_equal, "ignore_row_if": skip
        },
        _pairs, flag, skip_pair,
    ),
    "expect_column_pair_values_to_be_equal": lambda: st.builds(
        lambda pair, skip: {"column_A": pair[0], "column_B": pair[1], "ignore_row_if": skip}, _pairs, skip_pair
    ),
    "expect_select_column_values_to_be_unique_within_record": lambda: st.fixed_dictionaries(
        {"column_list": _keys, "ignore_row_if": skip_key}
    ),
    "expect_compound_columns_to_be_unique": lambda: st.fixed_dictionaries(
        {"column_list": _keys, "ignore_row_if": skip_key}
    ),
    "expect_column_unique_value_count_to_be_between": lambda: _counts(small),
    "expect_column_proportion_of_unique_values_to_be_between": lambda: _counts(share),
    "expect_column_proportion_of_non_null_values_to_be_between": lambda: _counts(share),
    "expect_table_row_count_to_be_between": lambda: _ends(small),
    "expect_table_row_count_to_equal": lambda: st.fixed_dictionaries({"value": st.integers(0, 12)}),
    "expect_table_column_count_to_equal": lambda: st.fixed_dictionaries({"value": st.integers(9, 11)}),
    "expect_table_column_count_to_be_between": lambda: st.fixed_dictionaries(
        {"min_value": st.none() | st.integers(9, 11), "max_value": st.none() | st.integers(9, 11)}
    ).filter(_is_range),
    "expect_table_columns_to_match_set": lambda: st.fixed_dictionaries({"column_set": _names, "exact_match": flag}),
    "expect_table_columns_to_match_ordered_list": lambda: st.fixed_dictionaries(
        {"column_list": st.sampled_from([_all, _all[:-1], [*_all, "z"], _all[::-1]])}
    ),
    "expect_column_to_exist": lambda: _on(
        st.sampled_from(["a", "t", "z"]), column_index=st.none() | st.integers(0, 11)
    ),
}  # fmt: skip
GX_KINDS = [kind.name for kind in KINDS.values() if not kind.outside]


def kwargs(kind: str) -> st.SearchStrategy[dict[str, object]]:
    """Draw options for an expectation kind, sometimes with a row condition."""
    where = st.none() | conditions() if KINDS[kind].rows else st.none()
    return st.builds(lambda said, row: said | ({"row_condition": row} if row else {}), KWARGS[kind](), where)


def cases(kind: str) -> st.SearchStrategy[Case]:
    """A table with one check of that kind."""
    return st.builds(lambda frame, said: Case(frame, typed(check_of(kind, said), TYPES)), tables(), kwargs(kind))
