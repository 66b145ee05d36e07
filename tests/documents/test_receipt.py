"""A receipt says what the ledger says, the same way every time, in three languages, to everybody."""

import io
import json
import re
import subprocess
import sys
import unicodedata
from base64 import urlsafe_b64decode
from dataclasses import asdict
from hashlib import sha256

import pytest
import rfc8785
from pypdf import PdfReader

from documents.samples import EXCHANGE, TWO_REASONS, a_record, a_refusal_without_paper, an_entry, many_reasons
from sluice.documents.page import make_page
from sluice.documents.pdf import LETTERS, PUNCTUATION
from sluice.documents.receipt import ReceiptTooEarly, make_receipt
from sluice.documents.verify import TYPE, verify_receipt
from sluice.ledger.record import ReasonLine
from sluice.ledger.sign import sign
from sluice.terms import Decision

AGAIN = """
import sys; from hashlib import sha256; from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from documents.samples import a_record, an_entry
from sluice.documents.receipt import make_receipt
from sluice.keys import Keyring
record = a_record()
keyring = Keyring(Path(), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
receipt = make_receipt(record, an_entry(record), keyring, "nl")
print(sha256(receipt.pdf).hexdigest(), sha256(receipt.jws).hexdigest())
"""


def text_of(pdf: bytes) -> str:
    """Words of all pages, without line breaks."""
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return re.sub(r"\s+", " ", pages)


def payload_of(jws: bytes):
    payload = json.loads(jws)["payload"]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@pytest.mark.slow
def test_the_same_entry_gives_the_same_bytes_in_another_process(receipt, pytestconfig):
    done = subprocess.run(
        [sys.executable, "-c", AGAIN], cwd=pytestconfig.rootpath / "tests", capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [sha256(receipt.pdf).hexdigest(), sha256(receipt.jws).hexdigest()]


def test_a_receipt_verifies_with_the_public_key_alone(receipt, keyring):
    check = verify_receipt(receipt.jws, keyring.public_pem, receipt.pdf)

    assert check.valid
    assert (check.exchange, check.entry_hash) == (EXCHANGE, "d1" * 32)
    assert (check.chain, check.seq, check.pdf_checked) == ("DPA-ENERGY01", 4711, True)


def test_the_signed_statement_repeats_the_record(receipt):
    said, record = payload_of(receipt.jws), a_record()

    assert said["rows"] == {"in": 41188, "accepted": 41176, "refused": 12, "held": 0}
    assert said["file"]["sha256"] == record.what.sha256
    assert said["reasons"] == [line.model_dump(mode="json") for line in TWO_REASONS]
    assert said["purposes"][0]["text"].keys() == {"nl", "fr", "en"}
    assert said["ledger"] == {"chain": "DPA-ENERGY01", "seq": 4711, "entry_hash": "d1" * 32}
    assert said["pdf_sha256"] == sha256(receipt.pdf).hexdigest()


def test_the_statement_says_whom_it_is_about_and_who_has_it(receipt):
    said, who = payload_of(receipt.jws), a_record().who

    none = {"present": False, "columns": [], "found_in_notes": []}
    assert (said["distinct_subjects"], said["special_categories"]) == (4087, none)
    assert (said["recipients"], said["countries"]) == (list(who.recipients), list(who.countries))
    assert said["sub_processors"] == ["Object Store BV"]


def test_a_receipt_without_its_decision_does_not_verify(receipt, keyring):
    said = payload_of(receipt.jws)
    broken = rfc8785.dumps({name: value for name, value in said.items() if name != "decision"})
    assert not verify_receipt(sign(broken, keyring.signing, TYPE).flattened, keyring.public_pem, receipt.pdf).valid


def test_a_file_that_was_not_read_is_about_nobody_that_is_known(keyring):
    record = a_refusal_without_paper()
    unread = make_receipt(record, an_entry(record), keyring, "en")

    assert payload_of(unread.jws)["distinct_subjects"] is None
    assert "Different persons" not in text_of(unread.pdf)


def test_an_open_exchange_has_no_receipt(keyring):
    record = a_record(Decision.OPEN)

    with pytest.raises(ReceiptTooEarly, match=EXCHANGE):
        make_receipt(record, an_entry(record), keyring, "nl")


def test_the_page_says_it_in_three_languages_the_principals_first(receipt):
    words = text_of(receipt.pdf)
    verdicts = ["Gedeeltelijk aanvaard", "Accepté en partie", "Partly accepted"]

    assert [words.index(verdict) for verdict in verdicts] == sorted(words.index(verdict) for verdict in verdicts)
    for expected in ("VALUE_IDENTIFIER", "3, 17, 204 …", "23 February 2027", "d1" * 32):
        assert expected in words, "and what stands in golden/ reaches the paper"


def tags_of(pdf: bytes) -> tuple[set[str], set[str]]:
    """Every tag of a PDF's structure, and every language in it."""
    tags, languages = set(), set()

    def walk(element) -> None:
        element = element.get_object()
        if isinstance(element, list):
            for kid in element:
                walk(kid)
        elif isinstance(element, dict):
            tags.add(element.get("/S"))
            languages.add(element.get("/Lang"))
            if "/K" in element:
                walk(element["/K"])

    walk(PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"])
    return tags, languages


def test_a_screen_reader_knows_title_structure_and_language(receipt):
    root = PdfReader(io.BytesIO(receipt.pdf)).trailer["/Root"]
    tags, languages = tags_of(receipt.pdf)

    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == "nl-BE"
    assert {"fr-BE", "en-GB"} <= languages
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/TD"} <= tags
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


@pytest.mark.parametrize("language", ["nl", "fr", "en", "xx"])
def test_every_decision_has_a_page(keyring, language):
    for record in (
        a_record(Decision.ACCEPTED, rows=(1, 1, 0), reasons=()),
        a_record(Decision.ACCEPTED, rows=(0, 0, 0), reasons=()),
        a_record(Decision.REFUSED, rows=(10, 0, 10)),
        a_record(Decision.UNDECIDED, rows=(0, 0, 0)),
        a_record(held={"erased": 2, "objected": 12}),
        a_refusal_without_paper(),
    ):
        receipt = make_receipt(record, an_entry(record), keyring, language)

        assert verify_receipt(receipt.jws, keyring.public_pem, receipt.pdf).valid


@pytest.mark.slow
def test_two_hundred_reasons_are_all_there_and_the_verdict_still_on_page_one(keyring):
    record = a_record(Decision.REFUSED, rows=(41188, 0, 41188), reasons=many_reasons(200))

    receipt = make_receipt(record, an_entry(record), keyring, "nl")

    pages = PdfReader(io.BytesIO(receipt.pdf)).pages
    words = text_of(receipt.pdf)
    assert "Geweigerd" in pages[0].extract_text()
    assert "Nog 188 redenen staan in de bijlage achteraan." in words
    assert all(f"renewal.rule_{index}" in words for index in range(200))
    assert len(payload_of(receipt.jws)["reasons"]) == 200
    assert verify_receipt(receipt.jws, keyring.public_pem, receipt.pdf).valid


def test_a_name_in_any_writing_can_be_set_and_cannot_disguise_itself(keyring):
    letters = [chr(code) for block in LETTERS for code in block if chr(code).isalpha()]
    every_letter = "".join([*map(chr, range(0x20, 0x100)), *letters, *sorted(PUNCTUATION)])
    strange = ["名前 😀 \u202egpj.exe\u200b", "#let x = 1; #panic()", "$ \\ ` * _ <b> {{ }} %s", every_letter]
    reasons = tuple(ReasonLine(code="VALUE_NULL", rule="r", column=column, count=1) for column in strange)
    record = a_record(reasons=reasons)

    receipt = make_receipt(record, an_entry(record), keyring, "fr")

    words = text_of(receipt.pdf).replace(" ", "")
    assert "[U+540D][U+524D][U+1F600][U+202E]gpj.exe[U+200B]" in words
    assert "#letx=1;#panic()" in words
    assert [line["column"] for line in payload_of(receipt.jws)["reasons"]] == strange


def test_every_letter_that_is_set_is_the_letter_itself_for_whoever_copies_it(keyring):
    """One without a glyph would stop the document, and one with another's would say another name."""
    letters = [chr(code) for block in LETTERS for code in block if chr(code).isalpha()]
    signs = [sign for sign in sorted(PUNCTUATION) if not sign.isspace()]
    composed = "".join(unicodedata.normalize("NFC", letter) for letter in (*letters, *signs))
    lines = [composed[start : start + 50] for start in range(0, len(composed), 50)]
    reasons = tuple(
        ReasonLine(code="VALUE_NULL", rule="r", column=line, count=1) for line in ("Nguyễn Thị Hoà", *lines)
    )
    record = a_record(reasons=reasons)

    words = text_of(make_receipt(record, an_entry(record), keyring, "nl").pdf).replace(" ", "")

    assert "NguyễnThịHoà" in words
    assert [line for line in lines if line not in words] == [], "in order, and none twice"


@pytest.mark.parametrize(
    ("codes", "decision", "is_noted"),
    [
        (("DUPLICATE_CONTENT",), Decision.REFUSED, True),
        (("DUPLICATE_CONTENT", "VALUE_NULL"), Decision.REFUSED, False),
        (("VALUE_NULL",), Decision.REFUSED, False),
        (("TEXT_SAMPLE", "TEXT_PHONE_MASKED"), Decision.ACCEPTED, True),
        (("TEXT_SAMPLE", "VALUE_NULL"), Decision.ACCEPTED, False),
        ((), Decision.REFUSED, False),
    ],
)
def test_whoever_has_nothing_to_correct_is_not_told_to_correct_it(codes, decision, is_noted):
    reasons = tuple(ReasonLine(code=code, rule="r", column=None, count=1) for code in codes)
    record = a_record(decision, reasons=reasons)

    said = json.dumps(asdict(make_page(record, an_entry(record), "key", "en").sections[0]))

    tells = [
        sentence
        for sentence in ("What to correct", "orrect it as described", "please correct them")
        if sentence in said
    ]
    assert bool(tells) is not is_noted, tells


def test_what_is_copied_from_the_page_is_what_was_written(receipt):
    """Places to break a line at are no characters, or the command that verifies it would fail where it is pasted."""
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(receipt.pdf)).pages)

    assert f"sluice receipt verify {EXCHANGE}.json --key receipt-key.pem" in pages
    assert "d1" * 32 in pages.replace("\n", "") and "\u200b" not in pages
