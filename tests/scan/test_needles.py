"""Which values are searched for, and in which bytes."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scan.plants import encodings_of, people
from sluice.scan.model import Limits, ScanFailed, Status
from sluice.scan.needles import needles_of
from sluice.scan.sweep import Found, sweep
from sluice.scan.walk import scan_bytes
from support.effort import effort


def test_values_too_short_to_mean_anything_are_named_by_their_place() -> None:
    needles = needles_of(["1000", "Jan", "25-11", "+32 470 12 34 56", "klant@voorbeeld.be", ""])

    assert needles.unsearchable == (0, 1, 2, 5)
    assert needles.size == 6
    assert scan_bytes(b"1000;Brussel;1000", needles).status is Status.CLEAN, "a postcode raises no alarm"
    with pytest.raises(ScanFailed):  # nothing to search for is no clean store
        needles_of(["1000", "Jan"])


def test_neither_needles_nor_hits_show_a_value() -> None:
    needles = needles_of(["Vandenbroucke", "+32470123456"])

    shown = f"{needles!r} {scan_bytes(b'x Vandenbroucke 0470 12 34 56', needles)!r}"

    assert "vandenbroucke" not in shown.lower()
    assert "470" not in shown


def test_every_spelling_of_the_table_is_found_and_what_only_looks_like_one_is_not() -> None:
    """``spellings.csv``: what is looked for, what is written, both with their escapes, and whether that is a hit."""
    with Path(__file__).with_name("spellings.csv").open(encoding="utf-8", newline="") as file:
        rows = [[*map(unescaped, row[:2]), row[2]] for row in list(csv.reader(file))[1:]]

    assert len(rows) == 34
    for value, written, status in rows:
        assert scan_bytes(written.encode(), needles_of([value])).status is Status[status], (value, written)


def unescaped(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


AN, JAN = "an.claes@post.example", "Jan.Claes@post.example"


@pytest.mark.parametrize("written", [JAN, JAN.upper(), f"a;{JAN};b", f"jj{JAN}jj", f"{JAN}{JAN}"])
def test_inside_the_longer_word_of_somebody_else_a_value_is_nothing(written: str) -> None:
    needles = needles_of([AN], {AN: [JAN]})

    assert scan_bytes(written.encode(), needles).status is Status.CLEAN
    assert scan_bytes(written.encode(), needles_of([AN])).status is Status.HIT, "control"


@pytest.mark.parametrize(
    "written", [AN, f"x{AN}", f"{AN}j", f"\x15{AN}\x15{AN}", f"{JAN};{AN}", f"j {AN}", f"dan{AN[2:]}{AN}"]
)
def test_next_to_any_other_letter_it_is_the_value_itself(written: str) -> None:
    """As in a column of Parquet, where a length stands before each value, and may look like a letter."""
    assert scan_bytes(written.encode(), needles_of([AN], {AN: [JAN]})).status is Status.HIT


@pytest.mark.slow
@pytest.mark.parametrize("size", effort([7, 40, 400], [1, 7, 40, 400, 5000]))
def test_a_longer_word_is_seen_whole_wherever_a_piece_of_a_stream_ends(size: int) -> None:
    needles, text = needles_of([AN], {AN: [JAN]}), (f"{'x' * 1009}{JAN}" * 30).encode()

    def found(content: bytes) -> int:
        kept = Found(Limits())
        sweep((content[at : at + size] for at in range(0, len(content), size)), needles, "", kept)
        return len(kept.hits)

    assert found(text) == 0
    assert found(text + AN.encode()) == 1
    assert found(text + b";" + AN.encode() + b";" + text) == 1
    assert found(AN.encode() + text) == 1


@pytest.mark.parametrize("value", ["\u212bngstrom", "\u212aoenig 12", "Mega\u2126", "0000\U0002f800"])
def test_a_letter_that_stands_for_another_one_is_found_as_it_was_given_and_as_that_one(value: str) -> None:
    needles = needles_of([value])

    for form in (value, unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)):
        assert scan_bytes(f"x;{form};y".encode(), needles).status is Status.HIT, ascii(form)
    assert scan_bytes(b"x;Angstrom;koenig;y", needles).status is Status.CLEAN, "control"


def test_two_persons_with_one_value_are_both_named() -> None:
    scan = scan_bytes(b"Vandenbroucke", needles_of(["Vandenbroucke", "VANDENBROUCKE"]))

    assert {hit.value_index for hit in scan.hits} == {0, 1}


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=5, max_size=30), st.binary(max_size=50), st.binary(max_size=50))
def test_a_value_is_found_between_any_bytes(value: str, before: bytes, after: bytes) -> None:
    try:
        needles = needles_of([value])
    except (ScanFailed, UnicodeEncodeError):
        return

    scan = scan_bytes(before + value.strip().encode() + after, needles)

    assert scan.status is Status.HIT or scan.doubts


@pytest.mark.parametrize("value", people(5))
def test_every_encoding_of_every_kind_of_value_is_found(value: str) -> None:
    needles = needles_of([value])

    assert [name for name, content in encodings_of(value) if not scan_bytes(content, needles).hits] == []


BRUSSELS, ANTWERP = "+3223868177", "+3238681773"


@pytest.mark.parametrize("written", [ANTWERP, "0032 3 868 17 73", "32386817-73", "+32 (3) 868.17.73"])
def test_inside_the_number_of_somebody_else_the_digits_of_a_shorter_one_are_nothing(written: str) -> None:
    alone, beside = needles_of([BRUSSELS]), needles_of([BRUSSELS], {BRUSSELS: {ANTWERP}})

    assert scan_bytes(f"a;{written};b".encode(), alone).status is Status.HIT, "control: by chance it reads so"
    assert scan_bytes(f"a;{written};b".encode(), beside).status is Status.CLEAN
    for own in (BRUSSELS, "02 386 81 77", "0032 2 386.81.77", "23868177"):
        assert scan_bytes(f"a;{written};{own};b".encode(), beside).status is Status.HIT, own
