"""What a letter is made from: the case and everything else that is read for it. Holds no value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sluice.rights.case.model import Case, LetterKind, SubCase, SubCaseId
from sluice.rights.case.reasons import Ground


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a letter: the name of the center and how to reach its privacy desk."""

    name: str
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Result of a principal's last second scan, which was clean. ``reference``: that of its certificate.

    ``stays``: whether it found what stays by decision.
    """

    reference: str
    removed: int
    """Number of objects that named the person before the erasure."""
    scanned: int
    stays: bool = False


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part, from its history. ``reasons``: IRI per refused field group; ``delay``: IRI of the extension's reason.

    ``was_gone``: it was decided, but there was nothing of the person to act on. ``done``: for a correction or a copy,
    the field groups it reached; None means all that were decided. ``review_on``: Brussels date by which a restriction
    granted instead of what was asked is reviewed. ``comes_in_again``: whether nothing keeps the person out after an
    erasure, because what stays by decision comes in again. ``ground``: why the part was erased, if it was and somebody
    said so.
    """

    part: SubCase
    company: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    remedies_ref: str | None = None
    delay: str | None = None
    proof: Proof | None = None
    was_gone: bool = False
    done: frozenset[str] | None = None
    review_on: date | None = None
    comes_in_again: bool = False
    ground: Ground | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether the decision changed nothing: none of these data was meant, or none is here."""
        return self.done is not None and not self.done

    @property
    def is_of_nobody(self) -> bool:
        """Whether nothing was done because nobody has any data of the person."""
        return self.was_gone or self.part.agreement_id is None


@dataclass(frozen=True, slots=True)
class SentOn:
    """Data of one company that was sent on to a controller at the person's request."""

    to: str
    company: str
    on: date


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Everything a letter says, before it is put into words.

    ``about``: the parts this letter is about; ``parts``: all parts of the case. ``recipients``: names of others who
    have the data; None while not determined. ``handed``: what went to a next controller (Art. 20(2)).
    """

    case: Case
    kind: LetterKind
    language: str
    written_on: date
    sender: Sender
    parts: tuple[PartFacts, ...]
    about: tuple[SubCaseId, ...]
    recipients: tuple[str, ...] | None = None
    handed: tuple[SentOn, ...] = ()
    purposes: tuple[str, ...] = ()
    """DPV IRIs that an objection or withdrawal named, if it does not cover everything it can reach."""
    channel: str | None = None
    """The one channel that it named."""
    guessed: tuple[str, ...] = ()
    """Recipients of files made from files with the person. Whether these held the person too is no longer known."""
    is_unproven: bool = False
    """Whether nobody checked the identity of the person: the machine granted what it grants to whoever asks."""

    @property
    def is_limited(self) -> bool:
        """Whether the person named which uses they mean, so that the rest stays as it was."""
        return bool(self.purposes or self.channel)

    @property
    def told(self) -> tuple[PartFacts, ...]:
        """The parts this letter is about."""
        return tuple(each for each in self.parts if each.part.sub_case_id in self.about)

    @property
    def is_discreet(self) -> bool:
        """Whether the letter must not reveal who knows the person, because it is not settled who asks."""
        return self.is_unproven or self.case.has_failed_identity or not self.case.is_scoped
