"""The types of the staff room: what is known about staff, and the answers. All moments are aware and in UTC."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from sluice.errors import Exit, SluiceError


class Kind(StrEnum):
    """The kinds of rows in a staff file."""

    COURSE = "course"
    EXAM = "exam"
    SIGNATURE = "signature"
    CODE_VERSION = "code_version"
    ACCOUNT = "account"


class Reason(StrEnum):
    """Why an agent is not ready; docs/how-to/staff.md explains each reason and its cure."""

    NO_COURSE = "NO_COURSE"
    COURSE_NOT_WHOLE = "COURSE_NOT_WHOLE"
    NO_EXAM = "NO_EXAM"
    EXAM_BELOW_MINIMUM = "EXAM_BELOW_MINIMUM"
    EXAM_NOT_WHOLE = "EXAM_NOT_WHOLE"
    EXAM_BEFORE_COURSE = "EXAM_BEFORE_COURSE"
    RETAKE_WITHOUT_COURSE = "RETAKE_WITHOUT_COURSE"
    EXAM_EXPIRED = "EXAM_EXPIRED"
    NO_SIGNATURE = "NO_SIGNATURE"
    SIGNATURE_BEFORE_EXAM = "SIGNATURE_BEFORE_EXAM"
    SIGNATURE_EXPIRED = "SIGNATURE_EXPIRED"
    OLD_CODE_VERSION = "OLD_CODE_VERSION"
    CODE_NOT_YET_CURRENT = "CODE_NOT_YET_CURRENT"
    UNKNOWN_CODE_VERSION = "UNKNOWN_CODE_VERSION"
    NO_CODE_VERSION = "NO_CODE_VERSION"
    NO_AGENT = "NO_AGENT"
    AGENT_UNKNOWN = "AGENT_UNKNOWN"
    TIME_UNKNOWN = "TIME_UNKNOWN"


@dataclass(frozen=True, slots=True)
class Credential:
    """One thing that an agent did. ``version``: of the course, or of the code that was signed.

    ``whole``: whether it was the whole course, or the exam in one whole attempt. ``score``: percent, for
    exams only. ``valid_until``: exclusive; None means no expiry. By the center's rule only exams expire.
    """

    kind: Kind
    happened_at: datetime
    version: str
    whole: bool = True
    score: Decimal | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """A version of the code of conduct, current from a moment until the next version is.

    ``grace_until``: until this moment, exclusive, a signature of the previous version still counts.
    """

    version: str
    current_from: datetime
    grace_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an agent may handle contacts at a moment. ``valid_until`` (exclusive): as far as known now."""

    ready: bool
    reasons: tuple[Reason, ...]
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which an agent is ready: from ``start``, inclusive, to ``end``, exclusive or None if open."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """A time with one answer: ready (no reasons) or not. ``start`` None is the beginning of time."""

    start: datetime | None
    end: datetime | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """The agent who uses a platform's account from a moment on (None: from the start). Both are keyed references."""

    platform: str
    account_ref: str
    agent_ref: str
    valid_from: datetime | None


Identity = tuple[object, ...]
"""Two rows with the same identity are the same statement; a withdrawal has the identity of what it withdraws."""


@dataclass(frozen=True, slots=True)
class StaffRow:
    """One accepted row: exactly one of ``credential`` (of ``agent_ref``), ``code`` and ``account`` is set."""

    number: int
    withdrawn: bool
    agent_ref: str | None = None
    credential: Credential | None = None
    code: CodeVersion | None = None
    account: Account | None = None

    @property
    def kind(self) -> Kind:
        return Kind.ACCOUNT if self.account else Kind.CODE_VERSION if self.code else self._credential.kind

    @property
    def _credential(self) -> Credential:
        assert self.credential is not None
        return self.credential

    @property
    def identity(self) -> Identity:
        """The identity of this statement. The expiry of an exam is not part of it, because a parameter gives it."""
        if self.account:
            return (Kind.ACCOUNT, self.account)
        if self.code:
            return (Kind.CODE_VERSION, self.code)
        did = self._credential
        return (did.kind, self.agent_ref, did.happened_at, did.version, did.whole, did.score)


@dataclass(frozen=True, slots=True)
class Held:
    """What is recorded already: all statements, and those that were withdrawn."""

    stated: frozenset[Identity] = frozenset()
    withdrawn: frozenset[Identity] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row was refused. ``row``: 1 = first after the header, 0 = the file as a whole."""

    code: str
    rule: str
    column: str | None
    row: int


@dataclass(frozen=True, slots=True)
class RawTable:
    """A staff file as text: every cell is a stripped string, empty if there was nothing.

    ``findings``: for rows without as many cells as the header (such rows are empty tuples), or with row 0
    if nothing could be read.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """The rows of a file, accepted or refused: ``rows_in = len(accepted) + rows_refused``."""

    rows_in: int
    accepted: tuple[StaffRow, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def rows_refused(self) -> int:
        return self.rows_in - len(self.accepted)


@dataclass(frozen=True, slots=True)
class StaffFile:
    """The bytes of a staff file. ``source``: ``file`` (CSV) or ``e_learning`` (JSON of the system)."""

    body: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import. ``is_repeated``: this content was imported before and nothing in it is new.

    ``seq``: number of its entry on the staff chain; for a repetition, of the chain's last entry.
    """

    sha256: str
    judged: Judged
    rows_new: int
    is_repeated: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Person:
    """The readiness of one agent, as the commands show it."""

    agent_ref: str
    readiness: Readiness


class StaffSourceRefused(SluiceError):
    """The e-learning system gave no rows; the refs have its status, or why it was not asked."""

    code: ClassVar[str] = "SLU-511"
    summary: ClassVar[str] = "the e-learning system gave no rows"
    cure: ClassVar[str] = "check the address and SLUICE_ELEARNING_TOKEN; a token travels over https only"
    exit: ClassVar[Exit] = Exit.MISSING


class CodeCalendarUnclear(SluiceError):
    """Two code versions claim the same moment, so it is unclear which one was current."""

    code: ClassVar[str] = "SLU-512"
    summary: ClassVar[str] = "it is unclear which code of conduct was current"
    cure: ClassVar[str] = "withdraw one of the code_version rows; see docs/how-to/staff.md"


class StaffParameterMissing(SluiceError):
    """The parameter table has no row for that day."""

    code: ClassVar[str] = "SLU-513"
    summary: ClassVar[str] = "a staff parameter has no value on that day"
    cure: ClassVar[str] = "add a dated row to include/sluice/staff/facts/parameters.csv"
