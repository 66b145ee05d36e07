"""Whatever the bytes are, there is an answer; and damage never looks clean."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scan.plants import CONTAINERS, filled, parquet_of, workbook_of
from sluice.scan.form import MAGIC
from sluice.scan.model import Limits, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

NEEDLE = needles_of(["klant.7@voorbeeld.be", "+32470123456"])
SMALL = Limits(whole_bytes=1 << 22, inflated_bytes=1 << 26)
SAMPLES: dict[str, Callable[[], bytes]] = {
    **{name: lambda wrap=wrap: wrap(b"nothing to see") for name, wrap in CONTAINERS.items() if name != "bare"},
    "workbook": lambda: workbook_of(["bereikt", "offerte"]),
    "parquet with everything": lambda: parquet_of(
        ["a", "b", None] * 30, write_page_index=True, data_page_version="2.0", kv={"k": "v"}
    ),
}

MIDDLES = {"zip in gzip in tar": 600, "pdf": 100}
"""Their halves hold all of the content, and only padding or an index is missing."""


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", *(magic for magic, _ in MAGIC)]), st.binary(max_size=300))
def test_any_bytes_behind_any_beginning_have_an_answer(magic: bytes, rest: bytes) -> None:
    assert isinstance(scan_bytes(magic + rest, NEEDLE, limits=SMALL).status, Status)


@pytest.mark.parametrize("size", [64, 1000, 20_000])
def test_random_bytes_are_not_clean(size: int) -> None:
    draw = random.Random(size)
    for _ in range(20):
        assert scan_bytes(draw.randbytes(size), NEEDLE).status is Status.NOT_CLEAN


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_damaged_object_has_an_answer(sample: str) -> None:
    draw, whole = random.Random(1), SAMPLES[sample]()
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(draw.randrange(1, 4)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        assert isinstance(scan_bytes(bytes(damaged), NEEDLE, limits=SMALL).status, Status)


@pytest.mark.parametrize("sample", SAMPLES)
def test_an_object_cut_in_the_middle_is_not_clean(sample: str) -> None:
    whole = SAMPLES[sample]()
    middle = MIDDLES.get(sample, len(whole) // 2)
    assert scan_bytes(whole[:middle], NEEDLE).status is Status.NOT_CLEAN


def test_text_is_clean_whatever_its_code_page() -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        assert scan_bytes(filled(b"").decode().encode(encoding), NEEDLE).status is Status.CLEAN


HOSTILE = (
    (b"<a>", b"<!--"),
    (b"<r ", b"<r "),
    (b"%PDF-1.7", b"("),
    (b"%PDF-1.7", b"(\\"),
    (b"%PDF-1.7", b"stream\n"),
    (b"%PDF-1.7", b"<</Subtype/Type1"),
    (b"%PDF-1.7", b"<</Subtype/Type1/Encoding 1 0 R>>endobj 1 0 obj"),
    (b"", b"PK\3\4"),
)


@pytest.mark.slow
@pytest.mark.timeout(30)
@pytest.mark.parametrize(("beginning", "repeated"), HOSTILE)
def test_bytes_made_to_be_slow_are_read_in_time_that_grows_with_them(beginning: bytes, repeated: bytes) -> None:
    assert isinstance(scan_bytes(beginning + repeated * 100_000, NEEDLE).status, Status)
