"""Parts of a receipt for returns and agents' results: corrections, held rows, roles per column, notes. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from sluice.documents.model import Grid, Notice, Pair, Part, Text
from sluice.documents.reasons import SCREENED
from sluice.documents.words import DIAL_LIST, GIVE_BACK, Words
from sluice.ledger.record import ColumnLine, ExchangeRecord
from sluice.terms import ACCEPTED_DECISIONS, Direction

DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
SUPPLIED_BY: Final[Mapping[str, str]] = {"contacts": "principal", "results": "center"}
"""Who supplied a column of a return, by the first part of its source."""
INPUTS_SHOWN = 12
INFORMS = frozenset({"AGENTS_PSEUDONYMISED"})
"""Codes about roles that only inform and are no warning."""


def contacts_on(record: ExchangeRecord) -> str | None:
    """The Brussels day of the contacts in a return, from its file name; None for other exchanges."""
    found = DAY.search(record.what.key.rpartition("/")[2])
    is_of_day = record.direction is Direction.OUTBOUND_RETURN and not record.is_given_back
    return found[0] if found and is_of_day else None


def told_as(record: ExchangeRecord) -> str:
    """The way whose words describe a record: its direction, a dial list, or a give-back after an agreement ended."""
    if record.is_dial_list:
        return DIAL_LIST
    return GIVE_BACK if record.is_given_back else record.direction.value


def notices(say: Words, record: ExchangeRecord) -> Iterator[Notice]:
    """Notices to show before anything else: that it replaces a file, and that a role can be contested."""
    before = record.what.supersedes
    if before and record.decision in ACCEPTED_DECISIONS:
        yield Notice("note", say.say("notice.correction"), (say.say("notice.supersedes", exchange=before),))
    codes = {text.partition(":")[0]: text for text in record.who.role_warnings}
    for kind, wanted in (("warning", codes.keys() - INFORMS), ("note", codes.keys() & INFORMS)):
        sentences = tuple(say.find(f"warning.{code}") or text for code, text in codes.items() if code in wanted)
        if sentences:
            yield Notice(kind, say.say(f"notice.{kind}"), sentences)


def held_word(say: Words, code: str) -> str:
    """Why a row is held back, in a few words, or the code itself if there are none."""
    screened = SCREENED.fullmatch(code)
    if screened and screened[2] == "REVIEW":
        return say.say("held.TEXT_REVIEW", what=say.say(f"screen.{screened[1].lower()}"))
    return say.find(f"held.{code}") or code


def held_sentence(say: Words, code: str) -> str:
    """The same as a sentence."""
    said = held_word(say, code)
    return f"{said[:1].upper()}{said[1:]}."


def held_back(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about rows that were held back, by reason, the most frequent first; None if there are none."""
    held = {reason: count for reason, count in record.right_treatment.held_back.items() if count}
    if not held:
        return None
    way = told_as(record)
    rows = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    return Part(
        say.told(way, "held.heading"),
        table=Grid(
            tuple(say.say(f"held.column.{name}") for name in ("reason", "code", "rows")),
            tuple(
                (Text(held_sentence(say, reason)), Text(reason, is_code=True), Text(say.number(count)))
                for reason, count in rows
            ),
            (3.4, 1.9, 0.6),
        ),
        paragraphs=(Text(say.told(way, "held.text")),),
    )


def withheld(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about cells that were left empty in rows that went out; None if there are none."""
    cells = {column: count for column, count in record.right_treatment.withheld.items() if count}
    if not cells:
        return None
    rows = tuple((Text(column, is_code=True), Text(say.number(count))) for column, count in cells.items())
    head = (say.say("reasons.column"), say.say("withheld.cells"))
    return Part(say.say("withheld.heading"), (Text(say.say("withheld.text")),), table=Grid(head, rows, (2.0, 1.0)))


def column_roles(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about the roles of each column of a return, for readers who do not know the terms of the law."""
    columns = [column for column in record.what.columns if column.controller]
    if not columns or record.direction is not Direction.OUTBOUND_RETURN:
        return None
    head = ("column", "holds", "from", "controller", "processor", "owner")
    return Part(
        say.say("columns.heading"),
        (Text(say.say("columns.text", principal=record.who.principal)),),
        table=Grid(
            tuple(say.say(f"columns.{name}") for name in head),
            tuple(_column(say, record.who.principal, column) for column in columns),
            (1.3, 1.1, 1.45, 1.4, 1.05, 1.05),
        ),
    )


def _column(say: Words, principal: str, column: ColumnLine) -> tuple[Text, ...]:
    side, _, source = (column.source or "").partition(".")
    group = say.find(f"group.{column.field_group}") or column.field_group or ""
    return (
        Text(column.name, is_code=True),
        Text(group),
        Text(say.say(f"columns.from.{SUPPLIED_BY.get(side, 'unknown')}", principal=principal), below=source),
        *(Text(_role(say, principal, word)) for word in (column.controller, column.processor, column.owner_label)),
    )


def _role(say: Words, principal: str, word: str | None) -> str:
    """A party of the role table in plain words; the principal is named by its code."""
    return principal if word == "principal" else say.find(f"role.{word or '-'}") or str(word)


def screened(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about screened notes: what was looked for and found, and that no finding is no proof of clean notes."""
    screening = record.how.screening
    if screening is None:
        return None
    found = [f"{_class(say, word)} {say.number(count)}" for word, count in screening.found.items() if count]
    values = {
        "for": say.listed(_class(say, word) for word in screening.screened_for),
        "found": ", ".join(found) or say.say("screen.nothing"),
        "masked": say.number(screening.masked),
        "sampled": say.number(screening.sampled),
    }
    tables = say.day(screening.tables_version)
    text = say.count("screen.text", screening.notes, notes=say.number(screening.notes), day=tables)
    return Part(
        say.say("screen.heading"),
        (Text(f"{text} {say.say('screen.limit')}"),),
        facts=tuple(Pair(say.say(f"screen.fact.{name}"), Text(value)) for name, value in values.items()),
    )


def _class(say: Words, word: str) -> str:
    return say.find(f"screen.{word}") or word


def inputs(say: Words, record: ExchangeRecord) -> Part | None:
    """The part about the accepted exchanges that a return was made from; None if there are none."""
    lines = record.what.inputs
    if not lines:
        return None
    more = len(lines) - INPUTS_SHOWN
    return Part(
        say.say("inputs.heading"),
        table=Grid(
            tuple(say.say(f"inputs.{name}") for name in ("kind", "exchange")),
            tuple(
                (Text(say.find(f"inputs.{line.kind}") or line.kind), Text(line.exchange_id, True, line.sha256))
                for line in lines[:INPUTS_SHOWN]
            ),
            (1.0, 2.6),
        ),
        after=(say.count("inputs.more", more, count=say.number(more)),) if more > 0 else (),
    )
