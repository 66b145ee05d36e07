"""What a principal puts about its part of a case, and the sweeps of the schedule."""

import json
from datetime import UTC, datetime

from rights.town import DESK, SHA, Town
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Order, State, SubCase, Track
from sluice.rights.case.steps import decide
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import open_document
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.terms import Principal


def instruct(town: Town, part: SubCase, at: datetime | None = None, **said: object) -> InstructionOutcome:
    """The principal of a part puts a file of its own that says this."""
    body = json.dumps({"case": part.sub_case_id, **said}).encode()
    key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
    stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, body, "text/json")
    return read_instruction(town.house, Principal(part.principal), stored, at or datetime.now(UTC)).outcome


def accept(town: Town, case: Case, action: Action, at: datetime | None = None) -> None:
    """Decide, as the center, to do what was asked on the parts that it decides."""
    order = Order(DESK, at or datetime.now(UTC), "ACCEPTED", SHA, action=action)
    decide(town.house.conn, case.case_id, State.ACCEPTED, order)


def swept(town: Town, case: Case, at: datetime | None = None) -> Case:
    """The case after what the schedule does every five minutes, often enough that nothing is due any more."""
    for _ in range(3):
        follow(town.house, at or datetime.now(UTC))
        sweep(town.house, at or datetime.now(UTC))
    return current(town, case)


def current(town: Town, case: Case) -> Case:
    """The case as it stands."""
    return store.get_case(town.house.conn, case.case_id)


def of_principal(case: Case) -> SubCase:
    """The one part that a principal decides."""
    [part] = [each for each in case.sub_cases if each.track is Track.PROCESSOR]
    return part


def of_center(case: Case) -> SubCase:
    """The one part that the center decides."""
    [part] = [each for each in case.sub_cases if each.track is Track.CONTROLLER]
    return part


def letter_text(town: Town, case: Case, kind: LetterKind = LetterKind.COMPLETION) -> str:
    """Every word of the one letter of a kind, a line each."""
    [letter] = [each for each in current(town, case).letters if each.kind is kind]
    return "\n".join(json.loads(open_document(town.house, letter))["text"])
