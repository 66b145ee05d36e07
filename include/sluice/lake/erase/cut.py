"""What erasing from every text format shares: write the bytes that stay, then prove the result.

Memory does not grow with the number of bytes copied. To prove the finished file, the product's own
reader reads it again: the frame must be the one it gave before, minus the erased rows, with no other
difference.
"""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from sluice.errors import Ref
from sluice.lake.erase.model import EraseRefused, Numbers
from sluice.lake.table import FormatRefusal, LocalCopyUnreadable, Table

Cuts = npt.NDArray[np.int64]
"""Pairs of offsets: the first byte that goes, and the first byte after it that stays. Ascending, never overlapping."""

CHUNK = 1 << 20
_ROWS = 100_000


@contextmanager
def opened(source: Path, target: Path) -> Iterator[memoryview]:
    """Yield the bytes of ``source`` and create ``target``, which must not exist and is removed after an error.

    Raises LocalCopyUnreadable when either cannot be opened or the target already exists."""
    try:
        with source.open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        target.touch(exist_ok=False)
    except OSError as error:
        number = error.errno or 0
    else:
        with _removed_on_error(target):
            yield data
        return
    raise LocalCopyUnreadable(Ref("errno", number))


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """Yield a temporary folder next to ``target`` in which a packed file is edited. Raises LocalCopyUnreadable."""
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="erase-") as folder:
            yield Path(folder)
        return
    except OSError as error:
        number = error.errno or 0
    raise LocalCopyUnreadable(Ref("errno", number))


@contextmanager
def _removed_on_error(target: Path) -> Iterator[None]:
    number = None
    try:
        yield
    except OSError as error:
        target.unlink(missing_ok=True)
        number = error.errno or 0
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if number is not None:
        raise LocalCopyUnreadable(Ref("errno", number))


def write_kept(data: memoryview, cuts: Cuts, target: Path, chunk: int = CHUNK) -> None:
    """Write every byte outside the cuts. Raises OSError."""
    starts = np.append(0, cuts[:, 1]).tolist()
    stops = np.append(cuts[:, 0], len(data)).tolist()
    with target.open("wb", buffering=CHUNK) as file:
        for start, stop in zip(starts, stops, strict=True):
            for at in range(start, stop, chunk):
                file.write(data[at : min(at + chunk, stop)])


def check_output(before: Table, after: Table | FormatRefusal, numbers: Numbers, blank_at_end: int = 0) -> None:
    """Check that the finished file reads exactly as ``before`` without the records ``numbers``.

    blank_at_end: how many blank records readers stop counting because nothing follows them any more.
    Raises EraseRefused: OUTPUT_UNREADABLE, COUNT_DIFFERS or OUTPUT_DIFFERS."""
    if isinstance(after, FormatRefusal):
        raise EraseRefused.because("OUTPUT_UNREADABLE", Ref("reason", after.code))
    expected = before.record_count - len(numbers) - blank_at_end
    if after.record_count != expected:
        raise EraseRefused.because("COUNT_DIFFERS", Ref("expected", expected), Ref("found", after.record_count))
    sound = before.row_numbers.to_numpy().astype(np.int64)
    keep = ~np.isin(sound, numbers)
    same = np.array_equal(_renumbered(sound[keep], numbers), after.row_numbers.to_numpy())
    if not (same and _same_bad(before, after, numbers, expected) and _same_rows(before.frame, after.frame, keep)):
        raise EraseRefused.because("OUTPUT_DIFFERS")


def _renumbered(kept: Numbers, numbers: Numbers) -> Numbers:
    """The new numbers of kept records, once the erased records before them are gone."""
    return kept - np.searchsorted(numbers, kept)


def _same_bad(before: Table, after: Table, numbers: Numbers, expected: int) -> bool:
    bad = before.bad_records
    rows = bad["row_number"].to_numpy().astype(np.int64)
    keep = ~np.isin(rows, numbers)
    renumbered = _renumbered(rows[keep], numbers)
    kept = bad.filter(pl.Series(keep)).with_columns(pl.Series("row_number", renumbered, dtype=pl.UInt32))
    return kept.filter(pl.col("row_number") <= expected).equals(after.bad_records)


def _same_rows(before: pl.DataFrame, after: pl.DataFrame, keep: npt.NDArray[np.bool_]) -> bool:
    """Whether ``after`` holds exactly the kept rows, compared a part at a time; the order of columns may differ."""
    if set(before.columns) != set(after.columns) or after.height != int(keep.sum()):
        return False
    at = 0
    for start in range(0, before.height, _ROWS):
        kept = before.slice(start, _ROWS).filter(pl.Series(keep[start : start + _ROWS]))
        if not kept.equals(after.slice(at, kept.height).select(before.columns)):
            return False
        at += kept.height
    return True
