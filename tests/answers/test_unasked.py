"""Nothing is missing from an answer without a word: what it leaves out is counted, by company and data set."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, cells_of, give, read
from answers.test_access import ENERGY, is_said
from rights.town import Person, Town, open_town, papers_of
from sluice.documents.words import words
from sluice.rights.case.model import Action, Case, Right
from sluice.settings import Settings
from sluice.terms import SubjectKind

PHONE, NUMBER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID
CAMPAIGN = f"{ENERGY}.inbound.renewal_campaign"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """One company; its second file knows the first person by their customer number and another telephone."""
    settings = papers_of(store_settings, tmp_path / "papers", [ENERGY], WE_GIVE)
    with open_town(settings, tmp_path, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people[:2], "first.csv")
        opened.arrive(ENERGY, [other_phone(opened)], "second.csv")
        yield opened


def other_phone(town: Town) -> Person:
    return town.people[0].under_phone_of(town.people[3])


def asked(town: Town, kind: SubjectKind, value: str) -> Case:
    return town.agree(town.opened(Right.ACCESS, [(kind, value)]), Action.GIVE)


def test_rows_under_a_number_that_was_not_given_are_told_with_how_to_get_them(town: Town) -> None:
    package = read(town.house, give(town.house, asked(town, PHONE, town.people[0].phone).case_id))

    assert not is_said(package, town.people[3].phone)
    document = package.json("access.json")
    [line] = document["withheld"]["by_dataset"]
    assert (line["company"], line["dataset"], line["why"]) == ("Energy One NV", CAMPAIGN, "unasked")
    assert document["withheld"]["counts"] == {"unasked": line["count"]} and line["count"] == 2, "lake and file"
    assert package.json("manifest.json")["withheld_by_dataset"] == [line]
    assert words("nl").say("answer.withheld.how.unasked") in " ".join(document["text"])


def test_whoever_gives_the_number_gets_all_and_is_told_of_nothing(town: Town) -> None:
    package = read(town.house, give(town.house, asked(town, NUMBER, town.people[0].record(ENERGY)).case_id))

    assert is_said(package, town.people[0].phone) and is_said(package, town.people[3].phone)
    assert package.json("access.json")["withheld"] == {
        "reason": package.json("access.json")["withheld"]["reason"], "counts": {}, "by_dataset": [],
    }  # fmt: skip


def test_rows_of_a_telephone_beside_ones_number_are_told_unless_they_bear_somebody_elses(town: Town) -> None:
    """By number: a row of the second telephone without a number may be theirs, one of another customer is not."""
    line = other_phone(town).line
    lines = [town.head, f";{line}", f"E77770001;{line}"]
    town.desk.drop("\n".join(lines).encode() + b"\n", "third.csv", (ENERGY, "renewal_campaign"))
    town.desk.work()

    package = read(town.house, give(town.house, asked(town, NUMBER, town.people[0].record(ENERGY)).case_id))

    [told] = package.json("access.json")["withheld"]["by_dataset"]
    assert told["why"] == "unasked" and told["count"] > 0 and not is_said(package, "E77770001")


def test_a_household_is_told_what_of_which_data_set_is_left_out(town: Town) -> None:
    first = town.people[0]
    shared = town.people[2].under_phone_of(first)
    town.arrive(ENERGY, [shared], "shared.csv")

    package = read(town.house, give(town.house, asked(town, PHONE, first.phone).case_id))

    [told] = package.json("access.json")["withheld"]["by_dataset"]
    assert (told["dataset"], told["why"]) == (CAMPAIGN, "rows")
    assert words("nl").say("answer.withheld.how.rows") in " ".join(package.json("access.json")["text"])
    mine = cells_of(town, 0)
    assert not is_said(package, mine["last_name"]), "nobody can tell who of them asks"
