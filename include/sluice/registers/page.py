"""A register as a document to read: an overview, what was seen, findings, then every row in full. Pure.

A register has up to 28 columns, and no page is that wide, so each row is a list of labels and values.
"""

from collections.abc import Sequence

from sluice.documents.model import Grid, Notice, Pair, Part, RegisterPage, Text
from sluice.documents.words import Words, words
from sluice.registers.columns import IDENTIFICATION, REGISTER
from sluice.registers.model import Register
from sluice.registers.tables import FINDINGS, SEEN, Table, tables_of
from sluice.times import utc_text

SEEN_WIDTHS = (3.0, 1.0, 0.8, 0.8, 0.8, 1.0, 1.0, 3.2)
FINDING_WIDTHS = (4.2, 3.0, 1.0, 0.9)
FINDING_COLUMNS = 4
"""Columns of the findings that are shown: all but the code, which is for programs."""
NOTHING = "\N{EN DASH}"


def make_register_page(register: Register, language: str) -> RegisterPage:
    """The page of a register in its final words; ``language`` is nl, fr or en."""
    say, article = words(language), register.article
    tables = {table.name: table for table in tables_of(register, language)}
    title = say.say(f"register.title.{article}")
    return RegisterPage(
        number=f"{article} {register.at.isoformat()}",
        lang=say.language,
        region=say.locale.territory or "",
        title=title,
        subject=f"{title}: {say.day(register.at.isoformat())}",
        references=_references(register, say, tables.get(IDENTIFICATION)),
        opening=(say.say(f"register.opening.{article}"), say.say("register.use"), say.say("register.mandatory")),
        notices=(_notice(register, say),),
        parts=(_seen(say, tables[SEEN]), _findings(say, tables[FINDINGS])),
        rows=tuple(
            _row(tables[REGISTER], row, cells)
            for row, cells in zip(_names(register), tables[REGISTER].rows, strict=True)
        ),
        rows_heading=say.say("register.rows"),
        footer=say.say(
            "register.page", title=title, day=say.day(register.at.isoformat()), page="@page", pages="@pages"
        ),
    )


def _names(register: Register) -> list[str]:
    return [row.key.number for row in register.rows]


def _references(register: Register, say: Words, identification: Table | None) -> tuple[Pair, ...]:
    own = identification or Table("", "", (), (), ((),))
    pairs = [
        Pair(say.say("register.at"), Text(say.day(register.at.isoformat()))),
        Pair(say.say("register.known_at"), Text(say.moment(utc_text(register.known_at)))),
        *_facts(own, own.rows[0]),
    ]
    return tuple(pairs)


def _notice(register: Register, say: Words) -> Notice:
    counts = {"rows": say.number(len(register.rows)), "exchanges": say.number(register.exchanges)}
    said = [say.say("register.counts", **counts)]
    if register.open:
        said.append(say.count("register.open", register.open, count=say.number(register.open)))
    found = len(register.findings)
    word = (
        say.count("register.findings", found, count=say.number(found)) if found else say.say("register.findings.none")
    )
    return Notice("warning" if found else "note", word, tuple(said))


def _seen(say: Words, table: Table) -> Part:
    if not table.rows:
        return Part(table.word, (Text(say.say("register.rows.none")),))
    return Part(table.word, (Text(say.say("register.seen.text")),), table=_grid(table.head, table.rows, SEEN_WIDTHS))


def _findings(say: Words, table: Table) -> Part:
    if not table.rows:
        return Part(table.word, (Text(say.say("register.findings.none")),))
    head = table.head[:FINDING_COLUMNS]
    rows = [row[:FINDING_COLUMNS] for row in table.rows]
    return Part(table.word, table=_grid(head, rows, FINDING_WIDTHS))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]], widths: tuple[float, ...]) -> Grid:
    return Grid(tuple(head), tuple(tuple(Text(cell or NOTHING) for cell in row) for row in rows), widths)


def _row(table: Table, number: str, cells: Sequence[str]) -> Part:
    """One processing as a list of all columns of the authority, in its order."""
    return Part(number, facts=_facts(table, cells))


def _facts(table: Table, cells: Sequence[str]) -> tuple[Pair, ...]:
    """Labels and values of a line. A label that the law asks for has a star: a list without colours shows it too."""
    lines = zip(table.head, table.marked, cells, strict=True)
    return tuple(Pair(f"{label} *" if marked else label, Text(cell or NOTHING)) for label, marked, cell in lines)
