"""The inbound path, processing only, against the floor: scan the CSV, write it as Parquet."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from bench import BenchRow, Cost, paired
from sluice.sample.files import write_campaign
from sluice.subject.columns import normalise_column
from sluice.subject.index import build_run, write_run
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

SEED = 20_260_901
KEY = bytes(range(32))
SUBJECTS = {
    "customer_number": SubjectKind.PRINCIPAL_CUSTOMER_ID,
    "phone": SubjectKind.PHONE,
    "email": SubjectKind.EMAIL,
}


def rows(size: int) -> Iterator[BenchRow]:
    """What references and index add to the floor, each measured in processes of its own."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        source = Path(folder) / "campaign.csv"
        write_campaign(source, size, SEED)
        target = Path(folder) / "out.parquet"
        base, refs = paired(partial(floor, source, target), partial(referenced, source, target), in_children=True)
        yield from against_floor("inbound", "read, references, index, parquet", refs, base)


def against_floor(bench: str, what: str, found: Cost, base: Cost) -> Iterator[BenchRow]:
    """Wall, CPU and memory of one design beside those of the floor."""
    named = f"FLOOR {base.wall_s:.2f} s wall, {base.cpu_s:.2f} s CPU, {base.peak_mb or 0:.0f} MB"
    yield BenchRow(bench, f"{what}: wall", found.wall_s / base.wall_s, "x", named)
    yield BenchRow(bench, f"{what}: CPU", found.cpu_s / base.cpu_s, "x", named, goal=1.8, at_least=False)
    yield BenchRow(bench, f"{what}: memory", found.peak_mb or 0, "MB", named, goal=800, at_least=False)


def floor(source: Path, target: Path) -> None:
    pl.scan_csv(source, separator=";", infer_schema=False).sink_parquet(target, compression="zstd")


def referenced(source: Path, target: Path) -> None:
    """One parse, a reference for every identifier, an index run, Parquet in the order of the first reference."""
    cells = pl.read_csv(source, separator=";", infer_schema=False)
    refs = [
        (kind, ref_column(normalise_column(cells[name], kind).values, kind, KEY)) for name, kind in SUBJECTS.items()
    ]
    target.with_suffix(".index").write_bytes(write_run(build_run(refs)))
    cells.with_columns(subject_ref=refs[0][1]).sort("subject_ref").write_parquet(
        target, compression="zstd", statistics=False, row_group_size=25_000
    )
