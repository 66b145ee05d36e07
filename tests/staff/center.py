"""Write the staff files of an invented center from a seed: roster, e-learning results, signatures, codes of conduct.

Every agent has one fate, named in the returned plan, so that a test knows who is ready at ``on`` and why the others
are not. The same arguments give the same bytes. Agents have numbers only.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np

from sluice.times import BRUSSELS

COURSE = "gdpr-2"
OLD_CODE, CODE = "coc-3", "coc-4"
CODE_AGE = timedelta(days=120)
"""How long before ``on`` the current code of conduct became current."""

Cells = tuple[str, ...]


class Fate(StrEnum):
    """What happened to an agent; see ``IS_READY``."""

    READY = "ready"
    EXACTLY_MINIMUM = "exactly_minimum"
    PASSED_AFTER_WHOLE_COURSE_AGAIN = "passed_after_whole_course_again"
    JUST_BELOW_MINIMUM = "just_below_minimum"
    RETAKE_OF_EXAM_ONLY = "retake_of_exam_only"
    EXAM_IN_PARTS = "exam_in_parts"
    EXAM_EXPIRED = "exam_expired"
    NO_SIGNATURE = "no_signature"
    SIGNATURE_BEFORE_EXAM = "signature_before_exam"
    OLD_CODE_VERSION = "old_code_version"


IS_READY = frozenset({Fate.READY, Fate.EXACTLY_MINIMUM, Fate.PASSED_AFTER_WHOLE_COURSE_AGAIN})
SHARES = {fate: 0.90 if fate is Fate.READY else 0.10 / 9 for fate in Fate}


@dataclass(frozen=True, slots=True)
class PlannedAgent:
    """One agent. ``ready_from``: the first moment of being ready; None for an agent who is not ready at ``on``."""

    agent: str
    account: str
    fate: Fate
    ready_from: datetime | None

    @property
    def is_ready(self) -> bool:
        return self.ready_from is not None


@dataclass(frozen=True, slots=True)
class StaffPlan:
    """All agents, and the files about them in the order in which to import them."""

    agents: tuple[PlannedAgent, ...]
    files: tuple[Path, ...]


def write_staff(folder: Path, agents: int, seed: int, on: datetime, platforms: Sequence[str] = ("five9",)) -> StaffPlan:
    """Write ``roster.csv``, ``codes.csv``, ``e_learning.csv`` and ``signatures.csv``.

    on: an aware moment; credentials are from the months before it. platforms: on each, everybody has an
    account. The first agents get each fate once, as far as ``agents`` allows.
    """
    rng = np.random.default_rng(seed)
    fates = [*Fate][:agents] + list(rng.choice([*Fate], max(0, agents - len(Fate)), p=list(SHARES.values())))
    plan: list[PlannedAgent] = []
    learned: list[Cells] = []
    signed: list[Cells] = []
    for number, fate in enumerate(map(Fate, fates)):
        agent = f"A-{1000 + number}"
        exam = on - timedelta(days=int(rng.integers(20, 100)), minutes=int(rng.integers(0, 1440)))
        story = _Story(agent, exam, float(rng.integers(9000, 10001)) / 100)
        learned += story.learned(fate)
        signature = story.signature(fate)
        signed += signature
        ready_from = datetime.fromisoformat(signature[0][2]) if fate in IS_READY else None
        plan.append(PlannedAgent(agent, f"acc-{7000 + number}", fate, ready_from))
    files = (
        _write(folder / "codes.csv", ("kind", "version", "at"), _codes(on)),
        _write(folder / "roster.csv", ("kind", "platform", "account", "agent"), _accounts(plan, platforms)),
        _write(folder / "e_learning.csv", ("kind", "agent", "at", "version", "whole", "score"), learned),
        _write(folder / "signatures.csv", ("kind", "agent", "at", "version"), signed),
    )
    return StaffPlan(tuple(plan), files)


@dataclass(frozen=True, slots=True)
class _Story:
    """One agent's last exam, and what led to it."""

    agent: str
    exam_at: datetime
    score: float

    def learned(self, fate: Fate) -> Iterator[Cells]:
        """Courses and exams of this fate, oldest first."""
        exam_at = self.exam_at - timedelta(days=500) if fate is Fate.EXAM_EXPIRED else self.exam_at
        score = {Fate.EXACTLY_MINIMUM: "90", Fate.JUST_BELOW_MINIMUM: "89.99"}.get(fate, f"{self.score:.2f}")
        if fate in (Fate.RETAKE_OF_EXAM_ONLY, Fate.PASSED_AFTER_WHOLE_COURSE_AGAIN):
            yield self._course(exam_at - timedelta(days=9))
            yield self._exam(exam_at - timedelta(days=8), "74.5")
        if fate is not Fate.RETAKE_OF_EXAM_ONLY:
            yield self._course(exam_at - timedelta(days=2))
        yield self._exam(exam_at, score, whole="no" if fate is Fate.EXAM_IN_PARTS else "yes")

    def signature(self, fate: Fate) -> list[Cells]:
        """The one signature of this fate, or none."""
        if fate is Fate.NO_SIGNATURE:
            return []
        after = timedelta(hours=-1) if fate is Fate.SIGNATURE_BEFORE_EXAM else timedelta(hours=1)
        version = OLD_CODE if fate is Fate.OLD_CODE_VERSION else CODE
        return [("signature", self.agent, _text(self.exam_at + after), version)]

    def _course(self, at: datetime) -> Cells:
        return "course", self.agent, _text(at), COURSE, "yes", ""

    def _exam(self, at: datetime, score: str, whole: str = "yes") -> Cells:
        return "exam", self.agent, _text(at), COURSE, whole, score


def _codes(on: datetime) -> Iterator[Cells]:
    yield "code_version", OLD_CODE, _text(on - CODE_AGE - timedelta(days=365))
    yield "code_version", CODE, _text(on - CODE_AGE)


def _accounts(plan: Iterable[PlannedAgent], platforms: Sequence[str]) -> Iterator[Cells]:
    for planned in plan:
        for platform in platforms:
            yield "account", platform, planned.account, planned.agent


def _text(at: datetime) -> str:
    """A moment in Brussels time, with its offset."""
    return at.astimezone(BRUSSELS).isoformat(timespec="seconds")


def _write(path: Path, columns: Cells, rows: Iterable[Cells]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path
