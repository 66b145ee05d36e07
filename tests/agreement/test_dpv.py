"""Our table of terms against the vocabulary, the kinds of expectation against the gate's, documents against tables."""

import csv
from pathlib import Path

import pytest

from sluice.agreement import dpv
from sluice.agreement.contract.quality import COMMON_ARGUMENTS, EXPECTATIONS
from sluice.agreement.tables import TABLES, refresh
from sluice.gate.kinds import KINDS, Shape

SETS = {
    "purpose": dpv.PURPOSES,
    "legal_basis_gdpr": dpv.LEGAL_BASES,
    "legal_basis_special": dpv.SPECIAL_CONDITIONS,
    "legal_basis_transfer": dpv.TRANSFER_BASES,
    "processing": dpv.PROCESSING,
    "data_subject": dpv.SUBJECT_CATEGORIES,
    "pd_category": dpv.DATA_CATEGORIES - {dpv.NON_PERSONAL},
    "personal_data": frozenset({dpv.NON_PERSONAL}),
}


@pytest.mark.parametrize("name", SETS)
def test_every_term_is_in_the_vocabulary_under_its_kind(schemas: Path, name: str) -> None:
    with (schemas / "dpv" / "dpv-2.3-subset.csv").open(encoding="utf-8", newline="") as file:
        known = {row["iri"] for row in csv.DictReader(file) if row["set"] == name and row["type"] == "class"}
    assert SETS[name] <= known
    assert not {dpv.DPV + "Invented"} <= known


def test_special_categories_are_no_ordinary_ones() -> None:
    assert dpv.DPV + "NonPersonalData" not in dpv.SPECIAL_CATEGORIES
    assert not dpv.SPECIAL_CATEGORIES & dpv.EMOTION_CATEGORIES
    assert dpv.PORTABLE_BASES < dpv.LEGAL_BASES


def test_portability_follows_the_vocabularys_own_mapping(schemas: Path) -> None:
    with (schemas / "dpv" / "dpv-2.3-gdpr-legal-basis-rights.csv").open(encoding="utf-8", newline="") as file:
        bases = {row["legal_basis"] for row in csv.DictReader(file) if row["right"] == f"{dpv.GDPR}A20"}
    assert bases & dpv.LEGAL_BASES == dpv.PORTABLE_BASES


def test_the_linter_and_the_gate_know_the_same_expectations() -> None:
    ours = {kind: set(arguments) for kind, arguments in EXPECTATIONS.items()}
    gate = {name: kind for name, kind in KINDS.items() if not kind.outside}
    assert set(ours) == set(gate)
    for name, kind in gate.items():
        assert {option.name for option in kind.options} <= ours[name] | set(COMMON_ARGUMENTS), name
        assert ("column" in ours[name]) == (kind.shape is Shape.COLUMN)


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
