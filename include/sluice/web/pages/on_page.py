"""Show a receipt's content to the center: the receipt itself is written for the principal, as of one day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sluice.documents.model import Part, Section, Text, VerdictPanel
from sluice.documents.page import LINES_PER_SECTION, is_noted, make_page
from sluice.documents.words import Words
from sluice.ledger.model import Entry
from sluice.ledger.record import ExchangeRecord
from sluice.terms import Decision, Direction
from sluice.times import brussels_day
from sluice.web.pages.view import named

ARRIVING = frozenset({Direction.INBOUND, Direction.INTERNAL})
UNUSED = frozenset({Decision.REFUSED, Decision.UNDECIDED})


def section_of(record: ExchangeRecord, entry: Entry, key_id: str, say: Words, gone: Mapping[str, datetime]) -> Section:
    """Return the section of the receipt in a language. ``gone``: kinds of copies that were removed, and when."""
    section = make_page(record, entry, key_id, say.language).sections[0]
    parts = tuple(_part(part, record, say, gone) for part in section.parts)
    return replace(section, verdict=_verdict(section.verdict, record, say), parts=parts)


def _part(part: Part, record: ExchangeRecord, say: Words, gone: Mapping[str, datetime]) -> Part:
    if part.groups:
        return _reasons(part, len(record.reasons) - LINES_PER_SECTION, say)
    if part.heading == say.say("keep.heading"):
        return _keep(part, record, say, gone)
    if part.heading == say.say("file.heading"):
        return _file(part, say)
    return _verify(part, say) if part.heading == say.say("verify.heading") else part


def _reasons(part: Part, more: int, say: Words) -> Part:
    """Say how many more reasons there are. A page has no annex, so these are in that of the PDF."""
    if more <= 0:
        return part
    said = say.count("pages.reasons.more", more, count=say.number(more))
    return replace(part, after=(said, *part.after[1:]))


def _verdict(panel: VerdictPanel, record: ExchangeRecord, say: Words) -> VerdictPanel:
    """Say who has to do what about a file that came in and is not used.

    The receipt says "correct it" and "we contact you" instead.
    """
    if record.decision not in UNUSED or record.direction not in ARRIVING:
        return panel
    noted = ".noted" if record.decision is Decision.REFUSED and is_noted(say, record) else ""
    return replace(panel, sentences=(say.say(f"pages.{record.decision}{noted}"), *panel.sentences[1:]))


def _keep(part: Part, record: ExchangeRecord, say: Words, gone: Mapping[str, datetime]) -> Part:
    """Show the day of removal for copies that are gone."""
    if part.table is None:
        return part
    rows = tuple(
        (row[0], _removed(say, gone[copy.kind]), *row[2:]) if copy.kind in gone else row
        for row, copy in zip(part.table.rows, record.how_long.copies, strict=True)
    )
    return replace(part, table=replace(part.table, rows=rows))


def _removed(say: Words, at: datetime) -> Text:
    return Text(say.say("pages.keep.removed", day=say.day(brussels_day(at).isoformat())))


def _verify(part: Part, say: Words) -> Part:
    return replace(part, paragraphs=(Text(say.say("pages.verify.text")), *part.paragraphs[1:]))


def _file(part: Part, say: Words) -> Part:
    facts = (replace(fact, value=replace(fact.value, words=named(fact.value.words, say))) for fact in part.facts)
    return replace(part, facts=tuple(facts))
