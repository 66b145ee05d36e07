"""Write what the child leaves for the parent to store: accepted rows, who is in them, and all the rest."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from sluice.exchange.judging.content import Split
from sluice.exchange.judging.file_facts import CANDIDATE, OWN, FileFacts
from sluice.exchange.judging.job import Job
from sluice.exchange.judging.rest_index import REST_FILE, Rest, is_told
from sluice.lake.parquet import write_lake
from sluice.lake.read.parts import Parts
from sluice.lake_columns import EXCHANGE, REF, ROW, VERSION
from sluice.subject.index import Entries


def write_all_but_accepted(
    job: Job, parts: Parts, facts: FileFacts, report: pl.DataFrame, rows: Split, *, is_kept: bool
) -> bool:
    """Write everything but the accepted rows: findings, rows and records to be sealed, and who is in them.

    ``is_kept``: whether the file gets an object in the lake; a file that is refused as a whole is sealed as it came, so
    its rows are not split. Returns whether the index of the lake's object alone names everybody in the file.
    """
    if rows.codes:
        report = pl.concat([report, rows.report(facts.row_numbers)]).sort("row", maintain_order=True)
    if not report.is_empty():
        report.write_csv(job.folder / "findings.csv")
    bad, delimiter = facts.bad_records, facts.dialect.delimiter
    away = ~rows.accepted if is_kept else pl.Series([True]).new_from_index(0, facts.height)
    told = is_told(job.contract, facts.columns, bad["raw"], delimiter)
    rest = Rest(job.contract, job.key) if told and (not is_kept or away.any() or bad.height) else None
    named = (("refused_rows", rows.refused), ("held_rows", rows.held))
    to_seal = {name: which & ~rows.erased for name, which in named} if is_kept else {}
    sealed = _split(parts, facts.spans, facts.row_numbers, away, to_seal, rest)
    for name, frames in sealed.items():
        pl.concat(frames).write_parquet(job.folder / f"{name}.parquet", statistics=False)
    if rest is not None:
        rest.write(job.folder / REST_FILE, bad["raw"], delimiter, is_whole=not is_kept)
    if is_kept and bad.height:
        bad.drop("place").write_parquet(job.folder / "refused_records.parquet", statistics=False)
    return told and rest is None


def _split(
    parts: Parts,
    spans: Sequence[tuple[int, int]],
    row_numbers: pl.Series,
    away: pl.Series,
    to_seal: Mapping[str, pl.Series],
    rest: Rest | None,
) -> dict[str, list[pl.DataFrame]]:
    """Read the rows that do not go to the lake again, as they came.

    Note who is in them, and return those that are to be sealed.
    """
    sealed: dict[str, list[pl.DataFrame]] = defaultdict(list)
    if rest is None and not to_seal:
        return sealed
    for places in _together(spans, away):
        numbers = row_numbers[places].alias(ROW)
        arrived = parts.again(numbers)
        if rest is not None:
            rest.add(arrived)
        for name, which in to_seal.items():
            if (kept := which[places]).any():
                sealed[name].append(arrived.filter(kept).insert_column(0, numbers.filter(kept)))
    return sealed


def _together(spans: Sequence[tuple[int, int]], away: pl.Series) -> Iterator[pl.Series]:
    """Yield the places of rows that do not go to the lake, several parts together.

    A batch ends once it has more than half as many rows as the last part in it.
    """
    waiting, count = list[pl.Series](), 0
    for start, height in spans:
        waiting.append(away.slice(start, height).arg_true() + start)
        count += len(waiting[-1])
        if count * 2 > height:
            yield pl.concat(waiting)
            waiting, count = [], 0
    if waiting:
        yield pl.concat(waiting)


def write_accepted(job: Job, facts: FileFacts, kept: pl.Series, *, is_whole: bool) -> None:
    """Write the object for the lake, without rows if the file has none, and the index of who is in it."""
    entries = Entries()
    write_lake(_noted(job, facts, kept, entries), job.folder / "accepted.parquet", sorted_by=REF)
    if facts.kinds:
        entries.write(job.folder / "index.parquet", is_whole=is_whole)


def _noted(job: Job, facts: FileFacts, kept: pl.Series, entries: Entries) -> Iterator[pl.DataFrame]:
    """Yield accepted rows as they go to the lake, and add who is in them to the entries of the index."""
    exchange_id, version_id = job.origin or ("", "")
    assert facts.rows is not None  # rows are kept of every file that has an origin
    for frame in facts.rows.sorted(kept):
        candidates = frame[CANDIDATE] if CANDIDATE in frame.columns else None
        entries.add(((kind, frame[name]) for name, kind in facts.kinds.items()), candidates)
        names = [name for name in frame.columns if name != CANDIDATE]
        yield frame.select(
            pl.lit(exchange_id).alias(EXCHANGE),
            pl.lit(version_id).alias(VERSION),
            *(frame[name].alias(name.removeprefix(OWN)) for name in names),
        )
