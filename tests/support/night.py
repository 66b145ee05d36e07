"""One night at the desk: contacts came in, agents called, results lie in the internal bucket."""

import csv
import gzip
import io
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
from pysequoia import Cert

from sluice.agreement.in_force.activate import activate_all
from sluice.agreement.model import DeliveryRules
from sluice.exchange.drain import Drained
from sluice.exchange.house import open_house
from sluice.exchange.read import ExchangeLine, list_exchanges, show_exchange
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import ExchangeRecord
from sluice.returns.drain import drain_returns
from sluice.returns.due import cut_off_of
from sluice.returns.held import HeldRow, list_held
from sluice.returns.release import release
from sluice.settings import Settings
from sluice.staff.admit import admit
from sluice.staff.model import StaffFile
from sluice.terms import Direction, Flow, Principal
from sluice.times import brussels_day
from support.copies import Copies
from support.desk import ENERGY, Desk

RESULTS = Flow("renewal_results")


def last_due(now: datetime) -> date:
    """The last day whose return is due: before the cut-off in the morning that is the day before yesterday."""
    today = brussels_day(now)
    days = (today - timedelta(days=back) for back in (1, 2))
    return next(day for day in days if cut_off_of(day, DeliveryRules().cut_off) <= now)


DUE_DAY = last_due(datetime.now(UTC))
HEAD = "kind,agent,at,version,whole,score"


def ago(days: int, hour: int = 9) -> str:
    """A moment so many days before the due day, as a staff file writes it (UTC)."""
    return f"{DUE_DAY - timedelta(days=days)}T{hour:02}:00:00Z"


STAFF = f"""{HEAD}
code_version,,{ago(300)},coc-4,,
course,agent01,{ago(120)},gdpr-2,yes,
exam,agent01,{ago(119)},gdpr-2,yes,95
signature,agent01,{ago(118)},coc-4,,
course,agent02,{ago(120)},gdpr-2,yes,
exam,agent02,{ago(119)},gdpr-2,yes,89.99
"""
"""agent01 is ready; agent02 failed the exam; nobody else exists."""
CALLED_AT = datetime.combine(DUE_DAY, time(10))
"""When a call is made by default, Brussels wall time."""
COLUMNS = (
    "CALL ID", "TIMESTAMP", "CAMPAIGN", "CALL TYPE", "AGENT", "DISPOSITION", "ANI", "CUSTOMER NAME", "DNIS",
    "CALL TIME", "TALK TIME", "AFTER CALL WORK TIME", "RECORDINGS", "record_id", "note", "callback_at", "order_number",
)  # fmt: skip


AGREEMENT, CONTRACT = "agreement-3.0.0.yaml", "renewal_results.outbound_return.odcs.yaml"
RESULTS_CONTRACT = "renewal_results.internal.odcs.yaml"


@dataclass(frozen=True)
class Edit:
    """One change to a paper of energy01, everywhere ``old`` stands in it."""

    file: str
    old: str
    new: str


AT_ONCE = Edit(AGREEMENT, "twoPersonRelease: true", "twoPersonRelease: false")
"""Nobody has to release: a return goes as soon as it is made."""


def with_papers(settings: Settings, folder: Path, *edits: Edit) -> Settings:
    """The installation with papers of its own: those of the checkout, changed."""
    papers = folder / "principals"
    for principal in (ENERGY[0], "telecom01"):
        shutil.copytree(settings.principals_dir / principal, papers / principal, dirs_exist_ok=True)
    for edit in edits:
        change(papers / ENERGY[0] / edit.file, edit.old, edit.new)
    return settings.model_copy(update={"principals_dir": papers})


def change(path: Path, old: str, new: str) -> None:
    """Replace a text that the file must contain."""
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def seal_returns(agreement: Path, certificate: Cert) -> None:
    """Returns under an agreement go out under PGP, sealed to this certificate."""
    pin = f"pgpKey: {{file: returns.asc, fingerprint: {certificate.fingerprint.upper()}}}"
    change(agreement, "pgpKey: null", pin)
    (agreement.parent / "returns.asc").write_bytes(bytes(certificate))


def add_contract(settings: Settings, like: str, flow: str, *changes: tuple[str, str]) -> Flow:
    """One more contract of energy01: that of the file ``like`` under the name of another flow, changed."""
    papers = settings.principals_dir / ENERGY[0]
    path = papers / like.replace(RESULTS, flow)
    shutil.copy(papers / like, path)
    for place in ("energy01.{}.renewal_results", "energy01/{}/renewal_results/"):
        for way in ("internal", "outbound_return", "outbound"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(place.format(way), place.format(way).replace(RESULTS, flow)), encoding="utf-8")
    for old, new in changes:
        change(path, old, new)
    return Flow(flow)


@dataclass(frozen=True)
class Call:
    """One line of a Five9 call log."""

    id: str
    record: str
    phone: str
    agent: str = "agent01"
    disposition: str = "Sale"
    at: datetime = CALLED_AT
    """Brussels wall time."""
    talk: str = "0:03:10"
    took: str = "0:04:00"
    """The whole call: a later report of the same call has a longer one, and that is its update time."""
    note: str = ""
    campaign: str = "RENEWAL_2026"
    recording: str = "rec-1"
    order: str = ""

    def cells(self) -> tuple[str, ...]:
        return (
            self.id, f"{self.at:%a, %d %b %Y %H:%M:%S}", self.campaign, "Outbound", self.agent, self.disposition,
            "+3225550000", "", self.phone, self.took, self.talk, "0:00:30", self.recording, self.record, self.note,
            "", self.order,
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

    def results(self, content: bytes, name: str = "log.csv", flow: Flow = RESULTS) -> StoredObject:
        """Have a platform's export arrive and be processed."""
        bucket = self.desk.settings.bucket_internal
        stored = self.desk.house.objects.put(bucket, f"energy01/internal/{flow}/{name}", content, "text/csv")
        self.desk.work()
        return stored

    def called(self, *calls: Call, name: str = "log.csv") -> StoredObject:
        """Have the log of these calls arrive and be processed."""
        return self.results(call_log(calls), name)

    def make(self, by: str = "airflow", now: datetime | None = None, flow: Flow = RESULTS) -> Drained:
        """Make returns once, as the outbound DAG does."""
        return drain_returns(self.desk.house, Principal(ENERGY[0]), flow, now or datetime.now(UTC), {}, by)

    def release(self, line: ExchangeLine, by: str = "an.peeters") -> None:
        """Have a second person release a prepared return, which is then delivered."""
        release(self.desk.house, line.id, by, datetime.now(UTC))
        self.make()

    def return_all(self, count: int) -> None:
        """So many were called, and their return was released and delivered."""
        calls = [Call(f"c{n}", record, phone) for n, (record, phone) in enumerate(self.people(count))]
        self.results(call_log(calls))
        self.make()
        self.release(self.returns()[0], "an")

    def admit(self, staff: str) -> None:
        """Import a staff file; ``HEAD`` names its columns."""
        key, file = self.desk.house.keyring.staff_key(), StaffFile(staff.encode(), "file")
        admit(self.desk.house.conn, file, key=key, controller="center", now=datetime.now(UTC))

    def record(self, line: ExchangeLine) -> ExchangeRecord:
        """The record of a closed exchange."""
        record = show_exchange(self.desk.house.conn, line.id).record
        assert record is not None
        return record

    def held(self, line: ExchangeLine) -> list[HeldRow]:
        """What `sluice exchange held` shows."""
        return list_held(self.desk.house, line.id)

    def returns(self, flow: Flow = RESULTS) -> list[ExchangeLine]:
        """Returns of a flow, newest first."""
        every = list_exchanges(self.desk.house.conn, direction=Direction.OUTBOUND_RETURN, limit=10_000)
        return [line for line in every if line.flow == flow]

    def file(self, line: ExchangeLine) -> bytes:
        """The delivered file of a return, as its principal reads it."""
        return self.desk.house.objects.read(self.desk.settings.bucket_exchange, self.record(line).what.key)

    def delivered(self) -> Mapping[str, bytes]:
        """Everything the principal can see under outbound/."""
        bucket, objects = self.desk.settings.bucket_exchange, self.desk.house.objects
        return {
            item.key: objects.read(bucket, item.key, item.version_id)
            for item in objects.list_versions(bucket, "energy01/outbound/")
        }


@contextmanager
def open_night(
    settings: Settings, folder: Path, contacts: int = 40, known_since: datetime | None = None
) -> Iterator[Night]:
    """Contacts of energy01 accepted, staff imported; nobody called yet.

    ``known_since``: the papers were in force so long already, so that returns of past days can be made.
    """
    with open_house(settings) as house:
        activate_all(house.conn, settings.principals_dir, known_since or datetime.now(UTC))
        desk = Desk(house, folder)
        path, _ = desk.campaign(contacts)
        desk.drop(path)
        desk.work()
        night = Night(desk, path)
        night.admit(STAFF)
        yield night


def contacts_in(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Fill an installation with accepted contacts."""
    with open_night(with_papers(settings, folder, *edits), folder):
        pass


def three_returned(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Fills an installation: three were called, and returned at once."""
    with open_night(with_papers(settings, folder, AT_ONCE, *edits), folder) as night:
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
        night.make()


@contextmanager
def copied_night(
    copies: Copies, folder: Path, *edits: Edit, fill: Callable[..., None] = contacts_in
) -> Iterator[Night]:
    """A copy of an open night under these papers, or of what ``fill`` made of one."""
    with copies.of(fill, folder, *edits) as settings, open_house(settings) as house:
        [path] = folder.glob("campaign-1-*.csv")
        yield Night(Desk(house, folder), path)


CAMPAIGN = "renewal_campaign.inbound.odcs.yaml"
ANY_NAME = Edit(CAMPAIGN, "renewal_campaign/*.csv", "renewal_campaign/*")


@dataclass(frozen=True)
class Form:
    """How a campaign is sent: the end of its name, how it is made of CSV, what the contract says."""

    ending: str
    pack: Callable[[bytes], bytes]
    edits: tuple[Edit, ...] = ()


def rows_of(content: bytes) -> pl.DataFrame:
    """Every cell of a campaign as text."""
    return pl.read_csv(content, separator=";", infer_schema=False)


def zipped(content: bytes) -> bytes:
    """Pack content into a ZIP file of one member."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("campaign.csv", content)
    return out.getvalue()


def _frame_form(ending: str, write: str) -> Form:
    def written(content: bytes) -> bytes:
        out = io.BytesIO()
        getattr(rows_of(content), write)(out)
        return out.getvalue()

    return Form(ending, written, (ANY_NAME, Edit(CAMPAIGN, "format: csv", f"format: {ending}")))


FORMS = {
    "csv": Form("csv", bytes),
    "gzip": Form("csv.gz", gzip.compress, (ANY_NAME,)),
    "zip": Form("zip", zipped, (ANY_NAME,)),
    "parquet": _frame_form("parquet", "write_parquet"),
    "xlsx": _frame_form("xlsx", "write_excel"),
    "json": _frame_form("json", "write_json"),
    "ndjson": _frame_form("ndjson", "write_ndjson"),
}
