"""A hundred persons are in every store, and each asks: every planted value is delivered, none of anyone else's."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, give, read
from rights.asking import DESK
from rights.estate import ENERGY01, TELECOM01, Estate, open_estate
from rights.everywhere import openers
from rights.people import Person
from rights.residue import Searcher
from sluice.rights.case.model import Action, CaseId, Order, Right, State
from sluice.rights.case.steps import decide, settle_identity
from sluice.rights.case.store import get_case
from sluice.rights.due_steps import take_due
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.effort import effort
from support.night import change, with_papers

PEOPLE, OTHERS, SHARED = effort((6, 3, 2), (100, 20, 20))
SHA = "ab" * 32
DATA = ("data/", "access.json")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def estate(store_settings: Settings, tmp_path: Path) -> Iterator[Estate]:
    """Both agreements let us answer for the principal."""
    settings = with_papers(store_settings, tmp_path / "ours", WE_GIVE)
    [paper] = (settings.principals_dir / TELECOM01).glob("agreement-*.yaml")
    change(paper, WE_GIVE.old, WE_GIVE.new)
    with open_estate(settings, tmp_path, PEOPLE, OTHERS, SHARED) as opened:
        yield opened


def ask_all(estate: Estate) -> dict[int, CaseId]:
    """Everybody asks for access by what they know of themselves, and who decides agrees."""
    house, now = estate.house, datetime.now(UTC)
    cases: dict[int, CaseId] = {}
    for person in estate.people:
        numbers = [person.record, *([person.subscriber] if person in estate.shared else [])]
        given = [(SubjectKind.PHONE, person.phone), *((SubjectKind.PRINCIPAL_CUSTOMER_ID, each) for each in numbers)]
        case = open_case(house, NewRequest(Right.ACCESS, given, None, now, "letter", "nl", DESK), now)
        settle_identity(house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", SHA))
        cases[person.number] = case.case_id
    take_due(house, now)
    for case_id in cases.values():
        for part in get_case(house.conn, case_id).sub_cases:
            if part.state is State.AWAITING_INSTRUCTION:
                said = json.dumps({"case": part.sub_case_id, "decision": "give"}).encode()
                key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
                stored = house.objects.put(estate.settings.bucket_exchange, key, said, "text/json")
                read_instruction(house, Principal(part.principal), stored, now)
        if any(part.state is State.SCOPED for part in get_case(house.conn, case_id).sub_cases):
            decide(house.conn, case_id, State.ACCEPTED, Order(DESK, now, "ACCEPTED", SHA, action=Action.GIVE))
    return cases


def planted(estate: Estate, values: list[tuple[int, str]], searcher: Searcher) -> dict[int, set[int]]:
    """The planting list: which values of whom really lie in some store, by a reader of the test's own."""
    found: set[int] = set()
    keys = openers(estate)
    for item in estate.versions():
        if item.key.startswith((f"{ENERGY01}/requests/", f"{TELECOM01}/requests/", "_cases/")):
            continue
        found |= searcher.search(estate.read(item), *keys)
    lists: dict[int, set[int]] = defaultdict(set)
    for place in found:
        lists[values[place][0]].add(place)
    return lists


@pytest.mark.evidence
def test_every_planted_value_is_delivered_and_none_of_anyone_elses(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    everybody: list[Person] = [*estate.people, *estate.others]
    values = [(person.number, value) for person in everybody for value in dict.fromkeys(person.values)]
    searcher = Searcher([value] for _, value in values)
    lists = planted(estate, values, searcher)
    assert all(len(lists[person.number]) >= 5 for person in estate.people), "control: the planting is found"
    cases = ask_all(estate)

    missing, foreign, stores, rows = [], [], set(), 0
    for person in estate.people:
        package = read(estate.house, give(estate.house, cases[person.number]))
        content = b"\n".join(body for name, body in package.files.items() if name.startswith(DATA))
        there = searcher.search(content)
        missing += [values[place] for place in lists[person.number] - there]
        foreign += [(person.number, values[place]) for place in there if values[place][0] != person.number]
        stores |= {
            line["store"] for line in package.json("manifest.json")["stores"] if line["copies_naming_the_person"]
        }
        rows += sum(len(table) for table in package.json("access.json")["data"].values())

    assert foreign == []
    assert missing == []
    assert stores >= {"lake", "files as they came", "files as they went out", "quarantine", "subject index"}
    total = sum(len(lists[person.number]) for person in estate.people)
    record_property(
        "access over all stores",
        f"{PEOPLE:,} persons, {total:,} of {total:,} planted values delivered, 0 of anyone else's, {rows:,} rows",
    )
