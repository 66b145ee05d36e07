"""A principal asks for a person by a file of its own: it gets what is its own, the person what the center decides."""

import io
import json
import zipfile

from answers.giving import now, street_fixtures, taken
from answers.test_portability import ANY_NUMBER, BY_CONTRACT
from rights.instructing import current
from rights.town import DESK, SHA, Town, town_fixture
from sluice.answers.handover_due import hand_owed
from sluice.answers.link import make_link
from sluice.answers.sweep import make_decided
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case import store
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.next_step import NextStep, step_of
from sluice.rights.case.steps import decide
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.read_instructions import read_instruction
from sluice.rights.request_store import list_files
from sluice.rights.requests import read_requests
from sluice.rights.schedule import follow, sweep
from sluice.terms import Principal
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
PORTABLE = (*BY_CONTRACT, ANY_NUMBER, Edit(AGREEMENT, "portable: false", "portable: true"))


def plant(town: Town) -> None:
    town.arrive(ENERGY, town.people)
    town.give_back(ENERGY, town.people)


whole = town_fixture([ENERGY], 3, plant, *PORTABLE)
streets, town = street_fixtures(1)


def ours(case: Case) -> SubCase:
    return next(part for part in case.sub_cases if part.track is Track.CONTROLLER)


def swept(town: Town) -> None:
    """Run what the schedules run, until nothing changes any more."""
    for _ in range(3):
        assert follow(town.house, now()).failed == 0
        make_decided(town.house, "airflow", now())
        assert hand_owed(town.house, now())[1] == 0
        assert sweep(town.house, now()).failed == 0


def asked_and_decided(town: Town, right: Right, action: Action) -> Case:
    """The principal's file about one person is read, it instructs, and the center decides its own part."""
    house, person = town.house, town.people[0]
    asked = {"right": right.value, "persons": [{"customer": person.record(ENERGY), "phone": person.phone}]}
    bucket = house.settings.bucket_exchange
    put = house.objects.put(bucket, f"{ENERGY}/requests/{person.number}.json", json.dumps(asked).encode(), "text/json")
    read_requests(house, now())
    [file] = [each for each in list_files(house.conn, ENERGY) if each.version_id == put.version_id]
    case = store.get_case(house.conn, CaseId(str(file.case_id)))
    follow(house, now())
    [part] = [part for part in case.sub_cases if part.track is Track.PROCESSOR]
    said = json.dumps({"case": part.sub_case_id, "decision": action.value}).encode()
    stored = house.objects.put(bucket, f"{ENERGY}/requests/instruction-{part.sub_case_id}.json", said, "text/json")
    assert read_instruction(house, ENERGY, stored, now()).outcome is InstructionOutcome.INSTRUCTED
    decide(house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=action))
    return case


def test_what_the_center_decides_reaches_the_person_before_it_counts_as_answered(town: Town) -> None:
    case = asked_and_decided(town, Right.ACCESS, Action.GIVE)
    swept(town)

    mine = ours(current(town, case))
    assert mine.state is State.RECIPIENTS_NOTIFIED, "nobody has the answer yet"
    assert f"confirmation-{mine.sub_case_id}.json" not in town.notices(ENERGY)
    assert step_of(current(town, case)) is NextStep.POST_LETTER and count_ours(town.house.conn) == 1
    [letter] = current(town, case).letters
    assert (letter.kind, letter.sub_cases) == (LetterKind.COMPLETION, (mine.sub_case_id,))

    note_opened(town.house.conn, letter, now(), DESK)
    swept(town)

    assert {part.state for part in current(town, case).sub_cases} == {State.CLOSED}
    steps = {
        step.to_state: step
        for step in store.list_steps(town.house.conn, case.case_id)
        if step.sub_case_id == mine.sub_case_id
    }
    assert steps[State.ANSWERED].evidence_sha256 == letter.sha256


def test_a_package_that_the_person_fetched_is_the_answer_to_a_file_too(town: Town) -> None:
    before = handed(town, "access")
    case = asked_and_decided(town, Right.ACCESS, Action.GIVE)
    swept(town)
    link = make_link(town.house, case.case_id, now(), DESK, code="spoken word")
    files = packed(taken(town.house, link.token, "spoken word", now()).content)

    swept(town)

    mine = ours(current(town, case))
    assert mine.state is State.CLOSED
    given = json.loads(files["access.json"])["data"]
    assert given and set(given) <= set(mine.field_groups), "what the center decides of, and nothing of the principal"
    [key] = [item.key for item in handed(town, "access") if item not in before]
    told = packed(town.house.objects.read(town.house.settings.bucket_exchange, key))
    assert "identity" in json.loads(told["access.json"])["data"] and "identity" not in given, "the principal has that"


def test_what_the_center_lets_a_person_take_along_reaches_them_as_well(town: Town) -> None:
    case = asked_and_decided(town, Right.PORTABILITY, Action.EXPORT)
    swept(town)
    mine = ours(current(town, case))
    assert mine.state is State.RECIPIENTS_NOTIFIED, "there is a package, and nobody has it"
    assert f"confirmation-{mine.sub_case_id}.json" not in town.notices(ENERGY)

    [letter] = current(town, case).letters
    assert letter.kind is LetterKind.COMPLETION
    note_opened(town.house.conn, letter, now(), DESK)
    swept(town)
    assert current(town, case).state is State.CLOSED


def packed(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def handed(town: Town, kind: str) -> list[StoredObject]:
    """Packages of one kind that were put into the principal's prefix."""
    found = town.house.objects.list_versions(town.house.settings.bucket_exchange, f"{ENERGY}/outbound/{kind}/")
    return [item for item in found if item.key.endswith(".zip")]
