"""``sluice erase run`` from end to end: one person of many files, from keeping them out to the second scan's word.

Contacts of 20 files come in through the gate, rows and records among them that are refused; the person is in some.
FLOOR opens every copy of the principal, as a design without an index must, with the product's own readers. PostgreSQL
and S3 are on the same machine, with one process of ours.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from bench import BenchRow, Cost, cost, median, progress
from bench.stores import an_installation
from sluice.agreement.in_force.activate import activate_all
from sluice.demo.person import DESK, RELEASER, instructed
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.rights.case.model import CaseId, Order, Right
from sluice.rights.case.steps import settle_identity
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, open_bench
from sluice.rights.copies.find import find_places, led_copies, open_request, targets_of
from sluice.rights.copies.stores import NAMELESS, store_of
from sluice.rights.erasure.batches import CopyName
from sluice.rights.erasure.erase import begin, erase_copies, finish, prove
from sluice.rights.erasure.model import ErasureReport
from sluice.rights.erasure.release import draft, release
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow
from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign
from sluice.terms import Principal, SubjectKind

SEED = 20_261_126
FILES, WITH_PERSON, ROUNDS = 20, 3, 3
FAULTS = FaultPlan(missing_required=3, bad_phone=3, ragged_row=2)
ENERGY = Principal("energy01")


def rows(size: int) -> Iterator[BenchRow]:
    """``size / 20`` rows in each of 20 files; half of the files are accepted in part."""
    with (
        an_installation() as settings,
        TemporaryDirectory(prefix="sluice-bench-") as name,
        open_house(settings) as house,
    ):
        activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
        phone = _arrive(house, Path(name), size // FILES)
        case_id = _decided(house, phone)
        every, led, opened = _find(house, case_id)
        copies = len(copy_store.find_copies(house.conn, ENERGY))
        text = f"every copy opened {every.wall_s:.2f} s wall, {every.cpu_s:.2f} s CPU; {opened} of {copies} opened"
        yield BenchRow(
            "erase_house", f"find, in {WITH_PERSON} of {FILES} files: wall saved", every.wall_s / led.wall_s, "x", text
        )
        yield BenchRow(
            "erase_house", f"find, in {WITH_PERSON} of {FILES} files: CPU saved", every.cpu_s / led.cpu_s, "x", text
        )
        yield from _run(house, case_id)


def _arrive(house: House, folder: Path, rows_each: int) -> str:
    """The files come in; the phone of somebody who is in some of them."""
    progress(f"erase_house: {FILES} files of {rows_each:,} rows arrive")
    person: tuple[str, ...] = ()
    for number in range(FILES):
        path = folder / f"{number}.csv"
        write_campaign(path, rows_each, SEED + number, faults=FAULTS if number % 2 else FaultPlan())
        lines = path.read_bytes().split(b"\n")
        person = person or tuple(cell.decode() for cell in lines[rows_each // 2].split(b";"))
        if number % (FILES // WITH_PERSON) == 0 and 0 < number < FILES - 1:
            lines[1] = ";".join(person).encode()
            path.write_bytes(b"\n".join(lines))
        house.objects.put(
            house.settings.bucket_exchange, f"{ENERGY}/inbound/renewal_campaign/{number}.csv", path, "text/csv"
        )
        drain_all(house)
    header = pl.read_csv(folder / "0.csv", separator=";", n_rows=0).columns
    return person[header.index("phone")]


def _decided(house: House, phone: str) -> CaseId:
    """They ask, the principal instructs, the desk decides, a second person releases the plan."""
    now = datetime.now(UTC)
    case = open_case(
        house, NewRequest(Right.ERASURE, [(SubjectKind.PHONE, phone)], None, now, "letter", "nl", DESK), now
    )
    settle_identity(house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", "00" * 32))
    follow(house, datetime.now(UTC))
    instructed(house, case.case_id)
    draft(house, case.case_id, "bench", datetime.now(UTC))
    release(house, case.case_id, RELEASER, datetime.now(UTC))
    return case.case_id


def _find(house: House, case_id: CaseId) -> tuple[Cost, Cost, int]:
    """Every copy opened, those that the index leads to, and how many these are; each with a bench of its own."""
    progress("erase_house: find")
    [target] = targets_of(house, *open_request(house, case_id), decided_only=True)

    def measured(work: Callable[[Bench], None]) -> Cost:
        with open_bench(house, target) as bench:
            return cost(lambda: work(bench))

    costs = [(measured(_open_every), measured(_open_led)) for _ in range(ROUNDS)]
    every, led = (median(list(column)) for column in zip(*costs, strict=True))
    with open_bench(house, target) as bench:
        return every, led, sum(store_of(copy).name != NAMELESS.name for copy in led_copies(bench))


def _open_every(bench: Bench) -> None:
    copies = copy_store.find_copies(bench.house.conn, bench.target.principal)
    if not sum(store_of(copy).find(bench, copy) for copy in copies):
        raise RuntimeError("nobody was found")


def _open_led(bench: Bench) -> None:
    if not list(find_places(bench)):
        raise RuntimeError("nobody was found")


def _run(house: House, case_id: CaseId) -> Iterator[BenchRow]:
    """The steps of ``sluice erase run``, each with its part of the whole."""
    progress("erase_house: run")
    planned = cost(lambda: draft(house, case_id, "planner", datetime.now(UTC)))
    names, reports = list[CopyName](), list[ErasureReport]()
    steps = (
        ("begin", cost(lambda: names.extend(begin(house, case_id, datetime.now(UTC))))),
        ("erase", cost(lambda: erase_copies(house, case_id, names))),
        ("finish", cost(lambda: finish(house, case_id, datetime.now(UTC)))),
        ("second scan", cost(lambda: reports.append(prove(house, case_id, datetime.now(UTC))))),
    )
    [report] = reports
    if report.residual or report.doubts or not report.objects_scanned:
        raise RuntimeError("the erasure is not proven")
    told = ", ".join(f"{name} {spent.wall_s:.2f} s" for name, spent in steps)
    whole, cpu = sum(spent.wall_s for _, spent in steps), sum(spent.cpu_s for _, spent in steps)
    yield BenchRow(
        "erase_house", "sluice erase run: wall", whole, "s", f"{told}; {report.objects_scanned} objects scanned"
    )
    yield BenchRow("erase_house", "sluice erase run: CPU", cpu, "s", f"sluice erase plan {planned.wall_s:.2f} s wall")
