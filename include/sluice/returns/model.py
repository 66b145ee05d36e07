"""What a return is on its way: due, made of pinned inputs, sorted out, prepared, released."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
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


REFS = "sluice_ref_"
CORRECTED = f"{REFS}corrected_"
"""Before the name of an identifying column: its reference, and that of its value once it was corrected."""


class Held(StrEnum):
    """Why a row stays here. The first that applies is the row's reason; the order is that of this list."""

    NO_RECORD_ID = "RESULT_NO_RECORD_ID"
    UNKNOWN_RECORD = "RESULT_UNKNOWN_RECORD"
    AMBIGUOUS_RECORD = "RESULT_AMBIGUOUS_RECORD"
    UNKNOWN_CAMPAIGN = "RESULT_UNKNOWN_CAMPAIGN"
    PERSON_UNCHECKED = "RESULT_PERSON_UNCHECKED"
    OTHER_PERSON = "RESULT_OTHER_PERSON"
    AGENT_DELETED = "AGENT_DELETED"
    AGENT_UNKNOWN = "AGENT_UNKNOWN"


STAFF = "STAFF_"
"""Before a reason of staff readiness, e.g. ``STAFF_NO_SIGNATURE``."""
NO_AGENT = f"{STAFF}{Reason.NO_AGENT}"
"""Somebody's work shows in the row, and nobody is named: no news of staff can be about it."""
INPUT_GONE = "STALE_INPUT_GONE"
"""A file that a return was opened on was deleted before it was made: the next one is made of what is there."""

RETENTION_OVER = "STALE_RETENTION_OVER"
"""The last day of everything in it, or of a column that its contract requires, was past when it was to be made."""


LIFTED_BY_CONTACTS = frozenset({Held.UNKNOWN_RECORD.value})
"""Reasons that a later file of contacts can lift."""


def waits_for_agent(reason: str) -> bool:
    """Whether news of staff can lift a reason: the row names an agent, known or not."""
    return reason == Held.AGENT_UNKNOWN or (reason.startswith(STAFF) and reason != NO_AGENT)


@dataclass(frozen=True, slots=True)
class Input:
    """One accepted exchange a return is made of, pinned to its lake object."""

    exchange_id: ExchangeId
    kind: InputKind
    bucket: str
    key: str
    version_id: str
    sha256: str
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Basis:
    """What a return is made of, and what else its outcome depends on, as it stood when it was opened.

    ``inputs`` and ``contract``: hashes; ``staff``: number of the last staff import.
    """

    inputs: str
    staff: int
    contract: str

    @property
    def name(self) -> str:
        """What stands in the place of an object version."""
        return f"inputs-{self.inputs}.staff-{self.staff}.contract-{self.contract}"


@dataclass(frozen=True, slots=True)
class Last:
    """The youngest return of a day, however it ended. ``name``: of its basis; ``held``: codes of rows that stayed.

    ``staff_seen``: name of the staff news of which it is known that it is not about its agents. ``inputs_seen``: name
    of the inputs of which it is known that they make no other return.
    """

    exchange_id: ExchangeId
    name: str
    opened_at: datetime
    is_open: bool
    is_prepared: bool
    is_delivered: bool
    reason_code: str | None
    held: frozenset[str]
    staff_seen: str | None = None
    inputs_seen: str | None = None

    def is_outdated_by(self, contract: str) -> bool:
        """Whether making it again of the same inputs can give more: under another contract where it was refused.

        What it had and is gone outdates nothing that was made: another would hold less, and supersede it.
        """
        is_refused = not self.is_open and not self.is_delivered
        has_other_contract = f"contract-{contract}" not in self.name.split(".")
        return is_refused and (has_other_contract or self.reason_code == INPUT_GONE)

    @property
    def waits_for_agents(self) -> bool:
        """Whether rows of it wait for their agent."""
        return any(waits_for_agent(reason) for reason in self.held)

    @property
    def staff(self) -> int:
        """Number of the last staff import it saw."""
        return int(self.name.split(".")[1].removeprefix("staff-"))


@dataclass(frozen=True, slots=True)
class Glance:
    """A day of contacts at a look that reads no record. ``results``: files with contacts on it that were ever
    accepted; ``newest_at``: when the last of them was closed; ``last``: its youngest return."""

    day: date
    results: int
    newest_at: datetime
    last: Last | None


@dataclass(frozen=True, slots=True)
class Due:
    """A day whose return has to be made: not made yet, or made of other inputs. ``version_id`` names the inputs."""

    day: date
    inputs: tuple[Input, ...]
    version_id: str
    number: int
    """1 for the first return of that day, then 2, ..."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the pure part of a return needs of its paper.

    ``columns``: the return's columns in order, each with its ``source``. ``checks``: pairs of
    reference columns (results, contacts) of the same kind; one equal pair proves the person.
    """

    columns: tuple[FieldRole, ...]
    record_id: str
    campaigns: frozenset[str]
    checks: tuple[tuple[str, str], ...]
    kinds: Mapping[str, SubjectKind]
    """Kind of each reference column of the contacts: persons in a return are found by these."""
    naming: Mapping[str, SubjectKind]
    """Columns of the return itself that can name a person."""
    kept_from: Mapping[str, str]
    """By column: ISO time; its cells of older contacts are past their retention."""


@dataclass(frozen=True)
class SortedOut:
    """Rows that go (columns of the return), and rows that stay (where they are, why, whose).

    ``held``: sluice_exchange, sluice_row, agent_ref, reason. ``persons``: reference columns of the
    rows that go. ``withheld``: cells past their retention, emptied, per column.
    """

    going: "pl.DataFrame"
    held: "pl.DataFrame"
    persons: "pl.DataFrame"
    withheld: Mapping[str, int]
    subjects: int

    @property
    def reasons(self) -> dict[str, int]:
        """Held rows per reason."""
        counts = self.held["reason"].value_counts(sort=True)
        return dict(zip(counts["reason"].to_list(), counts["count"].to_list(), strict=True))


class NotReleasable(SluiceError):
    """A return that cannot be let go: not prepared, released already, or by the one who prepared it."""

    code: ClassVar[str] = "SLU-541"
    summary: ClassVar[str] = "this return cannot be released"
    cure: ClassVar[str] = "a prepared return is released once, by somebody other than who prepared it"
    exit: ClassVar[Exit] = Exit.REFUSED


class NotDelivered(SluiceError):
    """A return that was never delivered, or names somebody who must stay out since, is not delivered again."""

    code: ClassVar[str] = "SLU-542"
    summary: ClassVar[str] = "this return is not delivered again"
    cure: ClassVar[str] = (
        "see `sluice exchange show`; only a delivered return can be put there again, while nobody in it has to stay out"
    )
    exit: ClassVar[Exit] = Exit.REFUSED
