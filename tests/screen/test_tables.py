"""The tables of facts: complete, dated, without doubles."""

from collections import Counter
from datetime import date

import pytest

from sluice.screen.fold import fold
from sluice.screen.model import STRUCTURED
from sluice.screen.tables import read_table, tables_version, terms
from sluice.terms import ScreenClass

TABLES = ("terms", "exceptions", "labels", "cards")


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_a_source_and_a_date(name: str) -> None:
    for row in read_table(name):
        assert row["source"]
        assert date.fromisoformat(row["known_on"]) <= date.fromisoformat(tables_version())


def test_every_class_without_a_checksum_has_terms_in_each_language_none_twice_and_ascii_once_folded():
    listed = {(row["class"], row["language"]) for row in read_table("terms")}
    assert listed == {(one, language) for one in set(ScreenClass) - STRUCTURED for language in ("nl", "fr", "en")}
    counts = Counter((row["class"], row["language"], fold(row["term"]).text) for row in read_table("terms"))
    assert [row for row, count in counts.items() if count > 1] == []
    assert [term.text for term in terms() if not term.text.isascii()] == []
