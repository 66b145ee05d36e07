"""Whoever else got data of persons that a principal's own file names hears of those it got, and of no others."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from answers.test_every_paper import CARE, another_agreement
from rights.instructing import owned
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, CaseId, Order, Right, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.notices import notice_store
from sluice.rights.notices.tell import document_of
from sluice.rights.read_instructions import read_instruction
from sluice.rights.request_store import list_files
from sluice.rights.requests import read_requests
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal
from support.night import change

ENERGY, GRID = Principal("energy01"), "Grid NV"
LEGAL = iri("A17LegalClaims")


def planted(settings: Settings, folder: Path) -> None:
    """Three persons came in under one agreement, two of them under another whose recipient is somebody else too."""
    settings = papers_of(settings, folder, [ENERGY])
    another_agreement(settings.principals_dir / ENERGY)
    other = settings.principals_dir / ENERGY / "agreement-other-3.0.0.yaml"
    change(other, "recipients: []", f"recipients: [{GRID}]")
    with open_town(settings, folder, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people[:3])
        rows = [f"{each.record(ENERGY)};{each.line}" for each in opened.people[1:3]]
        opened.desk.drop("\n".join([opened.head, *rows]).encode() + b"\n", "care.csv", (ENERGY, CARE))
        opened.desk.work()


town = owned(planted)


def now() -> datetime:
    return datetime.now(UTC)


def by_file(town: Town, right: Right, action: Action, *people: Person, only: str | None = None) -> Case:
    """The principal asks by a file of its own, instructs, the center decides, and it is done.

    ``only``: the one field group that the principal lets go.
    """
    house, bucket = town.house, town.house.settings.bucket_exchange
    persons = [{"customer": each.record(ENERGY), "phone": each.phone} for each in people]
    asked = json.dumps({"right": right.value, "persons": persons}).encode()
    house.objects.put(bucket, f"{ENERGY}/requests/batch.json", asked, "text/json")
    read_requests(house, now())
    [file] = list_files(house.conn, ENERGY)
    case = store.get_case(house.conn, CaseId(str(file.case_id)))
    follow(house, now())
    for number, part in enumerate(part for part in case.sub_cases if part.track is Track.PROCESSOR):
        stay = {group: LEGAL for group in part.field_groups if only and group != only}
        some = {"fields": [only], "reasons": stay} if only else {}
        said = json.dumps({"case": part.sub_case_id, "decision": action.value, **some}).encode()
        stored = house.objects.put(bucket, f"{ENERGY}/requests/instruction-{number}.json", said, "text/json")
        assert read_instruction(house, ENERGY, stored, now()).outcome is InstructionOutcome.INSTRUCTED
    decide(house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=action))
    if action is Action.ERASE:
        draft(house, case.case_id, "airflow", now())
        release(house, case.case_id, "bert", now())
        assert run(house, case.case_id, now()).residual == 0
    for _ in range(3):
        assert follow(house, now()).failed == 0
        assert sweep(house, now()).failed == 0
    return case


def told_to(town: Town, case: Case, recipient: str) -> list[dict[str, Any]]:
    """What a recipient reads."""
    every = notice_store.list_notices(town.house.conn, case_id=case.case_id, recipient=recipient, limit=None)
    return [json.loads(document_of(town.house, notice)) for notice in every]


@pytest.mark.parametrize(
    ("right", "action", "only"),
    [
        (Right.RESTRICTION, Action.RESTRICT, None),
        (Right.ERASURE, Action.ERASE, None),
        (Right.ERASURE, Action.ERASE, "identity"),
    ],
    ids=["restriction", "erasure", "erasure of which every copy stays"],
)
def test_another_recipient_is_told_whom_of_those_it_got(
    town: Town, right: Right, action: Action, only: str | None
) -> None:
    never_there, there = town.people[0], town.people[1]
    case = by_file(town, right, action, never_there, there, only=only)

    notices = told_to(town, case, GRID)
    assert notices
    for notice in notices:
        assert notice["persons"] == 1
        [person] = notice["identifiers"]
        assert {(each["kind"], each["value"]) for each in person} == {
            ("customer", there.record(ENERGY)),
            ("phone", there.phone),
        }
        assert town.people[2].phone not in json.dumps(notice), "who did not ask"
    own = told_to(town, case, ENERGY)
    assert all((notice["persons"], notice["identifiers"]) == (2, []) for notice in own), "it knows whom it named"
    town.house.conn.execute("update case_holder set identifiers = null")  # as where the index knew none
    assert {len(notice["identifiers"]) for notice in told_to(town, case, GRID)} == {2}, "then everybody is named"
