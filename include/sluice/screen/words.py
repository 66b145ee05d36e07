"""Find words of the term table in one folded note: the exact stage for everything without a checksum."""

import re
from collections.abc import Iterator

from sluice.screen.fold import Folded
from sluice.screen.model import Hit
from sluice.screen.tables import HEAD, HeadTerms, Term, exceptions_of_head, open_exceptions, open_terms, terms_of_head

_WORD = re.compile(r"[a-z0-9]+")


def find_words(note: str, folded: Folded) -> list[Hit]:
    """Find every listed term that no exception covers, negated or not: "geen kanker" is about health too."""
    hits = [hit for hit in _candidates(folded.text) if _is_written_so(hit[0], note, folded, hit[1], hit[2])]
    if not hits:
        return []
    covered = list(_innocent(folded.text))
    return [
        (term.class_, start, end)
        for term, start, end in hits
        if not any(first <= start and end <= last for first, last in covered)
    ]


def _candidates(text: str) -> Iterator[tuple[Term, int, int]]:
    for word in _WORD.finditer(text):
        group = terms_of_head(word.group()[:HEAD])
        match = group.pattern.match(text, word.start()) if group else None
        if group and match:
            yield _told(group, match)
    for literal, group in open_terms():
        if literal in text:
            yield from (_told(group, match) for match in group.pattern.finditer(text))


def _innocent(text: str) -> Iterator[tuple[int, int]]:
    for word in _WORD.finditer(text):
        pattern = exceptions_of_head(word.group()[:HEAD])
        match = pattern.match(text, word.start()) if pattern else None
        if match:
            yield match.span()
    for match in open_exceptions().finditer(text):
        yield match.span()


def _told(group: HeadTerms, match: re.Match[str]) -> tuple[Term, int, int]:
    return group.terms[(match.lastindex or 1) - 1], match.start(), match.end()


def _is_written_so(term: Term, note: str, folded: Folded, start: int, end: int) -> bool:
    if not term.capitals:
        return True
    first, last = folded.origin(start, end)
    return note[first:last].isupper()
