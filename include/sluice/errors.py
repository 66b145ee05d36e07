"""The errors that Sluice raises when it could not judge, and how they are shown to people.

*Failed* means that something was judged and the answer is no: that is a verdict, never an exception. An
exception here means *could not judge*. A message consists of the class's fixed words and :class:`Ref`s, so
a cell of a file cannot get into it.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import ClassVar, Final

BEGINNING = re.compile(
    r"[0-9a-f]{1,8}|[0-9a-f]{8}(-[0-9a-f]{4}){0,2}-[0-9a-f]{0,4}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{0,12}"
)
"""The beginning of a UUID, with hyphens in their places. No phone number matches it."""


class Exit(IntEnum):
    """Exit codes of the ``sluice`` command."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNDECIDED = 3
    MISSING = 4


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to something without quoting it: an id, a rule, a column name, a row number, a count."""

    kind: str
    value: str | int

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


def may_be_a_value(name: str) -> bool:
    """Whether a column name may really be a cell of the file: it has an at sign, or no letter at all."""
    return "@" in name or not re.search(r"[^\W\d_]", name)


def is_beginning(text: str) -> bool:
    """Whether one of our ids may begin with ``text``. Empty text may not: it would match the only id there is."""
    return BEGINNING.fullmatch(text) is not None


def as_typed(kind: str, text: str) -> Ref:
    """Refer to what somebody typed as an id. Text that begins no id may be a person's data, so it is not repeated."""
    return Ref(kind, text if is_beginning(text) else "as given")


def at_place(place: int) -> str:
    """Name a column by its position, for columns whose name may be a person's data."""
    return f"#{place}"


UNFORESEEN = "SLU-000"
"""The code recorded when an attempt ended in an unexpected error; the log says where (:func:`place_of`)."""


class SluiceError(Exception):
    """Base of all coded errors; ``code`` is stable and listed in docs/errors.md."""

    code: ClassVar[str] = UNFORESEEN
    summary: ClassVar[str] = "something could not be done"
    cure: ClassVar[str] = "see docs/errors.md"
    exit: ClassVar[Exit] = Exit.UNDECIDED

    def __init__(self, *refs: Ref) -> None:
        self.refs = refs
        where = "".join(f"; {ref}" for ref in refs)
        super().__init__(f"{self.code} {self.summary}{where}. Cure: {self.own_cure}")

    @property
    def own_cure(self) -> str:
        """What to do about this very one: most need no more than what their class says."""
        return self.cure


def place_of(error: BaseException) -> str:
    """Type, file and line of a failure, without its message: the message may quote a cell."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"
    return f"{type(error).__name__} at {where}"


def told_of(error: BaseException) -> tuple[str, str]:
    """Return the code of a failure and what a log may say of it.

    Of one that nobody foresaw that is its type and place, never its message: the message may quote a person's value.
    """
    if isinstance(error, SluiceError):
        return error.code, str(error)
    return UNFORESEEN, f"{UNFORESEEN} {place_of(error)}"


class SettingMissing(SluiceError):
    code = "SLU-101"
    summary = "a setting is missing or cannot be read"
    cure = "run `sluice doctor`; each line names the setting and its cure"
    exit = Exit.MISSING


class ServiceMissing(SluiceError):
    code = "SLU-102"
    summary = "a service does not answer"
    cure = "run `sluice up`, or set SLUICE_DATABASE_URL / SLUICE_S3_ENDPOINT"
    exit = Exit.MISSING


class ExtraMissing(SluiceError):
    code = "SLU-103"
    summary = "an optional part is not installed"
    cure = "run `make setup`, or `pip install 'sluice[center,airflow,embedded,cluster]'`"
    exit = Exit.MISSING


class SettingInvalid(SettingMissing):
    code = "SLU-104"
    summary = "a setting cannot be used"
    cure = "correct it where it is set; docs/operations.md says what each one takes"


class DatabaseError(SluiceError):
    code = "SLU-201"
    summary = "the database refused a statement"
    cure = "look the SQLSTATE up; `sluice doctor` checks roles and migrations"


class NotMigrated(DatabaseError):
    code = "SLU-204"
    summary = "the database was not brought to this version"
    cure = "run `sluice up`, for a database of yours with SLUICE_DATABASE_ADMIN_URL"
    exit = Exit.MISSING


class DatabaseUnready(DatabaseError):
    """The database could not work: a full disk, a lost connection, a deadlock, a server that stops."""

    code = "SLU-205"
    summary = "the database could not carry a statement out now"
    cure = "it is tried again by itself; if that does not help: disk, connections and log of the server"


class DiskUnfit(SluiceError):
    """The disk of this machine keeps us from working; no file is to blame."""

    code = "SLU-211"
    summary = "the disk where SLUICE_VAR lies is full, broken, or cannot be written by us"
    cure = "make room there, some four times the largest file, or let it be written; what waits is taken up by itself"
    exit = Exit.MISSING


class StoreError(SluiceError):
    code = "SLU-202"
    summary = "the object store refused a request"
    cure = "`sluice doctor` checks the endpoint, the buckets and the credential"


class StoreConflict(StoreError):
    code = "SLU-203"
    summary = "an object already exists with other content"
    cure = "two writers used one key: compare the versions of the object"


class ObjectUnreadable(StoreError):
    """One object cannot be read, though the store works.

    Its sender encrypted it with their own key, archived it, or gave it more metadata than the answer can hold.
    """

    code = "SLU-210"
    summary = (
        "the object store does not give this object: it is under a key of its sender's, put away cold, or has too much "
        "metadata"
    )
    cure = "its sender puts it once more without SSE-C, in a class that can be read at once, and without metadata"


LISTS: Final = {
    "agreement": "agreement list",
    "principal": "agreement list",
    "exchange": "exchange list",
    "closed exchange": "exchange list",
    "return": "recipients list",
    "case": "case list",
    "notice": "notices list",
    "legal hold": "retention holds",
    "agent": "staff readiness",
    "stop of flow": "exchange stops",
    "stop of case": "erase status",
}
"""The command that lists what could have been meant, by kind of the first reference of NotFound.

Not in ``cli``: the cure is part of the message, which is also sent over HTTP and written to logs."""


class NotFound(SluiceError):
    code = "SLU-301"
    summary = "there is no such thing"
    cure = "check the spelling; the list of its kind, such as `sluice exchange list`, shows what exists"
    exit = Exit.REFUSED

    @property
    def own_cure(self) -> str:
        """Names the list of what was looked for, where there is one."""
        listed = LISTS.get(self.refs[0].kind) if self.refs and self.cure == NotFound.cure else None
        return f"check the spelling; `sluice {listed}` shows what exists" if listed else self.cure


class Ambiguous(NotFound):
    """Several things match what was given."""

    code = "SLU-307"
    summary = "several begin so"
    cure = "give more of the id"


class DocumentInvalid(SluiceError):
    code = "SLU-302"
    summary = "an agreement, contract or suite cannot be used"
    cure = "`sluice agreement lint` and `sluice contract lint` name file, line and cure"
    exit = Exit.REFUSED


class EvidenceInvalid(SluiceError):
    code = "SLU-303"
    summary = "a signature, hash or chain does not hold"
    cure = "compare with the copy of the other party; do not repair evidence"
    exit = Exit.REFUSED


class UsageError(SluiceError):
    code = "SLU-304"
    summary = "the command cannot be understood"
    cure = "see --help"
    exit = Exit.USAGE


class FileMissing(UsageError):
    code = "SLU-305"
    summary = "there is no such file"
    cure = "check the path; what comes out of a pipe is saved as a file first"


class FileUnreadable(UsageError):
    code = "SLU-309"
    summary = "this file cannot be read"
    cure = "let the user who runs the command read it (`ls -l` shows who may), or copy it"


class GateFailed(SluiceError):
    code = "SLU-401"
    summary = "a file could not be judged"
    cure = "the file is kept and the exchange is UNDECIDED; see its reason codes"
