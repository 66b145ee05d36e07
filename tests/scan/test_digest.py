"""Digits of a person inside a digest or a date are chance; the same digits anywhere else are the person."""

import base64
import hashlib
import io
from collections.abc import Callable
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
from support.effort import effort

NUMBER, ID = "1412813", "E14128133"
NOISE = hashlib.sha512(b"noise").hexdigest()
REF, SHA1, SHA256, SHA512 = (f"{NOISE[:5]}{ID.lower()}{NOISE[5 : size - 9]}" for size in (32, 40, 64, 128))
UUID, PARTED = "a3f0e1b2-7c4d-4c55-9d1b-0ce14128133a", "f7141281-3f0e-4c55-9d1b-0c9e7a2b3d4f"
Wrapped = Callable[[str], bytes]
WRAPPED: dict[str, Wrapped] = {
    "plain": lambda text: f'{{"sha256": "{text}"}}'.encode(),
    "capitals": lambda text: f"a;{text.upper()};b".encode(),
    **{
        f"base64, {shift}": lambda text, shift=shift: base64.b64encode(f'{"x" * shift}"{text}"'.encode())
        for shift in range(3)
    },
    "base64url": lambda text: (
        f'{{"payload":"{base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}"}}'.encode()
    ),
    "parquet": lambda text: parquet_of([text, "ab" * 16]),
}


def parquet_of(texts: list[str]) -> bytes:
    target = io.BytesIO()
    pl.DataFrame({"ref": texts}).write_parquet(target, compression="zstd", statistics=False)
    return target.getvalue()


@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("digest", [REF, SHA1, SHA256, SHA512, UUID], ids=str)
def test_in_a_digest_a_few_digits_are_nobody(wrapped: Wrapped, digest: str) -> None:
    needles = needles_of([NUMBER, ID])

    assert scan_bytes(wrapped(digest), needles).status is Status.CLEAN
    for other in (digest[:-1], f"{digest}0", f"{digest[:-1]}g"):
        assert scan_bytes(wrapped(other), needles).status is Status.HIT, "control: that is no digest"


def test_in_an_id_a_number_in_groups_is_nobody_either() -> None:
    needles = needles_of([NUMBER])

    assert scan_bytes(f"a;{PARTED};b".encode(), needles).status is Status.CLEAN
    for other in (PARTED[:-1], PARTED.replace("-", " ", 1), f"141-28-13 {PARTED}", f"{REF[:12]} 141281-3"):
        assert scan_bytes(f"a;{other};b".encode(), needles).status is Status.HIT, "control: that is no id"


@pytest.mark.parametrize(
    "text",
    [f"{'0' * 25}{NUMBER}", f"{SHA256} {NUMBER}", f"{SHA256}{ID}", f"{REF[:12]}-{NUMBER}", f"{NOISE[:20]}324714128133"],
)
@pytest.mark.parametrize("wrapped", WRAPPED.values(), ids=WRAPPED)
def test_digits_alone_or_beside_a_digest_or_twelve_of_them_are_the_person(wrapped: Wrapped, text: str) -> None:
    assert scan_bytes(wrapped(text), needles_of([NUMBER, ID, "+324714128133"])).status is Status.HIT


@pytest.mark.parametrize(
    "text",
    [
        f"{NOISE[:18]}{NUMBER.encode().hex()}",
        f"{NOISE[:22]}{b'Decae'.hex()}",
        hashlib.sha256(ID.encode()).hexdigest(),
        hashlib.md5(NUMBER.encode()).hexdigest(),
    ],
)
@pytest.mark.parametrize("wrapped", [WRAPPED[name] for name in ("plain", "capitals", "parquet")])
def test_what_was_made_of_the_value_is_found_in_a_word_like_a_digest(wrapped: Wrapped, text: str) -> None:
    assert scan_bytes(wrapped(text), needles_of([NUMBER, ID, "Decae"])).status is Status.HIT


@pytest.mark.slow
@pytest.mark.parametrize("text", [SHA256, UUID, base64.b64encode(f'"{SHA256}"'.encode()).decode()])
def test_a_digest_is_seen_whole_wherever_a_window_ends(text: str) -> None:
    needles = needles_of([NUMBER, ID])

    def found(content: bytes) -> int:
        kept = Found(Limits())
        sweep(content, needles, "text", kept)
        return len(kept.hits)

    for at in range(-len(text) - 2, 3, effort(3, 1)):
        start = b"." * (WINDOW + at)
        assert found(start + f'"{text}"'.encode() + b"." * 400) == 0, at
    assert found(start + f'"{text[3:]}"'.encode()) > 0, "control"


@pytest.mark.parametrize("letter", ["\\u00{:02x}", "&#{};", "&#x{:x};", "&#{:07};"])
def test_an_escaped_number_is_seen_whole_wherever_a_window_ends(letter: str) -> None:
    needles, text = needles_of([NUMBER]), "".join(letter.format(ord(each)) for each in NUMBER).encode()
    step = 7

    for at in range(-len(text) - 2 * step, 2 * step, step):
        kept = Found(Limits())
        sweep(b"." * (WINDOW + at) + text + b"." * 4000, needles, "text", kept)
        assert kept.hits, at


@pytest.mark.parametrize("padded", [f"a1b2c3d4-0000-0000-0000-00000{NUMBER}", f"c{'0' * 24}{NUMBER}"])
def test_an_id_that_was_padded_is_the_number(padded: str) -> None:
    assert scan_bytes(f"a;{padded};b".encode(), needles_of([NUMBER])).status is Status.HIT


@pytest.mark.slow
def test_chance_is_what_was_measured() -> None:
    """Some of 20,000 references (10,000) have seven digits of one of 7,000 persons in them; none is a hit."""
    numbers = [f"{7_654_321 + number * 331}" for number in range(7_000)]
    refs = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(effort(10_000, 20_000))]
    text = "\n".join(refs)

    assert sum(number in text for number in numbers) > 3, "control: they do stand there"
    assert scan_bytes(text.encode(), needles_of(numbers)).status is Status.CLEAN


BRUSSELS, WAREMME, ORDER = "+32 2 811 19 98", "+32 19 98 11 28", "2026112710"
DATES = ["28/11/1998", "28-11-1998", "28.11.1998", "1998-11-28", "11/28/1998", "2026-11-27 10:15:00"]
OTHERWISE = [
    "28 11 19 98", "2/811.19.98", "28/11.1998", "28/11-1998", "28/1/11998", "+32 28/11/1998", "(0)28/11/1998",
    "028/11/1998", "28/11/19980", "128/11/1998", "28111998", "19 98 11 28", "1998-11-280", "2026-1127-10",
    "202611-2710",
]  # fmt: skip


def born_in_parquet(text: str) -> bytes:
    target = io.BytesIO()
    pl.DataFrame({"born": [text, "x" * 50, "y" * 57]}).write_parquet(target, compression="zstd", statistics=False)
    return target.getvalue()


def scanned(content: bytes) -> Status:
    return scan_bytes(content, needles_of([BRUSSELS, WAREMME, "+32 11 28 19 98", ORDER])).status


@pytest.mark.parametrize("text", DATES)
def test_in_a_date_digits_are_nobody(text: str) -> None:
    assert scanned(f"a;{text};b\r\n".encode()) is Status.CLEAN
    assert scanned(f'{{"born": "{text}"}}'.replace("/", "\\/").encode()) is Status.CLEAN
    assert scanned(born_in_parquet(text)) is Status.CLEAN


@pytest.mark.parametrize("text", OTHERWISE)
def test_written_in_any_other_way_they_are_the_person(text: str) -> None:
    assert scanned(f"a;{text};b\r\n".encode()) is Status.HIT
    assert scanned(born_in_parquet(text)) is Status.HIT


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

    for at in range(-2 * LONGEST, LONGEST, effort(2, 1)):
        assert found(b"28/11/1998", at) == 0, at
        assert found(b"28/11 1998", at) > 0, at
