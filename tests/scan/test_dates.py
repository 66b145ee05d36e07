"""Digits of a telephone inside a date are chance; the same digits written in any other way are the person."""

import io
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.scan.dates import LONGEST
from sluice.scan.model import Limits, Status
from sluice.scan.needles import needles_of
from sluice.scan.sweep import WINDOW, Found, sweep
from sluice.scan.walk import scan_bytes

BRUSSELS, WAREMME, ID = "+32 2 811 19 98", "+32 19 98 11 28", "2026112710"
DATES = ["28/11/1998", "28-11-1998", "28.11.1998", "1998-11-28", "11/28/1998", "2026-11-27 10:15:00"]
OTHERWISE = [
    "28 11 19 98", "2/811.19.98", "28/11.1998", "28/11-1998", "28/1/11998", "+32 28/11/1998", "(0)28/11/1998",
    "028/11/1998", "28/11/19980", "128/11/1998", "28111998", "19 98 11 28", "1998-11-280", "2026-1127-10",
    "202611-2710",
]  # fmt: skip


def parquet_of(text: str) -> bytes:
    target = io.BytesIO()
    pl.DataFrame({"born": [text, "x" * 50, "y" * 57]}).write_parquet(target, compression="zstd", statistics=False)
    return target.getvalue()


def scanned(content: bytes) -> Status:
    return scan_bytes(content, needles_of([BRUSSELS, WAREMME, "+32 11 28 19 98", ID])).status


@pytest.mark.parametrize("text", DATES)
def test_in_a_date_digits_are_nobody(text: str) -> None:
    assert scanned(f"a;{text};b\r\n".encode()) is Status.CLEAN
    assert scanned(f'{{"born": "{text}"}}'.replace("/", "\\/").encode()) is Status.CLEAN
    assert scanned(parquet_of(text)) is Status.CLEAN


@pytest.mark.parametrize("text", OTHERWISE)
def test_written_in_any_other_way_they_are_the_person(text: str) -> None:
    assert scanned(f"a;{text};b\r\n".encode()) is Status.HIT
    assert scanned(parquet_of(text)) is Status.HIT


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%m.%d.%Y"]))
def test_no_day_is_anybody(day: date, form: str) -> None:
    written = day.strftime(form)
    digits = "".join(filter(str.isdigit, written))
    needles = needles_of([digits])
    assert scan_bytes(f"a;{written};b".encode(), needles).status is Status.CLEAN
    assert scan_bytes(f"a;{digits[:2]} {digits[2:]};b".encode(), needles).status is Status.HIT


def test_a_date_that_is_looked_for_is_found_in_either_spelling() -> None:
    for text in ("1998-11-28", "1998/11/28"):
        assert scan_bytes(text.encode(), needles_of(["1998-11-28"])).status is Status.HIT


@pytest.mark.slow
def test_a_date_is_seen_whole_wherever_a_window_ends() -> None:
    needles = needles_of([BRUSSELS])

    def found(text: bytes, at: int) -> int:
        kept = Found(Limits())
        sweep(b"x" * (WINDOW + at) + text + b"x" * 4000, needles, "text", kept)
        return len(kept.hits)

    for at in range(-2 * LONGEST, LONGEST):
        assert found(b"28/11/1998", at) == 0, at
        assert found(b"28/11 1998", at) > 0, at
