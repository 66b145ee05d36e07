"""What the mapping of a platform reads as empty is empty to the rules of the contract, too."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from gate.papers import a_contract, a_field
from results.exports import MAPPINGS, golden_export, mapping_of
from sluice.agreement.papers import Paper
from sluice.exchange.dry_run import DryRun, Tried, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.gate.contract_rules import rules_for
from sluice.gate.onepass import run_rules
from sluice.results.canonical import to_canonical, without_null_words
from sluice.results.mapping import load_mapping
from sluice.settings import get_settings
from sluice.terms import Flow

pytestmark = pytest.mark.usefixtures("fresh_settings")

ROWS = 20


def export(**cells: str) -> pl.DataFrame:
    """Rows of the call log of Five9 that pass; the last one has these cells."""
    row = golden_export("five9")[0].drop("AGENT NAME")
    calls = [f"30000000000{n:04}" for n in range(ROWS)]
    frame = pl.concat([row] * ROWS).with_columns(pl.Series("CALL ID", calls))
    is_last = pl.int_range(pl.len()) == ROWS - 1
    return frame.with_columns(
        pl.when(is_last).then(pl.lit(cell)).otherwise(pl.col(name)).alias(name) for name, cell in cells.items()
    )


def judged(folder: Path, frame: pl.DataFrame) -> Tried:
    path = folder / "renewal_results_2026-11-24.csv"
    frame.write_csv(path)
    paper = find_paper(get_settings(), "DPA-ENERGY01", Flow("renewal_results"), date(2026, 11, 28))
    assert isinstance(paper, Paper)
    with Nursery(CHILD) as nursery, DryRun(nursery, get_settings(), paper, ()) as judge:
        return judge.run(path)


@pytest.mark.parametrize("column", ["DISPOSITION", "DNIS", "CALL ID"])
def test_a_required_cell_with_a_null_word_is_refused_as_an_empty_one(tmp_path: Path, column: str) -> None:
    assert judged(tmp_path, export()).reasons == (), "the control"
    empty = judged(tmp_path, export(**{column: ""}))

    for word in ("[None]", "-", " - "):
        found = judged(tmp_path, export(**{column: word}))
        assert {(each.code, each.rule, each.rows) for each in found.reasons} >= {
            ("VALUE_NULL", f"{column}.required", (ROWS,))
        }
        assert (found.reasons, found.verdict) == (empty.reasons, empty.verdict)
    assert (empty.verdict.rows_in, empty.rows_accepted, empty.verdict.rows_refused) == (ROWS, ROWS - 1, 1)


def test_a_null_word_in_a_cell_that_may_be_empty_refuses_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, export(AGENT="[None]", RECORDINGS="-")).reasons == ()
    assert judged(tmp_path, export(**{"CUSTOMER NAME": "-"})).reasons == (), "no canonical column is made of it"


def test_a_word_that_counts_as_empty_in_only_one_of_two_readings_stays(tmp_path: Path) -> None:
    text = (MAPPINGS / "vicidial.yaml").read_text()
    twice = tmp_path / "vicidial.yaml"
    twice.write_text(text + "  second_agent: {column: user}\n")
    frame = pl.DataFrame({"user": ["VDAD", "-", "6612", " "], "other": ["-"] * 4})

    once = without_null_words(frame, mapping_of("vicidial")).to_dict(as_series=False)
    both = without_null_words(frame, load_mapping(twice)).to_dict(as_series=False)

    assert once == {"user": [None, None, "6612", None], "other": ["-"] * 4}
    assert both == {"user": ["VDAD", None, "6612", None], "other": ["-"] * 4}


@pytest.mark.parametrize("platform", ["five9", "vicidial", "nice_cxone", "genesys_cloud"])
def test_what_is_made_of_an_export_is_the_same_without_its_null_words(platform: str) -> None:
    mapping, frame = mapping_of(platform), golden_export(platform)

    bare = without_null_words(frame, mapping)

    assert bare.null_count().sum_horizontal().item() > frame.null_count().sum_horizontal().item(), (
        "control: it has some"
    )
    assert to_canonical(bare, mapping).frame.equals(to_canonical(frame, mapping).frame)
    assert to_canonical(bare, mapping).findings == to_canonical(frame, mapping).findings


def test_two_rows_of_null_words_are_no_repetition() -> None:
    rules = rules_for(a_contract(a_field("user", unique=True)), ())
    frame = pl.DataFrame({"user": ["VDAD", "VDAD", "6612"]})

    found = run_rules(without_null_words(frame, mapping_of("vicidial")), rules)

    assert sum(each.unexpected_count for each in found.outcomes) == 0
    assert sum(each.unexpected_count for each in run_rules(frame, rules).outcomes) == 2, "the control"
