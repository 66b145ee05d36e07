"""Types of an erasure: the person, the copies, and what became of each. No repr shows a value of a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sluice.agreement.model import DataContract
from sluice.ledger.copy_kinds import CopyName
from sluice.subject.key import SubjectKey
from sluice.terms import Decider, Direction, ExchangeId, FieldGroup, Flow, Principal, SubjectKind


class Outcome(StrEnum):
    """What became of the person's rows in one copy."""

    ERASED = "erased"
    REMOVED = "removed"
    KEPT = "kept"


ANSWER = "answer"
"""Kind of the copies that persons get as answers. Their ids are those of answers, not of exchanges."""


class Fate(StrEnum):
    """What was decided about a copy."""

    GOES = "goes"
    WAITS = "waits"
    """Somebody who has a say in it has not decided yet."""
    STAYS = "stays"
    """Somebody who has a say in it decided otherwise: refused, or agreed in part only."""


CONSENTS = "records of consent"
"""The store of records of consent, which are no copies of a file."""
OTHER_CONTROLLER = "OTHER_CONTROLLER_DECIDES"
"""Ground for keeping a copy: one of its field groups is decided by somebody who has not decided to erase."""


NO_CONTRACT = "BE"
"""The region of a file, or of a package, for which no contract says it."""


def region_of(contract: DataContract | None) -> str:
    """The region whose telephone numbers are written without a country code in files of a contract."""
    return contract.file_format.region if contract else NO_CONTRACT


Decided = tuple[Decider, FieldGroup]
"""A controller (``principal``, ``center``, ``joint``) and a field group that it decides of."""


def words_of(decided: Iterable[Decided]) -> tuple[str, ...]:
    """Decided field groups as a plan writes them."""
    return tuple(sorted(f"{controller}:{group.value}" for controller, group in decided))


@dataclass(frozen=True, slots=True)
class Target:
    """One person (or many) at one principal. ``values``: identifiers as given, to search where there are no columns."""

    principal: Principal
    key: SubjectKey = field(repr=False)
    refs: frozenset[str] = field(repr=False)
    values: tuple[str, ...] = field(repr=False)
    decided: frozenset[Decided]
    """What was decided to be erased."""
    undecided: frozenset[Decided] = frozenset()
    """What nobody has decided yet."""
    parts: frozenset[Decided] = frozenset()
    """Everything that the parts of the request are about; empty if there is no request."""
    case_id: str | None = None
    """The request whose run remembered whom it looks for; None if there is no such run."""
    waits: tuple[tuple[str, int], ...] = ()
    """For a principal's own file: how many persons are left out for now, by what they need their data for."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can name a person."""

    name: str
    kind: SubjectKind


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in the catalogue, with the contract of its exchange. ``key`` is the real one, never withheld."""

    exchange_id: ExchangeId
    kind: str
    direction: Direction
    flow: Flow
    bucket: str
    key: str
    version_id: str
    sha256: str
    """SHA-256 of the pinned version; empty for a file that was refused unread."""
    contract: DataContract | None
    columns: Sequence[Column]
    closed_at: datetime | None = None
    """When its exchange was closed. The copy can be found from then on."""

    @property
    def name(self) -> CopyName:
        return CopyName(self.exchange_id, self.kind, self.version_id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person was found: a copy, and in how many of its rows."""

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
    """A copy without the person, still on the bench: nothing is changed yet.

    ``path``: the edited file, if there is one. ``rows``: how many rows the catalogue counts for it from then on;
    None if it counts none. ``held``: for held rows, the numbers of the rows that are left.
    """

    done: Done
    path: Path | None = None
    rows: int | None = None
    held: frozenset[int] | None = None

    @property
    def is_needed(self) -> bool:
        """Whether anything has to be changed: the person is in the copy, or it is removed whole."""
        return bool(self.done.place.rows) or self.done.outcome is Outcome.REMOVED
