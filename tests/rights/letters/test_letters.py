"""A letter is written once, sealed and logged, and says nothing of the person anywhere else."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from documents.test_receipt import text_of
from rights.letters.writing import NOW, asked, get, logged, lying, order, refuse, scoped
from rights.letters.writing import desk as desk  # the fixture
from rights.town import open_town, papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import EvidenceInvalid
from sluice.exchange.house import open_house
from sluice.ledger.verify import verify
from sluice.rights.case import store
from sluice.rights.case.errors import LetterNotDue, TransitionRefused
from sluice.rights.case.letter_due import is_owed
from sluice.rights.case.model import Action, Case, LetterKind, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, extend, withdraw
from sluice.rights.desk_steps import extend_and_tell
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.erase import run
from sluice.rights.finish import finish
from sluice.rights.letters.facts import sender_of
from sluice.rights.letters.write import open_document, open_letter, write_letter, write_owed
from sluice.rights.notices.tell import tell
from sluice.rights.person.identifiers import refs_of
from sluice.rights.person.sealed import list_sealed, open_sealed
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import Desk

DIGITS = "470123456"


def test_a_receipt_is_sealed_logged_and_acknowledges_the_case(desk: Desk) -> None:
    case = asked(desk)

    letter = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)

    pdf = open_letter(desk.house, letter)
    assert pdf.startswith(b"%PDF") and sha256(pdf).hexdigest() == letter.sha256
    assert "U krijgt ons antwoord uiterlijk op 28 december 2026." in text_of(pdf)
    assert "Contact Center NV" in text_of(pdf)
    said = json.loads(open_document(desk.house, letter))
    assert (said["case"], said["kind"], said["pdf_sha256"]) == (case.case_id, "receipt", letter.sha256)
    assert lying(desk, case) == [
        ("receipt-case-nl.json.age", letter.document_version_id),
        ("receipt-case-nl.pdf.age", letter.version_id),
    ]
    assert desk.house.objects.read(letter.bucket, letter.key)[:20] == b"age-encryption.org/v"
    stands = get(desk, case)
    assert (stands.state, stands.letters) == (State.ACKNOWLEDGED, (letter,))
    step = store.list_steps(desk.house.conn, case.case_id)[-1]
    assert (step.to_state, step.reason_code, step.evidence_sha256) == (
        State.ACKNOWLEDGED,
        "RECEIPT_LETTER",
        letter.sha256,
    )
    assert logged(desk) == [
        {
            "case_id": case.case_id,
            "kind": "receipt",
            "language": "nl",
            "sub_cases": [],
            "sha256": letter.sha256,
            "document_sha256": letter.document_sha256,
            "template": "letter-1",
            "written_at": "2026-11-25T12:00:00.000Z",
        }
    ]
    assert verify(desk.house.conn, public_pem=desk.house.keyring.public_pem).valid


def test_a_center_that_no_setting_names_signs_as_its_agreements_name_it(
    store_settings: Settings, tmp_path: Path
) -> None:
    assert store_settings.center_name is None
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        desk = Desk(house, tmp_path)
        told = sender_of(house, NOW)
        letter = write_letter(house, asked(desk).case_id, LetterKind.RECEIPT, NOW)
        assert told.name == "Contact Center NV" and told.name in text_of(open_letter(house, letter))
        assert sender_of(house, datetime(2025, 1, 1, tzinfo=UTC)).name == "center", "no agreement was known yet"


def test_a_letter_is_written_once_in_each_language(desk: Desk) -> None:
    case = asked(desk)
    first = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)

    assert write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW + timedelta(days=3)) == first
    french = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW, language="fr")

    assert "au plus tard le 28 décembre 2026" in text_of(open_letter(desk.house, french))
    assert [letter.language for letter in get(desk, case).letters] == ["nl", "fr"]
    assert (len(logged(desk)), len(lying(desk, case))) == (2, 4)


def test_a_letter_in_another_language_acknowledges_nothing(desk: Desk) -> None:
    case = asked(desk, language="fr")
    write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW, language="en")
    assert get(desk, case).state is State.RECEIVED
    assert write_owed(desk.house, NOW).letters == 1
    assert get(desk, case).state is State.ACKNOWLEDGED


def test_a_letter_that_cannot_be_written_leaves_the_step_done_and_is_owed(desk: Desk) -> None:
    case = asked(desk)
    scoped(desk, case)
    nowhere = desk.settings.model_copy(update={"bucket_vault": "no-such-bucket"})

    done = extend_and_tell(replace(desk.house, settings=nowhere), case.case_id, order(iri("A12Complexity")))

    assert done.is_letter_owed and logged(desk) == []
    assert is_owed(get(desk, case), LetterKind.EXTENSION), "the step is in the ledger, and who asked is told later"
    write_owed(desk.house, NOW)
    assert "extension" in [each["kind"] for each in logged(desk)] and get(desk, case).is_extended


def test_an_extension_holds_only_once_its_letter_left_in_time(desk: Desk) -> None:
    case = asked(desk)
    part, conn, house = scoped(desk, case), desk.house.conn, desk.house
    last, late = datetime(2026, 12, 27, 12, tzinfo=UTC), datetime(2026, 12, 28, 12, tzinfo=UTC)
    accept = order("ACCEPTED", late, action=Action.ERASE)
    extend(conn, case.case_id, order(iri("A12Complexity"), last), [part.sub_case_id])
    with pytest.raises(TransitionRefused, match="extension_was_told"):
        decide(conn, case.case_id, State.ACCEPTED, accept, [part.sub_case_id])
    letter = write_letter(house, case.case_id, LetterKind.EXTENSION, late)
    with pytest.raises(TransitionRefused, match="extension_was_told"):
        decide(conn, case.case_id, State.ACCEPTED, accept, [part.sub_case_id])

    assert not get(desk, case).is_extended
    assert "25 februari 2027" in text_of(open_letter(house, letter))
    assert follow(house, datetime(2026, 12, 29, 1, tzinfo=UTC)).breached == 1, "the old due date counts"
    decide(conn, case.case_id, State.ACCEPTED, replace(accept, at=late + timedelta(days=1)), [part.sub_case_id])


def test_the_sweep_writes_what_is_owed_once_and_never_a_completion(desk: Desk) -> None:
    case = asked(desk)
    assert follow(desk.house, NOW).letters == 1
    part = scoped(desk, case)
    extend(desk.house.conn, case.case_id, order(iri("A12HighVolume")), [part.sub_case_id])
    assert follow(desk.house, NOW).letters == 1
    refuse(desk, case)
    assert follow(desk.house, NOW).letters == 1
    assert follow(desk.house, NOW).letters == 0
    kinds = [letter.kind for letter in get(desk, case).letters]
    assert kinds == [LetterKind.RECEIPT, LetterKind.EXTENSION, LetterKind.REFUSAL]


def test_a_withdrawn_request_and_a_case_without_news_get_no_letter(desk: Desk) -> None:
    case = asked(desk)
    for kind in (LetterKind.EXTENSION, LetterKind.REFUSAL, LetterKind.COMPLETION):
        with pytest.raises(LetterNotDue, match=case.case_id):
            write_letter(desk.house, case.case_id, kind, NOW)
    withdraw(desk.house.conn, case.case_id, order("SUBJECT_ASKED"))
    with pytest.raises(LetterNotDue):
        write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
    assert (write_owed(desk.house, NOW).letters, logged(desk), lying(desk, case)) == (0, [], [])


def test_nothing_of_the_person_is_in_a_letter_a_row_or_an_entry(desk: Desk) -> None:
    case = asked(desk)
    scoped(desk, case)
    take_due(desk.house, NOW)
    write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
    extend(desk.house.conn, case.case_id, order(iri("A12Complexity")))
    write_owed(desk.house, NOW)
    refuse(desk, case)
    write_owed(desk.house, NOW)
    letters = get(desk, case).letters
    assert len(letters) == 3
    sealed = [desk.house.objects.read(desk.settings.bucket_vault, key) for _, key in list_sealed(desk.house)]
    written = [open_document(desk.house, each).decode() for each in letters]
    written += [text_of(open_letter(desk.house, each)) for each in letters]
    written += [str(row) for row in desk.sql("select t::text from case_letter t")]
    written += [json.dumps(entry) for entry in logged(desk)]
    refs = refs_in(desk, case)

    assert len(written) == 12 and len(sealed) == 1 and refs
    assert [text for text in written if any(secret in text.replace(" ", "") for secret in (DIGITS, *refs))] == []
    assert DIGITS in open_sealed(desk.house, case.subject_key).envelope.identifiers[0].value.replace(" ", "")


def refs_in(desk: Desk, case: Case) -> list[str]:
    envelope = open_sealed(desk.house, case.subject_key).envelope
    principal = Principal("energy01")
    return list(refs_of(envelope.identifiers, desk.house.subject_key(principal), principal).values())


def test_another_pdf_under_the_name_of_a_letter_is_found(desk: Desk) -> None:
    case = asked(desk)
    letter = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
    other = replace(letter, version_id=letter.document_version_id, key=letter.document_key)
    with pytest.raises(EvidenceInvalid):
        open_letter(desk.house, other)


def test_the_application_role_cannot_rewrite_letters(desk: Desk) -> None:
    case = asked(desk)
    write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
    for statement in (
        "update case_letter set sha256 = ''",
        "delete from case_letter",
        "truncate case_letter",
        "delete from case_letter_opened",
    ):
        with connect(desk.settings) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())


def test_a_completion_names_the_proof_and_who_else_has_the_data(store_settings: Settings, tmp_path: Path) -> None:
    settings = papers_of(store_settings, tmp_path, ("energy01",))
    with open_town(settings, tmp_path, ("energy01",), 6) as town:
        person, now = town.people[0], datetime.now(UTC)
        town.arrive("energy01", town.people)
        town.give_back("energy01", town.people[:3])
        case = town.decided(person)
        report = run(town.house, case.case_id, now)
        [certificate] = issue(town.house, case.case_id)
        tell(town.house, now)
        finish(town.house, now)

        letter = write_letter(town.house, case.case_id, LetterKind.COMPLETION, now)

        said, text = json.loads(open_document(town.house, letter)), text_of(open_letter(town.house, letter))
        [part] = said["parts"]
        assert (part["company"], said["recipients"]) == ("Energy One NV", ["Energy One NV"])
        assert certificate.key.endswith(f"/{part['certificate']}.json") and part["certificate"] in text
        for count in (sum(line.objects for line in report.lines), report.objects_scanned):
            assert f" {count} bestanden" in text
        assert "Energy One NV antwoordt u zelf" in text
        secrets = [person.phone, person.phone[1:], person.record("energy01")]
        assert [secret for secret in secrets if secret in text.replace(" ", "") or secret in json.dumps(said)] == []
