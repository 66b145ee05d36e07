"""A breach slice as data: what was touched, how many persons, their controller, who must be told. No personal data."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sluice.agreement.clauses.annexes import Known, Party
from sluice.agreement.roles.profiles import STAFF_GROUPS
from sluice.errors import Exit, SluiceError
from sluice.terms import RoleProfile


class SliceEmpty(SluiceError):
    code: ClassVar[str] = "SLU-641"
    summary: ClassVar[str] = "no copy of an exchange with data of persons is known by what was asked for"
    cure: ClassVar[str] = (
        "check id, address or reference and the window (Brussels time without a zone): `sluice exchange list`, "
        "`sluice staff readiness`; requests, notices and answers are of no exchange, and name the person of their "
        "case: `sluice case list`, `sluice notices list`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class Risk(StrEnum):
    """The risk to persons, as somebody assessed it; UNDECIDED counts as a risk for Art. 33(1)."""

    UNDECIDED = "undecided"
    UNLIKELY = "unlikely"
    RISK = "risk"
    HIGH = "high"


class Applies(StrEnum):
    """Whether a duty applies, as far as the risk was decided."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class Draft(StrEnum):
    """Whom a draft is for."""

    CONTROLLER = "controller"
    AUTHORITY = "authority"
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class Scope:
    """What was breached. ``kind`` is exchange, object or agent; ``name`` is its id, address or reference.

    ``since`` and ``until``: the window, for an agent only.
    """

    kind: str
    name: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in a slice.

    ``persons``: distinct, by reference, without our staff. ``rows``: rows read. ``nameless``: rows among them that name
    nobody. ``unread``: copies that cannot be read here (sealed to their recipient, or gone) or with rows whose maker is
    unclear. ``removed``: rows that erasures took out of copies that were read. ``at_most``: the most persons in what
    was not read or was removed; None if no record says.
    """

    persons: int
    rows: int
    nameless: int
    unread: tuple[str, ...] = ()
    at_most: int | None = 0
    removed: int = 0
    concerned: frozenset[str] = frozenset()
    """Exchanges with a row that was counted, and exchanges with something unread, gone or erased."""


UNNAMED = "unnamed"
"""Takes the place of a special category if a record says that there are some and nothing says which."""


@dataclass(frozen=True, slots=True)
class Line:
    """One category of data that was touched, with the role under which it is held.

    ``category``: a term of the Data Privacy Vocabulary, or a class that the screen found in notes.
    """

    group: str
    category: str
    controller: str
    profile: str
    is_special: bool

    @property
    def is_staff(self) -> bool:
        """Whether it is about our own staff and not about customers."""
        return self.profile == RoleProfile.STAFF or self.group in STAFF_GROUPS


@dataclass(frozen=True, slots=True)
class PrincipalPart:
    """The slice of one principal: everything that its controller may learn."""

    principal: str
    known: Known | None
    exchanges: tuple[str, ...]
    went_into: tuple[str, ...]
    """Exchanges that were made from these, so that their recipients have the data too."""
    counted: Counted
    lines: tuple[Line, ...]
    recipients: tuple[str, ...]
    countries: tuple[str, ...]
    also_under: tuple[Known, ...] = ()
    """Other agreements, or other versions, under which these exchanges were made."""
    is_unnamed_special: bool = False
    """Whether a record says that there are special categories, but no column and no finding in notes names one."""

    @property
    def papers(self) -> tuple[Known, ...]:
        """Every agreement that concerns this part, beginning with ``known``."""
        return (*((self.known,) if self.known else ()), *self.also_under)

    @property
    def notice_hours(self) -> int | None:
        """The hours within which to tell the principal: the fewest in any of its agreements, None if none says."""
        said = (each.annexes.breach_notice_hours for each in self.papers)
        return min((hours for hours in said if hours is not None), default=None)

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted({line.category for line in self.lines}))

    @property
    def special(self) -> tuple[str, ...]:
        """Special categories (Art. 9, 10) of columns and of findings in notes.

        :data:`UNNAMED` is added only if there are customers: what a record leaves unnamed is about them.
        """
        unnamed = {UNNAMED} if self.is_unnamed_special and self.has_customers else set[str]()
        return tuple(sorted({line.category for line in self.lines if line.is_special} | unnamed))

    @property
    def controllers(self) -> frozenset[str]:
        return frozenset(line.controller for line in self.lines)

    @property
    def has_staff(self) -> bool:
        return any(line.is_staff for line in self.lines)

    @property
    def has_customers(self) -> bool:
        """Whether customers are affected; so too if nothing is known about the data, as only customers are counted."""
        return not self.lines or not all(line.is_staff for line in self.lines)


@dataclass(frozen=True, slots=True)
class Duty:
    """Who tells whom, under which article, and by when. ``about``: the principals it concerns.

    ``due_at`` is UTC. ``within_hours`` counts from when ``by`` is told itself, which is still to come. If both are
    None the duty is due without undue delay.
    """

    by: str
    to: str
    article: str
    applies: Applies
    about: tuple[str, ...]
    due_at: datetime | None = None
    within_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Everything about one breach. ``center``: our own party. ``made_at``: when the slice was made, UTC."""

    scope: Scope
    aware_at: datetime
    risk: Risk
    center: Party
    parts: tuple[PrincipalPart, ...]
    duties: tuple[Duty, ...]
    made_at: datetime

    @property
    def subjects(self) -> int:
        """Persons added up over principals; by design, references of two principals cannot be compared."""
        return sum(part.counted.persons for part in self.parts)

    @property
    def is_least(self) -> bool:
        """Whether not all rows could be read, so that the number of persons is only a minimum."""
        return any(part.counted.unread or part.counted.removed for part in self.parts)
