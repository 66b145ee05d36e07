"""A register as tables of final text in one language; every file form is written from these. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sluice.documents.words import Words, words
from sluice.registers.cells import cells_of, identification_of
from sluice.registers.columns import IDENTIFICATION, REGISTER, Column, columns_of
from sluice.registers.model import Article, Finding, FindingCode, Register

SEEN, FINDINGS = "seen", "findings"
SEEN_HEAD = ("number", "principal", "declared", "exchanges", "accepted", "first", "last", "flows")
FINDING_HEAD = ("finding", "number", "principal", "exchanges", "code")


@dataclass(frozen=True, slots=True)
class Table:
    """One tab. ``keys``: names of the columns for programs; ``head``: labels for people.

    ``mandatory``: keys of the columns that Art. 30 asks for.
    """

    name: str
    word: str
    keys: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    mandatory: frozenset[str] = frozenset()

    @property
    def marked(self) -> tuple[bool, ...]:
        """For each column, whether Art. 30 asks for it."""
        return tuple(key in self.mandatory for key in self.keys)


def tables_of(register: Register, language: str) -> tuple[Table, ...]:
    """Every tab that the register has, in reading order."""
    say = words(language)
    found = [_register(register, say), _seen(register, say), _findings(register, say)]
    own = columns_of(register.article, IDENTIFICATION)
    if own:
        values = identification_of(register, say)
        found.insert(0, _of_columns(say, IDENTIFICATION, own, [values]))
    return tuple(found)


def _word(say: Words, name: str) -> str:
    return say.say(f"register.tab.{name}")


def _register(register: Register, say: Words) -> Table:
    rows = (cells_of(row, register, say) for row in register.rows)
    return _of_columns(say, REGISTER, columns_of(register.article, REGISTER), rows)


def _of_columns(say: Words, name: str, columns: Sequence[Column], rows: Iterable[Mapping[str, str]]) -> Table:
    """A tab with columns of the authority."""
    return Table(
        name,
        _word(say, name),
        tuple(column.key for column in columns),
        tuple(column.labels[say.language] for column in columns),
        tuple(tuple(cells[column.key] for column in columns) for cells in rows),
        frozenset(column.key for column in columns if column.is_mandatory),
    )


def _seen(register: Register, say: Words) -> Table:
    """How often each row was seen in exchanges, one line per row: the check on the register."""
    rows = tuple(
        (
            row.key.number,
            row.key.principal,
            say.say("register.yes" if row.declared else "register.law" if row.is_of_the_law else "register.no"),
            str(row.exchanges),
            str(sum(each.accepted for each in row.seen)),
            row.first_seen.isoformat() if row.first_seen else "",
            row.last_seen.isoformat() if row.last_seen else "",
            ", ".join(sorted({f"{each.direction.value}/{each.flow}" for each in row.seen})),
        )
        for row in register.rows
    )
    return Table(SEEN, _word(say, SEEN), SEEN_HEAD, _head(say, SEEN_HEAD), rows)


def _findings(register: Register, say: Words) -> Table:
    rows = tuple(
        (finding_text(say, register.article, each), each.number, each.principal, str(each.exchanges), each.code.value)
        for each in register.findings
    )
    return Table(FINDINGS, _word(say, FINDINGS), FINDING_HEAD, _head(say, FINDING_HEAD), rows)


def _head(say: Words, keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(say.say(f"register.head.{key}") for key in keys)


def finding_text(say: Words, article: Article, finding: Finding) -> str:
    """A finding in one plain sentence."""
    if finding.code is FindingCode.ROLE_CONTESTABLE:
        return say.find(f"warning.{finding.what}") or finding.what
    return say.say(f"register.finding.{finding.code}", what=_what(say, article, finding))


def _what(say: Words, article: Article, finding: Finding) -> str:
    if finding.code is FindingCode.MANDATORY_EMPTY:
        every = (*columns_of(article, IDENTIFICATION), *columns_of(article, REGISTER))
        return next(column.labels[say.language] for column in every if column.key == finding.what)
    return (
        say.find(f"group.{finding.what}", f"register.category.{finding.what}", f"category.{finding.what}")
        or finding.what
    )


def empty_cells(register: Register) -> Iterator[Finding]:
    """Findings on cells that the law asks for and no paper fills; those of the identification tab come first."""
    say = words("en")
    own = identification_of(register, say)
    for column in columns_of(register.article, IDENTIFICATION):
        if column.mandatory == "yes" and not own[column.key]:
            yield Finding(FindingCode.MANDATORY_EMPTY, "", register.center.code, column.key)
    for row in register.rows:
        cells = cells_of(row, register, say)
        for column in columns_of(register.article):
            if column.mandatory == "yes" and not cells[column.key]:
                yield Finding(FindingCode.MANDATORY_EMPTY, row.key.number, row.key.principal, column.key, row.exchanges)
