"""What a person had corrected, and an erasure: it goes last, and is looked for afterwards."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.exchange.persons.corrections import PREFIX, RightValue, correct, find_corrections
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Order, State
from sluice.rights.case.steps import decide
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.release import draft, release
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY

pytestmark = pytest.mark.stores
PRINCIPAL = Principal(ENERGY[0])
OF = "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42"


def planted(settings: Settings, folder: Path) -> None:
    with open_town(papers_of(settings, folder, [PRINCIPAL]), folder, [PRINCIPAL], 4) as opened:
        opened.arrive(PRINCIPAL, opened.people)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [PRINCIPAL], 4) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def corrected(town: Town, person: Person) -> None:
    key = town.house.subject_key(PRINCIPAL)
    ref = refer(key, SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL)).ref or ""
    right = RightValue("street", "Rechtzettingsplein 1", now(), False, person.line)
    correct(town.house, PRINCIPAL, OF, frozenset({ref}), right, now())


def erased_by(town: Town, case: Case, is_principal: bool) -> None:
    """One of the two controllers decides to erase, and what that allows is done."""
    for part in store.get_case(town.house.conn, case.case_id).sub_cases:
        if is_principal and part.state is State.AWAITING_INSTRUCTION:
            said = json.dumps({"case": part.sub_case_id, "decision": "erase"}).encode()
            key = f"{PRINCIPAL}/requests/instruction-{part.sub_case_id}.json"
            stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
            read_instruction(town.house, PRINCIPAL, stored, now())
    if not is_principal:
        decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())


def test_a_correction_stays_while_a_copy_of_the_person_stays_and_goes_with_the_last_one(town: Town) -> None:
    person, other = town.people[:2]
    corrected(town, person)
    corrected(town, other)
    case = town.ask(person)
    erased_by(town, case, is_principal=False)
    first = run(town.house, case.case_id, now())
    assert any(line.outcome == "kept" for line in first.lines)
    assert len(find_corrections(town.house, PRINCIPAL)) == 2, "who still reads the person reads what is right"

    erased_by(town, case, is_principal=True)
    last = run(town.house, case.case_id, now())
    assert (last.residual, last.doubts) == (0, 0)
    assert len(find_corrections(town.house, PRINCIPAL)) == 1
    assert "corrections" in last.searched


def test_control_a_correction_that_lies_there_again_is_a_residue(town: Town) -> None:
    person = town.people[0]
    corrected(town, person)
    bucket = town.desk.settings.bucket_vault
    [item] = [item for item in town.desk.objects(bucket) if item.key.startswith(PREFIX)]
    content = town.house.objects.read(bucket, item.key)
    case = town.decided(person)
    assert run(town.house, case.case_id, now()).residual == 0

    town.house.objects.put(bucket, item.key, content, "application/octet-stream")
    assert verify(town.house, case.case_id, now()).residual == 2, (
        "the list of corrections knows it, the scan its reference"
    )
