"""Platforms deliver at least once, in any order, late: the return is the same to the byte."""

import json
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from returns.evenings import Evening
from sluice.exchange.read import ExchangeLine
from sluice.settings import Settings
from sluice.terms import Flow
from support.effort import effort
from support.night import (
    AT_ONCE,
    CALLED_AT,
    CONTRACT,
    DUE_DAY,
    HEAD,
    RESULTS,
    RESULTS_CONTRACT,
    Call,
    Night,
    add_contract,
    ago,
    call_log,
    open_night,
    with_papers,
)

pytestmark = pytest.mark.stores

PLANS, FILES, TIMES = effort(3, 36), effort(4, 8), 3
MAKE_AFTER = (FILES // 2, FILES - 1, FILES)
"""Returns are made on time, when a part of the files is here, and again when the rest came."""


def calls_of(day: date, people: list[tuple[str, str]], random: Random) -> list[Call]:
    """What happened on one day, every report of every call once, in the order in which it happened."""
    calls = []
    for number in range(random.randint(2, 7)):
        begun = datetime.combine(day, time(9)) + timedelta(minutes=7 * number)
        call = Call(f"{day}-{number}", *random.choice(people), at=begun)
        for report in range(random.randint(1, 3)):
            word = random.choice(["Sale", "No sale", "Call back", "Voicemail"])
            calls.append(
                replace(call, took=f"0:0{4 + report}:00", disposition=word, note=random.choice(["", "ok", "é"]))
            )
    return calls


def delivery(night: Night, calls: list[Call], random: Random) -> list[list[Call]]:
    """A plan: every report three times, each time in any file, in any place of it."""
    files: list[list[Call]] = [[] for _ in range(FILES)]
    for call in calls:
        for _ in range(TIMES):
            file = random.choice(files)
            file.insert(random.randint(0, len(file)), call)
    return files


@pytest.mark.timeout(900)
@pytest.mark.evidence
def test_however_results_are_delivered_the_return_is_the_same_to_the_byte(
    store_settings: Settings, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    add_contract(settings, RESULTS_CONTRACT, "clean_results")
    clean = add_contract(
        settings, CONTRACT, "clean_results", ("resultsFlow, value: renewal", "resultsFlow, value: clean")
    )
    days = [DUE_DAY - timedelta(days=back) for back in range(80, 80 - PLANS, -1)]
    with open_night(settings, tmp_path, 8) as night:
        people = night.people(8)
        drawn = [(day, Random(f"{number}"), Random(f"{number} plan")) for number, day in enumerate(days)]  # on any day
        plans = {day: (calls_of(day, people, calls), plan) for day, calls, plan in drawn}
        night.results(call_log([call for calls, _ in plans.values() for call in calls]), flow=clean)
        night.make(flow=clean)
        split = [delivery(night, calls, random) for calls, random in plans.values()]
        for number in range(FILES):
            night.results(call_log([call for plan in split for call in plan[number]]), f"part-{number}.csv")
            if number + 1 in MAKE_AFTER:
                night.make()
        wanted = {day: night.file(lines[-1]) for day, lines in delivered(night, clean).items()}
        found = delivered(night, RESULTS)
        same = [day for day, lines in found.items() if night.file(lines[-1]) == wanted[day]]
        assert sorted(same) == sorted(wanted) == [str(day) for day in days]
        corrections = [never_twice(night, lines) for lines in found.values()]
        assert len({bytes(content) for content in wanted.values()}) == PLANS
        assert sum(corrections) > PLANS // 2
        count = len(night.returns())
        night.make()
        assert len(night.returns()) == count
    record_property(
        "results delivered 3 times, shuffled, split, late: last return equals the clean one",
        f"{len(same)} of {PLANS} plans ({sum(corrections)} corrections on the way)",
    )


def delivered(night: Night, flow: Flow) -> dict[str, list[ExchangeLine]]:
    """Delivered returns of each day of contacts, oldest first."""
    found: dict[str, list[ExchangeLine]] = defaultdict(list)
    for line in reversed(night.returns(flow)):
        if line.decision == "accepted":
            found[night.record(line).what.key.split("_results_")[1][:10]].append(line)
        else:
            assert line.reason_code == "DUPLICATE_CONTENT"
    return found


def never_twice(night: Night, lines: list[ExchangeLine]) -> int:
    """Corrections of one day: each differs from the one before, and says which one it supersedes."""
    for before, after in pairwise(lines):
        assert night.file(before) != night.file(after)
        assert night.record(after).what.supersedes == before.id
    return len(lines) - 1


def test_a_late_disposition_is_a_correction_and_going_back_to_the_first_is_another(at_once: Evening) -> None:
    night = at_once
    first, second = night.people(2)
    call, other = Call("c1", *first, at=CALLED_AT), Call("c2", *second, agent="agent02")
    for number, word in enumerate(["Sale", "No sale", "Sale"]):
        night.called(replace(call, disposition=word, took=f"0:0{4 + number}:00"), other, name=f"{number}.csv")
        night.make()
        night.make()
    third, second, first = night.returns()
    said = [[row["disposition"] for row in night.rows(line)] for line in (first, second, third)]
    assert said == [["Sale"], ["No sale"], ["Sale"]]
    assert night.file(first) == night.file(third)
    assert [night.record(line).what.supersedes for line in (first, second, third)] == [None, first.id, second.id]
    receipt = night.delivered()[f"{night.record(second).what.key}.receipt.json"]
    assert first.id.encode() in payload(receipt)


def payload(jws: bytes) -> bytes:
    """What a flattened JWS says."""
    text = json.loads(jws)["payload"]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_what_was_delivered_already_is_never_delivered_again(at_once: Evening) -> None:
    night = at_once
    calls = [Call(f"c{n}", *person) for n, person in enumerate(night.people(4))]
    night.called(*calls)
    night.make()
    night.called(*calls, name="the-same-bytes.csv")
    night.make()
    assert len(night.returns()) == 1

    night.called(*reversed(calls), name="turned.csv")
    night.called(*calls[:2], name="half.csv")
    night.make()
    night.make()

    second, first = night.returns()
    assert (first.decision, second.decision, second.reason_code) == ("accepted", "refused", "DUPLICATE_CONTENT")
    assert len([key for key in night.delivered() if key.endswith(".csv")]) == 1


def test_a_row_that_waits_for_its_agent_makes_no_second_return_by_itself(at_once: Evening) -> None:
    night, people = at_once, at_once.people(2)
    night.called(Call("c1", *people[0]), Call("c2", *people[1], agent="agent02"))
    for number in range(2):
        night.make()
        night.admit(f"{HEAD}\ncourse,somebody{number},{ago(20)},gdpr-2,yes,\n")
    night.make()
    assert [line.decision for line in night.returns()] == ["partly_accepted"]
    rows = ("course,agent02,{},gdpr-2,yes,", "exam,agent02,{},gdpr-2,yes,90", "signature,agent02,{},coc-4,,")
    told_late = (row.format(ago(30 - number)) for number, row in enumerate(rows))
    night.admit("\n".join([HEAD, *told_late, ""]))
    night.make()
    night.make()
    assert [line.decision for line in night.returns()] == ["accepted", "partly_accepted"]
