"""How large a file may be and what judging it may take: what an agreement says, within what the house allows.

An agreement may always ask for less. More than the default it gets up to the setting of the house, and never more:
whatever a signed paper says, the smaller number counts (security.md section 2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.settings import Settings


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What an agreement says, in the units of its keys; None: nothing, so the default counts."""

    file_mb: int | None = None
    archive_ratio: int | None = None
    cell_kb: int | None = None
    columns: int | None = None
    json_depth: int | None = None
    name_characters: int | None = None
    memory_mb: int | None = None
    cpu_seconds: int | None = None
    wall_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit. ``usual``: where an agreement says nothing; None: what the house has set.

    ``least`` and ``most``: what may be written at all. ``setting``: where the house says what it allows.
    """

    key: str
    name: str
    least: int
    most: int
    usual: int | None
    means: str

    @property
    def setting(self) -> str:
        return f"gate_{self.name}" if self.usual is None else f"most_{self.name}"

    def allowed(self, settings: "Settings") -> int:
        """The most that any agreement gets in this house."""
        return int(getattr(settings, self.setting))

    def in_force(self, said: int | None, settings: "Settings") -> int:
        """What counts for an agreement that says this, or nothing."""
        return min(said or self.usual or self.allowed(settings), self.allowed(settings))


LIMITS = (
    Limit("fileMb", "file_mb", 1, 65_536, 2_048, "a file, unpacked, in MiB"),
    Limit("archiveRatio", "archive_ratio", 1, 10_000, 100, "how many times larger than packed what comes out may be"),
    Limit("cellKb", "cell_kb", 1, 65_536, 1_024, "one cell, in KiB"),
    Limit("columns", "columns", 1, 65_536, 1_024, "columns of a file"),
    Limit("jsonDepth", "json_depth", 1, 200, 32, "objects and lists of JSON within each other"),
    Limit("nameCharacters", "name_characters", 1, 4_000, 200, "characters of a column's name"),
    Limit("memoryMb", "memory_mb", 256, 65_536, None, "memory of the judging process in MiB, plus 12 times the file"),
    Limit("cpuSeconds", "cpu_seconds", 1, 86_400, None, "CPU time of the judging process, plus 1 s per 4 MiB"),
    Limit("wallSeconds", "wall_seconds", 1, 86_400, None, "time until a verdict, plus 1 s per 2 MiB"),
)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit as it is told: what the agreement says, what the house allows, what counts."""

    limit: str
    means: str
    agreement: int | None
    house: int
    in_force: int


def limit_lines(said: GateLimits, settings: "Settings") -> Iterator[LimitLine]:
    """Every limit of an agreement in this house."""
    for each in LIMITS:
        own = getattr(said, each.name)
        yield LimitLine(each.key, each.means, own, each.allowed(settings), each.in_force(own, settings))


def limits_in_force(said: GateLimits, settings: "Settings") -> dict[str, int]:
    """What counts, by the name of the limit."""
    return {each.name: each.in_force(getattr(said, each.name), settings) for each in LIMITS}
