"""The canonical result row, and the mapping of one platform, as frozen types."""

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
"""The columns that every mapping gives, in this order, before its own extra ones. All are text.

Times are in UTC as ``2026-11-24T10:00:00.000000Z``, so that text order is time order. Durations are
whole seconds as digits. Missing values are null.
"""

OFFSET = "offset"
"""The zone of a timestamp that has its own offset from UTC."""


class Unit(StrEnum):
    """The form in which a platform writes a duration."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    HOURS = "H:MM:SS"
    MINUTES = "MM:SS"


class Take(StrEnum):
    """Where the text of a canonical column comes from."""

    COLUMN = "column"
    """One column, unchanged."""
    FIRST_OF = "first_of"
    """The first of several columns that is not empty."""
    JOINED = "joined"
    """Several columns joined with a space, e.g. date and time; null if one is empty."""
    CELL = "cell"
    """One field of a cell that holds several, joined by commas in a known order."""
    FAMILY = "family"
    """The column ``<family><phone column>`` for the phone column with the latest attempt."""


@dataclass(frozen=True, slots=True)
class Source:
    """Columns of the export, and how they become one text; ``place`` of ``width`` fields in a joined cell."""

    take: Take
    names: tuple[str, ...]
    place: int = 0
    width: int = 0

    @property
    def label(self) -> str:
        """The name used in findings: the platform's columns, never a cell."""
        return " + ".join(self.names)


@dataclass(frozen=True, slots=True)
class TimeReading:
    """How to read a timestamp: strptime format, zone (IANA name, UTC or ``offset``), and durations to add."""

    format: str
    zone: str
    plus: tuple[str, ...] = ()
    unit: Unit = Unit.SECONDS


@dataclass(frozen=True, slots=True)
class DurationReading:
    """How to read a duration."""

    unit: Unit


Reading = TimeReading | DurationReading | None
"""How to read a column; None for text, which is kept as written."""


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One canonical or extra column. ``optional``: it is null if the export lacks its columns."""

    name: str
    source: Source
    reading: Reading = None
    null_words: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class LatestBy:
    """The family of columns, one per phone column, whose latest time decides which phone column counts."""

    family: str
    time: TimeReading
    null_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultMapping:
    """The mapping of one platform's export.

    ``sha256``: of the mapping file, so that a result can name the mapping that read it. ``columns``: all of
    :data:`CANONICAL_COLUMNS` that the platform has, then the extra ones.
    """

    platform: str
    version: str
    dated: date
    sha256: Sha256
    columns: tuple[MappedColumn, ...]
    latest_by: LatestBy | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of a canonical frame: the canonical ones, then this mapping's extra ones."""
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
