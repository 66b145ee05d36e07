"""A breach slice as data: what was touched, who is in it, whose it is, who must be told. Never a value of a person."""

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
    summary: ClassVar[str] = "nothing that was asked for holds data of persons here"
    cure: ClassVar[str] = (
        "check id, address or reference and the window (Brussels time without a zone): `sluice exchange list`, "
        "`sluice staff readiness`"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


class Risk(StrEnum):
    """What a person decided of the risk to persons; until then, as if there were one (Art. 33(1))."""

    UNDECIDED = "undecided"
    UNLIKELY = "unlikely"
    RISK = "risk"
    HIGH = "high"


class Applies(StrEnum):
    """Whether a duty holds, as far as the risk was decided."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


class Draft(StrEnum):
    """For whom a draft is."""

    CONTROLLER = "controller"
    AUTHORITY = "authority"
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class Scope:
    """What was breached, in one way: ``kind``: exchange, object or agent. ``name``: id, address or reference."""

    kind: str
    name: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """``persons``: distinct, by reference, our staff not among them. ``rows``: read. ``nameless``: of them without any.

    ``unread``: copies nobody here can read (sealed to their recipient, or gone), or of which nobody can tell by whom a
    row was made; ``removed``: rows that erasures took out of those that were read; ``at_most``: persons in both by
    their records, None where no record says.
    """

    persons: int
    rows: int
    nameless: int
    unread: tuple[str, ...] = ()
    at_most: int | None = 0
    removed: int = 0
    concerned: frozenset[str] = frozenset()
    """Exchanges with a row that was read, and those of which something was not read, or is no more."""


UNNAMED = "unnamed"
"""Stands among special categories where a record says that there are some, and nothing says which."""


@dataclass(frozen=True, slots=True)
class Line:
    """One category of data that was touched, with the role under which it is held.

    ``category``: a term of the Data Privacy Vocabulary, or a class that notes were screened for and that was found.
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
class Part:
    """The slice of one principal: all that its controller may learn."""

    principal: str
    known: Known | None
    exchanges: tuple[str, ...]
    went_into: tuple[str, ...]
    """Exchanges that were made of these: their recipients have the data too."""
    counted: Counted
    lines: tuple[Line, ...]
    recipients: tuple[str, ...]
    countries: tuple[str, ...]
    also_under: tuple[Known, ...] = ()
    """Other agreements, and other versions of one, that these exchanges were made under."""
    is_unnamed_special: bool = False
    """Whether a record says that there are special categories of which no column and no finding in a note is one."""

    @property
    def papers(self) -> tuple[Known, ...]:
        """Every agreement that says something of this part, the youngest first."""
        return (*((self.known,) if self.known else ()), *self.also_under)

    @property
    def notice_hours(self) -> int | None:
        """Within how many hours the principal is told: the fewest that any of its agreements says; None: none says."""
        said = (each.annexes.breach_notice_hours for each in self.papers)
        return min((hours for hours in said if hours is not None), default=None)

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted({line.category for line in self.lines}))

    @property
    def special(self) -> tuple[str, ...]:
        """Of columns and of what was found in notes (Art. 9, 10); what a record leaves unnamed is of customers."""
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
        """Also where nothing is known of its data: what is counted are customers."""
        return not self.lines or not all(line.is_staff for line in self.lines)


@dataclass(frozen=True, slots=True)
class Duty:
    """Who tells whom, under which article, by when. ``due_at``: UTC; None: without undue delay, no hour is named.

    ``within_hours``: counted from when ``by`` itself is told, where that is yet to come. ``about``: principals.
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
    """Everything about one breach. ``center``: we ourselves. ``made_at``: when it was asked for, UTC."""

    scope: Scope
    aware_at: datetime
    risk: Risk
    center: Party
    parts: tuple[Part, ...]
    duties: tuple[Duty, ...]
    made_at: datetime

    @property
    def subjects(self) -> int:
        """Persons, principal by principal: references of two principals cannot be compared, by design."""
        return sum(part.counted.persons for part in self.parts)

    @property
    def is_least(self) -> bool:
        """Whether there were more rows than were read, so that there may be more persons."""
        return any(part.counted.unread or part.counted.removed for part in self.parts)
