"""What `mkdocs` asks on its way: pages that are made from the code, the list of decisions, diagrams without a script.

A page that the code can write is not kept in the checkout: it is made anew by each build, so it cannot be out of step.
"""

import re
from pathlib import Path

import commands
import diagram
import http_api
import papers
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "docs/"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Every decision stands in the navigation, by its number."""
    decisions = ["adr/README.md", *sorted(f"adr/{path.name}" for path in (ROOT / "docs" / "adr").glob("0*.md"))]
    config.nav = _filled(config.nav, decisions)
    return config


def _filled(nav: object, decisions: list[str]) -> object:
    if isinstance(nav, list):
        return [_filled(each, decisions) for each in nav]
    if isinstance(nav, dict):
        return {key: _filled(each, decisions) for key, each in nav.items()}
    return decisions if nav == "adr/" else nav


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The README is the first page; the reference is what parser, linter and API say of themselves."""
    made = {
        "index.md": first_page((ROOT / "README.md").read_text(encoding="utf-8")),
        "reference/commands.md": commands.page(),
        "reference/papers.md": papers.page(),
        "reference/http.md": http_api.page(ROOT),
    }
    for address, text in made.items():
        files.append(File.generated(config, address, content=text))
    return files


def first_page(readme: str) -> str:
    """The README seen from within docs/."""
    return readme.replace(f"]({ADDRESS}", "](")


def on_post_page(output: str, **_: object) -> str:
    """The theme's search is a dialog without a name: who cannot see it would not know what opened."""
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"')


def on_page_markdown(markdown: str, **_: object) -> str:
    """State diagrams as pictures in the page; a table right below a comment is a table here too."""
    markdown = re.sub(r"(-->\n)(?=\|)", r"\1\n", markdown)
    return re.sub(r"^```mermaid\n(.*?)^```$", lambda found: diagram.picture(found[1]), markdown, flags=re.M | re.S)
