"""A page is read through whatever its font says of its codes; a font that says nothing is a doubt."""

import io
import tracemalloc
import zlib

import pytest
from pypdf import PdfReader
from pypdf._codecs import adobe_glyphs

from scan.pdfs import Page, cmap, codes_of, differences, pdf_with, shown_in
from sluice.scan.glyphs import letters_named
from sluice.scan.model import Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

TOLD = "Geachte heer Vandenbroucke, wij bellen u op 0470 12 34 56 of (als dat past) later."
NEEDLES = needles_of(["Vandenbroucke", "+32470123456"])
CODES = codes_of(TOLD)
KERNED = shown_in(TOLD, CODES, kerned=True)
PLAIN = shown_in(TOLD, CODES)
STRAIGHT = {letter: ord(letter) for letter in TOLD}
NAMES = {" ": b"space", ",": b"comma", ".": b"period", "(": b"parenleft", ")": b"parenright"} | dict(
    zip("0123456789", b"zero one two three four five six seven eight nine".split(), strict=True)
)
NAMED = differences(CODES, [NAMES.get(letter, letter.encode()) for letter in CODES])
NUMBERED = differences(CODES, [b"g%d" % code for code in CODES.values()])
TO_UNICODE = b"<</Type/Font/Subtype/%b/BaseFont/ABCDEF+Foo/FirstChar 1/ToUnicode 6 0 R>>"
WITH_NAMES = b"<</Type/Font/Subtype/Type1/BaseFont/ABCDEF+Foo/Encoding<</Type/Encoding%b>>>>"
GLYPHS = b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/CharProcs<<>>/Encoding<<%b>>%b>>"
READ = {
    "TrueType, one byte": Page(TO_UNICODE % b"TrueType", PLAIN, [cmap(CODES)]),
    "TrueType, a string for each glyph": Page(TO_UNICODE % b"TrueType", KERNED, [cmap(CODES)]),
    "Type1, a range": Page(TO_UNICODE % b"Type1", KERNED, [cmap(CODES, in_range=True)]),
    "Type1, a table of two bytes": Page(TO_UNICODE % b"Type1", KERNED, [cmap(CODES, width=2)]),
    "Type3": Page(GLYPHS % (NUMBERED, b"/ToUnicode 6 0 R"), PLAIN, [cmap(CODES)]),
    "names": Page(WITH_NAMES % NAMED, KERNED),
    "names elsewhere": Page(
        b"<</Type/Font/Subtype/TrueType/BaseFont/Foo/Encoding 6 0 R>>", KERNED, [b"<</Type/Encoding%b>>" % NAMED]
    ),
    "a list of names elsewhere": Page(WITH_NAMES % b"/Differences 6 0 R", PLAIN, [NAMED.partition(b" ")[2]]),
}
UNSAID = {
    "numbered names": Page(WITH_NAMES % NUMBERED, PLAIN),
    "numbered names elsewhere": Page(
        b"<</Type/Font/Subtype/TrueType/BaseFont/Foo/Encoding 6 0 R>>", PLAIN, [b"<</Type/Encoding%b>>" % NUMBERED]
    ),
    "numbered names in Type3": Page(GLYPHS % (NUMBERED, b""), PLAIN),
    "a subset without an encoding": Page(b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Foo>>", PLAIN),
    "an embedded font without an encoding": Page(
        b"<</Type/Font/Subtype/TrueType/BaseFont/Foo/FontDescriptor 6 0 R>>",
        PLAIN,
        [b"<</Type/FontDescriptor/FontName/Foo/FontFile2 7 0 R>>"],
    ),
    "an encoding that is not there": Page(b"<</Type/Font/Subtype/Type1/BaseFont/Foo/Encoding 9 0 R>>", PLAIN),
    "an encoding of another kind": Page(b"<</Type/Font/Subtype/Type1/BaseFont/Foo/Encoding/Identity-H>>", PLAIN),
    "two bytes without a table, beside a font that has one": Page(
        TO_UNICODE % b"TrueType", PLAIN, [cmap({"x": 120}), b"<</Type/Font/Subtype/Type0/Encoding/Identity-H>>"]
    ),
}
OPEN = {
    "Helvetica": Page(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>", shown_in(TOLD, STRAIGHT)),
    "Helvetica, named": Page(
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", shown_in(TOLD, STRAIGHT)
    ),
    "a subset, named": Page(
        b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Foo/Encoding/WinAnsiEncoding>>", shown_in(TOLD, STRAIGHT)
    ),
    "a subset with some names": Page(WITH_NAMES % b"/Differences [2/fi/f_l 150/endash]", shown_in(TOLD, STRAIGHT)),
}
OTHERS = needles_of(["Vandenberghe", "+32470123457"])


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "object stream"])
@pytest.mark.parametrize("kind", [*READ, *OPEN])
def test_a_page_is_read_through_what_its_font_says_of_its_codes(kind: str, is_packed: bool) -> None:
    pdf = pdf_with({**READ, **OPEN}[kind], is_packed=is_packed)

    assert {hit.value_index for hit in scan_bytes(pdf, NEEDLES).hits} == {0, 1}
    assert scan_bytes(pdf, OTHERS).status is Status.CLEAN
    assert "Vandenbroucke" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text(), "as everybody reads it"


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "object stream"])
@pytest.mark.parametrize("kind", UNSAID)
def test_a_font_that_leaves_its_letters_unsaid_is_a_doubt(kind: str, is_packed: bool) -> None:
    scan = scan_bytes(pdf_with(UNSAID[kind], is_packed=is_packed), NEEDLES)

    assert [doubt.reason for doubt in scan.doubts] == [Reason.FONT_ENCODED_TEXT]
    assert scan.status is Status.NOT_CLEAN


def packed(objects: bytes) -> bytes:
    return b"2 0 obj <</Type/ObjStm/First 4/Filter/FlateDecode>> stream\n%b\nendstream endobj\n" % zlib.compress(
        objects
    )


@pytest.mark.timeout(30)
def test_what_thousands_of_fonts_share_is_read_once() -> None:
    """Read for each of them, these few kilobytes took a minute and a half."""
    fonts = b"0 0 " + b"<</Subtype/Type1/Encoding<</Differences 7 0 R>>>>" * 9_900
    scan = scan_bytes(b"%PDF-1.4\n7 0 obj [" + b"/a" * 8_000 + b"] endobj\n" + packed(fonts) + b"%%EOF", NEEDLES)
    assert scan.status is Status.CLEAN


@pytest.mark.slow
def test_of_encodings_that_all_differ_only_some_are_read_and_that_is_a_doubt() -> None:
    fonts = b"0 0 " + b"".join(
        b"<</Subtype/Type1/Encoding<</Differences[%d%b]>>>>" % (number, b"/a" * 2_000) for number in range(1_200)
    )
    scan = scan_bytes(b"%PDF-1.4\n" + packed(fonts) + b"%%EOF", NEEDLES)
    assert [doubt.reason for doubt in scan.doubts] == [Reason.FONT_ENCODED_TEXT]


@pytest.mark.slow
def test_the_readings_of_a_text_do_not_lie_in_memory_together() -> None:
    tables = b"".join(
        b"%d 0 obj <</Length 1>> stream\nbegincodespacerange <00> beginbfrange <00> <ff> <%04x> endbfrange\n"
        b"endstream endobj\n" % (number + 10, number + 32) for number in range(60)
    )  # fmt: skip
    shown = zlib.compress(b"BT " + b"(abcdefghijklmnopqrstuvwxyz) Tj " * 2_000)
    page = b"1 0 obj <</Filter/FlateDecode>> stream\n%b\nendstream endobj\n%%%%EOF" % shown
    font = b"9 0 obj <</Subtype/Type1/ToUnicode 10 0 R>> endobj\n"
    tracemalloc.start()
    try:
        scan_bytes(b"%PDF-1.4\n" + tables + font + page, NEEDLES)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 32 << 20


def test_codes_of_a_macintosh_are_read_as_such() -> None:
    shown = b"(%b) Tj" % "Mevrouw Lef\u00e8vre-Andr\u00e9".encode("mac_roman")
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/ABCDEF+Foo/Encoding/MacRomanEncoding>>"

    assert scan_bytes(pdf_with(Page(font, shown)), needles_of(["Lef\u00e8vre-Andr\u00e9"])).status is Status.HIT


def test_a_composite_font_of_one_byte_is_read_too() -> None:
    font = b"<</Type/Font/Subtype/Type0/BaseFont/Foo/Encoding 7 0 R/ToUnicode 6 0 R>>"

    assert scan_bytes(pdf_with(Page(font, PLAIN, [cmap(CODES)])), NEEDLES).status is Status.HIT


def test_names_of_glyphs_are_those_of_adobe() -> None:
    for name, letter in (("eacute", "\u00e9"), ("uni00E900E8", "\u00e9\u00e8"), ("u1F600", "\U0001f600")):
        assert letters_named(name) == letter
    assert letters_named("f_i") == letters_named("fi") == "fi"
    assert (letters_named("one.oldstyle"), letters_named(".notdef")) == ("1", "")
    assert [letters_named(name) for name in ("g1", "a65", "cid:12", "C0001", "glyph7")] == [None] * 5
    known = {name.removeprefix("/"): letter for name, letter in adobe_glyphs.items()}
    latin = {name: letter for name, letter in known.items() if letters_named(name) == letter}
    assert len([letter for letter in latin.values() if "\u00c0" <= letter < "\u0180"]) > 100
