"""What an erasure works on: whom, which copies, and what came of each. No value of a person in a repr."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from sluice.agreement.model import DataContract
from sluice.errors import Exit, SluiceError
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, SubjectKind


class Outcome(StrEnum):
    """What became of the person's rows in one copy."""

    ERASED = "erased"
    REMOVED = "removed"
    KEPT = "kept"


OTHER_CONTROLLER = "OTHER_CONTROLLER_DECIDES"
"""Ground for keeping: a field group in the copy is decided by somebody who has not decided to erase."""


class NotDecided(SluiceError):
    code: ClassVar[str] = "SLU-552"
    summary: ClassVar[str] = "nothing of this case was decided to be erased"
    cure: ClassVar[str] = "wait for the controller's instruction, or decide what the center decides: `sluice case show`"
    exit: ClassVar[Exit] = Exit.REFUSED


class NotFinished(SluiceError):
    code: ClassVar[str] = "SLU-553"
    summary: ClassVar[str] = "erasing did not come to an end"
    cure: ClassVar[str] = "run it again; if it stays, a store brings back what it erased: see `sluice erase plan`"
    exit: ClassVar[Exit] = Exit.UNDECIDED


Decided = tuple[str, FieldGroup]
"""A controller (``principal``, ``center``, ``joint``) and a field group it decides of."""


@dataclass(frozen=True, slots=True)
class Target:
    """One person (or many) at one principal. ``values``: identifiers as given, for what has no columns."""

    principal: Principal
    key: bytes = field(repr=False)
    refs: frozenset[str] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    decided: frozenset[Decided]
    """What was decided to be erased."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can name a person."""

    name: str
    kind: SubjectKind


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of the catalogue, with the paper of its exchange. ``key`` is the real one, never withheld."""

    exchange_id: ExchangeId
    kind: str
    direction: Direction
    flow: Flow
    bucket: str
    key: str
    version_id: str
    sha256: str
    """Of the pinned version; empty for a file that was refused unread."""
    contract: DataContract | None
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person was found: a copy, and how many of its rows."""

    store: str
    copy: Copy
    rows: int


@dataclass(frozen=True, slots=True)
class Done:
    """What an erasure did to one copy."""

    place: Place
    outcome: Outcome
    ground: str | None
    rows_before: int
    rows_after: int


@dataclass(frozen=True, slots=True)
class StoreLine:
    """One store in a plan, a run or a certificate."""

    store: str
    objects: int
    rows_before: int
    rows_after: int
    outcome: str
    ground: str | None


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What a plan foresees or a run did at every principal concerned; ``residual``: hits of the second scan.

    ``waiting``: exchanges that were open before the person was put on hold; they may still bring rows.
    """

    case_id: str
    lines: tuple[StoreLine, ...]
    searched: tuple[str, ...]
    residual: int | None = None
    doubts: int = 0
    objects_scanned: int = 0
    waiting: int = 0
