"""A row with two customer numbers, of a customer and of who brought them, ties neither to the other."""

import re

from answers.giving import WE_GIVE, give, read
from rights.person.test_tied import (
    ENERGY01,
    FIRST,
    all_of,
    asked,
    called,
    email_of,
    households,
    kept_out,
    number_of,
    refs,
)
from rights.town import Town, now, town_fixture
from sluice.rights.case.model import Action, Right
from sluice.rights.consents.file import Said
from sluice.rights.person.rectify_whom import refs_to_correct
from sluice.rights.withdrawals import record_and_tell
from sluice.settings import Settings

NOON = "2026-11-03T12:00:00Z"
BROUGHT_BY = "campaign_code"
"""A column of the contract that these tests give another meaning: who brought the customer."""


def with_two_numbers(settings: Settings) -> None:
    contract = settings.principals_dir / ENERGY01 / "renewal_campaign.inbound.odcs.yaml"
    before, name, column = contract.read_text().partition(f"      - name: {BROUGHT_BY}\n")
    column = re.sub(r"        quality:\n(?:          .*\n)+", "", column, count=1)
    key = "          - {property: subjectKey, value: principal_customer_id}\n"
    contract.write_text(before + name + re.sub("(.*campaign_control}\n)", rf"\1{key}", column, count=1))


def planted(town: Town) -> None:
    """Four customers of one file, three times; the third of them was brought by the fourth."""
    rows, place = [], town.head.split(";").index(BROUGHT_BY)
    for four in households(town)[:3]:
        for number, each in enumerate(four):
            row = [each.record(ENERGY01), *each.line.split(";")]
            row[place] = four.fourth.record(ENERGY01) if number == 2 else ""
            rows.append(";".join(row))
    town.desk.drop("\n".join([town.head, *rows]).encode() + b"\n", "first.csv", (ENERGY01, FIRST))
    town.desk.work()
    town.desk.may_call()


town = town_fixture([ENERGY01], 60, planted, WE_GIVE, papers=with_two_numbers)


def test_a_correction_and_an_answer_are_about_the_number_that_was_given(town: Town) -> None:
    _, _, third, fourth = households(town)[2]
    case = asked(town, Right.RECTIFICATION, number_of(third))
    assert refs_to_correct(town.house, case, ENERGY01) == refs(town, number_of(third))
    case = asked(town, Right.RECTIFICATION, email_of(town, third))
    assert refs_to_correct(town.house, case, ENERGY01) is None, "nobody can tell which of the two it is"
    assert not refs(town, number_of(third)) & all_of(town, fourth)
    for person, notice in ((third, "W-3"), (fourth, "W-4")):
        said = Said({"customer": person.record(ENERGY01)}, "P-CARE", "email", "given", NOON, "web", notice, "shop")
        assert record_and_tell(town.house, ENERGY01, said, "anna", now()).left_out == 0

    by_address, by_number = (
        read(town.house, give(town.house, town.agree(asked(town, Right.ACCESS, each), Action.GIVE).case_id))
        for each in (email_of(town, third), number_of(fourth))
    )

    assert "W-4" not in by_address.text
    assert [each["notice"] for each in by_number.rows("data/consent_record.csv")] == ["W-4"]


def test_who_objects_does_not_take_out_who_brought_them_nor_the_other_way_round(town: Town) -> None:
    """The other one asked nothing, could end nothing, and was on no list any more."""
    four, other = households(town)[:2]
    assert called(town, FIRST, four) == {0, 1, 2, 3} == called(town, FIRST, other), "control"
    before = kept_out(town)
    asked(town, Right.DIRECT_MARKETING, number_of(four.third))
    assert called(town, FIRST, four) == {0, 1, 3}
    assert kept_out(town) - before == refs(town, number_of(four.third))
    assert not kept_out(town) & all_of(town, four.fourth)

    before = kept_out(town)
    asked(town, Right.DIRECT_MARKETING, email_of(town, other.fourth))
    assert kept_out(town) - before == all_of(town, other.fourth), "their own row is of one person, and ties"
    assert not kept_out(town) & all_of(town, other.third)
