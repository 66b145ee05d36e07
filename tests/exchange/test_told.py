"""What the reader sees in a file reaches whoever sent it; what is empty, a null word or a blank record too."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from agreement.papers import CONTRACT, write_folder
from gate.papers import a_contract, a_field
from results.exports import MAPPINGS, golden_export, mapping_of
from returns.commands import sluice
from sluice.agreement.model import DataContract
from sluice.agreement.papers import Paper
from sluice.exchange.dry_run import DryRun, Tried, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.gate.contract_rules import rules_for
from sluice.gate.model import ROWS_SHOWN
from sluice.gate.onepass import run_rules
from sluice.results.canonical import to_canonical, without_null_words
from sluice.results.mapping import load_mapping
from sluice.sample.files import write_campaign
from sluice.settings import get_settings
from sluice.terms import Flow, Verdict

pytestmark = pytest.mark.usefixtures("fresh_settings")

RENEWAL = "renewal_campaign"
RUN = ("--agreement", "DPA-ENERGY01", "--flow", RENEWAL, "--dry-run")
Rows = list[list[str]]
Change = Callable[[DataContract], DataContract]


def campaign(folder: Path) -> Rows:
    path = folder / "made.csv"
    write_campaign(path, 30, 1)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def told(path: Path) -> tuple[str, list[dict[str, Any]]]:
    said = sluice("gate", "run", str(path), *RUN).document
    return said["verdict"], said["reasons"]


def told_of(folder: Path, rows: Rows) -> tuple[str, list[dict[str, Any]]]:
    path = folder / "leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return told(path)


def unquoted(rows: Rows) -> list[str]:
    """The lines of a file in which no cell needs quotes."""
    return [";".join(re.sub(r'["\n;]', " ", cell) for cell in row) for row in rows]


def columns_of(reasons: list[dict[str, Any]], code: str) -> list[tuple[str | None, int, str]]:
    return [(each["column"], each["count"], each["severity"]) for each in reasons if each["code"] == code]


def test_letters_that_were_lost_before_are_told_and_refuse_nothing(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    at = rows[0].index("last_name")
    rows[3][at], rows[7][at] = "Ren\ufffd", "\ufffd\ufffdlise"

    verdict, reasons = told_of(tmp_path, rows)

    assert (verdict, columns_of(reasons, "TEXT_REPLACEMENT_CHARACTER")) == ("WARNED", [(None, 3, "warning")])
    assert all(each["meaning"] and each["cure"] for each in reasons)
    assert told_of(tmp_path, campaign(tmp_path)) == ("PASSED", []), "the control"


def test_a_row_that_would_wait_for_a_reader_is_a_warning_and_makes_the_verdict_one(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    rows[3][rows[0].index("note")] = "is lid van de vakbond"

    verdict, reasons = told_of(tmp_path, rows)

    assert (verdict, columns_of(reasons, "TEXT_UNION_REVIEW")) == ("WARNED", [(None, 1, "warning")])
    rows[3][rows[0].index("birth_date")] = "in May"
    assert told_of(tmp_path, rows)[0] == "WARNED", "control: as of a row that is refused"
    rows[3][rows[0].index("note")] = rows[3][rows[0].index("birth_date")] = ""
    assert told_of(tmp_path, rows) == ("PASSED", []), "control: without that note"


def test_names_with_blanks_around_them_are_told_by_their_places(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    rows[0][1] += " "

    _, reasons = told_of(tmp_path, rows)

    assert columns_of(reasons, "HEADER_PADDED") == [("#2", 1, "warning")]


def test_of_many_names_with_blanks_around_them_as_many_are_told_as_of_any_reason(tmp_path: Path) -> None:
    more = range(24)
    rows = [row + [f" more_{n}" if at == 0 else "x" for n in more] for at, row in enumerate(campaign(tmp_path))]

    _, reasons = told_of(tmp_path, rows)

    said = columns_of(reasons, "HEADER_PADDED")
    assert len(said) == ROWS_SHOWN + 1 and (None, 24 - ROWS_SHOWN, "warning") in said
    assert sum(count for _, count, _ in said) == 24, "and none is lost"


def test_a_delimiter_inside_the_cells_is_among_what_is_told_of_a_header_that_does_not_fit(tmp_path: Path) -> None:
    header, *rows = unquoted(campaign(tmp_path))
    path = tmp_path / "leads.csv"
    path.write_text("\n".join([header, *(f"{row};" for row in rows)]) + "\n")

    verdict, [reason] = told(path)

    assert (verdict, reason["code"]) == ("UNDECIDED", "HEADER_NOT_FIRST")
    assert "delimiter inside cells" in reason["meaning"] and "double quotes" in reason["cure"]


def test_a_column_that_may_stay_away_is_not_told_as_one_that_is_required(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    at = rows[0].index("note")

    verdict, [reason] = told_of(tmp_path, [row[:at] + row[at + 1 :] for row in rows])

    assert (verdict, reason["code"], reason["severity"]) == ("WARNED", "HEADER_MISSING_COLUMN", "warning")
    assert "requires" not in reason["meaning"] and "counts as empty" in reason["meaning"]


def test_a_break_without_quotes_is_among_what_is_told_of_a_record_with_too_few_cells(tmp_path: Path) -> None:
    lines = unquoted(campaign(tmp_path))
    cells = lines[4].split(";")
    lines[4] = ";".join([*cells[:2], f"{cells[2]}\n", *cells[3:]])
    path = tmp_path / "leads.csv"
    path.write_text("\n".join(lines) + "\n")

    _, reasons = told(path)

    [reason] = [each for each in reasons if each["code"] == "SHAPE_TOO_FEW_CELLS"]
    assert (reason["count"], "line break" in reason["cure"]) == (2, True)


def test_columns_of_a_header_that_is_none_are_told_by_their_places(tmp_path: Path) -> None:
    rows = campaign(tmp_path)
    twice, blank = [list(row) for row in rows], [list(row) for row in rows]
    twice[0][4] = twice[0][2] = twice[0][1]
    blank[0][2] = blank[0][5] = " "

    assert columns_of(told_of(tmp_path, twice)[1], "HEADER_DUPLICATE") == [("#3", 1, "error"), ("#5", 1, "error")]
    assert columns_of(told_of(tmp_path, blank)[1], "HEADER_BLANK") == [("#3", 1, "error"), ("#6", 1, "error")]


@pytest.mark.parametrize(("most", "is_refused"), [(30, False), (29, True)])
def test_a_file_has_as_many_rows_as_records_also_where_one_of_them_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, is_refused: bool
) -> None:
    count = CONTRACT.replace("metric: rowCount, mustBeGreaterThan: 0", f"metric: rowCount, mustBeBetween: [0, {most}]")
    folder = write_folder(tmp_path / "principals", contract=count)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(folder.parent))
    rows = campaign(tmp_path)
    rows[4] = rows[4][:-1]

    _, reasons = told_of(tmp_path, rows)

    assert {each["code"] for each in reasons} == {"SHAPE_TOO_FEW_CELLS", *(["SHAPE_ROW_COUNT"] if is_refused else [])}


def dry_run(path: Path, flow: str = RENEWAL, change: Change = lambda contract: contract) -> Tried:
    """Judge a file under the contract of a flow, changed."""
    paper = find_paper(get_settings(), "DPA-ENERGY01", Flow(flow), date(2026, 11, 28))
    assert isinstance(paper, Paper)
    changed = replace(paper, contract=change(paper.contract))
    with Nursery(CHILD) as nursery, DryRun(nursery, get_settings(), changed, ()) as judge:
        return judge.run(path)


def of_format_of(path: Path) -> Change:
    """A contract that takes what the file is."""
    return lambda contract: replace(
        contract, file_format=replace(contract.file_format, format=path.suffix[1:], pattern="*")
    )


def judged(path: Path) -> dict[str, list[str | None]]:
    """The columns that are told of a file, by reason code."""
    found = dry_run(path, change=of_format_of(path)).reasons
    return {code: [each.column for each in found if each.code == code] for code in {each.code for each in found}}


def test_a_nested_column_of_parquet_is_told_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "leads.parquet"
    pq.write_table(pa.table({"a": ["x"], "b": [[1]], "c": [[2]]}), path)

    assert judged(path) == {"SHAPE_NESTED": ["#2", "#3"]}


def test_a_cell_of_a_workbook_that_makes_a_record_unreadable_is_told_with_its_column(tmp_path: Path) -> None:
    path, far = tmp_path / "leads.xlsx", 12345678901234567890
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([["customer_number", "phone", "somebody"], ["1", far, "x"], ["2", "0470123456", far]]):
            sheet.write_row(at, 0, row)

    assert judged(path)["VALUE_NUMBER_PRECISION"] == ["#3", "phone"]


CALLS = 20


def export(**cells: str) -> pl.DataFrame:
    """Rows of the call log of Five9 that pass; the last one has these cells."""
    row = golden_export("five9")[0].drop("AGENT NAME")
    calls = [f"30000000000{n:04}" for n in range(CALLS)]
    frame = pl.concat([row] * CALLS).with_columns(pl.Series("CALL ID", calls))
    is_last = pl.int_range(pl.len()) == CALLS - 1
    return frame.with_columns(
        pl.when(is_last).then(pl.lit(cell)).otherwise(pl.col(name)).alias(name) for name, cell in cells.items()
    )


def tried(folder: Path, frame: pl.DataFrame) -> Tried:
    path = folder / "renewal_results_2026-11-24.csv"
    frame.write_csv(path)
    return dry_run(path, "renewal_results")


@pytest.mark.parametrize(("column", "words"), [("DISPOSITION", ["[None]", " - "]), ("DNIS", ["-"]), ("CALL ID", ["-"])])
def test_a_required_cell_with_a_null_word_is_refused_as_an_empty_one(
    tmp_path: Path, column: str, words: list[str]
) -> None:
    empty = tried(tmp_path, export(**{column: ""}))

    for word in words:
        found = tried(tmp_path, export(**{column: word}))
        assert {(each.code, each.rule, each.rows) for each in found.reasons} >= {
            ("VALUE_NULL", f"{column}.required", (CALLS,))
        }
        assert (found.reasons, found.verdict) == (empty.reasons, empty.verdict)
    assert (empty.verdict.rows_in, empty.rows_accepted, empty.verdict.rows_refused) == (CALLS, CALLS - 1, 1)


def test_a_null_word_in_a_cell_that_may_be_empty_refuses_nothing(tmp_path: Path) -> None:
    assert tried(tmp_path, export()).reasons == (), "the control"
    assert tried(tmp_path, export(AGENT="[None]", RECORDINGS="-")).reasons == ()
    assert tried(tmp_path, export(**{"CUSTOMER NAME": "-"})).reasons == (), "no canonical column is made of it"


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


ROWS, BLANK = 12, 3
"""How many records are in the files, and which of them is blank."""


def as_blank_line(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path, separator=";")
    path.write_text(path.read_text().replace("\n" + ";" * (frame.width - 1) + "\n", "\n\n"))


def as_xlsx(frame: pl.DataFrame, path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([frame.columns, *frame.rows()]):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write_string(at, place, cell)


FORMS: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "csv": lambda frame, path: frame.write_csv(path, separator=";"),
    "quoted.csv": lambda frame, path: frame.fill_null("").write_csv(path, separator=";", quote_style="always"),
    "line.csv": as_blank_line,
    "json": lambda frame, path: path.write_text(json.dumps(frame.to_dicts())),
    "parquet": lambda frame, path: frame.write_parquet(path),
    "xlsx": as_xlsx,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_loose", [True, False])
def test_a_record_of_empty_cells_is_refused_as_a_blank_line_is(tmp_path: Path, form: str, is_loose: bool) -> None:
    made = tmp_path / "made.csv"
    write_campaign(made, ROWS, 1)
    frame = pl.read_csv(made, separator=";", infer_schema=False)
    nothing = pl.DataFrame({name: [None] for name in frame.columns}, schema=frame.schema)
    path = tmp_path / f"leads.{form}"
    FORMS[form](pl.concat([frame[: BLANK - 1], nothing, frame[BLANK:]]), path)

    def agreed(contract: DataContract) -> DataContract:
        sent = of_format_of(path)(contract)
        if not is_loose:
            return sent
        loose = tuple(replace(each, required=False, subject_key=None) for each in contract.fields)
        return replace(sent, fields=loose, quality=())  # no other rule sees that the record is empty

    tried = dry_run(path, change=agreed)
    verdict, told = tried.verdict, {each.code: each.rows for each in tried.reasons}
    assert told.pop("SHAPE_BLANK_RECORD") == (BLANK,)
    assert told.keys() <= ({"VALUE_NULL", "VALUE_NO_SUBJECT"} if not is_loose else set())
    assert (verdict.verdict, verdict.rows_in, tried.rows_accepted) == (Verdict.WARNED, ROWS, ROWS - 1)
    assert (verdict.rows_refused, tried.rows_held) == (1, 0)
