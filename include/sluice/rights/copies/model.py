"""What an erasure works on: whom, which copies, and what came of each. No value of a person in a repr."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sluice.agreement.model import DataContract
from sluice.subject.key import SubjectKey
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, SubjectKind


class Outcome(StrEnum):
    """What became of the person's rows in one copy."""

    ERASED = "erased"
    REMOVED = "removed"
    KEPT = "kept"


ANSWER = "answer"
"""Kind of the copies that persons get as answers; their ids are those of answers, not of exchanges."""


class Fate(StrEnum):
    """What was decided of a copy."""

    GOES = "goes"
    WAITS = "waits"
    """Somebody who decides of it has not decided yet."""
    STAYS = "stays"
    """Somebody who decides of it has decided otherwise: refused, or in part."""


OTHER_CONTROLLER = "OTHER_CONTROLLER_DECIDES"
"""Ground for keeping: a field group in the copy is decided by somebody who has not decided to erase."""


Decided = tuple[str, FieldGroup]
"""A controller (``principal``, ``center``, ``joint``) and a field group it decides of."""


def words_of(decided: Iterable[Decided]) -> tuple[str, ...]:
    """What was decided, as a plan writes it."""
    return tuple(sorted(f"{controller}:{group.value}" for controller, group in decided))


@dataclass(frozen=True, slots=True)
class Target:
    """One person (or many) at one principal. ``values``: identifiers as given, for what has no columns."""

    principal: Principal
    key: SubjectKey = field(repr=False)
    refs: frozenset[str] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    decided: frozenset[Decided]
    """What was decided to be erased."""
    undecided: frozenset[Decided] = frozenset()
    """Of what nobody has decided yet."""
    parts: frozenset[Decided] = frozenset()
    """All that the parts of the request are about; nothing: no request is."""
    case_id: str | None = None
    """The request that a run remembered of whom it looks for; None: no run is about it."""
    waits: tuple[tuple[str, int], ...] = ()
    """Of a principal's file how many persons are left out for now, by what they need their data for."""


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
    closed_at: datetime | None = None
    """Since when its exchange is closed, and so since when it can be found."""


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
class Edit:
    """A copy without the person, on the bench: nothing is changed yet. ``path``: the edited file, if there is one.

    ``rows``: how many the catalogue counts of it from then on; None: it counts none. ``held``: of held rows, the
    numbers of those that are left.
    """

    done: Done
    path: Path | None = None
    rows: int | None = None
    held: frozenset[int] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the person is in the copy at all."""
        return bool(self.done.place.rows) or self.done.outcome is Outcome.REMOVED
