"""Limits on a file and on the resources for judging it: set by an agreement, within what this installation allows.

An agreement may always ask for less than the default. It may ask for more up to the setting of this installation
(the "house"); beyond that the smaller number counts, whatever a signed paper says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sluice.settings import Settings


@dataclass(frozen=True, slots=True)
class GateLimits:
    """The limits that an agreement sets, in the units of its keys; None where it sets none and the default counts."""

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
    """One limit. ``usual``: the default if an agreement sets none; None if the default is the house's setting.

    ``least`` and ``most``: the range an agreement may write. ``setting``: the house's setting for what it allows.
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
        """The most that this house allows any agreement."""
        return int(getattr(settings, self.setting))

    def in_force(self, said: int | None, settings: "Settings") -> int:
        """The limit in force for an agreement that sets ``said``, or none (None)."""
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
    """A limit for display: what the agreement sets, what the house allows, what is in force."""

    limit: str
    means: str
    agreement: int | None
    house: int
    in_force: int


def limit_lines(said: GateLimits, settings: "Settings") -> Iterator[LimitLine]:
    """Every limit, for an agreement in this house."""
    for each in LIMITS:
        own = getattr(said, each.name)
        yield LimitLine(each.key, each.means, own, each.allowed(settings), each.in_force(own, settings))


def limits_in_force(said: GateLimits, settings: "Settings") -> dict[str, int]:
    """The limits in force, by name."""
    return {each.name: each.in_force(getattr(said, each.name), settings) for each in LIMITS}
