"""A letter that says who was told, and the word to the controller, come after everybody was told (Art. 19)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from rights.instructing import current
from rights.town import DESK, SHA, Town, open_town, papers_of, swept
from sluice.rights.case.model import Action, Case, Letter, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.steps import decide
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document
from sluice.rights.notices import notice_store
from sluice.rights.notices.answers import note_sent
from sluice.rights.notices.model import Notice, NoticeState
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import BRUSSELS
from support.night import AGREEMENT, Edit

ENERGY, GRID = Principal("energy01"), "Grid NV"
PAPERS = [Edit(AGREEMENT, "recipients: []", f"recipients: [{GRID}]")]
WE_ANSWER = Edit(AGREEMENT, "A18: false", "A18: true")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY], *PAPERS, *getattr(request, "param", ()))
    with open_town(settings, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def part_of(town: Town, case: Case, track: Track) -> SubCase:
    return next(part for part in current(town, case).sub_cases if part.track is track)


def restricted(town: Town) -> Case:
    """A person asks for restriction, and whoever decides does it."""
    case = town.opened(Right.RESTRICTION, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY)
    for part in case.sub_cases:
        if part.track is Track.PROCESSOR:
            body = json.dumps({"case": part.sub_case_id, "decision": "restrict"}).encode()
            bucket, key = town.house.settings.bucket_exchange, f"{ENERGY}/requests/instruction-1.json"
            stored = town.house.objects.put(bucket, key, body, "text/json")
            assert read_instruction(town.house, ENERGY, stored, now()).outcome is InstructionOutcome.INSTRUCTED
    return decide(
        town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.RESTRICT)
    )


def owed(town: Town, part: SubCase) -> Notice:
    every = notice_store.list_notices(town.house.conn, case_id=part.case_id, limit=None)
    [notice] = [each for each in every if each.sub_case_id == part.sub_case_id and each.recipient == GRID]
    return notice


def tell(town: Town, part: SubCase) -> None:
    """The desk tells the recipient by hand."""
    notice = owed(town, part)
    assert notice.state is NoticeState.OWED
    note_sent(town.house.conn, notice.notice_id, "anna", now(), SHA)


def completions(town: Town, case: Case) -> list[Letter]:
    return [letter for letter in current(town, case).letters if letter.kind is LetterKind.COMPLETION]


def names_grid(town: Town, letter: Letter) -> bool:
    return GRID in json.loads(open_document(town.house, letter))["recipients"]


def test_a_controller_is_told_that_it_was_done_once_everybody_else_was(town: Town) -> None:
    case = restricted(town)
    swept(town)
    theirs = part_of(town, case, Track.PROCESSOR)
    assert theirs.state is State.EXECUTED and f"confirmation-{theirs.sub_case_id}.json" not in town.notices(ENERGY)

    tell(town, theirs)
    swept(town)
    assert f"confirmation-{theirs.sub_case_id}.json" in town.notices(ENERGY)
    assert part_of(town, case, Track.PROCESSOR).state is State.CLOSED
    assert owed(town, theirs).state is NoticeState.SENT, "it was told; nobody waits for what it does"


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_a_letter_says_who_was_told_after_they_were(town: Town) -> None:
    case = restricted(town)
    swept(town)
    assert completions(town, case) == [], f"{GRID} was not told of what the principal decided"
    tell(town, part_of(town, case, Track.PROCESSOR))
    swept(town)

    [letter] = completions(town, case)
    assert len(letter.sub_cases) == 2 and names_grid(town, letter)
    note_opened(town.house.conn, letter, now(), DESK)
    swept(town)
    assert current(town, case).state is State.CLOSED


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_near_the_last_day_a_letter_leaves_out_what_somebody_was_not_told_of(town: Town) -> None:
    case = restricted(town)
    swept(town)
    ours, theirs = (part_of(town, case, track) for track in (Track.CONTROLLER, Track.PROCESSOR))
    last = datetime.combine(case.last_day, time(12), BRUSSELS)
    swept(town, last)
    [letter] = completions(town, case)
    assert letter.sub_cases == (ours.sub_case_id,)

    tell(town, theirs)
    swept(town, last)
    assert [each.sub_cases for each in completions(town, case)] == [(ours.sub_case_id,), (theirs.sub_case_id,)]
