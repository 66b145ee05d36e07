"""No answer without its letter: what is refused, whole or in part, now or later, is told before it counts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from documents.test_receipt import text_of
from rights.letters.writing import DESK, LEGAL, NOW, SHA, asked, get, of_two, order, refuse, scoped
from rights.letters.writing import desk as desk  # the fixture
from rights.town import Town, open_town, papers_of
from sluice.db import connect
from sluice.rights.case import store
from sluice.rights.case.errors import LetterNotDue, TransitionRefused
from sluice.rights.case.model import LetterKind, Remedies, Right, State, Track
from sluice.rights.case.steps import advance, decide
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document, open_letter, write_letter, write_owed
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import Desk
from support.night import AGREEMENT, Edit


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
