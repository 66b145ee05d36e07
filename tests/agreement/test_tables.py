"""The documents show the tables that the code reads."""

from pathlib import Path

import pytest

from sluice.agreement.tables import TABLES, refresh

DOCS = Path(__file__).resolve().parents[2] / "docs"
DOCUMENTS = (DOCS / "explanation" / "roles.md", DOCS / "how-to" / "add-a-principal.md")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_of_a_document_are_the_codes(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert refresh(text) == text, "python -m sluice.agreement.tables " + " ".join(map(str, DOCUMENTS))


def test_every_table_is_shown_somewhere_and_a_stale_one_would_be_seen() -> None:
    shown = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)

    assert all(f"<!-- table: {name} -->" in shown for name in TABLES)
    assert refresh("<!-- table: profiles -->\nold\n<!-- end -->") != "<!-- table: profiles -->\nold\n<!-- end -->"
