"""The exchange desk of a test: real stores, real papers, real files; only Airflow is left out."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sluice.agreement.in_force.activate import activate_all
from sluice.dial.dncm import import_numbers
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.open import Arrivals
from sluice.exchange.persons.merged import sweep_merged
from sluice.exchange.read import ExchangeLine, Shown, find_by_versions, list_exchanges, show_exchange
from sluice.lake.s3.objects import StoredObject
from sluice.sample.faults import NO_FAULTS, FaultPlan, Planted
from sluice.sample.files import write_campaign
from sluice.settings import Settings
from sluice.terms import Principal
from sluice.times import brussels_today

ENERGY = ("energy01", "renewal_campaign")


@dataclass(frozen=True)
class Desk:
    """What a test does: drop, work, look."""

    house: House
    folder: Path

    @property
    def settings(self) -> Settings:
        return self.house.settings

    def campaign(self, rows: int = 300, seed: int = 1, faults: FaultPlan = NO_FAULTS) -> tuple[Path, Planted]:
        """A campaign file of energy01 and where its faults are."""
        path = self.folder / f"campaign-{seed}-{rows}.csv"
        return path, write_campaign(path, rows, seed, faults=faults)

    def drop(self, content: Path | bytes, name: str = "file.csv", where: tuple[str, str] = ENERGY) -> StoredObject:
        """Put a file into an inbound prefix, as a principal's tool does."""
        key = f"{where[0]}/inbound/{where[1]}/{name}"
        return self.house.objects.put(self.settings.bucket_exchange, key, content, "text/csv")

    def open_new(self) -> int:
        """Open the new files, as one poll of the trigger does."""
        return Arrivals.of(self.settings).open_new(self.house.conn, self.house.objects).opened

    def work(self) -> None:
        """Run once what the trigger, the slots and the DAG ``reconcile`` run."""
        drain_all(self.house)

    def may_call(self) -> None:
        """A Do-Not-Call-Me list of today is there, with a number of nobody."""
        listed = self.folder / "dncm.txt"
        listed.write_text("+32470999999\n")
        import_numbers(self.house, listed, brussels_today(), "anna", datetime.now(UTC))

    def unmerge(self, principal: str = ENERGY[0]) -> int:
        """Leave the index as if nobody had merged it by day; how many runs were in a merge."""
        merged = self.house.conn.execute("select from index_merge_run").rowcount
        self.house.conn.execute("delete from index_merge")
        sweep_merged(self.house, Principal(principal))
        return merged

    def line(self, dropped: StoredObject) -> ExchangeLine:
        """The exchange of one object version."""
        return find_by_versions(self.house.conn, [dropped.version_id])[dropped.version_id]

    def shown(self, dropped: StoredObject) -> Shown:
        """The whole document of that exchange."""
        return show_exchange(self.house.conn, self.line(dropped).id)

    def lines(self) -> list[ExchangeLine]:
        return list_exchanges(self.house.conn)

    def objects(self, bucket: str) -> list[StoredObject]:
        """Every object version of a bucket."""
        return list(self.house.objects.list_versions(bucket, ""))

    def sql(self, statement: str) -> list[Mapping[str, Any]]:
        return list(self.house.conn.execute(statement.encode()).fetchall())


JANUARY = datetime(2026, 1, 2, tzinfo=UTC)
"""Papers that are known since then hold on whatever day of the tests a request comes."""


@contextmanager
def open_desk(settings: Settings, folder: Path, known_at: datetime | None = None) -> Iterator[Desk]:
    """A desk with the papers of the checkout in force. ``known_at``: since when they are known; now by default."""
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, known_at or datetime.now(UTC))
        yield Desk(house, folder)


def environment(settings: Settings) -> dict[str, str]:
    """The settings for another process."""
    hidden = {name: value.get_secret_value() for name, value in settings if isinstance(value, SecretStr)}
    plain = settings.model_dump(exclude_none=True, exclude=set(hidden))
    given = {f"SLUICE_{name.upper()}": str(value) for name, value in (plain | hidden).items()}
    return {**os.environ, **given}


@contextmanager
def requests(desk: Desk) -> Iterator[list[str]]:
    """What the store is asked for while the block runs, as its client says it."""
    events, asked = desk.house.objects._client.meta.events, list[str]()

    def note(model: Any, **_: object) -> None:
        asked.append(model.name)

    events.register("before-call.s3", note)
    yield asked
    events.unregister("before-call.s3", note)
