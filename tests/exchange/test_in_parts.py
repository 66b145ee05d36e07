"""What is judged in parts is judged as it would be whole: the same verdict, and the same bytes to keep."""

import base64
import json
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.exchange.judging import child
from sluice.exchange.judging.child import judge_file
from sluice.exchange.judging.job import Job, read_suites
from sluice.exchange.judging.progress import PROGRESS_FILE, reporting_progress, tell
from sluice.lake import sorted_rows
from sluice.lake.sorted_rows import SortedRows
from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign
from sluice.settings import get_settings
from sluice.subject.suppression import Suppression
from support.effort import chosen, effort

pytestmark = pytest.mark.slow  # fifteen seconds
KEY = bytes(range(32))
CONTRACT, AGREEMENT = "energy01/renewal_campaign.inbound.odcs.yaml", "energy01/agreement-3.0.0.yaml"
ROWS = 400
LEFT = ("accepted", "index", "rest", "refused_rows", "refused_records", "held_rows", "failing")
HALF = st.text("0123456789abcdef", min_size=16, max_size=16)
REFS = st.none() | st.tuples(HALF | st.sampled_from(["00" * 8, "ff" * 8]), HALF | st.just("ff" * 8)).map("".join)
"""Many share their first half, as two persons' references never do by chance."""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """With faults of every kind, notes that a person has to see, and records that are no rows."""
    path = tmp_path_factory.mktemp("in") / "campaign.csv"
    write_campaign(path, ROWS, 5, faults=FaultPlan(4, 4, 4, 4, 4, 2))
    lines = path.read_bytes().split(b"\r\n")
    lines[150:150] = [lines[17], b"too;short", lines[18] + b";too;long"]
    return b"\r\n".join([*lines[:350], lines[0], *lines[350:]])


def judged(folder: Path, content: bytes, form: str = "csv", suppressed: pl.DataFrame | None = None) -> dict[str, bytes]:
    """All that the child leaves of a file."""
    settings = get_settings()
    contract = load_contract(settings.principals_dir / CONTRACT)
    if form != "csv":
        contract = replace(contract, file_format=replace(contract.file_format, format=form, delimiter=None))
    work = Path(tempfile.mkdtemp(dir=folder))
    (work / "arrived").write_bytes(content)
    if suppressed is not None:
        suppressed.write_parquet(work / "suppressed.parquet")
    job = Job(
        folder=work,
        file=work / "arrived",
        file_name=f"campaign.{form}",
        contract=contract,
        suites=read_suites(settings, contract),
        subject_key=base64.b64encode(KEY).decode(),
        origin=("exchange", "version"),
        free_text=load_agreement(settings.principals_dir / AGREEMENT).free_text,
        suppressed=None if suppressed is None else work / "suppressed.parquet",
    )
    judge_file(job.as_json())
    names = [f"{each}.parquet" for each in LEFT] + ["findings.csv", "pass.json", "report.json"]
    assert (work / PROGRESS_FILE).exists() == (child.PART_BYTES < 1 << 20)
    return {each: (work / each).read_bytes() for each in names if (work / each).exists()}


def a_list_of(left: dict[str, bytes]) -> pl.DataFrame:
    """Some of the persons in a file, each for one reason."""
    refs = pl.read_parquet(left["accepted.parquet"])["sluice_subject_ref"].unique().sort()[::9]
    reasons = [list(Suppression)[place % len(Suppression)].value for place in range(len(refs))]
    return pl.DataFrame({"ref": refs, "reason": reasons})


@pytest.mark.parametrize(("name", "part_bytes"), [("sluice_row", 3_000), ("sluice_exchange", 1 << 20)])
def test_a_column_that_is_called_as_one_of_ours_is_refused_like_any_that_nobody_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, campaign: bytes, name: str, part_bytes: int
) -> None:
    monkeypatch.setattr(child, "PART_BYTES", part_bytes)
    lines = campaign.split(b"\r\n")[:150]
    content = b"\r\n".join([lines[0] + b";" + name.encode(), *(line + b";1" for line in lines[1:])])
    left = judged(tmp_path, content)
    verdict = json.loads(left["report.json"])["verdict"]
    assert verdict["verdict"] == "REFUSED" and verdict["reasons"][0]["code"] == "HEADER_UNDECLARED_COLUMN"
    assert "rest.parquet" in left and "accepted.parquet" not in left


CASES = [("utf-8", 3_000), ("cp1252", 3_000), ("utf-16", 3_000), ("cp1252", 20_000), ("utf-16", 20_000)]


@pytest.mark.parametrize(("encoding", "part_bytes"), chosen(CASES, 2))
def test_a_campaign_in_parts_leaves_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, campaign: bytes, encoding: str, part_bytes: int
) -> None:
    content = campaign.decode().encode(encoding, "replace")
    suppressed = a_list_of(judged(tmp_path, content))
    whole = judged(tmp_path, content, suppressed=suppressed)
    assert set(whole) >= {f"{name}.parquet" for name in LEFT if name != "failing"}, "of everything there is something"

    monkeypatch.setattr(child, "PART_BYTES", part_bytes)
    assert judged(tmp_path, content, suppressed=suppressed) == whole
    report = json.loads(whole["report.json"])
    assert report["verdict"]["rows_in"] == ROWS + 4 and len(report["held"]) == len(Suppression)


def test_a_table_of_another_format_and_a_file_that_is_refused_whole_are_judged_in_parts_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, campaign: bytes
) -> None:
    rows = pl.read_csv(campaign, separator=";", infer_schema=False, truncate_ragged_lines=True)
    rows.write_parquet(tmp_path / "in.parquet")
    content = (tmp_path / "in.parquet").read_bytes()
    refused = campaign.replace(b"customer_number", b"customer_numero", 1)
    whole, whole_refused = judged(tmp_path, content, "parquet"), judged(tmp_path, refused)
    assert "accepted.parquet" in whole and "refused_rows.parquet" in whole
    assert "accepted.parquet" not in whole_refused
    monkeypatch.setattr(child, "PART_BYTES", 3_000)
    assert (judged(tmp_path, content, "parquet"), judged(tmp_path, refused)) == (whole, whole_refused)


def test_whoever_waits_is_told_how_far_a_large_file_is(tmp_path: Path) -> None:
    said, heard = list[tuple[int, int]](), threading.Event()

    def say(done: int, count: int) -> None:
        said.append((done, count))
        heard.set()

    with reporting_progress(tmp_path, say, 0.01):
        tell(tmp_path, 1, 1)
        assert not list(tmp_path.iterdir()), "of a file that is one part there is nothing to tell"
        (tmp_path / PROGRESS_FILE).write_text("4")
        for done in (40, 41):
            heard.clear()
            tell(tmp_path, done, 111)
            assert heard.wait(10)
    assert said == [(40, 111), (41, 111)]
    tell(tmp_path, 42, 111)
    assert len(said) == 2


@settings(max_examples=effort(25, 100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(refs=st.lists(REFS, max_size=40), cuts=st.lists(st.integers(0, 40), min_size=1, max_size=6), data=st.data())
def test_rows_on_disk_come_in_the_order_of_rows_in_memory(
    monkeypatch: pytest.MonkeyPatch, refs: list[str | None], cuts: list[int], data: st.DataObject
) -> None:
    frame = pl.DataFrame({"ref": refs, "row": range(len(refs))}, schema={"ref": pl.String, "row": pl.UInt32})
    kept = pl.Series(data.draw(st.lists(st.booleans(), min_size=len(refs), max_size=len(refs))), dtype=pl.Boolean)
    expected = frame.filter(kept).sort("ref", "row", nulls_last=True)
    edges = [0, *sorted(min(cut, len(refs)) for cut in cuts), len(refs)]
    monkeypatch.setattr(sorted_rows, "FILE_BYTES", 5_000)
    for in_memory, most_columns in ((100, 1), (0, 16_384), (0, 15)):
        monkeypatch.setattr(sorted_rows, "IN_MEMORY", in_memory)
        monkeypatch.setattr(sorted_rows, "MOST_COLUMNS", most_columns)
        with tempfile.TemporaryDirectory() as folder, closing(SortedRows(Path(folder), "ref", len(edges) - 1)) as rows:
            for start, stop in pairwise(edges):
                rows.add(frame.slice(start, stop - start))
            assert not list(Path(folder).iterdir()), "what waits has no name"
            assert pl.concat(rows.sorted(kept)).equals(expected)


def test_rows_that_all_lie_in_one_share_take_no_more_room_on_disk(tmp_path: Path) -> None:
    def room(refs: list[str]) -> int:
        with closing(SortedRows(tmp_path, "ref", 8)) as rows:
            for start in range(0, len(refs), 100):
                rows.add(pl.DataFrame({"ref": refs[start : start + 100], "note": ["x"] * 100}))
            assert sum(each.height for each in rows.sorted(pl.repeat(True, len(refs), eager=True))) == len(refs)
            return sum(Path(f"/proc/self/fd/{file.fileno()}").stat().st_size for file in rows._disk._files)

    spread, alike = [f"{number * 82 % 256:02x}" * 16 for number in range(800)], ["7f" * 16] * 800
    assert room(alike) <= room(spread)
