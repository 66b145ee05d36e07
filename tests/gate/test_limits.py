"""Limits of an agreement before the real child: lower refuses with its code, higher admits what the default refuses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agreement.papers import AGREEMENT, write_folder
from sluice.exchange.dry_run import DryRun
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.gate.model import GateVerdict
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatRefusal
from sluice.sample.files import write_campaign
from sluice.settings import Settings
from sluice.terms import Flow, Verdict

LARGE_CELL = "x" * 1_200_000


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery(CHILD) as nursery:
        yield nursery


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "small.csv"
    write_campaign(path, 20, 1)
    return path


@pytest.fixture(scope="module")
def large_cell(small: Path) -> Path:
    header, first, *rest = small.read_text().splitlines()
    cells = first.split(";")
    cells[header.split(";").index("street")] = LARGE_CELL
    path = small.with_name("large_cell.csv")
    path.write_text("\n".join([header, ";".join(cells), *rest]) + "\n")
    return path


@pytest.fixture(scope="module")
def large(small: Path) -> Path:
    header, *rows = small.read_text().splitlines()
    path = small.with_name("large.csv")
    path.write_text("\n".join([header, *(rows * 600)]) + "\n")
    assert path.stat().st_size > 1 << 20
    return path


def judged(nursery: Nursery, root: Path, file: Path, limits: str, **house: int) -> GateVerdict:
    said = f"limits: {{{limits}}}\n" if limits else ""
    write_folder(root, AGREEMENT.replace("delivery:\n", f"{said}delivery:\n", 1))
    settings = Settings(principals_dir=root, **house)
    with DryRun.of(nursery, settings, "DPA-ENERGY01", Flow("renewal_campaign")) as judge:
        return judge.run(file).verdict


def codes(verdict: GateVerdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


@pytest.mark.parametrize(
    ("limits", "file", "code"),
    [
        ("columns: 19", "small", "LIMIT_COLUMNS"),
        ("nameCharacters: 10", "small", "LIMIT_NAME"),
        ("cellKb: 1000", "large_cell", "LIMIT_CELL_SIZE"),
        ("fileMb: 1", "large", "LIMIT_FILE_SIZE"),
    ],
)
def test_a_lower_limit_refuses_with_its_code(nursery, tmp_path, request, limits, file, code):
    verdict = judged(nursery, tmp_path, request.getfixturevalue(file), limits)
    assert (verdict.verdict, codes(verdict), verdict.rows_accepted) == (Verdict.REFUSED, {code}, 0)


def test_the_same_files_are_within_the_default(nursery: Nursery, tmp_path: Path, small: Path, large: Path) -> None:
    verdict = judged(nursery, tmp_path / "1", small, "")
    assert codes(verdict) <= {"TEXT_SAMPLE"} and verdict.rows_accepted == 20
    assert not any(code.startswith("LIMIT_FILE") for code in codes(judged(nursery, tmp_path / "2", large, "")))


def test_a_higher_limit_admits_what_the_default_refuses_as_far_as_the_house_goes(nursery, tmp_path, large_cell):
    by_default = judged(nursery, tmp_path / "1", large_cell, "")
    asked_alone = judged(nursery, tmp_path / "2", large_cell, "cellKb: 2048")
    allowed_alone = judged(nursery, tmp_path / "3", large_cell, "", most_cell_kb=2048)
    both = judged(nursery, tmp_path / "4", large_cell, "cellKb: 2048", most_cell_kb=2048)
    assert [codes(each) for each in (by_default, asked_alone, allowed_alone)] == [{"LIMIT_CELL_SIZE"}] * 3
    assert codes(both) <= {"TEXT_SAMPLE"} and both.rows_accepted == 20


@pytest.mark.parametrize(("depth", "is_sound"), [(2, False), (3, True), (40, True)])
def test_depth_of_json_is_a_limit_too(tmp_path: Path, depth: int, is_sound: bool) -> None:
    path = tmp_path / "deep.json"
    path.write_text('{"name": {"of": {"one": "cell"}}}')
    table = read_table(path, file_name=path.name, limits=FileLimits(json_depth=depth))
    assert not isinstance(table, FormatRefusal)
    assert [bad.code for bad in table.bad_rows] == ([] if is_sound else ["LIMIT_JSON_DEPTH"])


def test_more_than_the_agreed_ratio_or_size_is_named_as_what_it_is() -> None:
    assert FileLimits(archive_ratio=2).unpacked_bytes(20 << 20) == 40 << 20
    assert (FileLimits(archive_ratio=2).swollen(20 << 20), FileLimits(file_bytes=1 << 20).swollen(20 << 20)) == (
        "ARCHIVE_RATIO",
        "LIMIT_FILE_SIZE",
    )
