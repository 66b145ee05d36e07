"""Everybody is told (Art. 19) before a letter says so, and of the decision that stands, whatever was decided before."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from uuid import UUID, uuid5

import pytest

from rights.instructing import ENERGY, accept, arrived, current, instruct, lent, now, of_principal, owned, swept
from rights.town import DESK, SHA, Town
from rights.town import swept as sweep_all
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.case.model import Action, Case, Letter, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.steps import decide
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document
from sluice.rights.notices import notice_store
from sluice.rights.notices.answers import note_sent
from sluice.rights.notices.model import Channel, NotByHand, Notice, NoticeState
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import find_recipients, tell
from sluice.rights.read_instructions import read_instruction
from sluice.terms import SubjectKind
from sluice.times import BRUSSELS
from support.night import AGREEMENT, Edit

GRID = "Grid NV"
PAPERS = [Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")]
WE_ANSWER = Edit(AGREEMENT, "A18: false", "A18: true")


town = lent(arrived, *PAPERS)


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


def tell_by_hand(town: Town, part: SubCase) -> None:
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
    sweep_all(town)
    theirs = part_of(town, case, Track.PROCESSOR)
    assert theirs.state is State.EXECUTED and f"confirmation-{theirs.sub_case_id}.json" not in town.notices(ENERGY)

    tell_by_hand(town, theirs)
    sweep_all(town)
    assert f"confirmation-{theirs.sub_case_id}.json" in town.notices(ENERGY)
    assert part_of(town, case, Track.PROCESSOR).state is State.CLOSED
    assert owed(town, theirs).state is NoticeState.SENT, "it was told; nobody waits for what it does"


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_a_letter_says_who_was_told_after_they_were(town: Town) -> None:
    case = restricted(town)
    sweep_all(town)
    assert completions(town, case) == [], f"{GRID} was not told of what the principal decided"
    tell_by_hand(town, part_of(town, case, Track.PROCESSOR))
    sweep_all(town)

    [letter] = completions(town, case)
    assert len(letter.sub_cases) == 2 and names_grid(town, letter)
    note_opened(town.house.conn, letter, now(), DESK)
    sweep_all(town)
    assert current(town, case).state is State.CLOSED


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_near_the_last_day_a_letter_leaves_out_what_somebody_was_not_told_of(town: Town) -> None:
    case = restricted(town)
    sweep_all(town)
    ours, theirs = (part_of(town, case, track) for track in (Track.CONTROLLER, Track.PROCESSOR))
    last = datetime.combine(case.last_day, time(12), BRUSSELS)
    sweep_all(town, last)
    [letter] = completions(town, case)
    assert letter.sub_cases == (ours.sub_case_id,)

    tell_by_hand(town, theirs)
    sweep_all(town, last)
    assert [each.sub_cases for each in completions(town, case)] == [(ours.sub_case_id,), (theirs.sub_case_id,)]


INSTEAD = {"decision": "restrict", "reason": "A17LegalClaims"}
"""An erasure is refused, and the data restricted."""


own = owned(arrived, *PAPERS)


def asked(town: Town, right: Right) -> Case:
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    return town.opened(right, given, ENERGY)


def notices(town: Town, part: SubCase) -> list[Notice]:
    """The notices to Grid NV about a part, oldest decision first."""
    found = list_notices(town.house.conn, case_id=part.case_id, limit=None)
    mine = [each for each in found if each.sub_case_id == part.sub_case_id and each.recipient == GRID]
    return sorted(mine, key=lambda notice: notice.decision)


def whole(part: SubCase, decision: str) -> dict[str, object]:
    """A decision on all of a part, in a file that was never put before."""
    return {"decision": decision, "fields": list(part.field_groups)}


def taken_back(town: Town, part: SubCase, second: dict[str, object]) -> None:
    """The principal says something else, is asked again, and says it again."""
    assert instruct(town, part, **second) is InstructionOutcome.CONTRADICTS
    assert instruct(town, part, **second | whole(part, str(second["decision"]))) is InstructionOutcome.INSTRUCTED


def test_an_erasure_is_told_to_whoever_had_been_told_to_restrict(own: Town) -> None:
    case = asked(own, Right.ERASURE)
    part = of_principal(case)
    assert instruct(own, part, **INSTEAD) is InstructionOutcome.INSTRUCTED
    tell(own.house, now())
    [first] = notices(own, part)
    note_sent(own.house.conn, first.notice_id, "els", now(), SHA)
    taken_back(own, part, {"decision": "erase"})
    accept(own, case, Action.ERASE)
    draft(own.house, case.case_id, "airflow", now())
    release(own.house, case.case_id, "bert", now())
    assert run(own.house, case.case_id, now()).residual == 0

    case = swept(own, case)

    told = [(each.action, each.state, each.decision) for each in notices(own, part)]
    assert told == [(Action.RESTRICT, NoticeState.SENT, 0), (Action.ERASE, NoticeState.OWED, 1)]
    assert notice_store.count_untold(own.house.conn, part.sub_case_id) == 1, "it waits for the second"
    assert of_principal(case).state is State.EXECUTED
    note_sent(own.house.conn, notices(own, part)[1].notice_id, "els", now(), SHA)
    assert of_principal(swept(own, case)).state is State.CLOSED


def test_what_is_restricted_beside_the_first_group_is_told(town: Town) -> None:
    case = asked(town, Right.RESTRICTION)
    part = of_principal(case)
    assert instruct(town, part, decision="restrict", fields=["contact_point"]) is InstructionOutcome.INSTRUCTED
    tell(town.house, now())
    taken_back(town, part, {"decision": "restrict"})
    tell(town.house, now())

    first, second = notices(town, part)
    assert first.field_groups == ("contact_point",) and set(second.field_groups) > set(first.field_groups)


def test_a_first_decision_gives_the_number_it_always_gave(town: Town) -> None:
    part = of_principal(asked(town, Right.RESTRICTION))
    assert instruct(town, part, decision="restrict") is InstructionOutcome.INSTRUCTED
    tell(town.house, now())

    [notice] = notices(town, part)
    assert notice.notice_id == str(uuid5(UUID(part.sub_case_id), f"recipient/{GRID}")) and notice.decision == 0
    assert tell(town.house, now()).found == 0 and notices(town, part) == [notice], "it is found once"


def test_nobody_is_told_of_a_decision_that_was_taken_back_first(town: Town) -> None:
    part = of_principal(asked(town, Right.RESTRICTION))
    assert instruct(town, part, decision="restrict") is InstructionOutcome.INSTRUCTED
    tell(town.house, now())
    [notice] = notices(town, part)
    conn = town.house.conn
    assert notice.channel is Channel.DESK and notice_store.count_late(conn) == 1, "control: the desk has to tell it"

    no = {"decision": "refuse", "reason": "NotRequiredJustification"}
    assert instruct(town, part, **no) is InstructionOutcome.CONTRADICTS

    assert notice_store.count_late(conn) == 0 and notice_store.find_propagation(conn, part.sub_case_id) is None
    assert list_notices(conn, case_id=part.case_id, withdrawn=False) == []
    [withdrawn] = list_notices(conn, case_id=part.case_id, withdrawn=True)
    assert (notice.stands, withdrawn.stands, withdrawn.state) == ("OWED", "WITHDRAWN", NoticeState.OWED)
    with pytest.raises(NotByHand):
        note_sent(conn, notice.notice_id, "els", now(), SHA)
    assert instruct(town, part, **no) is InstructionOutcome.INSTRUCTED
    tell(town.house, now())
    assert notices(town, part) == [notice], "a refusal is told to nobody"


class Reading:
    """The store, and what somebody else does at its first read."""

    def __init__(self, store: ObjectStore, then: Callable[[], object]) -> None:
        self.store, self.left = store, [then]

    def __getattr__(self, name: str) -> Any:
        while name == "read" and self.left:
            self.left.pop()()
        return getattr(self.store, name)


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_a_word_taken_back_while_recipients_are_found_is_told_to_nobody(town: Town, is_taken_back: bool) -> None:
    case = asked(town, Right.RESTRICTION)
    part = of_principal(case)
    assert instruct(town, part, decision="restrict") is InstructionOutcome.INSTRUCTED

    def meanwhile() -> None:
        no = {"decision": "refuse", "reason": "NotRequiredJustification"}
        assert not is_taken_back or instruct(town, part, **no) is InstructionOutcome.CONTRADICTS

    objects: Any = Reading(town.house.objects, meanwhile)
    found = find_recipients(replace(town.house, objects=objects), part.case_id, part.sub_case_id, now())

    assert objects.left == [] and found == len(notices(town, part)) == (0 if is_taken_back else 1)
    assert of_principal(current(town, case)).action is (None if is_taken_back else Action.RESTRICT)
