"""Who has the data is told of the decision that stands, also where its controller decided otherwise before."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest

from rights.instructing import accept, current, instruct, of_principal, swept
from rights.town import SHA, Town, open_town, papers_of
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.case.model import Action, Case, Right, State, SubCase
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.notices import notice_store
from sluice.rights.notices.answers import note_sent
from sluice.rights.notices.model import Channel, NotByHand, Notice, NoticeState
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import find_recipients, tell
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.night import AGREEMENT, Edit

ENERGY, GRID = Principal("energy01"), "Grid NV"
PAPERS = [Edit(AGREEMENT, "recipients: []", f"recipients: [{GRID}]")]
INSTEAD = {"decision": "restrict", "reason": "A17LegalClaims"}
"""An erasure is refused, and the data restricted."""


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY], *PAPERS), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


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


def test_an_erasure_is_told_to_whoever_had_been_told_to_restrict(town: Town) -> None:
    case = asked(town, Right.ERASURE)
    part = of_principal(case)
    assert instruct(town, part, **INSTEAD) is InstructionOutcome.INSTRUCTED
    tell(town.house, now())
    [first] = notices(town, part)
    note_sent(town.house.conn, first.notice_id, "els", now(), SHA)
    taken_back(town, part, {"decision": "erase"})
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    assert run(town.house, case.case_id, now()).residual == 0

    case = swept(town, case)

    told = [(each.action, each.state, each.decision) for each in notices(town, part)]
    assert told == [(Action.RESTRICT, NoticeState.SENT, 0), (Action.ERASE, NoticeState.OWED, 1)]
    assert notice_store.count_untold(town.house.conn, part.sub_case_id) == 1, "it waits for the second"
    assert of_principal(case).state is State.EXECUTED
    note_sent(town.house.conn, notices(town, part)[1].notice_id, "els", now(), SHA)
    assert of_principal(swept(town, case)).state is State.CLOSED


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


MIGRATION = files("sluice.migrations.versions").joinpath("0053_notice_of_decision.sql")
UNDO = """
set role sluice_owner;
alter table sluice.notice drop constraint notice_of_decision, drop constraint notice_once, drop column decision;
alter table sluice.propagation drop constraint propagation_pkey, drop column decision, add primary key (sub_case_id);
alter table sluice.notice
    add constraint notice_sub_case_id_fkey foreign key (sub_case_id) references sluice.propagation,
    add constraint notice_once unique (sub_case_id, recipient, side);
reset role
"""


@pytest.mark.parametrize("is_of_second", [False, True])
def test_what_an_earlier_version_found_out_belongs_to_the_decision_of_then(town: Town, is_of_second: bool) -> None:
    part = of_principal(asked(town, Right.RESTRICTION))
    assert instruct(town, part, decision="restrict", fields=["contact_point"]) is InstructionOutcome.INSTRUCTED
    if not is_of_second:
        tell(town.house, now())
    taken_back(town, part, {"decision": "restrict"})
    if is_of_second:
        tell(town.house, now())
    before = [replace(each, decision=0) for each in notices(town, part)]
    url = town.house.settings.database_admin_url
    assert url is not None

    with psycopg.connect(url.get_secret_value()) as owner:
        owner.execute(UNDO.encode())
        owner.execute(MIGRATION.read_bytes())

    after = notices(town, part)
    assert [replace(each, decision=0) for each in after] == before and len(after) == 1
    assert after[0].decision == int(is_of_second)
    assert tell(town.house, now()).found == int(not is_of_second), "the second is found out now, if it was not before"
