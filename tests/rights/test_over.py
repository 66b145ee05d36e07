"""What a request that is over leaves with its principal names nobody, so no erasure of the same person meets it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rights.test_finish import ENERGY, now, part_of, planted, stands
from rights.town import DESK, SHA, Town, open_town, swept
from sluice.rights.case.model import Action, Case, Order, Right, State, Track
from sluice.rights.case.steps import withdraw
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run, verify
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from support.copies import Copies


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 4) as opened:
        yield opened


def refused(town: Town, case: Case) -> None:
    part = part_of(town, case, Track.PROCESSOR)
    said = {"case": part.sub_case_id, "decision": "refuse", "reason": "A12ManifestlyExcessive"}
    key = f"{ENERGY}/requests/instruction-no.json"
    stored = town.house.objects.put(
        town.desk.settings.bucket_exchange, key, json.dumps(said).encode(), "application/json"
    )
    read_instruction(town.house, ENERGY, stored, now())
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0
    assert stands(town, case)["principal"] is State.CLOSED


def carried_out(action: Action) -> Callable[[Town, Case], None]:
    """Both tell and sweep: what has to be kept out is, before the part is over."""

    def end(town: Town, case: Case) -> None:
        town.agree(case, action)
        swept(town)
        assert stands(town, case)["principal"] is State.CLOSED

    return end


def taken_back(town: Town, case: Case) -> None:
    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))


def keys_of(town: Town, case: Case) -> list[str]:
    """What lies under notices/ about the principal's part of a case, without its number."""
    number = part_of(town, case, Track.PROCESSOR).sub_case_id
    found = (name.partition(number) for name in town.notices(ENERGY))
    return sorted(f"{before}*{after}" for before, middle, after in found if middle)


@pytest.mark.parametrize(
    ("right", "end", "left"),
    [
        (Right.PORTABILITY, refused, "confirmation-*.json"),
        (Right.RESTRICTION, carried_out(Action.RESTRICT), "confirmation-*.json"),
        (Right.RECTIFICATION, taken_back, "case-*-withdrawn.json"),
    ],
    ids=("refused", "restricted", "taken back"),
)
def test_an_erasure_waits_for_another_request_until_that_is_over_and_then_nothing_of_it_is_left(
    town: Town, right: Right, end: Callable[[Town, Case], None], left: str
) -> None:
    person = town.people[0]
    other, erasure = town.ask(person, right), town.decided(person)
    somebody = town.ask(town.people[1], right)
    report = run(town.house, erasure.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1), "it is open"
    with pytest.raises(NotProven):
        issue(town.house, erasure.case_id)
    told = town.notices(ENERGY)[f"case-{part_of(town, other, Track.PROCESSOR).sub_case_id}.json"]

    end(town, other)

    report = run(town.house, erasure.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert len(issue(town.house, erasure.case_id)) == 1
    assert keys_of(town, other) == [left], "what names nobody stays to be read"
    assert "case-*.json" in keys_of(town, somebody), "an open request of somebody else is still told"
    again = f"{ENERGY}/notices/case-{part_of(town, other, Track.PROCESSOR).sub_case_id}.json"
    town.house.objects.put(town.desk.settings.bucket_exchange, again, told, "application/json")
    assert verify(town.house, erasure.case_id, now()).residual == 1, "control: one that stays is found"
    assert run(town.house, erasure.case_id, now()).residual == 0


def test_the_clock_takes_it_away_where_nobody_asks_for_an_erasure(town: Town) -> None:
    over, open_one = (town.ask(person, Right.PORTABILITY) for person in town.people[:2])
    assert keys_of(town, over) == keys_of(town, open_one) == ["case-*.json"]
    taken_back(town, over)

    told = follow(town.house, now())

    assert (told.withdrawn, told.failed) == (1, 0)
    assert keys_of(town, over) == ["case-*-withdrawn.json"] and keys_of(town, open_one) == ["case-*.json"]
    assert follow(town.house, now()).withdrawn == 0, "it is told once"
