"""The states of one file on its way: opened, pinned, judged, kept, closed.

Each step returns a type that only the next one accepts, so nothing unjudged can be kept and nothing unkept can be
closed as accepted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.papers import Paper, PaperMissing
from sluice.gate.model import GateVerdict
from sluice.lake.s3.objects import Fetched
from sluice.ledger.record import CopyLine, InputLine, Screening
from sluice.terms import Decision, Direction, ExchangeId, Flow, Principal, Verdict

AirflowRun = Mapping[str, str]
"""Ids of the task run of Airflow that does the work, for its record: name of an id -> id."""
NO_RUN: AirflowRun = MappingProxyType({})
"""The work was not done by Airflow."""


@dataclass(frozen=True, slots=True)
class Age:
    """How old the content of a file is. ``exchange_id``: of the exchange in which the file arrived."""

    exchange_id: ExchangeId
    file_name: str
    arrived_at: datetime
    """When the store took it, by the clock of the store (whole seconds), however late it was met."""
    opened_at: datetime

    @property
    def as_of(self) -> datetime:
        """The moment from which the content dates (UTC): the day in the file's name, or when it arrived."""
        from sluice.subject.correct import as_of_file  # with polars, which no page loads

        return as_of_file(self.file_name, self.arrived_at)

    @property
    def has_day(self) -> bool:
        """Whether the file's name gives the day from which the content dates."""
        return self.as_of < self.arrived_at

    @property
    def order(self) -> tuple[datetime, datetime, datetime, str]:
        """A sort key: of two files, the one with the greater key has the last word.

        Files that were put in the same second are told apart by the order in which they were opened.
        """
        return self.as_of, self.arrived_at, self.opened_at, self.exchange_id


@dataclass(frozen=True, slots=True)
class Twin:
    """An accepted exchange of a flow with the same bytes as another file.

    ``is_there``: whether its accepted rows still are; retention or an erasure takes them. ``after``: the twin that its
    own bytes were taken again after, so that all twins of a file are one row. ``has_refused``: whether rows of it were
    refused, not only held.
    """

    age: Age
    is_there: bool
    has_refused: bool
    after: ExchangeId | None

    @property
    def exchange_id(self) -> ExchangeId:
        """Of the exchange itself."""
        return self.age.exchange_id


def says_again(age: Age, last: Age, others: Iterable[Age]) -> bool:
    """Whether a file with the bytes of ``last`` is news: its name gives a later day, and another is between the two.

    It says that things are again as they were before the other one. Without a later day it may be ``last``, sent twice.
    """
    is_later = age.has_day and age.as_of > last.as_of
    return is_later and any(last.order < other.order < age.order for other in others)


@dataclass(frozen=True, slots=True)
class Opened:
    """An exchange that has a record and no decision."""

    exchange_id: ExchangeId
    principal: Principal
    direction: Direction
    flow: Flow
    bucket: str
    key: str
    version_id: str
    size_bytes: int
    chain: str
    opened_at: datetime
    attempts: int
    day: date | None = None
    """For a return, the Brussels calendar day of the contacts in it."""
    arrived_at: datetime | None = None
    """When the store took the file; None where none arrived."""
    resumed_at: datetime | None = None
    """When its flow was resumed for the last time, if it stood still while a file that arrived waited."""

    @property
    def file_name(self) -> str:
        """What the principal called the file: all of the key after the flow."""
        return self.key.split("/", 3)[-1]

    @property
    def age(self) -> Age:
        """How old its content is."""
        return Age(self.exchange_id, self.file_name, self.received_at, self.opened_at)

    @property
    def asked_at(self) -> datetime:
        """As of when its papers are asked, and as they were known then."""
        return self.resumed_at or self.opened_at

    @property
    def received_at(self) -> datetime:
        """When we had it: from then on its terms of retention run, however late somebody looks."""
        return self.arrived_at or self.opened_at


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the judging child saw of the file: counts, names and codes."""

    dialect: dict[str, Any]
    columns: tuple[str, ...]
    distinct_subjects: int | None
    days: Mapping[str, int] = field(default_factory=dict)
    """For agents' results, the number of rows per Brussels calendar day of the contact."""
    screening: Screening | None = None


@dataclass(frozen=True, slots=True)
class ChildReport:
    """What leaves the judging child: the verdict, what was seen, and the pass behind it."""

    verdict: GateVerdict
    sighting: Sighting | None
    has_pass: bool
    held: Mapping[str, int] = field(default_factory=dict)
    """Rows kept back although the gate accepted them, per reason: a person has to look first, or somebody must stay
    out."""


@dataclass(frozen=True, slots=True)
class Judged:
    """An exchange with a verdict; ``folder`` holds what the child wrote (accepted, refused, index)."""

    opened: Opened
    paper: Paper | PaperMissing
    fetched: Fetched | None
    verdict: GateVerdict
    sighting: Sighting | None
    suites: Mapping[str, str]
    folder: Path
    held: Mapping[str, int] = field(default_factory=dict)
    """Rows kept back although the gate let them pass, per reason."""
    kept_out: frozenset[str] = frozenset()
    """Ids of the suppression runs that the judgement took into account."""
    inputs: tuple[InputLine, ...] = ()
    """If held rows come back in this file, the exchange that held them."""

    @property
    def decision(self) -> Decision:
        """The decision that follows from the verdict and the rows kept back."""
        decision = decision_of(self.verdict)
        return Decision.PARTLY_ACCEPTED if decision is Decision.ACCEPTED and self.held else decision

    @property
    def agreement(self) -> Agreement | None:
        return self.paper.agreement

    @property
    def contract(self) -> DataContract | None:
        return self.paper.contract


@dataclass(frozen=True, slots=True)
class Kept:
    """A judged exchange whose bytes are in the stores, not yet visible to anyone."""

    judged: Judged
    copies: tuple[CopyLine, ...]


def decision_of(verdict: GateVerdict) -> Decision:
    """The exchange's decision that follows from the gate's verdict."""
    if verdict.verdict is Verdict.UNDECIDED:
        return Decision.UNDECIDED
    if verdict.verdict is Verdict.REFUSED:
        return Decision.REFUSED
    return Decision.PARTLY_ACCEPTED if verdict.rows_refused else Decision.ACCEPTED
