"""One night at the desk: contacts came in, agents called, results lie in the internal bucket."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import polars as pl

from desk import ENERGY, Desk, open_desk
from sluice.exchange.drain import Drained
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.read import ExchangeLine, list_exchanges
from sluice.lake.objects import StoredObject
from sluice.returns.drain import drain_returns
from sluice.settings import Settings
from sluice.staff.admit import admit
from sluice.staff.model import StaffFile
from sluice.terms import Direction, Flow, Principal

RESULTS = Flow("renewal_results")
STAFF = b"""kind,agent,at,version,whole,score
code_version,,2026-01-01T00:00:00+01:00,coc-4,,
course,agent01,2026-09-01T09:00:00+02:00,gdpr-2,yes,
exam,agent01,2026-09-02T09:00:00+02:00,gdpr-2,yes,95
signature,agent01,2026-09-03T09:00:00+02:00,coc-4,,
course,agent02,2026-09-01T09:00:00+02:00,gdpr-2,yes,
exam,agent02,2026-09-02T09:00:00+02:00,gdpr-2,yes,89.99
"""
"""agent01 is ready; agent02 failed the exam; nobody else exists."""
YESTERDAY = (datetime.now(BRUSSELS) - timedelta(days=1)).date()
COLUMNS = (
    "CALL ID", "TIMESTAMP", "CAMPAIGN", "CALL TYPE", "AGENT", "DISPOSITION", "ANI", "CUSTOMER NAME", "DNIS", "CALL TIME",
    "TALK TIME", "AFTER CALL WORK TIME", "RECORDINGS", "record_id", "note", "callback_at", "order_number",
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One line of a Five9 call log."""

    id: str
    record: str
    phone: str
    agent: str = "agent01"
    disposition: str = "Sale"
    at: datetime = datetime.combine(YESTERDAY, time(10))
    """Brussels wall time."""
    talk: str = "0:03:10"
    note: str = ""
    campaign: str = "RENEWAL_2026"
    recording: str = "rec-1"
    order: str = ""

    def cells(self) -> tuple[str, ...]:
        return (
            self.id, f"{self.at:%a, %d %b %Y %H:%M:%S}", self.campaign, "Outbound", self.agent, self.disposition, "+3225550000", "", self.phone,
            "0:04:00", self.talk, "0:00:30", self.recording, self.record, self.note, "", self.order,
        )  # fmt: skip


def call_log(calls: Sequence[Call]) -> bytes:
    """A Five9 call log."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(call.cells() for call in calls)
    return text.getvalue().encode()


@dataclass(frozen=True)
class Night:
    """A desk with contacts, and what it takes to call them and return what came out."""

    desk: Desk
    contacts: Path

    def people(self, count: int) -> list[tuple[str, str]]:
        """Record id and phone of the first contacts."""
        frame = pl.read_csv(self.contacts, separator=";", infer_schema=False)
        return list(frame.select("customer_number", "phone").head(count).iter_rows())

    def results(self, content: bytes, name: str = "log.csv") -> StoredObject:
        """The platform's export arrives, and is worked off."""
        bucket = self.desk.settings.bucket_internal
        stored = self.desk.house.objects.put(bucket, f"energy01/internal/{RESULTS}/{name}", content, "text/csv")
        self.desk.work()
        return stored

    def make(self, by: str = "airflow", now: datetime | None = None) -> Drained:
        """What the outbound DAG does once."""
        return drain_returns(self.desk.house, Principal(ENERGY[0]), RESULTS, now or datetime.now(UTC), {}, by)

    def returns(self) -> list[ExchangeLine]:
        """Returns, newest first."""
        return list_exchanges(self.desk.house.conn, direction=Direction.OUTBOUND_RETURN)

    def delivered(self) -> Mapping[str, bytes]:
        """Everything the principal can see under outbound/."""
        bucket, objects = self.desk.settings.bucket_exchange, self.desk.house.objects
        return {
            item.key: objects.read(bucket, item.key, item.version_id)
            for item in objects.list_versions(bucket, "energy01/outbound/")
        }


@contextmanager
def open_night(settings: Settings, folder: Path, contacts: int = 40) -> Iterator[Night]:
    """Contacts of energy01 accepted, staff imported; nobody called yet."""
    with open_desk(settings, folder) as desk:
        path, _ = desk.campaign(contacts)
        desk.drop(path)
        desk.work()
        key = desk.house.keyring.staff_key()
        admit(desk.house.conn, StaffFile(STAFF, "file"), key=key, controller="center", now=datetime.now(UTC))
        yield Night(desk, path)
