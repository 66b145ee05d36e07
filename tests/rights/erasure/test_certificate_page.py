"""The certificate as a page: complete in three languages, readable by a screen reader, made from the JWS alone."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pypdf import PdfReader
from typer.testing import CliRunner

from documents.test_receipt import tags_of, text_of
from rights.asking import asked
from rights.letter_samples import CASE, FORWARDED, GROUPS, OURS, a_case, a_part
from sluice.cli.receipt import app
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, words
from sluice.keys import Keyring
from sluice.ledger.model import SignatureInvalid
from sluice.ledger.sign import key_id, sign
from sluice.rights.case.history import Step
from sluice.rights.case.model import Action, Right, Role, State
from sluice.rights.case.reasons import EXCEPTIONS, iri
from sluice.rights.case.wording import reason_text
from sluice.rights.copies.stores import STORES
from sluice.rights.erasure.certificate import issue, open_pdf
from sluice.rights.erasure.certificate_check import FORMAT, TYPE
from sluice.rights.erasure.certificate_page import LIMIT_NAMES, LIMITS, make_certificate_page, make_certificate_pdf
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.exceptions import exceptions_of
from support.copies import Copies
from support.night import Night, copied_night

KEYS = Keyring(Path(), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HASH = "9f3c1d20ab54e6f1" * 4
DONE_AT = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
LINES = (
    ("files as they came", 2, 50_000, 49_998, "erased", None),
    ("files as they came", 1, 120, 0, "removed", "AMBIGUOUS_QUOTING"),
    ("files as they went out", 1, 0, 0, "removed", "NOT_READABLE_BY_ROWS"),
    ("lake", 3, 100_000, 99_997, "erased", None),
    ("subject index", 3, 3000, 2997, "erased", None),
    ("quarantine", 2, 4, 4, "kept", "OTHER_CONTROLLER_DECIDES"),
)
NAMES = ("store", "objects", "rows_before", "rows_after", "outcome", "ground")
EXCEPTION = {
    "sub_case_id": "0a6d1f4e-1111-4f0e-9f6c-1d2a3b4c5d6e",
    "field_group": "recording_ref",
    "reason": iri("A17LegalClaims"),
    "decided_on": "2026-11-26",
    "review_on": "2027-11-26",
}
REVIEWED = {"nl": "26 november 2027", "fr": "26 novembre 2027", "en": "26 November 2027"}
SCANNED = {"nl": "1.041", "fr": "1\u202f041", "en": "1,041"}


def a_document(**changes: object) -> dict[str, Any]:
    document = {
        "format": FORMAT,
        "parts": ["0a6d1f4e-1111-4f0e-9f6c-1d2a3b4c5d6e"],
        "principal": "energy01",
        "done_at": "2026-11-26T00:30:00Z",
        "stores": [dict(zip(NAMES, line, strict=True)) for line in LINES],
        "objects_scanned": 1041,
        "residual": 0,
        "sealed_to_recipient": 1,
        "shared_with_others": 2,
        "too_short_to_look_for": 3,
        "not_covered": list(LIMITS),
        "ledger": {"entry_hash": HASH},
        "exceptions": [EXCEPTION],
    }
    return document | changes


def signed(document: dict[str, Any]) -> bytes:
    return sign(rfc8785.dumps(document), KEYS.signing, TYPE).flattened


def needs(language: str) -> dict[str, str]:
    """What the page has to say, and the words that say it."""
    say = words(language)
    return {
        "number": f"energy01.{HASH[:16]}",
        "key": key_id(KEYS.signing.public_key()),
        "entry": HASH,
        "how to verify": f"sluice receipt certificate erasure-certificate.{HASH[:16]}.json --key receipt-key.pem",
        "scanned": say.count("certificate.scanned", 1041, count=SCANNED[language]),
        "residue": say.say("certificate.residual.none"),
        "rows before": say.number(50_000),
        "rows after": say.number(49_998),
        "went whole": "AMBIGUOUS_QUOTING",
        "why whole": say.say("certificate.ground.NOT_READABLE_BY_ROWS"),
        "exception": iri("A17LegalClaims"),
        "exception in words": reason_text(say, Right.ERASURE, iri("A17LegalClaims")),
        "review": REVIEWED[language],
        "others decide": say.count("certificate.kept.waiting", 2, count="2"),
        "shared": say.count("certificate.shared", 2, count="2"),
        "sealed": say.count("certificate.sealed", 1, count="1"),
        "too short": say.count("certificate.short", 3, count="3"),
        **{limit: say.say(f"certificate.limit.{name}") for limit, name in LIMIT_NAMES.items()},
    }


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def missing(pdf: bytes, language: str) -> list[str]:
    said = bare(text_of(pdf))
    return [name for name, wanted in needs(language).items() if bare(wanted) not in said]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_certificate_says_all_of_it(language: str) -> None:
    assert missing(make_certificate_pdf(signed(a_document()), language), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_said_of_what_there_was_none_of(language: str) -> None:
    say = words(language)
    none = {"shared_with_others": 0, "sealed_to_recipient": 0, "too_short_to_look_for": 0}
    page = make_certificate_page(signed(a_document(**none)), language)
    assert say.say("certificate.shared.heading") not in [part.heading for part in page.parts]
    page = make_certificate_page(signed(a_document(**none | {"sealed_to_recipient": 1})), language)
    [told] = [part.paragraphs for part in page.parts if part.heading == say.say("certificate.shared.heading")]
    assert [text.words for text in told] == [say.count("certificate.sealed", 1, count="1")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_page_leaves_out_is_found(language: str) -> None:
    page = make_certificate_page(signed(a_document()), language)
    empty = make_pdf(replace(page, parts=(), notices=()), DONE_AT)

    assert set(needs(language)) - set(missing(empty, language)) == {"number"}
    other = next(each for each in LANGUAGES if each != language)
    residue = text_of(make_certificate_pdf(signed(a_document(residual=3)), language))
    assert words(language).say("certificate.residual.none") not in residue and "3" in residue
    assert "shared" in missing(make_certificate_pdf(signed(a_document()), other), language)


@pytest.mark.evidence
def test_how_much_the_certificate_says(record_property: Any) -> None:
    wanted = sum(len(needs(language)) for language in LANGUAGES)
    absent = sum(len(missing(make_certificate_pdf(signed(a_document()), each), each)) for each in LANGUAGES)
    assert absent == 0
    record_property("certificate as PDF", f"{wanted - absent} of {wanted} required statements in nl, fr, en; tagged")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_knows_title_structure_and_language(language: str) -> None:
    pdf = make_certificate_pdf(signed(a_document()), language)
    root = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    tags, _ = tags_of(pdf)

    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == {"nl": "nl-BE", "fr": "fr-BE", "en": "en-GB"}[language]
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/TD"} <= tags
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    nothing = make_certificate_pdf(signed(a_document(stores=[], exceptions=[])), language)
    assert "/TH" not in tags_of(nothing)[0], "the check sees where there is no table"


def test_the_page_is_a_function_of_the_signed_file_alone() -> None:
    jws = signed(a_document())
    assert make_certificate_pdf(jws, "fr") == make_certificate_pdf(bytes(jws), "fr")
    assert make_certificate_pdf(jws, "fr") != make_certificate_pdf(signed(a_document(residual=1)), "fr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_certificate_holds_has_words(language: str) -> None:
    say = words(language)
    assert [one.name for one in STORES if not say.find(f"certificate.store.{one.name.replace(' ', '_')}")] == []
    assert [one for one in EXCEPTIONS if not reason_text(say, Right.ERASURE, one).endswith(".")] == []
    assert say.find("certificate.store.nobody_knows_it") is None


def test_a_certificate_from_before_exceptions_were_listed_says_so() -> None:
    old = a_document()
    del old["exceptions"]
    said = text_of(make_certificate_pdf(signed(old), "en"))
    assert words("en").say("certificate.kept.unlisted") in said
    assert words("en").say("certificate.kept.none") not in said


def test_a_certificate_is_verified_with_the_file_and_the_key_alone(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(KEYS.public_pem)
    (tmp_path / "good.json").write_bytes(signed(a_document()))
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    (tmp_path / "forged.json").write_bytes(sign(rfc8785.dumps(a_document()), other, TYPE).flattened)

    def check(name: str) -> Any:
        arguments = ["certificate", str(tmp_path / name), "--key", str(tmp_path / "key.pem"), "--format", "json"]
        return CliRunner().invoke(app, arguments)

    good = check("good.json")
    assert good.exit_code == 0 and '"valid": true' in good.stdout and iri("A17LegalClaims") in good.stdout
    assert isinstance(check("forged.json").exception, SignatureInvalid)


def decided(at: datetime, target: State, reasons: dict[str, str]) -> Step:
    """A decision about the part of the samples."""
    return Step(CASE, OURS, State.ASSESSED, target, Role.DESK, "anna", at, "ACCEPTED", "ab" * 32, reasons, None, None)


@pytest.mark.parametrize(
    ("at", "decided_on", "review_on"),
    [
        (datetime(2026, 11, 30, 23, 30, tzinfo=UTC), "2026-12-01", "2027-12-01"),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), "2028-02-29", "2029-02-28"),
    ],
)
def test_exceptions_are_what_was_refused_with_the_day_they_are_looked_at_again(
    at: datetime, decided_on: str, review_on: str
) -> None:
    reason = iri("A17LegallyRequired")
    partly = a_part(State.EXECUTING, Action.ERASE, action_fields=GROUPS[1:])
    steps = [decided(at, State.PARTIAL, {GROUPS[0]: reason})]

    [kept] = exceptions_of(a_case(partly, FORWARDED), steps, "energy01")

    assert (kept.field_group, kept.reason) == (GROUPS[0], reason)
    assert (kept.decided_on, kept.review_on, kept.sub_case_id) == (decided_on, review_on, OURS)
    assert exceptions_of(a_case(partly), steps, "telecom01") == (), "another principal's is not shown"
    whole = a_part(State.EXECUTING, Action.ERASE)
    assert exceptions_of(a_case(whole), [decided(at, State.ACCEPTED, {})], "energy01") == ()


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path) as opened:
        yield opened


def test_the_pdf_lies_beside_the_jws_and_a_rerun_makes_what_a_dead_worker_left(night: Night) -> None:
    (record, phone), house = night.people(3)[0], night.desk.house
    case = asked(night, phone, record)
    run(house, case.case_id, datetime.now(UTC))
    [issued] = issue(house, case.case_id)
    first = {language: open_pdf(house, issued, language) for language in LANGUAGES}
    assert first == {language: make_certificate_pdf(issued.jws, language) for language in LANGUAGES}
    assert case.case_id not in text_of(first["nl"]) and phone not in text_of(first["nl"])
    for language in ("fr", "en"):  # killed after the JWS and the first PDF
        house.objects.delete_others(issued.bucket, issued.pdf_key(language), frozenset())
        assert house.objects.head(issued.bucket, issued.pdf_key(language)) is None

    [again] = issue(house, case.case_id)

    assert again.jws == issued.jws
    assert {language: open_pdf(house, again, language) for language in LANGUAGES} == first
