"""The documents are in step with the code they tell of."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sluice.ledger.sign import ALGORITHM
from sluice.rights.case import due
from sluice.rights.instruction_rules import KEY_FILE, TYPE
from sluice.rights.notices import states
from sluice.terms import RefusalClass

HOUSE = Path(__file__).resolve().parents[2]
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)#:]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"docs/[\w./-]*\.md")


def missing_links(page: Path) -> list[str]:
    return [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]


@pytest.mark.slow
def test_the_page_of_codes_is_made_from_the_code(tmp_path: Path) -> None:
    made = tmp_path / "errors.md"
    subprocess.run([sys.executable, "-W", "ignore", "-m", "sluice.cli.reference", str(made)], cwd=HOUSE, check=True)
    assert made.read_text() == (HOUSE / "docs" / "errors.md").read_text(), "run `make docs`"


def test_every_reason_code_begins_with_a_class_of_the_closed_list() -> None:
    text = (HOUSE / "docs" / "errors.md").read_text().split("## SLU codes")[0]
    codes = re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE)
    assert len(codes) > 80
    assert [code for code in codes if not any(code.startswith(each) for each in RefusalClass)] == []


def test_a_code_is_one_error() -> None:
    table = (HOUSE / "docs" / "errors.md").read_text().split("## SLU codes")[1]
    codes = re.findall(r"^\| `(SLU-\d{3})`", table, re.MULTILINE)
    assert len(codes) > 80
    assert sorted(codes) == sorted(set(codes))


def test_every_link_leads_somewhere() -> None:
    assert {str(page): missing for page in PAGES if (missing := missing_links(page))} == {}


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[here](page.md) and [nowhere](gone.md)")
    assert missing_links(page) == ["gone.md"]


def missing_pages(text: str) -> list[str]:
    return [page for page in NAMED.findall(text) if not (HOUSE / page).exists()]


def test_every_page_that_the_code_speaks_of_is_there() -> None:
    code = [path for room in ("include", "dags", "plugins", "bench") for path in (HOUSE / room).rglob("*.py")]
    assert len(code) > 500
    assert {str(path): missing for path in code if (missing := missing_pages(path.read_text()))} == {}


def test_a_page_that_is_nowhere_is_found() -> None:
    assert missing_pages("see docs/errors.md and docs/how-to/fly.md.") == ["docs/how-to/fly.md"]


def test_the_page_of_the_it_desk_says_the_terms_and_the_header_of_the_code() -> None:
    """Nobody at a principal can look into the code: who signs as its page says has to be understood."""
    page = " ".join((HOUSE / "docs" / "how-to" / "principals-it-desk.md").read_text().split())
    word = {3: "three", 10: "ten"}
    told, close = word[due.ESCALATE_AFTER.days], word[due.ESCALATE_BEFORE.days]
    said = (
        f"reminded after {word[due.REMIND_AFTER.days]} days; {told} days after you were told, or {close} days before",
        f"you have it in {states.ANSWER_WITHIN.days} days, and that you did it within {states.DONE_WITHIN.days} days",
        f"{states.ESCALATE_AFTER.days} days later a call",
        f'{{"alg":"{ALGORITHM}","kid":"<RFC 7638 thumbprint of the key>","typ":"{TYPE}"}}',
        f"cp {KEY_FILE} include/principals/",
    )
    assert [each for each in said if each not in page] == []
