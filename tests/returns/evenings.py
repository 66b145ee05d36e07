"""Nights on one installation: each test has a day, persons and agents of its own, so that no other test shows in it."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sluice.exchange.read import ExchangeLine
from sluice.lake.s3.objects import StoredObject
from sluice.sample.files import write_campaign
from sluice.services.model import SeaweedServer
from sluice.terms import Flow
from support.night import DUE_DAY, RESULTS, STAFF, Call, Edit, Night, call_log, open_night, with_papers
from support.stores import Databases, make_stores, settings_of

PERSONS, EVENINGS = 10, 24
"""Of one test, and tests of one installation: recordings of a call go for a month."""
AGENT, MOMENT = re.compile(r"\bagent\d\d\b"), re.compile(r"(\d{4}-\d\d-\d\d)T")


@dataclass(frozen=True)
class Evening(Night):
    """One day at the desk. What a test writes of the day that is due is of this day; ``agent01`` is its own agent."""

    number: int

    @property
    def day(self) -> date:
        return DUE_DAY - timedelta(days=self.number)

    @property
    def earlier(self) -> timedelta:
        return timedelta(days=self.number)

    def people(self, count: int) -> list[tuple[str, str]]:
        first = self.number * PERSONS
        return super().people(first + count)[first:]

    def called(self, *calls: Call, name: str = "log.csv") -> StoredObject:
        """The calls as if they had been made on this day, in a file of their own."""
        mine = [
            replace(call, id=f"{self.day}-{call.id}", agent=self.own(call.agent), at=call.at - self.earlier)
            for call in calls
        ]
        return self.results(call_log(mine), name)

    def results(self, content: bytes, name: str = "log.csv", flow: Flow = RESULTS) -> StoredObject:
        return super().results(content, f"{self.number}-{name}", flow)

    def own(self, text: str) -> str:
        """A text with the names of this evening's agents."""
        return AGENT.sub(lambda found: f"{found[0]}x{self.number}", text)

    def admit(self, staff: str) -> None:
        super().admit(MOMENT.sub(lambda found: f"{date.fromisoformat(found[1]) - self.earlier}T", self.own(staff)))

    def returns(self, flow: Flow = RESULTS) -> list[ExchangeLine]:
        """Returns of the day, newest first."""
        rows = self.desk.sql(f"select exchange_id::text as id from exchange where day = '{self.day}'")
        mine = {row["id"] for row in rows}
        return [line for line in super().returns(flow) if line.id in mine]

    def delivered(self) -> Mapping[str, bytes]:
        bucket, objects = self.desk.settings.bucket_exchange, self.desk.house.objects
        return {
            item.key: objects.read(bucket, item.key, item.version_id)
            for item in objects.list_versions(bucket, "energy01/outbound/")
            if f"_{self.day}" in item.key
        }

    def other_contacts(self) -> tuple[Path, tuple[str, str]]:
        """One more file of contacts, which did not arrive yet, and the first person in it."""
        path = self.desk.folder / f"{self.number}-later.csv"
        write_campaign(path, 6, 1_000 + self.number)
        with path.open(encoding="utf-8", newline="") as file:
            new = next(csv.DictReader(file, delimiter=";"))
        return path, (new["customer_number"], new["phone"])

    def arrive(self, contacts: Path | bytes, name: str = "later.csv") -> StoredObject:
        """Have a file of contacts arrive and be processed."""
        dropped = self.desk.drop(contacts, f"{self.number}-{name}")
        self.desk.work()
        return dropped

    def same_contacts(self) -> StoredObject:
        """Have the contacts of all evenings arrive again, in other bytes."""
        return self.arrive(self.contacts.read_bytes() + b"\n" * (self.number + 1), "again.csv")

    def rows(self, line: ExchangeLine | None = None) -> list[dict[str, str]]:
        """Rows of a return as its principal reads it; of the newest one by default."""
        text = self.file(line or self.returns()[0]).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text), delimiter=";"))

    @contextmanager
    def gets(self, ending: str) -> Iterator[Callable[[], int]]:
        """How often the store was asked meanwhile for an object of the day's results and returns that ends so."""
        events, asked = self.desk.house.objects._client.meta.events, list[str]()

        def seen(request: object, **_: object) -> None:
            path = str(getattr(request, "url", "")).partition("?")[0]
            if path.endswith(ending):
                asked.append(path)

        def count() -> int:
            mine = self.desk.sql(
                f"""select exchange_id::text as id from exchange
                    where day = '{self.day}' or key like 'energy01/internal/%/{self.number}-%'"""
            )
            return sum(any(str(row["id"]) in path for row in mine) for path in asked)

        events.register("before-send.s3.GetObject", seen)
        try:
            yield count
        finally:
            events.unregister("before-send.s3.GetObject", seen)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of the ledger's entries of one kind about returns of the day."""
        mine = [line.id for line in self.returns()]
        rows = self.desk.sql(
            f"select convert_from(body, 'UTF8')::json as body from ledger.entry where kind = '{kind}' order by seq"
        )
        return [row["body"] for row in rows if row["body"]["exchange_id"] in mine]


@dataclass
class Evenings:
    """Installations by their papers, each with contacts and no call yet; a new one where the days of one are used."""

    databases: Databases
    server: SeaweedServer
    var: Path
    folders: pytest.TempPathFactory
    _open: ExitStack = field(default_factory=ExitStack)
    _nights: dict[tuple[Edit, ...], tuple[Night, Iterator[int]]] = field(default_factory=dict)

    def next(self, *edits: Edit) -> Evening:
        """The next evening under these papers."""
        night, numbers = self._nights.get(edits) or self._opened(edits)
        if (number := next(numbers)) == EVENINGS:
            night, numbers = self._opened(edits)
            number = next(numbers)
        evening = Evening(night.desk, night.contacts, number)
        evening.admit(STAFF)
        return evening

    def _opened(self, edits: tuple[Edit, ...]) -> tuple[Night, Iterator[int]]:
        folder, database = self.folders.mktemp("evenings"), self._open.enter_context(self.databases.fresh())
        settings = settings_of(database, self.server, folder / "var", database.mark)
        make_stores(settings, self.var)
        opened = open_night(with_papers(settings, folder, *edits), folder, PERSONS * EVENINGS)
        self._nights[edits] = self._open.enter_context(opened), count()
        return self._nights[edits]

    def close(self) -> None:
        self._open.close()
