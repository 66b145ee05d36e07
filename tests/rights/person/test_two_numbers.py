"""A row with two customer numbers, of a customer and of who brought them, ties neither to the other."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, give, read
from rights.person.test_tied import (
    ENERGY01,
    FIRST,
    all_of,
    asked,
    called,
    email_of,
    household,
    kept_out,
    number_of,
    refs,
)
from rights.town import Town, open_town, papers_of
from sluice.rights.case.model import Action, Right
from sluice.rights.consents.file import Said
from sluice.rights.person.rectify_whom import refs_to_correct
from sluice.rights.withdrawals import record_and_tell
from sluice.settings import Settings
from support.copies import Copies

NOON = "2026-11-03T12:00:00Z"
BROUGHT_BY = "campaign_code"
"""A column of the contract that these tests give another meaning: who brought the customer."""


def planted(settings: Settings, folder: Path) -> None:
    """Four customers of one file; the third was brought by the fourth."""
    settings = papers_of(settings, folder, [ENERGY01], WE_GIVE)
    contract = settings.principals_dir / ENERGY01 / "renewal_campaign.inbound.odcs.yaml"
    before, name, column = contract.read_text().partition(f"      - name: {BROUGHT_BY}\n")
    column = re.sub(r"        quality:\n(?:          .*\n)+", "", column, count=1)
    key = "          - {property: subjectKey, value: principal_customer_id}\n"
    contract.write_text(before + name + re.sub("(.*campaign_control}\n)", rf"\1{key}", column, count=1))
    with open_town(settings, folder, [ENERGY01], 60) as opened:
        people, place = household(opened), opened.head.split(";").index(BROUGHT_BY)
        rows = [[each.record(ENERGY01), *each.line.split(";")] for each in people]
        for number, row in enumerate(rows):
            row[place] = people[3].record(ENERGY01) if number == 2 else ""
        content = "\n".join([opened.head, *map(";".join, rows)]).encode() + b"\n"
        opened.desk.drop(content, "first.csv", (ENERGY01, FIRST))
        opened.desk.work()


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY01], 60) as opened:
        opened.desk.may_call()
        yield Town(opened.desk, opened.principals, tuple(household(opened)), opened.head)


def test_who_objects_does_not_take_out_who_brought_them(town: Town) -> None:
    """The other one asked nothing, could end nothing, and was on no list any more."""
    third, fourth = town.people[2:]
    assert called(town, FIRST) == {0, 1, 2, 3}, "control"

    asked(town, Right.DIRECT_MARKETING, number_of(third))

    assert called(town, FIRST) == {0, 1, 3}
    assert kept_out(town) == refs(town, number_of(third)) and not kept_out(town) & all_of(town, fourth)


def test_who_brought_somebody_does_not_take_them_out(town: Town) -> None:
    third, fourth = town.people[2:]
    asked(town, Right.DIRECT_MARKETING, email_of(town, fourth))
    assert kept_out(town) == all_of(town, fourth), "their own row is of one person, and ties"
    assert not kept_out(town) & all_of(town, third)


def test_a_correction_is_about_the_number_that_was_given(town: Town) -> None:
    third, fourth = town.people[2:]
    case = asked(town, Right.RECTIFICATION, number_of(third))
    assert refs_to_correct(town.house, case, ENERGY01) == refs(town, number_of(third))
    case = asked(town, Right.RECTIFICATION, email_of(town, third))
    assert refs_to_correct(town.house, case, ENERGY01) is None, "nobody can tell which of the two it is"
    assert not refs(town, number_of(third)) & all_of(town, fourth)


def test_an_answer_gives_nobody_the_consents_of_who_brought_them(town: Town) -> None:
    third, fourth = town.people[2:]
    for person, notice in ((third, "W-3"), (fourth, "W-4")):
        said = Said({"customer": person.record(ENERGY01)}, "P-CARE", "email", "given", NOON, "web", notice, "shop")
        assert record_and_tell(town.house, ENERGY01, said, "anna", datetime.now(UTC)).left_out == 0

    by_address, by_number = (
        read(town.house, give(town.house, town.agree(asked(town, Right.ACCESS, each), Action.GIVE).case_id))
        for each in (email_of(town, third), number_of(fourth))
    )

    assert "W-4" not in by_address.text
    assert [each["notice"] for each in by_number.rows("data/consent_record.csv")] == ["W-4"]
