"""A name that nobody has is refused by every command that narrows by it: an empty list would say that all is well."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.house import open_house
from sluice.settings import Settings
from support.desk import Desk

pytestmark = pytest.mark.stores
LISTS = (
    "exchange list", "case list", "notices list", "notices files", "recipients list", "recipients files",
    "review list", "retention due", "retention run", "retention holds",
)  # fmt: skip
IN_A_CASE = ("export access {case} --sealed", "export portability {case} --sealed", "erase certificate {case}")
TYPO = "energie01"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        opened = Desk(house, tmp_path)
        with at_terminal(opened, monkeypatch):
            yield opened


def test_a_list_of_a_principal_that_nobody_knows_is_refused_without_its_name(desk: Desk) -> None:
    for words in LISTS:
        known, unknown = (sluice(*words.split(), "--principal", name) for name in ("energy01", TYPO))
        assert (known.exit, known.error) == (0, None), f"the control: {words}"
        assert (unknown.exit, unknown.error) == (1, "SLU-301"), words
        assert TYPO not in unknown.told + str(unknown.document)


def test_neither_an_answer_nor_a_certificate_is_made_for_a_principal_that_nobody_knows(desk: Desk) -> None:
    opened = sluice("case", "open", "--right", "access", "--identifier", "phone:0470123456", "--by", "anna")
    for words in IN_A_CASE:
        done = sluice(*words.format(case=opened.document["case"]).split(), "--principal", TYPO)
        assert (done.exit, done.error) == (1, "SLU-301"), words
