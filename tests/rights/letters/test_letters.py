"""Letters on real stores: sealed, logged once with the step they prove, and asked for by every refusal."""

import json
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import CodeType
from uuid import uuid4

import psycopg
import pytest

from crash import Steps
from desk import Desk
from documents.test_receipt import text_of
from dying import Victim, dying
from effort import effort
from night import AGREEMENT, Edit
from returns.commands import at_terminal, sluice
from rights.town import Town, open_town, papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import EvidenceInvalid
from sluice.exchange.house import open_house
from sluice.ledger.verify import verify
from sluice.rights.case import store
from sluice.rights.case.errors import LetterNotDue, TransitionRefused
from sluice.rights.case.letter_due import is_owed
from sluice.rights.case.model import (
    Action,
    Actor,
    Case,
    CaseId,
    Letter,
    LetterKind,
    Order,
    Remedies,
    Right,
    Role,
    State,
    SubCase,
    Track,
)
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import advance, decide, extend, settle_identity, withdraw
from sluice.rights.desk_steps import extend_and_tell
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.erase import run
from sluice.rights.finish import finish
from sluice.rights.instruction import InstructionOutcome
from sluice.rights.instructions import read_instruction
from sluice.rights.letters.facts import sender_of
from sluice.rights.letters.write import note_opened, open_document, open_letter, write_letter, write_owed
from sluice.rights.notices.tell import tell
from sluice.rights.opening import NewRequest, envelope_of, open_case, open_envelope
from sluice.rights.person.identifiers import Identifier, refs_of
from sluice.rights.person.sealed import list_sealed, open_sealed
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

SHA = "ab" * 32
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DESK = Actor(Role.DESK, "anna")
PHONE = "0470 12 34 56"
DIGITS = "470123456"
LEGAL = iri("A17LegallyRequired")
POINTS = effort(4, 60)


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers are known since January, and that says its name on letters."""
    settings = store_settings.model_copy(update={"center_name": "Contact Center NV"})
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        yield Desk(house, tmp_path)


def asked(desk: Desk, right: Right = Right.ERASURE, language: str = "nl", now: datetime = NOW) -> Case:
    """A person asks energy01's data to be erased: one part it decides, one the center decides."""
    house, person = desk.house, [(SubjectKind.PHONE, PHONE)]
    return open_case(house, NewRequest(right, person, Principal("energy01"), now, "letter", language, DESK), now)


def order(code: str = "AS_ASKED", at: datetime = NOW, evidence: str = SHA, **more: object) -> Order:
    return Order(DESK, at, code, evidence, **more)  # type: ignore[arg-type]


def scoped(desk: Desk, case: Case) -> SubCase:
    """The part the center decides, once it is known who asks."""
    settle_identity(desk.house.conn, case.case_id, True, order("IDENTITY_SHOWN"))
    return next(part for part in case.sub_cases if part.track is Track.CONTROLLER)


def refuse(desk: Desk, case: Case, group: str = "*", at: datetime = NOW) -> None:
    partly = {} if group == "*" else {"action": Action.ERASE}
    said = order(LEGAL, at, reasons={group: LEGAL}, remedies=Remedies("remedies.be", case.language), **partly)
    decide(desk.house.conn, case.case_id, State.PARTIAL if partly else State.REFUSED, said)


def get(desk: Desk, case: Case) -> Case:
    return store.get_case(desk.house.conn, case.case_id)


def logged(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(str(row["body"])) for row in desk.sql(
        "select convert_from(body, 'utf8') as body from ledger.entry where kind = 'case.letter' order by seq"
    )]  # fmt: skip


def lying(desk: Desk, case: Case) -> list[tuple[str, str]]:
    """Key and version of everything there is of a case's letters."""
    prefix = f"_cases/{case.case_id}/letters/"
    found = desk.house.objects.list_versions(desk.settings.bucket_vault, prefix)
    return sorted((item.key.removeprefix(prefix), item.version_id) for item in found)


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


def test_a_refusal_is_not_answered_without_its_letter(desk: Desk) -> None:
    case = asked(desk)
    part, conn = scoped(desk, case), desk.house.conn
    with pytest.raises(LetterNotDue):
        write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)
    refuse(desk, case)
    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, order("ANSWERED_BY_LETTER"), part.sub_case_id)

    letter = write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)

    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, order("ANSWERED_BY_LETTER"), part.sub_case_id)
    by_letter = order("ANSWERED_BY_LETTER", evidence=letter.sha256)
    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, by_letter, part.sub_case_id)  # it lies in the vault
    note_opened(conn, letter, NOW, DESK)
    done = advance(conn, case.case_id, State.ANSWERED, by_letter, part.sub_case_id)
    assert next(each for each in done.sub_cases if each.sub_case_id == part.sub_case_id).state is State.ANSWERED
    said = text_of(open_letter(desk.house, letter)).replace(" ", "")
    assert len(part.field_groups) == 8 and said.count(LEGAL) == 8
    for needed in ("EnergyOneNV", "Gegevensbeschermingsautoriteit", "rechtbankvaneersteaanleg"):
        assert needed in said


def test_the_database_itself_refuses_an_answer_without_a_letter(desk: Desk) -> None:
    case = asked(desk)
    part = scoped(desk, case)
    refuse(desk, case)
    statement = """insert into case_transition (case_id, sub_case_id, from_state, to_state, actor_role, actor, at,
        reason_code, evidence_sha256) values (%s, %s, 'REFUSED', 'ANSWERED', 'desk', 'anna', now(), 'BY_HAND', %s)"""
    with connect(desk.settings) as conn:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            conn.execute(statement, (case.case_id, part.sub_case_id, SHA))
        assert refused.value.diag.constraint_name == "case_transition_refusal_was_told"
        letter = write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)
        conn.execute(statement, (case.case_id, part.sub_case_id, letter.sha256))


def test_what_is_refused_in_part_has_its_letter_before_the_answer(desk: Desk) -> None:
    case = asked(desk)
    part, conn = scoped(desk, case), desk.house.conn
    refuse(desk, case, "callback")
    for state in (State.EXECUTING, State.RECIPIENTS_NOTIFIED):
        advance(conn, case.case_id, state, order("DONE_STEP", residue=0, untold=0), part.sub_case_id)
    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, order("DONE_STEP"), part.sub_case_id)

    assert write_owed(desk.house, NOW).letters == 1

    with pytest.raises(LetterNotDue):  # nobody has found out yet who else has the data (Art. 19)
        write_letter(desk.house, case.case_id, LetterKind.COMPLETION, NOW, sub_case_id=part.sub_case_id)
    conn.execute(
        "insert into propagation (sub_case_id, recipients, found_at, entry_hash) values (%s, 0, now(), %s)",
        (part.sub_case_id, SHA),
    )
    completion = write_letter(desk.house, case.case_id, LetterKind.COMPLETION, NOW, sub_case_id=part.sub_case_id)
    by_letter = order("ANSWERED_BY_LETTER", evidence=completion.sha256)
    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, by_letter, part.sub_case_id)  # the reasons lie in the vault
    [reasons] = [each for each in get(desk, case).letters if each.kind is LetterKind.REFUSAL]
    note_opened(conn, reasons, NOW, DESK)
    advance(conn, case.case_id, State.ANSWERED, by_letter, part.sub_case_id)
    refused, done = (json.loads(open_document(desk.house, each)) for each in get(desk, case).letters)
    assert [line["field_group"] for line in refused["parts"][0]["data"] if line["outcome"] == "refuse"] == ["callback"]
    assert {line["outcome"] for line in done["parts"][0]["data"]} == {"erase", "refuse"}


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


def of_two(desk: Desk) -> tuple[Case, list[SubCase]]:
    """A request about two persons at every principal; what the center decides of it, at two of them."""
    persons = tuple((Identifier(SubjectKind.PHONE, f"0470 12 34 5{n}"),) for n in range(2))
    envelope = envelope_of(CaseId(str(uuid4())), Right.ERASURE, None, persons, NOW, NOW, DESK)
    case = open_envelope(desk.house, replace(envelope, channel="letter"), NOW)
    scoped(desk, case)
    ours = [part for part in case.sub_cases if part.track is Track.CONTROLLER]
    assert [part.principal for part in ours] == ["energy01", "telecom01"]
    return case, ours


def test_a_part_that_is_refused_later_gets_a_letter_of_its_own(desk: Desk) -> None:
    case, (energy, telecom) = of_two(desk)
    house, conn = desk.house, desk.house.conn
    refusal = order(LEGAL, reasons={"*": LEGAL}, remedies=Remedies("remedies.be", "nl"))
    decide(conn, case.case_id, State.REFUSED, refusal, [energy.sub_case_id])
    first = write_letter(house, case.case_id, LetterKind.REFUSAL, NOW)
    decide(conn, case.case_id, State.REFUSED, refusal, [telecom.sub_case_id])

    second = write_letter(house, case.case_id, LetterKind.REFUSAL, NOW)

    assert (first.sub_cases, second.sub_cases) == ((energy.sub_case_id,), (telecom.sub_case_id,))
    assert second.key.endswith(f"/refusal-{telecom.sub_case_id}-nl.pdf.age")
    assert "Energy One NV" not in text_of(open_letter(house, second))
    for part, letter in ((energy, first), (telecom, second)):
        again = write_letter(house, case.case_id, LetterKind.REFUSAL, NOW, sub_case_id=part.sub_case_id)
        assert again == letter
    by_other = order("ANSWERED_BY_LETTER", evidence=first.sha256)
    with pytest.raises(TransitionRefused, match="refusal_was_told"):
        advance(conn, case.case_id, State.ANSWERED, by_other, telecom.sub_case_id)


def test_one_letter_says_all_that_was_refused_at_once(desk: Desk) -> None:
    case, ours = of_two(desk)
    refuse(desk, case)
    letter = write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)
    assert set(letter.sub_cases) == {part.sub_case_id for part in ours}
    assert {"Energy One NV", "Télécom Un SA"} <= {
        part["company"] for part in json.loads(open_document(desk.house, letter))["parts"]
    }


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


def test_four_workers_write_one_letter(desk: Desk) -> None:
    def write(case_id: CaseId) -> Letter:
        with open_house(desk.settings) as house:
            return write_letter(house, case_id, LetterKind.RECEIPT, NOW)

    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            case = asked(desk)
            letters = set(pool.map(write, [case.case_id] * 4))
            [letter] = letters
            assert lying(desk, case) == [
                ("receipt-case-nl.json.age", letter.document_version_id),
                ("receipt-case-nl.pdf.age", letter.version_id),
            ]
    assert len(logged(desk)) == 5


def test_what_would_be_told_is_asked_again_when_the_case_took_a_step_meanwhile(desk: Desk) -> None:
    case, (energy, telecom) = of_two(desk)
    refusal = order(LEGAL, reasons={"*": LEGAL}, remedies=Remedies("remedies.be", "nl"))
    decide(desk.house.conn, case.case_id, State.REFUSED, refusal, [energy.sub_case_id])

    class Meanwhile(Steps):
        """Somebody refuses the other part while the first object is being put."""

        def die(self, code: CodeType) -> None:
            sys.setprofile(None)
            with connect(desk.settings) as conn:
                decide(conn, case.case_id, State.REFUSED, refusal, [telecom.sub_case_id])

    meanwhile = Meanwhile(1, ("lake/s3/objects",))
    sys.setprofile(meanwhile)
    letter = write_letter(desk.house, case.case_id, LetterKind.REFUSAL, NOW)

    assert meanwhile.count == 1
    assert set(letter.sub_cases) == {energy.sub_case_id, telecom.sub_case_id}
    assert len(lying(desk, case)) == 2 and len(logged(desk)) == 1


@pytest.fixture
def victim(desk: Desk) -> Iterator[Victim]:
    """Writes a receipt and dies at a step: case, step."""
    with dying(desk.settings, "crash_letter.py") as once:
        yield once


@pytest.mark.timeout(900)
@pytest.mark.evidence
@pytest.mark.slow
def test_killed_anywhere_a_rerun_leaves_one_logged_letter(
    desk: Desk, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    _, steps = victim(asked(desk).case_id, 0)
    killed = whole = 0
    left: set[int] = set()
    for point in range(1, steps, max(1, steps // POINTS)):
        case = asked(desk)
        before = len(logged(desk))
        killed += victim(case.case_id, point)[0]
        left.add(len(lying(desk, case)))
        letter = write_letter(desk.house, case.case_id, LetterKind.RECEIPT, NOW)
        stands = get(desk, case)
        whole += (
            stands.state is State.ACKNOWLEDGED
            and stands.letters == (letter,)
            and len(logged(desk)) == before + 1
            and sha256(open_letter(desk.house, letter)).hexdigest() == letter.sha256
        )
        versions = {version for _, version in lying(desk, case)}
        assert versions >= {letter.version_id, letter.document_version_id}
        assert len(versions) == 2

    assert killed >= POINTS * 8 // 10
    assert len(left) > 1 and (POINTS < 14 or {0, 1, 2} <= left), "it died before, between and after the puts"
    assert whole == killed
    record_property("SIGKILL points of a letter, one logged letter after rerun", f"{whole} of {killed}")


def test_a_letter_by_command_is_in_the_file_asked_for_and_nowhere_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = asked(desk)
    target, elsewhere = desk.folder / "out" / "brief.pdf", desk.folder / "out"
    elsewhere.mkdir()
    with at_terminal(desk, monkeypatch):
        assert sluice("case", "letters", case.case_id[:8]).document == {
            "case": case.case_id,
            "letters": [],
            "owed": ["receipt"],
        }
        done = sluice("case", "letter", case.case_id[:8], "--kind", "receipt", "--to", str(target), "--by", "anna")
        listed = sluice("case", "letters", case.case_id).document
        shown = sluice("case", "show", case.case_id).document
        french = sluice("case", "letter", case.case_id, "--kind", "receipt", "--lang", "fr", "--to",
                        str(elsewhere / "lettre.json"))  # fmt: skip

    assert (done.exit, done.document["state"], done.document["file"]) == (0, "ACKNOWLEDGED", str(target))
    assert sha256(target.read_bytes()).hexdigest() == done.document["sha256"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (listed["owed"], [each["sha256"] for each in listed["letters"]]) == ([], [done.document["sha256"]])
    assert listed["letters"][0]["opened_at"] is not None
    assert shown["letters"] == listed["letters"]
    assert [step["by"] for step in shown["steps"] if step["to"] == "ACKNOWLEDGED"] == ["anna"]
    assert json.loads((elsewhere / "lettre.json").read_bytes())["language"] == french.document["language"] == "fr"
    assert {path.name for path in elsewhere.iterdir()} == {"brief.pdf", "lettre.json"}
    in_clear = [
        item.key
        for bucket in ("exchange", "internal", "lake", "vault", "evidence")
        for item in desk.objects(getattr(desk.settings, f"bucket_{bucket}"))
        if b"%PDF" in desk.house.objects.read(item.bucket, item.key, item.version_id)
    ]
    assert in_clear == []


def test_a_letter_that_nobody_took_out_is_listed_until_somebody_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, other = asked(desk), asked(desk)
    follow(desk.house, NOW)
    with at_terminal(desk, monkeypatch):
        waiting = [each["case"] for each in sluice("case", "letters").document["letters"]]
        (desk.folder / "x.pdf").mkdir()
        nowhere = sluice(
            "case", "letter", case.case_id, "--kind", "receipt", "--to", str(desk.folder / "x.pdf"), "--by", "anna"
        )
        still = [each["case"] for each in sluice("case", "letters").document["letters"]]
        (desk.folder / "x.pdf").rmdir()
        take = ("case", "letter", case.case_id, "--kind", "receipt", "--to", str(desk.folder / "x.pdf"), "--by", "anna")
        assert [sluice(*take).exit, sluice(*take).exit] == [0, 0]
        left = [each["case"] for each in sluice("case", "letters").document["letters"]]

    assert (nowhere.error, still) == ("SLU-306", waiting), "what has no place to go was not taken out"
    assert (set(waiting), left) == ({case.case_id, other.case_id}, [other.case_id])
    opened = desk.sql("select convert_from(body, 'utf8') as body from ledger.entry where kind = 'case.letter_opened'")
    assert [json.loads(str(row["body"]))["by"] for row in opened] == ["anna", "anna"]
    assert len(desk.sql("select 1 from case_letter_opened")) == 2


def test_the_desk_decides_and_the_letter_is_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = asked(desk, now=datetime.now(UTC))  # the command line takes steps at the time that it is
    with at_terminal(desk, monkeypatch):
        sluice("case", "identity", case.case_id)
        extended = sluice("case", "extend", case.case_id, "--reason", "A12Complexity")
        refuse = ("--refuse", "A17LegalClaims", "--remedies", "remedies.be")
        assert sluice("case", "decide", case.case_id, *refuse).exit == 0
        kinds = [each["kind"] for each in sluice("case", "letters", case.case_id).document["letters"]]
    assert extended.document["extended"] is True
    assert kinds == ["extension", "refusal"]


def test_a_letter_that_cannot_be_asked_for_has_its_code(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case, to = asked(desk), str(desk.folder / "brief.pdf")
    with at_terminal(desk, monkeypatch):
        for words, code in (
            (("--kind", "postcard", "--to", to), "SLU-304"),
            (("--kind", "receipt", "--to", str(desk.folder / "brief.docx")), "SLU-304"),
            (("--kind", "receipt", "--to", str(desk.folder / "nowhere" / "brief.pdf")), "SLU-305"),
            (("--kind", "receipt", "--to", str(desk.folder / f"{'b' * 300}.pdf")), "SLU-306"),
            (("--kind", "receipt", "--to", to, "--lang", "de"), "SLU-304"),
            (("--kind", "completion", "--to", to), "SLU-571"),
        ):
            assert sluice("case", "letter", case.case_id, *words).error == code
        assert sluice("case", "letter", "00000000", "--kind", "receipt", "--to", to).exit == 1
        assert sluice("case", "letters", "00000000").exit == 1
    assert not (desk.folder / "brief.pdf").exists()
    assert get(desk, case).letters == ()


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


def test_what_a_principal_leaves_out_is_refused_with_its_reason_where_we_answer_for_it(
    store_settings: Settings, tmp_path: Path
) -> None:
    we_answer = Edit(AGREEMENT, "A17: false", "A17: true")
    settings = papers_of(store_settings, tmp_path, ("energy01",), we_answer)
    with open_town(settings, tmp_path, ("energy01",), 3) as town:
        town.arrive("energy01", town.people)
        case = town.ask(town.people[0], Right.ERASURE)
        [part] = [each for each in case.sub_cases if each.track is Track.PROCESSOR]
        only = {"case": part.sub_case_id, "decision": "erase", "fields": ["contact_point"]}
        reason = {"reason": "A17LegallyRequired"}
        told = [instructed(town, n, said) for n, said in enumerate((only, {**only, **reason}))]
        assert told == [InstructionOutcome.NOT_ADMITTED, InstructionOutcome.INSTRUCTED]

        parts = store.get_case(town.house.conn, case.case_id).sub_cases
        [part] = [each for each in parts if each.track is Track.PROCESSOR]
        assert part.action_fields == ("contact_point",)
        assert write_owed(town.house, datetime.now(UTC)).letters >= 1
        letter = store.get_case(town.house.conn, case.case_id).find_letter(LetterKind.REFUSAL, part.sub_case_id)
        assert letter is not None
        [said] = json.loads(open_document(town.house, letter))["parts"]
        stays = set(part.field_groups) - {"contact_point"}
        refused = dict.fromkeys(stays, ("refuse", True))
        outcomes = {each["field_group"]: (each["outcome"], bool(each["reason"])) for each in said["data"]}
        assert len(stays) > 1 and outcomes == {"contact_point": ("erase", False)} | refused


def instructed(town: Town, number: int, said: dict[str, object]) -> InstructionOutcome:
    bucket, key = town.desk.settings.bucket_exchange, f"energy01/requests/instruction-{number}.json"
    stored = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
    return read_instruction(town.house, Principal("energy01"), stored, datetime.now(UTC)).outcome
