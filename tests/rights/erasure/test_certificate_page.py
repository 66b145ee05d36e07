"""The certificate as a page: complete in three languages, readable by a screen reader, made from the JWS alone."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pypdf import PdfReader
from typer.testing import CliRunner

from documents.test_receipt import tags_of, text_of
from rights.letter_samples import CASE, FORWARDED, GROUPS, OURS, a_case, a_part
from sluice.cli.receipt import app
from sluice.documents.words import LANGUAGES, words
from sluice.keys import Keyring
from sluice.ledger.model import SignatureInvalid
from sluice.ledger.sign import key_id, sign
from sluice.rights.case.history import Step
from sluice.rights.case.model import Action, Right, Role, State
from sluice.rights.case.reasons import EXCEPTIONS, iri
from sluice.rights.case.wording import reason_text
from sluice.rights.copies.stores import STORES
from sluice.rights.erasure.certificate_check import FORMAT, TYPE
from sluice.rights.erasure.certificate_page import LIMIT_NAMES, LIMITS, make_certificate_pdf
from sluice.rights.erasure.exceptions import exceptions_of
from support.golden import same_as_golden

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
GOLDEN = Path(__file__).parent / "golden"
NOTHING = {"shared_with_others": 0, "sealed_to_recipient": 0, "too_short_to_look_for": 0, "exceptions": []}


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
        "grounds": [],
    }
    return document | changes


def signed(document: dict[str, Any]) -> bytes:
    return sign(rfc8785.dumps(document), KEYS.signing, TYPE).flattened


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_certificate_says_all_of_it_and_nothing_of_what_there_was_none_of(language: str) -> None:
    said = {
        "all": a_document(),
        "nothing": a_document(**NOTHING),
        "residue": a_document(**NOTHING | {"residual": 3, "sealed_to_recipient": 1}),
    }
    pages = {name: text_of(make_certificate_pdf(signed(document), language)) for name, document in said.items()}
    text = "\n".join(f"== {name}\n{page}" for name, page in pages.items())
    same_as_golden(GOLDEN / f"certificate.{language}.txt", text)
    for needed in (HASH, f"energy01.{HASH[:16]}", key_id(KEYS.signing.public_key()), "AMBIGUOUS_QUOTING"):
        assert needed in re.sub(r"\s+", "", pages["all"])


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


def test_whatever_a_certificate_holds_has_words() -> None:
    for language in LANGUAGES:
        say = words(language)
        assert [one.name for one in STORES if not say.find(f"certificate.store.{one.name.replace(' ', '_')}")] == []
        assert [one for one in EXCEPTIONS if not reason_text(say, Right.ERASURE, one).endswith(".")] == []
        assert [one for one in LIMITS if not say.find(f"certificate.limit.{LIMIT_NAMES[one]}")] == []
        assert say.find("certificate.store.nobody_knows_it") is None


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
