"""docs/how-to/return-results.md says what to do about every reason for which a row is held."""

from pathlib import Path

from sluice.returns.model import Held

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "return-results.md"


def test_the_page_says_what_to_do_about_each_reason() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Why a row is held\n")[2].partition("\n## ")[0]
    named = {word for line in section.splitlines() if line.startswith("| `") for word in line.split("|")[1].split("`")}

    assert set(Held) - named == set()
