"""Types of a return on its way: due, made from pinned inputs, sorted out, prepared, released."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum, auto
from typing import TYPE_CHECKING, ClassVar

from sluice.agreement.model import FieldRole
from sluice.errors import Exit, SluiceError
from sluice.staff.model import Reason
from sluice.terms import ExchangeId, SubjectKind

if TYPE_CHECKING:
    import polars as pl


class InputKind(StrEnum):
    """What an input of a return holds."""

    CONTACTS = "contacts"
    RESULTS = "results"


class Held(StrEnum):
    """Why a row is held. The first that applies, in the order of this list, is the row's reason."""

    NO_RECORD_ID = "RESULT_NO_RECORD_ID"
    UNKNOWN_RECORD = "RESULT_UNKNOWN_RECORD"
    AMBIGUOUS_RECORD = "RESULT_AMBIGUOUS_RECORD"
    UNKNOWN_CAMPAIGN = "RESULT_UNKNOWN_CAMPAIGN"
    PERSON_UNCHECKED = "RESULT_PERSON_UNCHECKED"
    OTHER_PERSON = "RESULT_OTHER_PERSON"
    SOURCE_MISSING = "HEADER_SOURCE_MISSING"
    AGENT_DELETED = "AGENT_DELETED"
    AGENT_UNKNOWN = "AGENT_UNKNOWN"


STAFF = "STAFF_"
"""Prefix to a reason of staff readiness, e.g. ``STAFF_NO_SIGNATURE``."""
NO_AGENT = f"{STAFF}{Reason.NO_AGENT}"
"""Reason: the work of a human shows in the row, but no agent is named, so that no news of staff can lift it."""
INPUT_GONE = "STALE_INPUT_GONE"
"""Reason code: an input was deleted before the return was made; the next return is made from what is left."""

RETENTION_OVER = "STALE_RETENTION_OVER"
"""Reason code: everything in the return, or a column its contract requires, was past its last day."""


LIFTED_BY_CONTACTS = frozenset({Held.UNKNOWN_RECORD.value, Held.SOURCE_MISSING.value})
"""Reasons that a later file of contacts can lift."""


def waits_for_agent(reason: str) -> bool:
    """Whether news of staff can lift a reason, because the row names an agent, known or not."""
    return reason == Held.AGENT_UNKNOWN or (reason.startswith(STAFF) and reason != NO_AGENT)


@dataclass(frozen=True, slots=True)
class Input:
    """One accepted exchange that a return is made from, pinned to its lake object."""

    exchange_id: ExchangeId
    kind: InputKind
    bucket: str
    key: str
    version_id: str
    sha256: str
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What a return is made from and what else its outcome depends on, as of its opening.

    ``inputs`` and ``contract`` are hashes; ``staff`` is the number of the last staff import.
    """

    inputs: str
    staff: int
    contract: str

    @property
    def name(self) -> str:
        """The name of the basis, which takes the place of an object version."""
        return f"inputs-{self.inputs}.staff-{self.staff}.contract-{self.contract}"


class Stage(Enum):
    """Where a return stands."""

    OPEN = auto()
    """It is still to be made."""
    PREPARED = auto()
    """It waits for its release, or to go on after it."""
    ON_ITS_WAY = auto()
    """It is closed as accepted, and its delivery waits."""
    OVER = auto()
    """It is closed as accepted, and delivered, or was overtaken before that."""
    REFUSED = auto()
    """It is closed, and nothing of it goes."""


@dataclass(frozen=True, slots=True)
class Last:
    """The youngest return of a day, however it ended.

    ``name``: the name of its basis. ``held``: reason codes of held rows. ``staff_seen``: name of the latest news of
    staff known not to be about its agents, nor about those whose rows its day has sent. ``inputs_seen``: name of inputs
    known to make no other return.
    """

    exchange_id: ExchangeId
    name: str
    opened_at: datetime
    stage: Stage
    reason_code: str | None
    held: frozenset[str]
    staff_seen: str | None = None
    inputs_seen: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has no decision yet, prepared or not."""
        return self.stage in (Stage.OPEN, Stage.PREPARED)

    def is_outdated_by(self, contract: str) -> bool:
        """Whether making it again from the same inputs can give more: if it was refused under another contract.

        So too if it was refused because an input was gone. A return that was made is not outdated by a deleted input:
        another would hold less, and supersede it.
        """
        has_other_contract = f"contract-{contract}" not in self.name.split(".")
        return self.stage is Stage.REFUSED and (has_other_contract or self.reason_code == INPUT_GONE)

    @property
    def waits_for_agents(self) -> bool:
        """Whether it has rows that wait for their agent."""
        return any(waits_for_agent(reason) for reason in self.held)

    @property
    def staff(self) -> int:
        """Number of the last staff import when it was opened."""
        return int(self.name.split(".")[1].removeprefix("staff-"))


@dataclass(frozen=True, slots=True)
class Glance:
    """A day of contacts, as far as it is known without reading a record.

    ``results``: how many files with contacts on it were ever accepted. ``newest_at``: when the last of them was closed.
    ``last``: its youngest return.
    """

    day: date
    results: int
    newest_at: datetime
    last: Last | None


@dataclass(frozen=True, slots=True)
class Due:
    """A day whose return has to be made, for the first time or again. ``name``: that of its basis."""

    day: date
    inputs: tuple[Input, ...]
    name: str
    number: int
    """1 for the first return of that day, then 2, ..."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the pure part of a return needs from its paper.

    ``columns``: the return's columns in order, each with its ``source``. ``checks``: pairs of reference columns
    (results, contacts) of the same kind; one equal pair proves the person.
    """

    columns: tuple[FieldRole, ...]
    record_id: str
    campaigns: frozenset[str]
    checks: tuple[tuple[str, str], ...]
    kinds: Mapping[str, SubjectKind]
    """Kind of each reference column of the contacts, by which persons in a return are found."""
    naming: Mapping[str, SubjectKind]
    """Columns of the return itself that can name a person."""
    kept_from: Mapping[str, str]
    """ISO time by column: cells of contacts that started before it are past their retention."""


@dataclass(frozen=True)
class SortedOut:
    """Rows that go out (columns of the return), and rows that are held.

    ``held``: sluice_exchange, sluice_row, agent_ref, reason. ``persons``: reference columns of the rows that go.
    ``withheld``: number of cells left empty because they are past their retention, by column.
    """

    going: "pl.DataFrame"
    held: "pl.DataFrame"
    persons: "pl.DataFrame"
    withheld: Mapping[str, int]
    subjects: int

    @property
    def reasons(self) -> dict[str, int]:
        """Number of held rows by reason."""
        counts = self.held["reason"].value_counts(sort=True)
        return dict(zip(counts["reason"].to_list(), counts["count"].to_list(), strict=True))


class NotReleasable(SluiceError):
    """The return cannot be released: not prepared, released already, past its last day, or by who prepared it."""

    code: ClassVar[str] = "SLU-541"
    summary: ClassVar[str] = "this return cannot be released"
    cure: ClassVar[str] = "a prepared return is released once, by somebody other than who prepared it"
    exit: ClassVar[Exit] = Exit.REFUSED


class NotDelivered(SluiceError):
    """The return is not delivered again: it never was, is past its last day, or holds what must not go any more."""

    code: ClassVar[str] = "SLU-542"
    summary: ClassVar[str] = "this return is not delivered again"
    cure: ClassVar[str] = (
        "see `sluice exchange show`; only a delivered return can be put there again, while nobody in it has to stay "
        "out, no value in it was corrected, and the agents of its rows count as ready (`sluice staff readiness`); the "
        "next run makes the day anew without the rows of agents who were not, and that return can be delivered again"
    )
    exit: ClassVar[Exit] = Exit.REFUSED
