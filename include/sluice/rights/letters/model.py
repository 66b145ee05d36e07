"""What a letter is made from: the case and everything else that has to be read for it. No value of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sluice.rights.case.model import Case, LetterKind, SubCase, SubCaseId


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the name of the center and how to reach its privacy desk."""

    name: str
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last second scan of a principal says, which was clean. ``reference``: of its certificate."""

    reference: str
    removed: int
    """Objects that named the person before, and do no more."""
    scanned: int


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part as its history tells it. ``reasons``: IRI per field group refused; ``delay``: IRI of an extension.

    ``was_gone``: it was decided, and there was nothing of the person to do it to. ``done``: of a correction or a copy
    the field groups that it was done to; None: all that were decided. ``review_on``: Brussels date by which what was
    restricted instead of what was asked is looked at again.
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

    @property
    def is_untouched(self) -> bool:
        """Whether what was decided came to nothing: none of these data was meant, or is here."""
        return self.done is not None and not self.done

    @property
    def is_of_nobody(self) -> bool:
        """Whether nothing was done, because nobody has anything of the person."""
        return self.was_gone or self.part.agreement_id is None


@dataclass(frozen=True, slots=True)
class SentOn:
    """Data of one company that went to a controller, because the person asked."""

    to: str
    company: str
    on: date


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """Everything a letter says, before it is put into words.

    ``about``: the parts this letter is about; ``parts``: all of the case. ``recipients``: names, if it was
    found out who else has the data. ``handed``: what went to a next controller (Art. 20(2)).
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
    """DPV IRIs that an objection or a withdrawal named, where it is not about all it can reach."""
    channel: str | None = None
    """The one channel that it named."""
    guessed: tuple[str, ...] = ()
    """Recipients of files made of files with the person, of which nobody can say any more whether they were in them."""
    is_unproven: bool = False
    """Whether nobody asked who the person is: the machine accepted what is given to whoever asks."""

    @property
    def is_limited(self) -> bool:
        """Whether the person named what they mean: the rest stays as it was."""
        return bool(self.purposes or self.channel)

    @property
    def told(self) -> tuple[PartFacts, ...]:
        """The parts this letter is about."""
        return tuple(each for each in self.parts if each.part.sub_case_id in self.about)

    @property
    def is_discreet(self) -> bool:
        """Whether nobody may learn from this letter who knows the person: it is not settled who asks."""
        return self.is_unproven or self.case.has_failed_identity or not self.case.is_scoped
