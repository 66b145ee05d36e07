"""A document as data: final text, with nothing about its looks."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Text:
    """Words, or code to be set in a fixed-width font; ``below`` is a second, less prominent line."""

    words: str
    is_code: bool = False
    below: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A label and its value."""

    label: str
    value: Text


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with its head. ``widths``: shares of the line width, one per column."""

    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Reasons that mean the same and have the same cure."""

    word: str
    meaning: str
    to_do: str
    cure: str
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One answer, in this order: paragraphs, reasons, table, facts, and closing sentences (``after``)."""

    heading: str
    paragraphs: tuple[Text, ...] = ()
    head: tuple[str, ...] = ()
    groups: tuple[ReasonGroup, ...] = ()
    table: Grid | None = None
    facts: tuple[Pair, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the six answers about an exchange. ``name``: its part of the record; ``question``: its heading.

    ``bold``: the answer in a few words; ``line``: what there is to add; ``proof``: what it can be checked by.
    """

    name: str
    question: str
    bold: str
    line: str
    proof: Text


@dataclass(frozen=True, slots=True)
class Roles:
    """Who plays which part for some groups of fields. ``flips``: the center decides and the principal processes."""

    groups: str
    controller: str
    processor: str
    flips: bool


@dataclass(frozen=True, slots=True)
class VerdictPanel:
    """The decision. ``kind`` chooses sign and colour; ``word`` says the same in text."""

    kind: str
    word: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must not be overlooked. ``kind``: ``warning`` or ``note``."""

    kind: str
    word: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The whole receipt in one language."""

    lang: str
    region: str
    title: str
    subtitle: str
    times: str
    also: str | None
    verdict: VerdictPanel
    notices: tuple[Notice, ...]
    counts: tuple[Pair, ...]
    accepted: int
    held: int
    refused: int
    parts: tuple[Part, ...]
    footer: str


@dataclass(frozen=True, slots=True)
class Annex:
    """All reasons in one table, if there are too many for the sections."""

    lang: str
    region: str
    title: str
    table: Grid
    footer: str


@dataclass(frozen=True, slots=True)
class Page:
    """One receipt. ``document`` identifies it in errors."""

    TEMPLATE: ClassVar[str] = "receipt"

    exchange: str
    lang: str
    region: str
    title: str
    subject: str
    keywords: tuple[str, ...]
    sections: tuple[Section, ...]
    annex: Annex | None

    @property
    def document(self) -> str:
        return self.exchange


@dataclass(frozen=True, slots=True)
class CertificatePage:
    """The certificate of an erasure at one principal, in one language. It holds no data of persons."""

    TEMPLATE: ClassVar[str] = "certificate"

    number: str
    lang: str
    region: str
    title: str
    subject: str
    references: tuple[Pair, ...]
    opening: tuple[str, ...]
    notices: tuple[Notice, ...]
    parts: tuple[Part, ...]
    footer: str

    @property
    def document(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class LetterPage:
    """A letter to a person, in one language. It names a case, never the person."""

    TEMPLATE: ClassVar[str] = "letter"
    case: str
    lang: str
    region: str
    title: str
    subject: str
    sender: tuple[str, ...]
    """Lines with the name first, then how to reach the sender."""
    references: tuple[Pair, ...]
    greeting: str
    opening: tuple[str, ...]
    notices: tuple[Notice, ...]
    """What must be seen at a glance, such as the day of the answer."""
    parts: tuple[Part, ...]
    closing: str
    signature: str
    footer: str

    @property
    def document(self) -> str:
        return self.case


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """A register of processing activities in one language: an overview, then one part per row. No data of persons."""

    TEMPLATE: ClassVar[str] = "register"

    number: str
    lang: str
    region: str
    title: str
    subject: str
    references: tuple[Pair, ...]
    opening: tuple[str, ...]
    notices: tuple[Notice, ...]
    parts: tuple[Part, ...]
    rows: tuple[Part, ...]
    rows_heading: str
    footer: str

    @property
    def document(self) -> str:
        return self.number
