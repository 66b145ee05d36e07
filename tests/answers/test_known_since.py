"""Whether data of somebody is processed: yes as soon as any place names them, also one that came to know them since."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, give, now, read
from rights.destroying import end_agreement
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import Action, Case, Order, Right, State, Track
from sluice.rights.case.steps import decide
from sluice.rights.case.store import get_case
from sluice.rights.destroy import ask, confirm_destruction
from sluice.rights.due_steps import take_due
from sluice.settings import Settings
from sluice.terms import Principal

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """A town in which no file has arrived yet."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], WE_GIVE)
    with open_town(settings, tmp_path, [ENERGY, SOLAR], 2) as opened:
        yield opened


def asked(town: Town) -> Case:
    case = town.ask(town.people[0], Right.ACCESS)
    return decide(
        town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.GIVE)
    )


def test_who_has_accepted_rows_since_the_request_is_concerned_too(town: Town) -> None:
    case = asked(town)
    first = read(town.house, give(town.house, case.case_id)).json("access.json")
    assert first["confirmation"] is False and any("vonden niets" in text for text in first["text"])

    town.arrive(ENERGY, town.people)
    town.arrive(SOLAR, town.people[1:])
    second = read(town.house, give(town.house, case.case_id)).json("access.json")

    assert second["confirmation"] is True and not second["data"], "nobody there has decided yet"
    assert {line["reason"] for line in second["fields"]} <= {"NOT_DECIDED", "FORWARDED_TO_CONTROLLER"}
    assert not any("vonden niets" in text for text in second["text"])
    widened = get_case(town.house.conn, case.case_id)
    assert {part.principal for part in widened.sub_cases if part.agreement_id} == {ENERGY}
    take_due(town.house, now())
    town.agree(get_case(town.house.conn, case.case_id), Action.GIVE)
    made = give(town.house, case.case_id)
    assert made.answer.rows and len(get_case(town.house.conn, case.case_id).sub_cases) == len(widened.sub_cases)
    assert {part.track for part in widened.sub_cases} == {Track.CONTROLLER, Track.PROCESSOR}
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid


def test_a_file_that_was_refused_is_processing_too(town: Town) -> None:
    town.desk.drop(f"{town.people[0].phone}\n".encode(), "odd.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()

    document = read(town.house, give(town.house, asked(town).case_id)).json("access.json")

    assert document["confirmation"] is True and not document["data"]
    assert not any("vonden niets" in text for text in document["text"])


def test_a_principal_whose_keys_are_gone_keeps_nobody_from_an_answer(town: Town) -> None:
    """Its agreement ended while a request of somebody unknown was open: without its key nothing there names anybody."""
    town.arrive(SOLAR, town.people[1:])
    case, url = asked(town), town.desk.settings.database_admin_url
    assert url is not None and {ENERGY, SOLAR} <= set(case.searched)
    before = give(town.house, case.case_id)
    first = read(town.house, before).json("access.json")
    end_agreement(url.get_secret_value(), ENERGY)
    ask(town.house, ENERGY, "an", now())
    assert confirm_destruction(town.house, ENERGY, "bert", now()).destroyed_at is not None

    after = give(town.house, case.case_id)

    for document in (first, read(town.house, after).json("access.json")):
        assert document["confirmation"] is False and any("vonden niets" in text for text in document["text"])
    assert [each.copies for each in after.stores] == [each.copies for each in before.stores], "energy01 had none"
    assert sum(each.copies for each in after.stores) > 0, "solar01 is searched as before"
