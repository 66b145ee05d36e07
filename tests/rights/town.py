"""Several principals with the same contract, and persons who are customers of some: delivered, called, returned."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.house import House, open_house
from sluice.returns.drain import drain_returns
from sluice.rights.case import store
from sluice.rights.case.model import Action, Actor, Case, Order, Right, Role, State
from sluice.rights.case.steps import decide, settle_identity, withdraw
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.control import take_up
from sluice.rights.erasure.release import draft, release
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Identifier
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.staff.admit import admit
from sluice.staff.model import StaffFile
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY, Desk
from support.night import AT_ONCE, RESULTS, STAFF, Call, Edit, Night, call_log, open_night, with_papers

DESK = Actor(Role.DESK, "anna")
SHA = "ab" * 32


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Person:
    """Somebody by their phone; each principal has a customer number of its own for them."""

    number: int
    phone: str
    line: str
    """Their cells in a file of contacts, without the customer number."""

    def record(self, principal: str) -> str:
        """Their customer number at a principal: another one at each."""
        return f"E{sum(map(ord, principal)) % 9000 + 1000}{self.number:04}"

    def under_phone_of(self, other: "Person") -> "Person":
        """The same person, who shares a telephone with another."""
        return Person(self.number, other.phone, self.line.replace(self.phone, other.phone))


@dataclass(frozen=True)
class Town:
    """A desk that works for several principals."""

    desk: Desk
    principals: tuple[str, ...]
    people: tuple[Person, ...]
    head: str

    @property
    def house(self) -> House:
        return self.desk.house

    def arrive(self, principal: str, people: Sequence[Person], name: str = "contacts.csv") -> None:
        """A file of contacts of these people comes in, and is accepted."""
        lines = [self.head, *(f"{person.record(principal)};{person.line}" for person in people)]
        self.desk.drop("\n".join(lines).encode() + b"\n", name, (principal, ENERGY[1]))
        self.desk.work()

    def give_back(self, principal: str, people: Sequence[Person], name: str = "log.csv") -> None:
        """These people are called, and their return is made and delivered."""
        calls = [Call(f"{name}-{each.number}", each.record(principal), each.phone) for each in people]
        key = f"{principal}/internal/{RESULTS}/{name}"
        self.house.objects.put(self.desk.settings.bucket_internal, key, call_log(calls), "text/csv")
        self.desk.work()
        drain_returns(self.house, Principal(principal), RESULTS, datetime.now(UTC), {}, "airflow")

    def ask(self, person: Person, right: Right = Right.ERASURE, *more: str, language: str = "nl") -> Case:
        """The person asks everybody, by all they know of themselves; ``more``: other customer numbers of theirs."""
        records = [*(person.record(each) for each in self.principals), *more]
        numbers = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, record) for record in records]
        return self.opened(right, [(SubjectKind.PHONE, person.phone), *numbers], language=language)

    def opened(
        self,
        right: Right,
        given: Sequence[tuple[SubjectKind, str] | Identifier],
        principal: Principal | None = None,
        *,
        language: str = "nl",
        **more: Any,
    ) -> Case:
        """Somebody asks, one principal or everybody, who they are is settled, and it is forwarded; nobody decided yet.

        ``more``: as :class:`NewRequest` has it.
        """
        now = datetime.now(UTC)
        case = open_case(self.house, NewRequest(right, given, principal, now, "letter", language, DESK, **more), now)
        settle_identity(self.house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", SHA))
        take_due(self.house, now)
        return store.get_case(self.house.conn, case.case_id)

    def decided(self, person: Person, right: Right = Right.ERASURE, action: Action = Action.ERASE) -> Case:
        """The person asks, every principal instructs, the center decides to do it, and an erasure is released."""
        return self.agree(self.ask(person, right), action)

    def agree(self, case: Case, action: Action = Action.ERASE) -> Case:
        """Every principal instructs, the center decides what it did not yet, and an erasure is released."""
        now = datetime.now(UTC)
        for part in case.sub_cases:
            if part.state is State.AWAITING_INSTRUCTION:
                said = {"case": part.sub_case_id, "decision": action.value}
                key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
                bucket = self.desk.settings.bucket_exchange
                stored = self.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
                read_instruction(self.house, Principal(part.principal), stored, now)
        if any(part.state is State.SCOPED for part in case.sub_cases):
            decide(self.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now, "ACCEPTED", SHA, action=action))
        if action is Action.ERASE:
            draft(self.house, case.case_id, "airflow", datetime.now(UTC))
            release(self.house, case.case_id, "bert", datetime.now(UTC))
        return store.get_case(self.house.conn, case.case_id)

    def notices(self, principal: str) -> Mapping[str, bytes]:
        """Everything under the notices of a principal, every version of it."""
        bucket, objects = self.desk.settings.bucket_exchange, self.house.objects
        return {
            item.key.rsplit("/", 1)[-1]: objects.read(bucket, item.key, item.version_id)
            for item in objects.list_versions(bucket, f"{principal}/notices/")
        }

    def told(self, principal: str) -> list[dict[str, Any]]:
        """The notices to a recipient that name a person."""
        every = self.notices(principal)
        return [json.loads(every[name]) for name in sorted(every) if is_notice(name)]


def swept(town: Town, at: datetime | None = None) -> None:
    """What the schedules do, until nothing moves; nothing of it fails."""
    for _ in range(3):
        assert follow(town.house, at or datetime.now(UTC)).failed == 0
        assert sweep(town.house, at or datetime.now(UTC)).failed == 0


def is_notice(name: str) -> bool:
    """Whether a name under notices/ is that of a notice itself, not of what belongs to it."""
    return name.startswith("notice-") and name.count("-") == 5 and name.count(".") == 1


def papers_of(settings: Settings, folder: Path, principals: Sequence[str], *edits: Edit) -> Settings:
    """The installation with papers for these principals, all like those of energy01."""
    changed = with_papers(settings, folder, AT_ONCE, *edits)
    source = changed.principals_dir / ENERGY[0]
    for name in principals:
        target = changed.principals_dir / name
        if name == ENERGY[0] or target.exists():
            continue
        shutil.copytree(source, target)
        for path in target.iterdir():
            text = path.read_text(encoding="utf-8").replace("energy01", name).replace("ENERGY01", name.upper())
            path.write_text(text.replace("Energy One", name.title()), encoding="utf-8")
    return changed


@contextmanager
def open_town(settings: Settings, folder: Path, principals: Sequence[str], people: int) -> Iterator[Town]:
    """A town whose principals have papers (``papers_of``) and whose agents are ready; nothing has come in."""
    with open_house(settings) as house:
        activate_all(house.conn, house.settings.principals_dir, datetime.now(UTC))
        desk = Desk(house, folder)
        path, _ = desk.campaign(people)
        head, *rows = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=";")
        place = head.index("phone")
        everybody = tuple(Person(number, row[place], plain(row[1:])) for number, row in enumerate(rows))
        file = StaffFile(STAFF.encode(), "file")
        admit(house.conn, file, key=house.keyring.staff_key(), controller="center", now=datetime.now(UTC))
        yield Town(desk, tuple(principals), everybody, ";".join(head))


def plain(cells: Sequence[str]) -> str:
    """Cells as a line that needs no quotes."""
    return ";".join(re.sub(r'[;"\r\n]+', " ", cell) for cell in cells)


def town_fixture(
    principals: Sequence[str],
    people: int,
    fill: Callable[[Town], object] = id,
    *edits: Edit,
    papers: Callable[[Settings], object] = id,
) -> Callable[..., Iterator[Town]]:
    """A fixture: one town for all tests of a module, filled once; each test works with people of its own.

    ``papers``: changes the folder of its papers before they come in force.
    """

    @pytest.fixture(scope="module")
    def town(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
        folder = tmp_path_factory.mktemp("town")
        settings = papers_of(module_settings, folder, principals, *edits)
        papers(settings)
        with open_town(settings, folder, principals, people) as opened:
            fill(opened)
            yield opened

    return town


def night_fixture(
    fill: Callable[[Night], object], *edits: Edit, papers: Callable[[Settings], object] = id, contacts: int = 40
) -> Callable[..., Iterator[Night]]:
    """The same with a night at energy01."""

    @pytest.fixture(scope="module")
    def night(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
        folder = tmp_path_factory.mktemp("night")
        settings = with_papers(module_settings, folder, *edits)
        papers(settings)
        with open_night(settings, folder, contacts) as opened:
            fill(opened)
            yield opened

    return night


def let_go(town: Town, case: Case) -> None:
    """The machine plans an erasure, and somebody who decided nothing releases it."""
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())


def take_back(town: Town | Night, *cases: Case) -> None:
    """Whoever asked takes it back."""
    for case in cases:
        withdraw(town.desk.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))


def due(town: Town, case: Case, at: datetime | None = None) -> bool:
    """Whether the next run takes this erasure up."""
    return case.case_id in take_up(town.house, "airflow", at or now())
