"""Show a receipt's content to the center: the receipt itself is written for the principal, as of one day."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sluice.agreement.dpv import CRIMINAL_CATEGORIES, SPECIAL_CATEGORIES
from sluice.documents.model import Answer, Pair, Part, Section, Text, VerdictPanel
from sluice.documents.page import LINES_PER_SECTION, is_noted, make_page
from sluice.documents.six import dialect_found, six_answers
from sluice.documents.words import Words
from sluice.ledger.hashing import ZERO_HASH, entry_hash
from sluice.ledger.model import Entry
from sluice.ledger.record import ExchangeRecord
from sluice.terms import Decision, Direction
from sluice.times import brussels_day
from sluice.web.pages.view import named

ARRIVING = frozenset({Direction.INBOUND, Direction.INTERNAL})
SPECIAL: Final = SPECIAL_CATEGORIES | CRIMINAL_CATEGORIES
RUN: Final = ("dag_id", "run_id", "task_id", "try_number")
"""What the page says of the run of Airflow that carried an exchange."""
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""From where the database counts microseconds, as hashed in an entry of the ledger."""
UNUSED = frozenset({Decision.REFUSED, Decision.UNDECIDED})


def section_of(record: ExchangeRecord, entry: Entry, key_id: str, say: Words, gone: Mapping[str, datetime]) -> Section:
    """Return the section of the receipt in a language. ``gone``: kinds of copies that were removed, and when."""
    section = make_page(record, entry, key_id, say.language).sections[0]
    *parts, verify = (_part(part, record, say, gone) for part in section.parts)
    verify = replace(verify, facts=(*verify.facts, _previous(entry, say)))
    whole = (*parts, _treatment(record, say), _run(record, say), verify)
    return replace(section, verdict=_verdict(section.verdict, record, say), parts=whole)


def answers_of(record: ExchangeRecord, say: Words, gone: Mapping[str, datetime]) -> tuple[Answer, ...]:
    """Return the six answers as they are today. A name that was withheld is said in the reader's language."""
    return tuple(
        replace(each, proof=replace(each.proof, words=named(each.proof.words, say)))
        for each in six_answers(say, record, gone, SPECIAL)
    )


def does_hold(entry: Entry) -> bool:
    """Whether the content of an entry gives the hash that it has. That of the whole chain is for `ledger verify`."""
    appended = ((entry.appended_at - EPOCH) // timedelta(microseconds=1)).to_bytes(8, "big", signed=True)
    exchange = UUID(entry.exchange_id).bytes if entry.exchange_id else b""
    computed = entry_hash(entry.chain, entry.seq, entry.kind, exchange, entry.prev_hash, entry.body, appended)
    return computed == entry.hash


def _previous(entry: Entry, say: Words) -> Pair:
    is_first = entry.prev_hash == ZERO_HASH
    said = Text(say.say("pages.verify.first")) if is_first else Text(entry.prev_hash.hex(), is_code=True)
    return Pair(say.say("pages.verify.previous"), said)


def _treatment(record: ExchangeRecord, say: Words) -> Part:
    """Cases touched and notices sent; and that nothing was held back, where no part says what was."""
    treatment = record.right_treatment
    is_held = any(treatment.held_back.values())
    none = say.say("pages.treatment.none")
    touched = {"cases": treatment.cases, "notices": treatment.notices}
    return Part(
        say.say("six.right_treatment"),
        () if is_held else (Text(f"{say.say('six.held.none')}."),),
        facts=tuple(
            Pair(say.say(f"pages.treatment.{name}"), Text(", ".join(ids) or none, is_code=bool(ids)))
            for name, ids in touched.items()
        ),
    )


def _run(record: ExchangeRecord, say: Words) -> Part:
    """Encoding and delimiter as found, the run of Airflow that did it, and its run in the lineage."""
    run = record.how.airflow
    facts = tuple(_facts_of_run(record, say))
    by_command = () if "dag_id" in run else (Text(say.say("pages.run.by_command")),)
    return Part(say.say("pages.run.heading"), by_command, facts=facts)


def _facts_of_run(record: ExchangeRecord, say: Words) -> Iterator[Pair]:
    run, lineage = record.how.airflow, dict.fromkeys([record.how.lineage_run_id])
    for name, found in zip(("encoding", "delimiter"), dialect_found(say, record), strict=True):
        if found:
            yield Pair(say.say(f"pages.run.{name}"), Text(found, is_code=True))
    for name in RUN:
        if name in run:
            yield Pair(say.say(f"pages.run.{name}"), Text(run[name], is_code=True))
    if "lineage_run_id" in run:
        lineage[run["lineage_run_id"]] = None
    yield Pair(say.say("pages.run.lineage"), Text(", ".join(lineage), is_code=True))


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
