"""The canonical result row, and what a mapping file says of one platform, as frozen types."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from sluice.agreement.model import Problem
from sluice.errors import Exit, Ref, SluiceError
from sluice.terms import Sha256

TIME_COLUMNS = ("updated_at", "started_at", "callback_at")
DURATION_COLUMNS = ("talk_seconds", "wrap_seconds")
REQUIRED_COLUMNS = ("contact_id", "updated_at", "started_at")
CANONICAL_COLUMNS = (
    *REQUIRED_COLUMNS,
    "record_id",
    "phone",
    "campaign",
    "agent",
    "disposition",
    "callback_at",
    *DURATION_COLUMNS,
    "note",
    "recording_ref",
)
"""Every mapping gives these, in this order, then its own extra ones. All are text.

Times are UTC as ``2026-11-24T10:00:00.000000Z``, so that text order is time order; durations are
whole seconds as digits; what is missing is null.
"""

OFFSET = "offset"
"""Zone of a timestamp that carries its own offset from UTC."""


class Unit(StrEnum):
    """How a platform writes a duration."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    HOURS = "H:MM:SS"
    MINUTES = "MM:SS"


class Take(StrEnum):
    """Where the text of a canonical column comes from."""

    COLUMN = "column"
    """One column, as it is."""
    FIRST_OF = "first_of"
    """The first of several that is not empty."""
    JOINED = "joined"
    """Several with a space between, as date and time; null when one is empty."""
    CELL = "cell"
    """One field of a cell that holds several, comma-joined in a known order."""
    FAMILY = "family"
    """``<family><phone column>`` of the phone column with the latest attempt."""


@dataclass(frozen=True, slots=True)
class Source:
    """Columns of the export and how they become one text; ``place`` of ``width`` in a joined cell."""

    take: Take
    names: tuple[str, ...]
    place: int = 0
    width: int = 0

    @property
    def label(self) -> str:
        """What a finding names: columns of the platform, never a cell."""
        return " + ".join(self.names)


@dataclass(frozen=True, slots=True)
class TimeReading:
    """A timestamp: strptime format and zone (IANA name, UTC or ``offset``), plus durations that follow it."""

    format: str
    zone: str
    plus: tuple[str, ...] = ()
    unit: Unit = Unit.SECONDS


@dataclass(frozen=True, slots=True)
class DurationReading:
    """A duration in one unit."""

    unit: Unit


Reading = TimeReading | DurationReading | None
"""None: text, kept as it is written."""


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One canonical or extra column. ``optional``: an export without its columns leaves it null."""

    name: str
    source: Source
    reading: Reading = None
    null_words: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LatestBy:
    """The family of columns, one per phone column, whose latest time decides which of them counts."""

    family: str
    time: TimeReading
    null_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultMapping:
    """One platform's export as data; ``sha256`` is of the file, so a result can say what read it.

    ``columns`` has all of :data:`CANONICAL_COLUMNS` that the platform has, then the extra ones.
    """

    platform: str
    version: str
    dated: date
    sha256: Sha256
    columns: tuple[MappedColumn, ...]
    latest_by: LatestBy | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of a canonical frame: the canonical ones, then this mapping's extra ones."""
        return CANONICAL_COLUMNS + tuple(one.name for one in self.columns if one.name not in CANONICAL_COLUMNS)


class MappingInvalid(SluiceError):
    """A mapping file that cannot be used; ``problems`` holds every finding with its line."""

    code: ClassVar[str] = "SLU-501"
    summary: ClassVar[str] = "a result mapping cannot be used"
    cure: ClassVar[str] = "correct the file at the line named; docs/how-to/add-a-platform.md shows its form"
    exit: ClassVar[Exit] = Exit.REFUSED

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(
            Ref("file", first.path), Ref("line", first.line), Ref("rule", first.code), Ref("problems", len(problems))
        )


class PlatformUnknown(SluiceError):
    """No mapping file describes the platform asked for."""

    code: ClassVar[str] = "SLU-502"
    summary: ClassVar[str] = "no result mapping has that platform"
    cure: ClassVar[str] = "check the spelling, or add a file as docs/how-to/add-a-platform.md shows"
    exit: ClassVar[Exit] = Exit.REFUSED
