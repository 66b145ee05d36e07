"""Set a page of data as an accessible PDF (PDF/UA-1), with the same bytes every time.

Values reach Typst as JSON, never as source. Only the fonts in the wheel are used, so that another machine makes the
same file; a character that they lack is written as its code point.
"""

import json
import unicodedata
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from sluice.documents.model import CertificatePage, LetterPage, Page, RegisterPage
from sluice.errors import Ref, SluiceError

if TYPE_CHECKING:
    import typst

LETTERS = (range(0x500), range(0x1E00, 0x2000))
"""Unicode blocks whose letters the bundled fonts all have: Latin (Vietnamese and Welsh too), Greek and Cyrillic."""

PUNCTUATION = frozenset(
    " \u00a0\u202f\u2011\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e\u2022\u2026\u20ac\u2116\u2122"
)
"""Characters that sentences and company names need besides letters: spaces, dashes, quotation marks, signs."""

_ONE_AT_A_TIME = Lock()


class PageNotMade(SluiceError):
    code: ClassVar[str] = "SLU-462"
    summary: ClassVar[str] = "a document could not be set as a page"
    cure: ClassVar[str] = "this is a fault of the template: report the exchange id or case number"


def make_pdf(page: Page | LetterPage | CertificatePage | RegisterPage, made_at: datetime) -> bytes:
    """Set ``page``; ``made_at`` (aware) is the date inside the file. Raises PageNotMade."""
    import typst

    content = json.dumps(_printable(asdict(page)), ensure_ascii=False)
    try:
        with _ONE_AT_A_TIME:
            pdf = _compiler(page.TEMPLATE).compile(
                format="pdf",
                sys_inputs={"page": content},
                pdf_standards=["ua-1"],
                timestamp=int(made_at.timestamp()),
            )
    except typst.TypstError:
        pdf = None
    if not isinstance(pdf, bytes):
        raise PageNotMade(Ref("template", page.TEMPLATE), Ref("document", page.document))
    return pdf


@cache
def _compiler(template: str) -> "typst.Compiler":
    import typst

    folder = Path(__file__).parent / "templates"
    return typst.Compiler(str(folder / f"{template}.typ"), root=str(folder), ignore_system_fonts=True)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        if value.isascii() and value.isprintable():
            return value
        return "".join(map(_printable_character, unicodedata.normalize("NFC", value)))
    if isinstance(value, dict):
        return {name: _printable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(item) for item in value]
    return value


def _printable_character(character: str) -> str:
    """The character itself, or ``[U+200F]`` if it has no glyph or would reorder or hide its neighbours."""
    if character in PUNCTUATION:
        return character
    if any(ord(character) in block for block in LETTERS) and unicodedata.category(character)[0] not in "CZM":
        return character
    return f"[U+{ord(character):04X}]"
