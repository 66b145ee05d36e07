"""Records of consent in an answer (GDPR Art. 15): the person's own, all of them, in every form, and nobody else's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from answers.giving import WE_GIVE, Package, give, read, street_fixtures
from rights.town import Town, open_town, papers_of, town_fixture
from sluice.answers.model import AnswerKind, NothingPortable
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.consents.file import Said
from sluice.rights.withdrawals import record_and_tell
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

pytestmark = pytest.mark.stores
ENERGY, SOLAR = Principal("energy01"), Principal("solar01")
CARE = "https://w3id.org/dpv#CustomerCare"


def plant(town: Town) -> None:
    """Of every three the first two are in files of both principals; the third is in none."""
    for each in (ENERGY, SOLAR):
        town.arrive(each, [person for person in town.people if person.number % 3 < 2])


whole = town_fixture([ENERGY, SOLAR], 3 * 6, plant, WE_GIVE)
streets, town = street_fixtures(3)


@pytest.fixture
def their_town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """Here the principal answers itself."""
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 1) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def said(town: Town, name: dict[str, str], state: str, day: int, *, at: Principal = ENERGY, **more: Any) -> None:
    moment = datetime(2026, 11, day, 9, 30, tzinfo=UTC).isoformat()
    told = Said(name, "P-CARE", "email", state, moment, "web_form", f"W-{day}", "webshop", **more)
    assert record_and_tell(town.house, at, told, "anna", datetime.now(UTC)).left_out == 0


def answered(town: Town, case: Case) -> Package:
    return read(town.house, give(town.house, town.agree(case, Action.GIVE).case_id))


def records(package: Package) -> list[tuple[str, str, str, str]]:
    rows = package.rows("data/consent_record.csv")
    return [(each["sluice_company"], each["state"], each["at"], each["notice"]) for each in rows]


def left_out(package: Package) -> list[tuple[str, int]]:
    every = package.json("manifest.json")["withheld_by_dataset"]
    return [(each["why"], each["count"]) for each in every if each["dataset"] == "records of consent"]


def test_every_record_of_the_person_is_given_oldest_first_and_no_other(town: Town) -> None:
    mine, other = ({"phone": each.phone} for each in town.people[:2])
    said(town, mine, "withdrawn", 9)
    said(town, mine, "given", 3, until="2027-11-03")
    said(town, mine, "given", 5, at=SOLAR)
    said(town, other, "refused", 4)

    package = answered(town, town.ask(town.people[0], Right.ACCESS))

    assert records(package) == [
        ("Energy One NV", "given", "2026-11-03T09:30:00Z", "W-3"),
        ("Energy One NV", "withdrawn", "2026-11-09T09:30:00Z", "W-9"),
        ("Solar01 NV", "given", "2026-11-05T09:30:00Z", "W-5"),
    ]
    assert "W-4" not in package.text
    document = package.json("access.json")
    [first, *_] = document["data"]["consent_record"]
    assert (first["purpose"], first["channel"], first["until"]) == (CARE, "email", "2027-11-03")
    spoken = " ".join(document["text"])
    assert "Ja, op 3 november 2026, 10:30:00; tot en met 3 november 2027" in spoken
    assert "Ingetrokken op 9 november 2026" in spoken and "1.096 dagen" in spoken
    stores = {(each["company"], each["store"]): each["rows"] for each in package.json("manifest.json")["stores"]}
    assert stores["Energy One NV", "records of consent"] == 2


def test_whoever_is_in_no_file_gets_their_records(town: Town) -> None:
    third = town.people[2]
    said(town, {"phone": third.phone}, "given", 3)

    package = answered(town, town.opened(Right.ACCESS, [(SubjectKind.PHONE, third.phone)]))

    assert [each[1:] for each in records(package)] == [("given", "2026-11-03T09:30:00Z", "W-3")]
    assert package.json("access.json")["confirmation"] is True


def test_in_a_household_only_what_is_recorded_under_ones_own_number_is_given(town: Town) -> None:
    """Two customers share a telephone, and a record under it may be of either."""
    first, other = town.people[0], town.people[1]
    town.arrive(ENERGY, [other.under_phone_of(first)], "shared.csv")
    said(town, {"phone": first.phone}, "given", 3)
    said(town, {"customer": first.record(ENERGY)}, "given", 4)

    package = answered(town, town.ask(first, Right.ACCESS))

    assert [each[3] for each in records(package)] == ["W-4"]
    assert "W-3" not in package.text
    assert left_out(package) == [("rows", 1)]


def test_what_is_recorded_under_something_that_was_not_given_is_told_and_not_given(town: Town) -> None:
    """Their row bears it, and somebody else's may too, whom nobody asked for."""
    person = town.people[0]
    said(town, {"phone": person.phone}, "given", 3)
    said(town, {"customer": person.record(ENERGY)}, "given", 4)

    by_number, by_phone = (
        answered(town, town.opened(Right.ACCESS, [given], ENERGY))
        for given in (
            (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY)),
            (SubjectKind.PHONE, person.phone),
        )
    )

    assert ([each[3] for each in records(by_number)], "W-3" in by_number.text) == (["W-4"], False)
    assert left_out(by_number) == [("unasked", 1)]
    assert [each[3] for each in records(by_phone)] == ["W-3", "W-4"], "the number in their row is theirs alone"


def test_where_the_principal_answers_itself_it_gives_its_records(their_town: Town) -> None:
    said(their_town, {"phone": their_town.people[0].phone}, "given", 3)

    package = answered(their_town, their_town.ask(their_town.people[0], Right.ACCESS))

    assert "data/consent_record.csv" not in package.files and "W-3" not in package.text
    lines = [each for each in package.json("access.json")["fields"] if each["dataset"] == "records of consent"]
    assert [(each["included"], each["reason"]) for each in lines] == [(False, "FORWARDED_TO_CONTROLLER")]


def test_nobody_takes_a_record_along(town: Town) -> None:
    """It is the principal's proof, and no data that its person provided (GDPR Art. 7(1), 20(1))."""
    said(town, {"phone": town.people[2].phone}, "given", 3)
    case = town.opened(Right.PORTABILITY, [(SubjectKind.PHONE, town.people[2].phone)])
    case = town.agree(case, Action.EXPORT)

    with pytest.raises(NothingPortable):
        give(town.house, case.case_id, AnswerKind.PORTABILITY)
