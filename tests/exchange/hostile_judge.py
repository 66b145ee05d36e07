"""Hostile files before the real child, and what they cost it."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from exchange.hostile import FINE, Hostile
from exchange.hostile_keys import KEYS
from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.papers import Paper
from sluice.exchange.dry_run import find_paper
from sluice.exchange.judge import failure_of
from sluice.exchange.judging.job import Job, limits_of, read_report, read_suites
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.settings import Settings
from sluice.terms import Flow, Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file judged. ``code``: why it is not accepted; ``failure``: an error of ours, and where."""

    code: str
    rows_refused: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    is_untouched: bool
    failure: str | None


@dataclass
class Watch:
    """The most memory of its own of a process below the nursery; pages of a file can be read again and are none."""

    process: psutil.Process
    peak: int = 0
    cpu: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.peak, self.cpu = 0, 0.0
        self._stop.clear()
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        yield
        self._stop.set()
        thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.01):
            for child in self.process.children():
                self.peak, self.cpu = max(self.peak, _most(child.pid)), max(self.cpu, _cpu(child))


def _cpu(child: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(sum(child.cpu_times()[:2]))
    return 0.0


def _most(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon", "RssShmem")))


class Judges:
    """The nursery of one worker, with the settings as they are shipped. ``form``: what the contract wants."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.folder = Settings(), folder
        self.agreement, self.contract = _paper(self.settings)
        self.nursery = Nursery(CHILD)
        self.nursery.warm()

    @property
    def worker(self) -> int:
        """The process that all children so far came from."""
        return self.nursery._running().pid

    def judge(self, path: Path, name: str, form: str) -> Outcome:
        """As the worker does it, rows and references too."""
        room = self.folder / "room"
        room.mkdir()
        before, watch = _sha256(path), Watch(psutil.Process(self.worker))
        job = Job(
            folder=room,
            file=path,
            file_name=name,
            contract=replace(self.contract, file_format=replace(self.contract.file_format, **_form(form))),
            suites=read_suites(self.settings, self.contract),
            subject_key="c3ViamVjdC1rZXktb2YtYS10ZXN0LW9mLTMyLWJ5dGU=",
            origin=("00000000-0000-0000-0000-000000000000", "v1"),
            free_text=self.agreement.free_text,
            as_of=datetime(2026, 11, 26, tzinfo=UTC),
            pgp=KEYS,
        )
        started = time.monotonic()
        with watch.watching():
            most = limits_of(self.settings, self.agreement, path.stat().st_size)
            end = self.nursery.run(job.as_json(), most, job.reads)
        seconds = time.monotonic() - started
        verdict = read_report(room, end).verdict
        code = verdict.reasons[0].code if verdict.verdict in (Verdict.REFUSED, Verdict.UNDECIDED) else FINE
        failure = failure_of(room) if (room / "failure.txt").exists() else None
        _empty(room)
        return Outcome(code, verdict.rows_refused, seconds, watch.cpu, watch.peak, _sha256(path) == before, failure)

    def judge_hostile(self, one: Hostile) -> Outcome:
        return self.judge(one.path, one.name, one.kind.form)


def _form(form: str) -> dict[str, str | None]:
    return {"format": form} if form == "csv" else {"format": form, "delimiter": None, "encoding": None}


def _paper(settings: Settings) -> tuple[Agreement, DataContract]:
    on = datetime(2026, 11, 26, tzinfo=UTC).date()
    paper = find_paper(settings, "DPA-ENERGY01", Flow("renewal_campaign"), on)
    assert isinstance(paper, Paper)
    return paper.agreement, paper.contract


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _empty(room: Path) -> None:
    for path in room.iterdir():
        path.unlink()
    room.rmdir()
