"""A no stays a no when a later contract names its column otherwise, or has no such column any more."""

import polars as pl
import psycopg
import pytest

from dial.lists import ask, called, contacts, next_version
from sluice.dial.model import DialRefused
from support.desk import Desk

pytestmark = pytest.mark.stores
COLUMN = "- name: {}\n        logicalType: string\n        required: true"
RENAMED = (COLUMN.format("opt_in_phone"), COLUMN.format("opt_in_voice"))
MARK = '          - {property: consentChannel, value: voice}\n          - {property: consentGiven, value: ["Y"]}\n'
YES_IS_J = (
    f'{MARK}        quality:\n          - id: opt_in_phone_known\n            metric: invalidValues\n'
    '            arguments: {validValues: ["Y", "N"]}',
    f'{MARK}        quality:\n          - id: opt_in_phone_known\n            metric: invalidValues\n'
    '            arguments: {validValues: ["J", "N"]}',
)  # fmt: skip


def noes(people: pl.DataFrame) -> set[str]:
    found = set(people.filter(pl.col("opt_in_phone") == "N")["customer_number"])
    assert found, "nothing would be tried"
    return found


LATER: dict[str, tuple[tuple[str, str], ...]] = {
    "control: as it was": (),
    "another name": (RENAMED,),
    "no such column": ((MARK, ""),),
    "another yes": (
        YES_IS_J,
        ('consentChannel, value: voice}\n          - {property: consentGiven, value: ["Y"]',
         'consentChannel, value: voice}\n          - {property: consentGiven, value: ["J"]'),
    ),
}  # fmt: skip


def test_a_no_in_an_older_file_counts_under_every_later_contract_that_can_be_read(papers_desk: Desk) -> None:
    desk = papers_desk
    people = contacts(desk, 30)
    before = called(desk)
    assert not noes(people) & before

    for number, (name, edits) in enumerate(LATER.items(), 1):
        next_version(desk, *edits, version=f"1.{number}.0")
        assert called(desk) == before, name

    # as one that was put in force under an older linter, which today's refuses
    url = desk.settings.database_admin_url
    assert url is not None
    with psycopg.connect(url.get_secret_value()) as admin:
        admin.execute("alter table sluice.document drop constraint document_is_its_hash")
        spoilt = admin.execute(
            """update sluice.document set body = 'nothing' where kind = 'contract' and version = '1.0.0'
               and document_id = 'energy01.inbound.renewal_campaign'"""
        )
        assert spoilt.rowcount == 1

    with pytest.raises(DialRefused, match="FORBIDDEN_CONTRACT_GAP"):
        ask(desk)


def test_a_younger_word_in_the_column_that_follows_takes_the_older_one_back(papers_desk: Desk) -> None:
    desk = papers_desk
    people = contacts(desk, 30)
    said_no, before = noes(people), called(desk)
    next_version(desk, RENAMED)
    younger = people.with_columns(
        pl.when(pl.col("opt_in_phone") == "N").then(pl.lit("Y")).otherwise(pl.lit("N")).alias("opt_in_phone")
    ).rename({"opt_in_phone": "opt_in_voice"})

    desk.drop(younger.write_csv(separator=";").encode(), "younger.csv")
    desk.work()

    assert said_no <= (after := called(desk))
    assert not before & after
