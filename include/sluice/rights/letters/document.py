"""Make the machine-readable form of a letter: its content as codes, and every word of the PDF. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

import rfc8785

from sluice.documents.model import LetterPage, Text
from sluice.documents.words import Words, words
from sluice.rights.case.letter_due import is_instead
from sluice.rights.case.model import Action, LetterKind
from sluice.rights.case.wording import group_text, reason_text
from sluice.rights.letters.model import LetterFacts, PartFacts
from sluice.rights.letters.page import done_text, outcomes, remedies_of

FORMAT, TEMPLATE = "sluice-letter-1", "letter-1"
"""``TEMPLATE`` changes with the layout or wording of letters. The ledger records it beside the hash of a letter."""


def make_letter_document(facts: LetterFacts, page: LetterPage, pdf_sha256: str) -> bytes:
    """Return the letter as canonical JSON (RFC 8785). Keys may be added, but never changed: readers rely on them."""
    say, case, kind = words(facts.language), facts.case, facts.kind
    is_final = kind in (LetterKind.REFUSAL, LetterKind.COMPLETION, LetterKind.LIFTING)
    remedies = remedies_of(facts) if is_final else None
    document: dict[str, Any] = {
        "format": FORMAT,
        "template": TEMPLATE,
        "case": case.case_id,
        "kind": kind.value,
        "language": facts.language,
        "written_on": facts.written_on.isoformat(),
        "sender": {"name": facts.sender.name, "contact": facts.sender.contact},
        "right": case.right.value,
        "article": case.right.article,
        "received": case.due.received.isoformat(),
        "legal_due": case.due.legal_due.isoformat(),
        "extended_due": case.due.extended_due.isoformat(),
        "parts": list(_parts(say, facts)),
        "delays": [
            {"reason": delay, "text": reason_text(say, case.right, delay)}
            for delay in dict.fromkeys(each.delay for each in facts.told if each.delay)
            if kind is LetterKind.EXTENSION
        ],
        "remedies": {
            "ref": remedies,
            "complaint": say.say(f"{remedies}.complaint"),
            "court": say.say(f"{remedies}.court"),
        }
        if remedies
        else None,
        "recipients": list(facts.recipients or ()) if not facts.is_discreet else [],
        "recipients_of_files_made_from": list(facts.guessed) if not facts.is_discreet else [],
        "title": page.title,
        "text": list(spoken(page)),
        "pdf_sha256": pdf_sha256,
    }
    canonical: bytes = rfc8785.dumps(document)
    return canonical


def _parts(say: Words, facts: LetterFacts) -> Iterator[dict[str, Any]]:
    """Yield the decisions per part and field group. A discreet letter has none; its reasons are in the text."""
    if facts.is_discreet or facts.kind is LetterKind.RECEIPT:
        return
    for each in facts.told:
        yield {
            "sub_case": each.part.sub_case_id,
            "company": each.company if each.part.agreement_id else None,
            "decides": each.part.controller,
            "data": [] if facts.kind is LetterKind.EXTENSION or each.was_gone else list(_data(say, facts, each)),
            "review_on": each.review_on.isoformat() if each.review_on else None,
            "ground": each.ground if facts.kind is LetterKind.COMPLETION and not each.was_gone else None,
            "certificate": each.proof.reference if each.proof and facts.kind is LetterKind.COMPLETION else None,
        }


def _data(say: Words, facts: LetterFacts, each: PartFacts) -> Iterator[dict[str, str | None]]:
    right = facts.case.right
    for group, action in outcomes(right, each):
        reason = each.reasons.get(group) if action is Action.REFUSE or is_instead(right, action) else None
        yield {
            "field_group": group,
            "label": group_text(say, group),
            "outcome": action.value,
            "reason": reason,
            "text": reason_text(say, right, reason)
            if reason
            else done_text(say, right, action, is_limited=facts.is_limited),
        }


def spoken(page: LetterPage) -> Iterator[str]:
    """Yield every text of a page in reading order, without the page footer."""
    yield from page.sender
    for pair in page.references:
        yield from (pair.label, pair.value.words)
    yield from (page.title, page.greeting, *page.opening)
    for notice in page.notices:
        yield from (notice.word, *notice.sentences)
    for part in page.parts:
        yield part.heading
        yield from _read(part.paragraphs)
        if part.table is not None:
            yield from part.table.head
            yield from _read(cell for row in part.table.rows for cell in row)
        for pair in part.facts:
            yield from (pair.label, pair.value.words)
        yield from part.after
    yield from (page.closing, page.signature)


def _read(texts: Iterable[Text]) -> Iterator[str]:
    for text in texts:
        yield from (said for said in (text.words, text.below) if said)
