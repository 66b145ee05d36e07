"""Every value, in every encoding, in every container; and what cannot be opened is never clean."""

import gzip
import io
import struct
import zipfile
from pathlib import Path

import pyrage
import pytest
import typst
from pysequoia import Tsk, encrypt

from scan.plants import CONTAINERS, encodings_of, filled, pdf_of, people, workbook_of, zipped
from sluice.scan.form import OLE
from sluice.scan.model import Limits, Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes
from support.effort import effort

pytestmark = pytest.mark.slow

PEOPLE = people(200)
NEEDLES = needles_of(PEOPLE)
NEEDLES_OF_ABSENT = needles_of(people(200, seed=5))
VALUE = "klant.7@voorbeeld.be"
NEEDLE = needles_of([VALUE])


@pytest.mark.parametrize("container", CONTAINERS)
def test_all_values_are_found_alone_in_each_encoding_and_together_and_no_others(container: str) -> None:
    wrap, values = CONTAINERS[container], [value.encode() for value in PEOPLE]
    together = wrap(b"\r\n".join(values * 2))
    encoded = wrap(b"\r\n".join(content for value in PEOPLE for _, content in encodings_of(value)))

    assert {hit.value_index for hit in scan_bytes(together, NEEDLES).hits} == set(range(200))
    assert missed_in(container, PEOPLE[:5]) == []
    assert scan_bytes(encoded, NEEDLES_OF_ABSENT).hits == ()
    assert scan_bytes(wrap(b"nothing to see"), NEEDLES).status is Status.CLEAN
    if container not in ("bare", "zip, stored"):
        assert sum(value in together for value in values) < 150, "control: a search that does not inflate misses it"


@pytest.mark.long  # the same of 5 values is above
@pytest.mark.parametrize("container", CONTAINERS)
def test_each_of_200_values_in_each_encoding_alone_is_found(container: str) -> None:
    assert missed_in(container, PEOPLE) == []


def missed_in(container: str, values: list[str]) -> list[tuple[int, str]]:
    """Each encoding of each value in an object of its own; those that were not found."""
    return [
        (i, name)
        for i, value in enumerate(values)
        for name, content in encodings_of(value)
        if i not in {hit.value_index for hit in scan_bytes(CONTAINERS[container](content), NEEDLES).hits}
    ]


def test_every_run_of_rich_text_is_joined_in_a_workbook() -> None:
    scan = scan_bytes(workbook_of(PEOPLE), NEEDLES)

    assert {hit.value_index for hit in scan.hits} == set(range(len(PEOPLE)))
    assert scan.doubts == ()


def test_a_path_is_read_as_its_bytes(tmp_path: Path) -> None:
    for name, wrap in CONTAINERS.items():
        path = tmp_path / "object"
        path.write_bytes(wrap(VALUE.encode()))
        assert scan_bytes(path, NEEDLE) == scan_bytes(path.read_bytes(), NEEDLE), name
    path.write_bytes(b"")
    assert scan_bytes(path, NEEDLE).status is Status.CLEAN


def test_a_value_that_two_windows_share_is_found_at_its_offset() -> None:
    for start in range((1 << 22) - 21, (1 << 22) + 2, effort(5, 3)):
        content = b"." * start + VALUE.encode() + b"."
        assert {hit.offset for hit in scan_bytes(content, NEEDLE).hits} == {start}


def test_names_comments_and_what_the_directory_forgot_are_read() -> None:
    in_name = zipped(b"x", name=f"{VALUE}.csv")
    in_comment = zipped(b"x", comment=VALUE.encode())
    forgotten = bytearray(zipped(filled(VALUE.encode())) + zipped(b"other"))

    for content in (in_name, in_comment, bytes(forgotten)):
        scan = scan_bytes(content, NEEDLE)
        assert scan.status is Status.HIT
        assert VALUE not in repr(scan)


def test_a_gzip_names_its_file_and_is_read_behind_its_end() -> None:
    target = io.BytesIO()
    with gzip.GzipFile(VALUE, "wb", fileobj=target) as file:
        file.write(b"x")
    assert scan_bytes(target.getvalue(), NEEDLE).status is Status.HIT
    assert scan_bytes(gzip.compress(b"x") + b"\x00\x01\x02", NEEDLE).doubts[0].reason is Reason.UNREAD_GAP


@pytest.mark.parametrize("standards", [[], ["a-3b"], ["ua-1"]])
def test_a_pdf_is_read_through_its_fonts(standards: list[str]) -> None:
    text = '#set document(title: "a")\nGeachte heer Vandenbroucke, u hebt *0470 12 34 56* als nummer.'
    page = typst.compile(text.encode(), pdf_standards=standards)
    scan = scan_bytes(page, needles_of(["Vandenbroucke", "+32470123456", "Vandenberghe"]))

    assert b"Vandenbroucke" not in page
    assert {hit.value_index for hit in scan.hits} == {0, 1}
    assert scan.doubts == ()


@pytest.mark.parametrize(
    "shown", [b"(klant\\056)-20(7@voor)3(beeld.be)] TJ", b"<6B6C616E742E37>1<40766F6F726265656C642E6265>] TJ"]
)
def test_strings_of_a_page_are_joined_and_unescaped(shown: bytes) -> None:
    assert scan_bytes(pdf_of(b"BT [" + shown + b" ET"), NEEDLE).status is Status.HIT


def test_widths_of_a_font_are_no_number_in_groups_and_its_text_is() -> None:
    needles = needles_of(["09 383 83 91"])
    widths = b"1 0 obj\n<</W [36 36 253 37 37 489 38 38 391 39 39 573]>>\nendobj\n"
    told = b"(bel 09 383 83 91) Tj"

    assert scan_bytes(b"%PDF-1.7\n" + widths + b"%%EOF", needles).hits == ()
    assert scan_bytes(pdf_of(b"BT [489 38 38 391] TJ ET"), needles).hits == ()
    assert scan_bytes(b"%PDF-1.7\n" + widths + rb"(a\u00e9)" + b"%%EOF", needles).hits == (), "nor read otherwise"
    assert scan_bytes(b"489 38 38 391", needles).hits, "control: elsewhere it may be one"
    assert scan_bytes(pdf_of(b"BT " + told + b" ET"), needles).status is Status.HIT
    assert scan_bytes(b"%PDF-1.7\n1 0 obj\n<</Title " + told[:-3] + b">>\nendobj\n%%EOF", needles).status is Status.HIT


def test_numbers_in_a_pdf_of_tags_are_numbers_whatever_words_stand_beside_them() -> None:
    """Metadata may say Tj, or BT, and is no page for it."""
    told, needles = b"<x>BT Tj 093 838 391</x>", needles_of(["09 383 83 91"])

    page = pdf_of(told)
    assert scan_bytes(page, needles).hits == (), "control: on a page they are places"
    metadata = page.replace(b"/Filter", b"/Type/Metadata/Subtype /XML/Filter")
    assert scan_bytes(metadata, needles).status is Status.HIT


def test_an_encrypted_message_is_opaque_until_someone_can_open_it() -> None:
    key = pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(gzip.compress(filled(VALUE.encode())), [key.to_public()])

    assert scan_bytes(sealed, NEEDLE).status is Status.OPAQUE
    assert scan_bytes(gzip.compress(sealed), NEEDLE).status is Status.OPAQUE
    assert scan_bytes(sealed, NEEDLE, decrypt=lambda _: None).status is Status.OPAQUE
    assert scan_bytes(sealed, NEEDLE, decrypt=lambda message: pyrage.decrypt(message, [key])).status is Status.HIT
    clean = pyrage.encrypt(filled(b"x"), [key.to_public()])
    assert scan_bytes(clean, NEEDLE, decrypt=lambda message: pyrage.decrypt(message, [key])).status is Status.CLEAN


def test_openpgp_is_opaque_with_and_without_armour() -> None:
    someone = Tsk.generate("Desk <desk@voorbeeld.be>").extract_certificate()
    for armor in (True, False):
        message = encrypt(b"x", recipients=[someone], armor=armor)
        assert scan_bytes(bytes(message), NEEDLE).status is Status.OPAQUE


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00\x01\x02 of no known form", Reason.UNKNOWN_FORM),
        (b"\x89PNG\r\n\x1a\n....", Reason.PICTURE),
        (gzip.compress(b"x" * 5000)[:-9], Reason.BROKEN),
        (zipped(b"x" * 5000)[:40], Reason.UNREAD_GAP),
        (b"PAR1 and no footer", Reason.BROKEN),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", Reason.UNKNOWN_ENCODING),
        (zipped(b"x", zipfile.ZIP_LZMA), Reason.UNKNOWN_COMPRESSION),
        (OLE + b"x" + "EncryptedPackage".encode("utf-16-le"), Reason.ENCRYPTED),
        (OLE + b"an old workbook", Reason.UNKNOWN_FORM),
        (b"%PDF-1.7 trailer <</Encrypt 5 0 R>>", Reason.ENCRYPTED),
        (b"%PDF-1.7 1 0 obj <</Filter/LZWDecode>> stream\nxx\nendstream", Reason.UNKNOWN_ENCODING),
    ],
    ids=lambda value: value.name if isinstance(value, Reason) else "content",  # archives hold the time they were made
)
def test_what_cannot_be_read_is_never_clean(content: bytes, reason: Reason) -> None:
    scan = scan_bytes(content, NEEDLE)

    assert reason in {doubt.reason for doubt in scan.doubts}
    assert scan.status in (Status.NOT_CLEAN, Status.OPAQUE)


def test_bytes_that_the_caller_vouches_for_may_be_of_no_form() -> None:
    page = struct.pack("<4H", 0, 1, 2, 3) + VALUE.encode() + bytes(200)

    assert scan_bytes(bytes(300), NEEDLE, raw=True).status is Status.CLEAN
    assert scan_bytes(page, NEEDLE, raw=True).status is Status.HIT


def test_a_bomb_stops_at_the_limit_and_says_so() -> None:
    bomb = gzip.compress(gzip.compress(bytes(40 << 20)))

    scan = scan_bytes(bomb, NEEDLE, limits=Limits(whole_bytes=1 << 20, inflated_bytes=4 << 20))

    assert Reason.TOO_LARGE in {doubt.reason for doubt in scan.doubts}
    assert scan.read_bytes < 16 << 20


def test_nesting_stops_at_its_limit_and_says_so() -> None:
    content = b"x"
    for _ in range(12):
        content = gzip.compress(content)

    assert Reason.TOO_DEEP in {doubt.reason for doubt in scan_bytes(content, NEEDLE).doubts}


def test_a_flood_of_hits_is_cut_and_said() -> None:
    needles = needles_of(PEOPLE)

    scan = scan_bytes("\n".join(PEOPLE).encode(), needles, limits=Limits(hits=10))

    assert len(scan.hits) == 10
    assert Reason.TOO_MANY_HITS in {doubt.reason for doubt in scan.doubts}
