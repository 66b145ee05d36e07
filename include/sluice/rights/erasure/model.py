"""Errors and reports of an erasure. They hold no value of a person."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sluice.errors import Exit, SluiceError


class RunEnd(StrEnum):
    """How a run of an erasure ended. Only CLEAN is final; a run that never ended has none."""

    CLEAN = "clean"
    UNDECIDED = "undecided"
    """It kept copies because somebody still has to decide on them."""
    WAITING = "waiting"
    """It waits for what is under way, or for the release of a plan."""
    RESIDUE = "residue"
    DOUBTS = "doubts"
    FAILED = "failed"
    STOPPED = "stopped"
    OUTDATED = "outdated"
    """Its plan did not fit any more."""
    WITHDRAWN = "withdrawn"
    """The person took the request back before it was proven, at whatever point. Not stored: derived from the case."""


@dataclass(frozen=True, slots=True)
class DecidedThen:
    """What was decided at a principal when a run left nothing to do there until somebody decides.

    ``decision``: text that changes with each decision and nothing else. ``causes``: what must end before the persons
    who were left out are erased.
    """

    decision: str
    causes: frozenset[str] = frozenset()


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


class NotReleased(SluiceError):
    code: ClassVar[str] = "SLU-555"
    summary: ClassVar[str] = "no second person has released what this erasure would do"
    cure: ClassVar[str] = "`sluice erase plan`, then somebody else: `sluice erase release`"
    exit: ClassVar[Exit] = Exit.REFUSED


class ReleaseRefused(SluiceError):
    """A release that is refused. ``reason`` is a value of :class:`sluice.rights.erasure.plan.Refusal`."""

    code: ClassVar[str] = "SLU-556"
    summary: ClassVar[str] = "this plan cannot be released so"
    cure: ClassVar[str] = "the reason says why; `sluice erase status` shows plans and cases in error"
    exit: ClassVar[Exit] = Exit.REFUSED


class PlanOutdated(SluiceError):
    code: ClassVar[str] = "SLU-557"
    summary: ClassVar[str] = "the released plan does not cover what is there now; that was left as it is"
    cure: ClassVar[str] = "`sluice erase plan` makes a new one, which is released again"
    exit: ClassVar[Exit] = Exit.REFUSED


class ErasureIsStopped(SluiceError):
    code: ClassVar[str] = "SLU-558"
    summary: ClassVar[str] = "erasing was stopped"
    cure: ClassVar[str] = "`sluice erase status` says by whom and why; `sluice erase resume`, then run again"
    exit: ClassVar[Exit] = Exit.REFUSED


class RequestTakenBack(SluiceError):
    code: ClassVar[str] = "SLU-566"
    summary: ClassVar[str] = "the person took the request back: nothing more is erased of it"
    cure: ClassVar[str] = "there is nothing to do; what was erased before stays erased"
    exit: ClassVar[Exit] = Exit.REFUSED


class EverybodyNeeded(SluiceError):
    code: ClassVar[str] = "SLU-568"
    summary: ClassVar[str] = "everybody whom this file names needs their data: it was restricted, or an answer is owed"
    cure: ClassVar[str] = "nothing to do: it is taken up again once that has ended, and the principal was told"
    exit: ClassVar[Exit] = Exit.REFUSED


class ErasureBusy(SluiceError):
    code: ClassVar[str] = "SLU-559"
    summary: ClassVar[str] = "another process works on this erasure"
    cure: ClassVar[str] = "wait for it; a dead one holds nothing"
    exit: ClassVar[Exit] = Exit.UNDECIDED


class AnotherInError(SluiceError):
    code: ClassVar[str] = "SLU-560"
    summary: ClassVar[str] = "no erasure begins while another one is in error"
    cure: ClassVar[str] = (
        "`sluice erase status` names it; find the cause and run that one again. If it lacks an identifier of its "
        "person, open a case that names this one too: such a case does not wait"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


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
class Unread:
    """An object with a residue, or that the second scan could not read to its end: its store, its exchange, and why.

    Its key is left out, because a file's name may be a person's. ``place``: bucket, folder and version of an object
    that the principal itself put beside its flows. Such an object is waited for; it may have been read, and name the
    person.
    """

    store: str
    exchange_id: str | None = None
    reason: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What a plan foresees, or a run did, at every principal concerned. ``residual``: hits of the second scan.

    ``waiting``: exchanges that were open before the person was put on hold, and may still bring rows.
    ``sealed``: returns that only their recipient can open, and that do not hold the person according to the index.
    ``shared``: identifiers of the person that others have too, so that they were not looked for.
    ``short``: identifiers too short to be looked for among bytes. Rows were found by them.
    ``kept``: objects that still name the person because of a decision, or because one is missing. ``undecided``: the
    number of the latter. ``unread``: the first of the objects in doubt, or with a residue.
    ``principals``: where a run erased, or a scan looked.
    ``to_release``: number of principals whose part was decided but left, because nobody released its plan.
    ``unknown``: places that no store searches. Each counts as a doubt.
    """

    case_id: str
    lines: tuple[StoreLine, ...]
    searched: tuple[str, ...]
    residual: int | None = None
    doubts: int = 0
    objects_scanned: int = 0
    sealed: int = 0
    shared: int = 0
    short: int = 0
    kept: int = 0
    undecided: int = 0
    unread: tuple[Unread, ...] = ()
    waiting: int = 0
    to_release: int = 0
    principals: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
