"""Work that is killed at its n-th step; a step is a call into, or a return from, our rooms.

Nothing is patched: Python's profile hook counts the functions that talk to S3, PostgreSQL and the
nursery, and SIGKILL falls exactly there. Everything was imported before (``forks.py``); every line on
stdin (what is done, the step to die at, 0 = never, and what the work asks) forks a process that does the
work and answers ``status steps``.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any
from uuid import uuid4

from sluice.answers.handover_due import hand_owed
from sluice.db import transaction
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.persons.merged import merge_index
from sluice.retention.give_back import give_back
from sluice.returns.reminders import follow
from sluice.rights.case.model import CaseId, LetterKind
from sluice.rights.destroy import confirm_destruction
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.control import resume, stop
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.letters.write import write_letter
from sluice.rights.notices.tell import tell
from sluice.rights.schedule import sweep
from sluice.rights.tidy import tidy
from sluice.settings import Settings, get_settings
from sluice.terms import Principal
from support.desk import environment
from support.forks import forked as script

WATCHED = tuple(
    f"/sluice/{place}"
    for place in (
        "exchange/",
        "lake/s3/objects",
        "lake/quarantine",
        "ledger/append",
        "ledger/store",
        "db.py",
        "locks.py",
        "keys.py",
    )
)

WRITES = tuple(f"/sluice/{place}" for place in ("lake/s3/objects", "ledger/append", "db.py"))
"""What every write to S3, to the ledger and to the database goes through."""
GIVE_BACK = (
    *WATCHED,
    "/sluice/returns/",
    "/sluice/retention/",
    "/sluice/documents/statement",
    "/sluice/lake/write/table",
)
HANDOVER = tuple(
    f"/sluice/{place}"
    for place in ("answers/handover", "exchange/effects/", "exchange/catalogue", "exchange/close",
                  "lake/s3/objects", "ledger/append", "locks.py", "db.py")
)  # fmt: skip
LETTER = tuple(
    f"/sluice/{place}"
    for place in ("rights/letters/", "rights/case/letter", "rights/case/book", "lake/s3/objects", "ledger/", "db.py")
)
ERASURE = tuple(
    f"/sluice/{place}"
    for place in (
        "rights/erasure/", "rights/copies/", "rights/notices/", "rights/tidy", "rights/destroy",
        "exchange/persons/", "exchange/own_writes", "exchange/catalogue", "exchange/workroom", "lake/s3/objects",
        "keys.py", "locks.py", "db.py",
    )
)  # fmt: skip


class Steps:
    """Counts calls and returns of watched functions; kills the process at ``kill_at``."""

    def __init__(self, kill_at: int, watched: tuple[str, ...] = WATCHED) -> None:
        self.kill_at, self.count, self.watched = kill_at, 0, watched
        self._known: dict[CodeType, bool] = {}

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        is_watched = self._known.get(code)
        if is_watched is None:
            is_watched = self._known[code] = any(place in code.co_filename for place in self.watched)
        if is_watched:
            self.count += 1
            if self.count == self.kill_at:
                self.die(code)

    def die(self, code: CodeType) -> None:
        """Kill this process; called in ``code`` at the step at which it has to die."""
        os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[int], str]) -> str:
    """Fork, work, die or not: exit status and what the child said. ``work`` gets the pipe to its parent.

    The parent never computes, so that its children may.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.write(writer, work(writer).encode())
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    said = os.read(reader, 2000).decode() or "0"
    os.close(reader)
    return f"{status} {said}"


def answer(line_by_line: Callable[[str], str]) -> None:
    """Run ``once`` for every line of stdin, and print its answer."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(line_by_line(line), flush=True)


def dying_at(kill_at: int, work: Callable[[House], object], watched: tuple[str, ...] = WATCHED) -> str:
    """Work in a house of a child's own, or die at the step: what :func:`forked` answers, with the steps counted."""

    def counted(_: int) -> str:
        steps = Steps(kill_at, watched)
        sys.setprofile(steps)
        with open_house(get_settings()) as house:
            work(house)
        sys.setprofile(None)
        return str(steps.count)

    return forked(counted)


def inbound(kill_at: str, *watched: str) -> str:
    """Everything the trigger, the slots and reconcile do; ``12 writes``: at the twelfth step of what writes."""
    return dying_at(int(kill_at), drain_all, WRITES if watched else WATCHED)


NAIVE = "create table sluice.naive (key text, id text); grant select, insert on sluice.naive to public"


def naive(kill_at: str, key: str) -> str:
    """A design that looks and then writes: what it makes has a name of its own, and no key is unique."""

    def keep(house: House) -> None:
        with transaction(house.conn):
            if house.conn.execute("select from naive where key = %s", (key,)).fetchone():
                return
        made = uuid4().hex
        content = house.objects.read(house.settings.bucket_exchange, key)
        house.objects.put(house.settings.bucket_lake, f"naive/{made}", content, "text/csv")
        with transaction(house.conn):
            house.conn.execute("insert into naive values (%s, %s)", (key, made))

    return dying_at(int(kill_at), keep)


def acks(kill_at: str, moment: str) -> str:
    """Read acknowledgements and remind."""
    return dying_at(int(kill_at), lambda house: follow(house, datetime.fromisoformat(moment)))


def handed_over(kill_at: str) -> str:
    """Hand over what answers are owed, as the DAG does."""
    return dying_at(int(kill_at), lambda house: hand_owed(house, datetime.now(UTC)), HANDOVER)


def given_back(moment: str, kill_at: str) -> str:
    """Give back what energy01's ended agreement wants back."""
    day = datetime.fromisoformat(moment)
    return dying_at(int(kill_at), lambda house: give_back(house, Principal("energy01"), day, "an"), GIVE_BACK)


def letter(case_id: str, kill_at: str) -> str:
    """Write the receipt of a case."""

    def write(house: House) -> None:
        write_letter(house, CaseId(case_id), LetterKind.RECEIPT, datetime.now(UTC))

    return dying_at(int(kill_at), write, LETTER)


def notices(moment: str, kill_at: str, where: str) -> str:
    """Tell, follow and finish; the rooms and files whose calls count as steps are joined by commas."""
    watched = tuple(f"/sluice/{place}" for place in where.split(","))
    return dying_at(int(kill_at), lambda house: sweep(house, datetime.fromisoformat(moment)), watched)


def erase(house: House, case_id: CaseId) -> None:
    """Erase a case as the DAG ``erasure`` does."""
    run(house, case_id, datetime.now(UTC))


def let_go(house: House, case_id: CaseId) -> None:
    """The machine plans, somebody releases; on a rerun only what is missing of it."""
    plans = draft(house, case_id, "airflow", datetime.now(UTC)).plans
    if any(plan.released_at is None for plan in plans):
        release(house, case_id, "bert", datetime.now(UTC))


def halt(house: House, case_id: CaseId) -> None:
    """Stop the erasure and resume it."""
    stop(house.conn, case_id, "AUDIT", "els", datetime.now(UTC))
    resume(house.conn, case_id, "els", datetime.now(UTC))


def remove_sealed(house: House, case_id: CaseId) -> None:
    """Remove sealed data as the case clock would a year from now."""
    tidy(house, datetime.now(UTC) + timedelta(days=366))


def destroy_keys(house: House, principal: str) -> None:
    """The second person confirms, or says so again after somebody died of it."""
    confirm_destruction(house, Principal(principal), "bert", datetime.now(UTC))


def path(house: House, case_id: CaseId) -> None:
    """Plan, release, run, second scan, certificate, and everybody who has to hear of it is told."""
    let_go(house, case_id)
    report = run(house, case_id, datetime.now(UTC))
    issue(house, case_id, report.principals)
    tell(house, datetime.now(UTC))


def merge(house: House, principal: str) -> None:
    """Merge index runs, as the nightly DAG does."""
    merge_index(house, Principal(principal), datetime.now(UTC), fewest=1)


ERASURES: dict[str, Callable[[House, Any], None]] = {
    "erase": erase,
    "let_go": let_go,
    "stop": halt,
    "tidy": remove_sealed,
    "destroy": destroy_keys,
    "path": path,
    "merge": merge,
}


def erasure(case_id: str, kill_at: str, what: str = "erase") -> str:
    """One step of an erasure; ``destroy`` and ``merge`` ask a principal where the others ask a case."""
    return dying_at(int(kill_at), lambda house: ERASURES[what](house, CaseId(case_id)), ERASURE)


WORK: dict[str, Callable[..., str]] = {
    "inbound": inbound,
    "naive": naive,
    "acks": acks,
    "handover": handed_over,
    "give_back": given_back,
    "letter": letter,
    "notices": notices,
    "erasure": erasure,
}


class Failed(Exception):
    """The work ended with an error of its own, and was not killed."""


Victim = Callable[..., tuple[bool, int]]
"""The words of one line, among them the step to die at (0: never): whether it was killed, and the steps if not."""


@contextmanager
def dying(settings: Settings, work: str) -> Iterator[Victim]:
    """A process that does one of ``WORK`` in an installation; each line has a fork of it work, or die."""
    with script(Path(__file__), environment(settings)) as process:

        def once(*words: object) -> tuple[bool, int]:
            process.write(" ".join(map(str, (work, *words))))
            status, steps = process.read().split()
            if int(status) not in (0, 9):
                raise Failed
            return int(status) == 9, int(steps)

        yield once


def once(line: str) -> str:
    """Do what the line says, or die at its step."""
    work, *words = line.split()
    return WORK[work](*words)


if __name__ == "__main__":
    answer(once)
