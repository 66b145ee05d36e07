"""Digits of a telephone inside a longer number are chance; dialled in any way they are the person."""

import io
from itertools import product

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sluice.scan.longer import MARGIN
from sluice.scan.model import Limits, Status
from sluice.scan.needles import needles_of
from sluice.scan.sweep import WINDOW, Found, sweep
from sluice.scan.walk import scan_bytes

OOSTENDE, HOME = "+32 58 47 06 42", "58470642"
LONGER = ["158470642", "584706421", "300422606158470642", "7758470642", "58470642000", "7158470642", "12358470642"]
DIALLED = [
    HOME, "058470642", "+3258470642", "003258470642", "3258470642", "32058470642", "+32(0)58470642", "35258470642",
    "0058470642", "+158470642", "0158470642", "+320584706420", "058470642000", "1058470642", "x58470642y",
    "58470642.wav", "58 47 06 42", "1 58470642", "158 47 06 42",
]  # fmt: skip


def parquet_of(*texts: str) -> bytes:
    target = io.BytesIO()
    frame = pl.DataFrame({"recording": [*texts, "x" * 50, "y" * 57]})
    frame.write_parquet(target, compression="zstd", statistics=False)
    return target.getvalue()


def scanned(content: bytes, *values: str) -> Status:
    return scan_bytes(content, needles_of(values or [OOSTENDE, "058 47.06.42"])).status


@pytest.mark.parametrize("text", LONGER)
def test_in_a_longer_number_digits_are_nobody(text: str) -> None:
    assert scanned(f"recordings/{text}.wav,b\r\n".encode()) is Status.CLEAN
    assert scanned(f'{{"id": {text}}}'.encode()) is Status.CLEAN
    assert scanned(parquet_of(text)) is Status.CLEAN


@pytest.mark.parametrize("text", DIALLED)
def test_dialled_or_written_as_a_telephone_they_are_the_person(text: str) -> None:
    assert scanned(f"a;{text};b\r\n".encode()) is Status.HIT
    assert scanned(f'{{"id": "{text}"}}'.encode()) is Status.HIT
    assert scanned(parquet_of(text)) is Status.HIT


def test_beside_a_longer_number_they_are_found() -> None:
    for text in DIALLED:
        assert scanned(f"a;158470642;{text};584706421".encode()) is Status.HIT, text
        assert scanned(parquet_of("158470642", text, "584706421")) is Status.HIT, text


@pytest.mark.parametrize("length", range(48, 58))
def test_how_long_the_next_text_is_counts_as_no_digit(length: int) -> None:
    """Parquet writes 0x30 to 0x39, the digits, before texts of that many bytes."""
    target = io.BytesIO()
    frame = pl.DataFrame({"phone": [HOME, "x" * length]})
    frame.write_parquet(target, compression="uncompressed", statistics=False)
    assert HOME.encode() + bytes([length]) in target.getvalue(), "the control"
    assert scanned(target.getvalue()) is Status.HIT


@given(st.text("123456789", min_size=1, max_size=4), st.text("0123456789", max_size=4))
def test_no_id_of_a_recording_is_anybody(before: str, after: str) -> None:
    """Except after what reads as a country code."""
    assume(not before.endswith("32"))
    assume(after or scanned(f"{before[-3:]}{HOME}".encode()) is not Status.HIT)
    assert scanned(f"a/{before}{HOME}{after}.wav".encode()) is Status.CLEAN


def test_what_was_written_without_its_zero_is_an_id_and_looked_for_everywhere() -> None:
    assert scanned(b"recordings/158470642.wav", HOME) is Status.HIT
    assert scanned(b"recordings/158470642.wav", "E58470642") is Status.CLEAN, "the control"


def test_a_number_is_seen_whole_wherever_a_window_ends() -> None:
    needles = needles_of([OOSTENDE])

    def found(text: bytes, at: int) -> int:
        kept = Found(Limits())
        sweep(b"x" * (WINDOW + at) + text + b"x" * 4000, needles, "text", kept)
        return len(kept.hits)

    for at, (text, hits) in product(range(-2 * MARGIN, MARGIN), ((b";158470642;", 0), (b";58470642;", 1))):
        assert found(text, at) == hits, (at, text)
