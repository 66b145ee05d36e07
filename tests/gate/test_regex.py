"""A pattern in Rust's words finds what Python's ``re`` finds, or it is left to Python."""

import re
import warnings

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from sluice.gate.regex import search, translate
from support.effort import effort

from .cases import TEXTS

ATOMS = [
    "a", "b", "1", "_", "é", r"\.", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[ab]", "[^a]", "[a-f1-3]", r"[\d_]",
    r"[^\w]", r"[^\s@]", "^", "$", r"\A", r"\Z", r"\b", r"\n", r"\x00",
]  # fmt: skip


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeat = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map("(?:{0[0]}|{0[1]})".format),
        inner.map("({})".format),
        st.tuples(inner, repeat).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


patterns = st.recursive(st.sampled_from(ATOMS), _grown, max_leaves=6)
texts = st.lists(st.sampled_from(TEXTS) | st.text("ab1_é \n.٣", max_size=6), min_size=1, max_size=20)
quick = settings(max_examples=effort(120, 300), deadline=None, derandomize=True, database=None)
quick = settings(quick, suppress_health_check=list(HealthCheck))


def _python(pattern: str, values: list[str]) -> list[bool]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FutureWarning of the parser about odd sets
        return [re.search(pattern, value) is not None for value in values]


def _rust(pattern: str, values: list[str]) -> list[bool]:
    try:
        return pl.Series(values).str.contains(pattern).to_list()
    except pl.exceptions.ComputeError:
        return _python(pattern, values)


@pytest.mark.slow
@quick
@given(pattern=patterns, values=texts)
def test_search_finds_what_python_finds(pattern: str, values: list[str]) -> None:
    frame = pl.DataFrame({"text": values})
    found = frame.select(search(pl.col("text"), pattern)).to_series()
    assert found.to_list() == _python(pattern, values)


@pytest.mark.slow
def test_the_untranslated_pattern_would_be_caught() -> None:
    case = st.tuples(patterns, texts)
    generate = settings(quick, phases=[Phase.generate], max_examples=2_000)
    assert find(case, lambda drawn: _rust(*drawn) != _python(*drawn), settings=generate)


@pytest.mark.parametrize(
    "pattern",
    [r"^(\+32|0032|0)[1-9][0-9]{7,8}$", r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", r"^\d{4}$", r"^[\D]+[^\W]$", "a|b$", ""],
)
def test_everyday_patterns_run_in_rust(pattern: str) -> None:
    assert translate(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [r"\ba", r"(?=a)b", r"(?<!a)b", r"(a)\1", "(?i)a", "(?i:a)b", r"(?a)\d", "a$b", "(?:a$)*", r"\w{400}", "[^\\s\\S]"],
)
def test_what_rust_means_differently_is_left_to_python(pattern: str) -> None:
    assert translate(pattern) is None


def test_null_stays_null_in_both() -> None:
    frame = pl.DataFrame({"text": ["a", None]})
    assert frame.select(search(pl.col("text"), "a")).to_series().to_list() == [True, None]
    assert frame.select(search(pl.col("text"), "(?=a)")).to_series().to_list() == [True, None]
