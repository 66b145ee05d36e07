"""S-14: all that is installed is locked with hashes, and has a licence that is allowed or explained."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).resolve().parents[2]
PAGE = HOUSE / "docs" / "reference" / "dependencies.md"
LOCKS = ("requirements.txt", "requirements-bootstrap.txt", "requirements-audit.txt")
BEFORE_THE_LOCK = {"pip", "setuptools", "sluice"}
"""Came with the environment, or is the house itself; `uv` is in a lock of its own."""
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
WORDS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
}
"""What classifiers and free texts say, as an identifier of SPDX where there is one."""
NO_LICENCE = {"DFSG approved", "OSI Approved"}


@dataclass(frozen=True)
class Package:
    """An installed distribution and what its metadata says of its licence: a choice of sets that hold together."""

    name: str
    version: str
    choices: tuple[frozenset[str], ...]

    def is_allowed(self, allowed: set[str]) -> bool:
        return any(choice <= allowed for choice in self.choices if choice)


def choices_of(expression: str, classifiers: Sequence[str], text: str) -> tuple[frozenset[str], ...]:
    """Read the newest kind of statement that there is: an expression of SPDX, classifiers, a free text."""
    if expression:
        parts = [re.findall(r"[\w.-]+", part) for part in expression.split(" OR ")]
        return tuple(frozenset(part) - {"AND", "WITH"} for part in parts)
    named = [each.split(" :: ")[-1] for each in classifiers if each.startswith("License ::")]
    if said := frozenset(WORDS.get(each, each) for each in named if each not in NO_LICENCE):
        return (said,)
    first = text.strip().splitlines()[:1]
    return tuple(frozenset({WORDS.get(line, line)}) for line in first if line != "UNKNOWN")


def installed() -> Iterator[Package]:
    for one in distributions():
        told = one.metadata
        text, expression = told.get("License") or "", told.get("License-Expression") or ""
        choices = choices_of(expression, told.get_all("Classifier") or (), text)
        yield Package(canonicalize_name(told["Name"]), one.version, choices)


def first_cells(section: str) -> set[str]:
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def loose(lock: str) -> list[str]:
    """Lines of a lock that do not fix what is installed: no exact version, an address, or no hash."""
    found = []
    for block in re.split(r"\n(?=[^\s#])", lock.replace("\\\n", " ")):
        line = block.partition(" --hash")[0].partition("#")[0].strip()
        if line and not (is_exact(line) and HASH.search(block)):
            found.append(line)
    return found


def is_exact(line: str) -> bool:
    if line.startswith("-") or "://" in line:
        return False
    specifiers = list(Requirement(line).specifier)
    return len(specifiers) == 1 and specifiers[0].operator == "==" and "*" not in specifiers[0].version


def locked(locks: Iterable[str]) -> Mapping[str, set[str]]:
    """Name -> versions; several for different machines."""
    found: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
            found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def texts() -> dict[str, str]:
    return {name: (HOUSE / name).read_text(encoding="utf-8") for name in LOCKS}


@pytest.mark.evidence
def test_every_package_is_locked_and_has_a_licence_that_is_allowed_or_explained(
    record_property: Callable[[str, object], None],
) -> None:
    packages, allowed, exceptions = list(installed()), first_cells("Allowed"), first_cells("Exceptions")
    lock = locked(texts().values())

    assert {name: loose(text) for name, text in texts().items() if loose(text)} == {}
    strangers = {each.name for each in packages if each.version not in lock.get(each.name, ())} - BEFORE_THE_LOCK
    assert strangers == set(), "installed, and in no lock with this version"
    unexplained = {each.name: each.choices for each in packages if not each.is_allowed(allowed)}
    assert {name: said for name, said in unexplained.items() if name not in exceptions} == {}
    assert exceptions - set(unexplained) == set(), "explained, and needs no explanation"
    assert len(packages) > 200 and len(allowed) > 5
    record_property(
        "packages (S-14)",
        f"{len(packages)} installed, all of the lock and with hashes; {len(unexplained)} licences explained",
    )


@pytest.mark.parametrize(
    "line",
    [
        "jinja2==3.1.6",
        "jinja2>=3 --hash=sha256:" + "0" * 64,
        "jinja2==3.* --hash=sha256:" + "0" * 64,
        "jinja2 @ https://example.be/jinja2.whl --hash=sha256:" + "0" * 64,
        "git+https://example.be/jinja2",
        "--extra-index-url https://example.be/simple",
        "jinja2==3.1.6 \\\n    --hash=md5:" + "0" * 32,
    ],
)
def test_a_line_that_fixes_nothing_is_found(line: str) -> None:
    """The control, among lines that do fix what is installed."""
    good = "rich==13.9.4 ; python_version < '3.14' \\\n    --hash=sha256:" + "a" * 64 + "\n    # via sluice\n"

    assert loose(good) == loose(f"# made by uv\n{good}") == []
    assert len(loose(f"{good}{line}\n{good}")) == 1


@pytest.mark.parametrize(
    ("expression", "classifiers", "text"),
    [
        ("GPL-3.0-only", [], ""),
        ("MIT AND GPL-2.0-or-later", [], ""),
        ("", ["License :: OSI Approved :: GNU Affero General Public License v3"], "MIT"),
        ("", ["License :: OSI Approved :: MIT License", "License :: Other/Proprietary License"], ""),
        ("", [], "Commercial"),
        ("", [], "UNKNOWN"),
        ("", [], ""),
        ("", ["License :: OSI Approved"], ""),
    ],
)
def test_a_licence_that_is_not_allowed_is_found(expression: str, classifiers: list[str], text: str) -> None:
    """The control: copyleft, in part too, bought, and none at all."""
    assert not Package("new", "1", choices_of(expression, classifiers, text)).is_allowed(first_cells("Allowed"))


@pytest.mark.parametrize(
    ("expression", "classifiers", "text"),
    [
        ("MIT OR GPL-3.0-only", [], ""),
        ("(MIT AND PSF-2.0)", [], "GPL"),
        ("", ["License :: DFSG approved", "License :: OSI Approved :: MIT License"], "UNKNOWN"),
        ("", [], "Apache 2.0"),
    ],
)
def test_a_licence_that_is_allowed_is_known_in_each_spelling(
    expression: str, classifiers: list[str], text: str
) -> None:
    assert Package("new", "1", choices_of(expression, classifiers, text)).is_allowed(first_cells("Allowed"))
