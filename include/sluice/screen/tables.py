"""The facts of the screen, read from dated CSV files: terms, exceptions, labels, card issuers.

A term is written as agents write it. ``*`` stands for any further letters, so ``kanker*`` is a stem
and ``*kanker`` also finds ``borstkanker``; without one, the whole word must match. A hyphen also
matches a space or nothing, an apostrophe also a space. Accents and case do not matter, except that a
term marked ``capitals`` must be in capitals. The vectorised pass and the exact stage both use these
rows.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import product
from typing import TypeVar

from sluice.errors import Ref
from sluice.screen.fold import fold
from sluice.screen.model import ScreenTableInvalid
from sluice.terms import ScreenClass

Item = TypeVar("Item")
HEAD = 3
"""Terms are looked up by this many first letters of their first word."""
LITERAL = 5
"""Literals shorter than this are in too many other words to be searched for without word boundaries."""
_ANY = "[a-z]*"
SPELLINGS: Mapping[str, tuple[str, ...]] = {"-": ("-", " ", ""), "'": ("'", " ")}
"""The ways in which a character of a term may be written."""


@dataclass(frozen=True, slots=True)
class Term:
    """One row of the word table, folded."""

    class_: ScreenClass
    text: str
    capitals: bool

    @property
    def pattern(self) -> str:
        """Regular expression of the term on folded text, without its boundaries."""
        return term_pattern(self.text)

    @property
    def literals(self) -> tuple[str, ...]:
        """Texts, one of which is in everything that the term matches: all spellings of its longest part."""
        part = max(self.text.split("*"), key=len)
        options = [SPELLINGS.get(character, (character,)) for character in part]
        return tuple("".join(chosen) for chosen in product(*options))

    def is_inner(self, literal: str) -> bool:
        """Whether this literal may be inside a word, because it does not begin the term."""
        return self.starts_open or self.text[:1] != literal[:1]

    @property
    def starts_open(self) -> bool:
        return self.text.startswith("*")

    @property
    def head(self) -> str:
        return head_of(self.text)


@dataclass(frozen=True, slots=True)
class HeadTerms:
    """Terms as one regular expression, whose group ``n`` is ``terms[n - 1]``."""

    pattern: re.Pattern[str]
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Issuer:
    """A range of prefixes of payment cards (``digits`` long), and the lengths of such card numbers."""

    first: int
    last: int
    digits: int
    lengths: frozenset[int]


def term_pattern(text: str) -> str:
    """Regular expression for a folded term or exception in the notation of this module."""
    marks = {mark: f"[{''.join(ways)}]{'?' if '' in ways else ''}" for mark, ways in SPELLINGS.items()}
    return "".join({"*": _ANY, **marks}.get(character) or re.escape(character) for character in text)


def head_of(text: str) -> str:
    """The letters by which a term or exception is looked up: the beginning of its first word."""
    first: str = re.split(r"[^a-z0-9]", text)[0]
    return first[:HEAD]


@cache
def terms() -> tuple[Term, ...]:
    """Every term, without doubles."""
    rows = read_table("terms")
    found = (Term(_class(row["class"]), fold(row["term"]).text, row["letters"] == "capitals") for row in rows)
    return tuple(dict.fromkeys(found))


@cache
def terms_of_head(head: str) -> HeadTerms | None:
    """The terms that begin with these letters; a head shorter than HEAD is a whole first word.

    Regular expressions are compiled per head when needed: a file needs few, and is read in a process of its own.
    """
    group = _terms_by_head().get(head)
    return _alternatives(group) if group else None


@cache
def open_terms() -> tuple[tuple[str, HeadTerms], ...]:
    """Terms that may be at the end of a longer word, each with a literal without which it cannot match."""
    return tuple((literal, _alternatives([one])) for one in terms() if one.starts_open for literal in one.literals)


@cache
def exceptions_of_head(head: str) -> re.Pattern[str] | None:
    """A pattern for names of streets, firms and persons, and fixed phrases, that begin with these letters and contain
    a listed term innocently."""
    group = _exceptions_by_head().get(head)
    return _whole(group) if group else None


@cache
def open_exceptions() -> re.Pattern[str]:
    """A pattern for names that are exceptions by their ending, such as street names, and for the masks themselves."""
    streets = [term_pattern(text[1:]) for kind in ("phrase", "street") for text in _folded(kind) if text[0] == "*"]
    masks = rf"\[(?:{'|'.join(ScreenClass)})\]"
    return re.compile(rf"(?<![a-z0-9])[a-z0-9]*(?:{_either(streets)})(?![a-z0-9])|{masks}")


@cache
def labels(kind: str) -> str:
    """The labels of one kind (label, phone, card, enterprise) as one regular expression."""
    return _either([term_pattern(fold(row["value"]).text) for row in read_table("labels") if row["kind"] == kind])


@cache
def issuers() -> tuple[Issuer, ...]:
    """The issuer ranges of payment cards."""
    return tuple(
        Issuer(int(row["first"]), int(row["last"]), len(row["first"]), frozenset(map(int, row["lengths"].split())))
        for row in read_table("cards")
    )


@cache
def tables_version() -> str:
    """The newest date of all tables, ISO 8601."""
    days = (row["known_on"] for name in ("terms", "exceptions", "labels", "cards") for row in read_table(name))
    return max(map(_day, days)).isoformat()


@cache
def read_table(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of one shipped table."""
    text = (files("sluice.screen") / "facts" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def _alternatives(group: Iterable[Term]) -> HeadTerms:
    """Join terms into one regular expression, longest first, so that a phrase wins over its first word.

    Of terms of one length, stems come before whole words."""
    ordered = tuple(sorted(group, key=lambda term: (-len(term.text), term.text)))
    body = "|".join(f"({term.pattern})(?![a-z0-9])" for term in ordered)
    return HeadTerms(re.compile(rf"(?<![a-z0-9])(?:{body})"), ordered)


def _whole(texts: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{_either([term_pattern(text) for text in texts])})(?![a-z0-9])")


@cache
def _terms_by_head() -> Mapping[str, list[Term]]:
    return _by_head((term.head, term) for term in terms() if not term.starts_open)


@cache
def _exceptions_by_head() -> Mapping[str, list[str]]:
    titles, surnames = _folded("title"), _folded("surname")
    phrases = [*_folded("phrase"), *_folded("street"), *(f"{title} {name}" for title in titles for name in surnames)]
    return _by_head((head_of(text), text) for text in phrases if not text.startswith("*"))


def _by_head(pairs: Iterable[tuple[str, Item]]) -> Mapping[str, list[Item]]:
    groups: defaultdict[str, list[Item]] = defaultdict(list)
    for head, item in pairs:
        groups[head].append(item)
    return groups


def _folded(kind: str) -> list[str]:
    return [fold(row["value"]).text for row in read_table("exceptions") if row["kind"] == kind]


def _either(patterns: list[str]) -> str:
    return "|".join(_longest_first(patterns))


def _longest_first(patterns: list[str]) -> list[str]:
    return sorted(patterns, key=lambda pattern: (-len(pattern), pattern))


def _class(name: str) -> ScreenClass:
    try:
        return ScreenClass(name)
    except ValueError:
        pass
    raise ScreenTableInvalid(Ref("table", "terms"), Ref("class", name))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    raise ScreenTableInvalid(Ref("column", "known_on"))
