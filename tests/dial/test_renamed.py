"""A no stays a no when a later contract names its column otherwise, or has no such column any more."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import psycopg
import pytest

from dial.lists import CONTRACT, ENERGY01, ask, contacts, listed, now
from sluice.agreement.in_force.activate import activate_all
from sluice.dial.model import DialRefused
from sluice.settings import Settings
from support.desk import Desk, open_desk
from support.night import change, with_papers

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


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as opened:
        opened.may_call()
        yield opened


def next_version(desk: Desk, *edits: tuple[str, str]) -> None:
    """The contract of contacts in its next version, in force."""
    path = desk.settings.principals_dir / ENERGY01 / CONTRACT
    for old, new in (("version: 1.0.0", "version: 1.1.0"), *edits):
        change(path, old, new)
    for done in activate_all(desk.house.conn, desk.settings.principals_dir, now()):
        assert not done.is_refused, done.problems


def called(desk: Desk) -> set[str]:
    """Customer numbers in a list that is made now."""
    return set(listed(desk, ask(desk))["customer_number"])


def noes(people: pl.DataFrame) -> set[str]:
    found = set(people.filter(pl.col("opt_in_phone") == "N")["customer_number"])
    assert found, "nothing would be tried"
    return found


@pytest.mark.parametrize(
    "edits",
    [
        (RENAMED,),
        ((MARK, ""),),
        (YES_IS_J, ('consentChannel, value: voice}\n          - {property: consentGiven, value: ["Y"]',
                    'consentChannel, value: voice}\n          - {property: consentGiven, value: ["J"]')),
        (),
    ],
    ids=["another name", "no such column", "another yes", "control: as it was"],
)  # fmt: skip
def test_a_no_in_an_older_file_counts_under_every_later_contract(
    desk: Desk, edits: tuple[tuple[str, str], ...]
) -> None:
    people = contacts(desk, 30)
    before = called(desk)
    assert not noes(people) & before

    next_version(desk, *edits)

    assert called(desk) == before


def test_a_younger_word_in_the_column_that_follows_takes_the_older_one_back(desk: Desk) -> None:
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


def test_no_list_is_made_of_a_file_whose_contract_nobody_can_read_any_more(desk: Desk) -> None:
    """As one that was put in force under an older linter, which today's refuses."""
    contacts(desk, 30)
    next_version(desk, RENAMED)
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
