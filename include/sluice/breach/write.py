"""Draft notifications as files: a PDF to read and a text to continue from, per addressee and language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.breach.model import Draft, Slice
from sluice.breach.page import drafts_of, make_draft, number_of
from sluice.documents.model import LetterPage, Pair, Part
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class DraftLine:
    """One draft file. ``principal``: whose part it was made from; None for a draft to the authority or our staff."""

    path: Path
    draft: Draft
    principal: str | None
    language: str


def write_drafts(found: Slice, folder: Path, languages: Sequence[str] = LANGUAGES) -> tuple[DraftLine, ...]:
    """Write every draft that our own duties need into a folder, creating it. The same slice gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[DraftLine] = []
    for draft, part in drafts_of(found):
        for language in languages:
            page = make_draft(found, draft, part, language)
            path = folder / f"{number_of(found, part)}-{draft}.{language}.pdf"
            path.write_bytes(make_pdf(page, found.aware_at))
            path.with_suffix(".txt").write_text(text_of(page), encoding="utf-8")
            principal = part.principal if part else None
            lines += [DraftLine(each, draft, principal, language) for each in (path, path.with_suffix(".txt"))]
    return tuple(lines)


def text_of(page: LetterPage) -> str:
    """A letter as plain text."""
    notices = [line for notice in page.notices for line in (notice.word, *notice.sentences)]
    blocks = [
        "\n".join(page.sender),
        "\n".join(_pair(each) for each in page.references),
        page.title,
        "\n".join(notices),
        page.greeting,
        *page.opening,
        *(block for part in page.parts for block in _section(part)),
        page.closing,
        page.signature,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _section(part: Part) -> Iterator[str]:
    yield part.heading
    yield from (text.words for text in part.paragraphs)
    if part.table:
        yield "\n".join(" | ".join(cells) for cells in (part.table.head, *(_cells(row) for row in part.table.rows)))
    if part.facts:
        yield "\n".join(_pair(each) for each in part.facts)


def _cells(row: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(getattr(cell, "words", cell)) for cell in row)


def _pair(pair: Pair) -> str:
    return f"{pair.label}: {pair.value.words}" if pair.label else pair.value.words
