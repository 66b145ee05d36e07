"""Files made to break their reader (S-02): each has a coded outcome, and the next one is judged."""

import random
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exchange import hostile_controls
from exchange.hostile import FINE, KINDS, files
from exchange.hostile_cells import good_file
from exchange.hostile_judge import Judges, Outcome
from sluice.exchange.judging.nursery import ChildEnd
from sluice.gate.judge import JUDGES_DIFFER
from sluice.lake.quarantine import unseal
from sluice.terms import Principal
from support.desk import Desk
from support.effort import effort

pytestmark = pytest.mark.slow
Record = Callable[[str, object], None]

PER_KIND, GOOD_EVERY = effort(1, 11), effort(20, 11)
MOST_SECONDS, MOST_BYTES = 30, 1 << 30
NEVER = {ChildEnd.FAILED.value, JUDGES_DIFFER}
"""Ends that are faults of ours, whatever the file was."""


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judges]:
    opened = Judges(tmp_path_factory.mktemp("hostile"))
    yield opened
    opened.nursery.close()


@pytest.mark.evidence
@pytest.mark.timeout(3600)
def test_every_hostile_file_has_its_coded_outcome_and_the_good_ones_between_are_accepted(
    judges: Judges, record_property: Record
) -> None:
    worker, outcomes, wrong = judges.worker, list[Outcome](), list[str]()
    good: Counter[tuple[str, int]] = Counter()
    for number, one in enumerate(files(judges.folder, PER_KIND)):
        outcome = judges.judge_hostile(one)
        outcomes.append(outcome)
        if outcome.code not in one.kind.codes or outcome.code in NEVER or outcome.failure:
            wrong.append(f"{one.kind.name}: {outcome.code} {outcome.failure or ''}")
        if number % GOOD_EVERY == 0:
            fine = judges.judge(good_file(judges.folder, number), "good.csv", "csv")
            good[fine.code, fine.rows_refused] += 1
    slowest, largest = max(each.cpu_seconds for each in outcomes), max(each.peak_bytes for each in outcomes)
    longest = max(each.seconds for each in outcomes)
    told = f"{len(outcomes) - len(wrong)} of {len(outcomes)} in {len(KINDS)} classes"
    record_property("S-02 hostile files with the coded outcome of their class", told)
    record_property("S-02 most time and memory of a child", f"{longest:.1f} s, {slowest:.1f} s CPU, {largest >> 20} MB")
    record_property("S-02 good files in between that were accepted", f"{good[FINE, 0]} of {good.total()}")
    assert not wrong
    assert (len(KINDS) >= 25, all(each.is_untouched for each in outcomes)) == (True, True)
    assert (slowest < MOST_SECONDS, largest < MOST_BYTES) == (True, True), (slowest, largest)
    assert (good, judges.worker) == ({(FINE, 0): good.total()}, worker), "the same process served them all"


@pytest.mark.long  # half a minute of usual readers that hang; nothing of ours is in it
@pytest.mark.evidence
@pytest.mark.timeout(300)
def test_the_control_dies_or_hangs_where_no_child_is_between(tmp_path: Path, record_property: Record) -> None:
    """Usual readers, in a process of their own, which may have three gibibytes, so that this machine lives."""
    ends = {name: _end_of(name, tmp_path / "hostile") for name in hostile_controls.READERS}
    fallen = [name for name, end in ends.items() if end in ("dies", "hangs")]
    record_property("S-02 control: usual readers without a child that die or hang", f"{len(fallen)} of {len(ends) - 1}")
    assert ends["a good file"] == "lives"
    assert len(fallen) >= 3, ends


def _end_of(name: str, path: Path) -> str:
    """Dies: killed, or out of memory. An error of its own is none."""
    hostile_controls.READERS[name][0](path)
    command = [sys.executable, "-W", "ignore", hostile_controls.__file__, name, str(path)]
    try:
        done = subprocess.run(command, timeout=MOST_SECONDS, capture_output=True, preexec_fn=_three_gibibytes)
    except subprocess.TimeoutExpired:
        return "hangs"
    finally:
        path.unlink()
    if done.returncode < 0 or b"MemoryError" in done.stderr:
        return "dies"
    return "fails" if done.returncode else "lives"


def _three_gibibytes() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))


@pytest.mark.timeout(600)
def test_what_was_refused_lies_sealed_as_it_came_and_the_desk_goes_on(desk: Desk, tmp_path: Path) -> None:
    """The same files on their whole way; energy01's contract wants CSV, so others stop at their format."""
    sample = random.Random(7).sample([each.name for each in KINDS if each.form == "csv"], effort(3, 16))
    dropped, good = {}, desk.drop(desk.campaign(rows=50)[0], "good.csv")
    for one in files(tmp_path, 1):
        if one.kind.name in sample and one.path.stat().st_size <= 32 << 20:
            content = one.path.read_bytes()
            dropped[one.kind.name] = desk.drop(content, f"{one.kind.name.replace(' ', '_')}.csv"), content
    desk.work()
    assert desk.line(good).decision == "accepted"
    for name, (item, content) in dropped.items():
        line = desk.line(item)
        assert line.receipt_at is not None, name
        assert desk.house.objects.read(desk.settings.bucket_exchange, item.key, item.version_id) == content
        if line.decision in ("accepted", "partly_accepted"):
            continue
        assert line.reason_code, name
        record = desk.shown(item).record
        assert record is not None
        [sealed] = [copy for copy in record.how_long.copies if copy.kind == "quarantine.file"]
        desk.house.objects.fetch(sealed.bucket, sealed.key, sealed.version_id, tmp_path / "sealed")
        opened = unseal(tmp_path / "sealed", tmp_path / "opened", desk.house.keyring, Principal("energy01"))
        assert opened.read_bytes() == content
