"""Which values are searched for, and in which bytes."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scan.plants import encodings_of, people
from sluice.scan.model import Limits, ScanFailed, Status
from sluice.scan.needles import needles_of
from sluice.scan.sweep import Found, sweep
from sluice.scan.walk import scan_bytes


def test_values_too_short_to_mean_anything_are_named_by_their_place() -> None:
    needles = needles_of(["1000", "Jan", "25-11", "+32 470 12 34 56", "klant@voorbeeld.be", ""])

    assert needles.unsearchable == (0, 1, 2, 5)
    assert needles.size == 6


def test_a_postcode_of_four_digits_raises_no_alarm() -> None:
    needles = needles_of(["1000", "klant@voorbeeld.be"])

    assert scan_bytes(b"1000;Brussel;1000", needles).status is Status.CLEAN


def test_nothing_to_search_for_is_an_error_not_a_clean_store() -> None:
    with pytest.raises(ScanFailed):
        needles_of(["1000", "Jan"])


def test_neither_needles_nor_hits_show_a_value() -> None:
    needles = needles_of(["Vandenbroucke", "+32470123456"])

    shown = f"{needles!r} {scan_bytes(b'x Vandenbroucke 0470 12 34 56', needles)!r}"

    assert "vandenbroucke" not in shown.lower()
    assert "470" not in shown


@pytest.mark.parametrize(
    "written", ["0470123456", "0470 12 34 56", "0032470123456", "+32 (0)470/12.34.56", "32470-12-34-56"]
)
def test_a_phone_is_found_however_it_is_written(written: str) -> None:
    scan = scan_bytes(f"a;{written};b".encode(), needles_of(["+32 470 12 34 56"]))

    assert scan.status is Status.HIT


@pytest.mark.parametrize("value", ["BE68 5390 0754 7034", "BE68539007547034", "be68-5390-0754-7034"])
@pytest.mark.parametrize("written", ["BE68 5390 0754 7034", "BE68539007547034", "be68 5390\u00a00754 7034"])
def test_an_account_number_is_found_in_any_groups(value: str, written: str) -> None:
    assert scan_bytes(f"op {written} graag".encode(), needles_of([value])).status is Status.HIT


@pytest.mark.parametrize(("written", "status"), [("<v>12345678</v>", Status.HIT), ("<v>12345679</v>", Status.CLEAN)])
def test_a_number_is_found_where_its_zeros_are_in_a_format_only(written: str, status: Status) -> None:
    assert scan_bytes(written.encode(), needles_of(["00012345678"])).status is status


def test_a_few_digits_after_zeros_are_nobody() -> None:
    assert scan_bytes(b"<v>1234567</v>", needles_of(["0001234567"])).status is Status.CLEAN


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("12345670", "<v>1.234567E7</v>"),
        ("12345678", "<v>1.2345678E7</v>"),
        ("+32475123450", "<v>3.247512345E10</v>"),
        ("0475 12 34 50", '{"phone":4.7512345e8,"calls":2}'),
        ("+32475123450", "<v>3.247512345E+10</v>"),
        ("12345670", "<v>1.234567E+07</v>"),
        ("12345600", "[1.23456E7]"),
    ],
)
def test_a_number_is_found_as_a_double_is_written(value: str, written: str) -> None:
    assert scan_bytes(written.encode(), needles_of([value])).status is Status.HIT


@pytest.mark.parametrize("written", ["<v>1.234567</v>", "<v>1.234567E8</v>", "<v>1234567</v>"])
def test_a_double_of_another_size_is_another_number(written: str) -> None:
    assert scan_bytes(written.encode(), needles_of(["12345670"])).status is Status.CLEAN


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
@pytest.mark.parametrize("size", [1, 7, 40, 400, 5000])
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


@pytest.mark.parametrize(
    "written", ["d'hondt", "D\u2019HONDT", "D''Hondt", "D&#39;Hondt", "D&apos;Hondt", "D\\u0027Hondt", "D%27Hondt"]
)
def test_an_apostrophe_hides_no_name(written: str) -> None:
    assert scan_bytes(f"x {written} y".encode(), needles_of(["D'Hondt"])).status is Status.HIT


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
