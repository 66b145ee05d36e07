"""The demo's night: results of both principals come in, and what may leave goes back to them.

The center puts the results, and Airflow does the rest. A second person releases, and the principals read and
acknowledge with their own keys.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sluice.db import Connection
from sluice.demo.night_files import ENERGY, SOURCES, TELECOM, Export, Source, shuffled
from sluice.demo.story import DemoUnfinished, as_principal
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.read import ExchangeLine, find_by_versions, show_exchange
from sluice.lake.s3.objects import ObjectStore
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.returned import PreparedReturn, ReleasedReturn
from sluice.ledger.store import find_entry
from sluice.media_types import CSV, JSON
from sluice.returns.ack import AckOutcome
from sluice.returns.ack_store import list_ack_files
from sluice.returns.drain import drain_returns
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.returns.reminders import follow
from sluice.settings import Settings
from sluice.staff.admit import admit
from sluice.staff.model import StaffFile
from sluice.terms import ACCEPTED_DECISIONS, ExchangeId, Principal

WAIT_SECONDS = 180
RELEASER = "an.peeters"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Return:
    """One return of the night. ``record``: the prepared one while it waits, the closed one afterwards."""

    source: Source
    day: date
    id: str
    key: str
    prepared_by: str | None
    released_by: str | None
    is_done: bool
    """Whether it is closed and receipted, and nothing is left to do for it."""
    record: ExchangeRecord

    @property
    def is_sent(self) -> bool:
        """Whether the principal has its file."""
        return self.is_done and self.record.decision in ACCEPTED_DECISIONS


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a principal finds under its ``outbound/`` for one return, read with its own key."""

    of: Return
    path: Path
    roles: Path
    key: Path
    """The center's public key, which is beside its receipts."""
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """What was put, and everything that came of it."""

    day: date
    exports: tuple[Export, ...]
    results: Mapping[Principal, ExchangeRecord]
    """Records of the first delivery of results, by principal."""
    first: tuple[Return, ...]
    correction: Return
    repeated: Return
    """What came of telecom01's results when they were delivered again in another order."""
    delivered: tuple[Delivered, ...]
    corrected: Delivered
    preparer_refused: bool
    acks: Mapping[str, AckOutcome]
    """Outcome of each file put under ``acks/``, by its name."""
    seconds: Mapping[str, float]

    @property
    def ids(self) -> tuple[str, ...]:
        """Exchanges of the night that ended."""
        made = (*self.first, self.correction, self.repeated)
        return (*(record.exchange_id for record in self.results.values()), *(each.id for each in made))


def import_staff(house: House, staff: bytes) -> int:
    """Import a staff file as `sluice staff import` does. Returns the number of new rows."""
    key = house.keyring.staff_key()
    done = admit(house.conn, StaffFile(staff, "file"), key=key, controller=house.settings.center, now=datetime.now(UTC))
    return done.rows_new


def run_night(house: House, day: date, exports: tuple[Export, ...], folder: Path, seed: int, say: Say) -> Night:
    """Run the whole night of ``day``. ``say`` gets each step. Raises DemoUnfinished if Airflow does not come."""
    energy, telecom = exports
    seconds: dict[str, float] = {}
    say("the center drops the results of both platforms; Airflow makes the returns")
    with _timed(seconds, "results to delivered, or to waiting for release"):
        results = arrive(house, {export.source: export.path for export in exports})
        first = (
            wait_for(house, ENERGY, day, lambda made: made.prepared_by is not None),
            wait_for(house, TELECOM, day, lambda made: made.is_sent),
        )
    say(f"{RELEASER} releases energy01's; airflow, which prepared it, cannot")
    refused = is_refused_to(house, first[0].prepared_by or "", first[0].id)
    with _timed(seconds, "release to delivered"):
        first = (let_go(house, first[0], RELEASER), first[1])
    delivered = tuple(fetch(house.settings, made, folder) for made in first)
    say("each principal fetches its file and acknowledges it, with its own key")
    acks = acknowledge(house, delivered)
    say("late dispositions of energy01 arrive; telecom01's results arrive again, shuffled")
    with _timed(seconds, "late results to correction waiting"):
        assert energy.late is not None
        arrive(house, {ENERGY: energy.late, TELECOM: shuffled(telecom, folder, seed)})
        late = wait_for(house, ENERGY, day, lambda made: made.prepared_by is not None, after=first[0])
        repeated = wait_for(house, TELECOM, day, lambda made: made.is_done, after=first[1])
    correction = let_go(house, late, RELEASER)
    corrected = fetch(house.settings, correction, folder)
    return Night(day, exports, results, first, correction, repeated, delivered, corrected, refused, acks, seconds)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[name] = time.monotonic() - started


def arrive(house: House, exports: Mapping[Source, Path]) -> dict[Principal, ExchangeRecord]:
    """Put exports where only the center can, and wait until Airflow has accepted the results.

    Raises DemoUnfinished, also if some were not accepted.
    """
    versions = {_put(house, source, path): source for source, path in exports.items()}
    deadline = time.monotonic() + WAIT_SECONDS
    lines: Mapping[str, ExchangeLine] = {}
    while time.monotonic() < deadline and not (len(lines) == len(versions) and all(map(_is_done, lines.values()))):
        time.sleep(0.2)
        lines = find_by_versions(house.conn, list(versions))
    records = {source.principal: _record_of(house, lines.get(version)) for version, source in versions.items()}
    if bad := [record for record in records.values() if record.decision not in ACCEPTED_DECISIONS]:
        raise DemoUnfinished(*(Ref(f"results {each.exchange_id}", each.reason_code or each.decision) for each in bad))
    return records


def _put(house: House, source: Source, path: Path) -> str:
    key = f"{source.principal}/internal/{source.flow}/{path.name}"
    return house.objects.put(house.settings.bucket_internal, key, path, CSV).version_id


def _is_done(line: ExchangeLine) -> bool:
    return line.receipt_at is not None and not line.waiting_effects


def _record_of(house: House, line: ExchangeLine | None) -> ExchangeRecord:
    record = show_exchange(house.conn, line.id).record if line else None
    if record is None:
        raise DemoUnfinished(Ref("results", line.id if line else "not opened"))
    return record


def wait_for(
    house: House, source: Source, day: date, until: Callable[[Return], bool], after: Return | None = None
) -> Return:
    """Wait until ``until`` holds for the youngest return of a day, other than ``after``. Raises DemoUnfinished."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        made = find_return(house.conn, source, day)
        if made and (after is None or made.id != after.id):
            if until(made):
                return made
            _check_goes_on(made)
        time.sleep(0.2)
    raise DemoUnfinished(Ref("return", f"{source.principal}/{source.flow}"), Ref("day", str(day)))


def _check_goes_on(made: Return) -> None:
    """Check a return that ended without a file: it may only be the same as before. Raises DemoUnfinished."""
    reason = made.record.reason_code or ""
    if made.is_done and not made.is_sent and not reason.startswith("DUPLICATE"):
        raise DemoUnfinished(Ref("return", made.id), Ref("reason", reason))


def find_return(conn: Connection, source: Source, day: date) -> Return | None:
    """Return the youngest return of a day that is prepared or closed."""
    row = conn.execute(
        """select exchange_id::text as id, key, receipt_at is not null
               and not exists (select from outbox o where o.exchange_id = e.exchange_id and done_at is null) as done
           from exchange e where principal = %s and flow = %s and day = %s and direction = 'outbound_return'
             and (prepared_at is not null or closed_at is not null) order by opened_at desc limit 1""",
        (source.principal, source.flow, day),
    ).fetchone()
    if row is None:
        return None
    exchange_id = ExchangeId(row["id"])
    prepared, released, closed = (
        find_entry(conn, exchange_id, kind)
        for kind in (EntryKind.RETURN_PREPARED, EntryKind.RETURN_RELEASED, EntryKind.EXCHANGE_CLOSED)
    )
    draft = PreparedReturn.model_validate_json(prepared.body) if prepared else None
    record = ExchangeRecord.model_validate_json(closed.body) if closed else draft.record if draft else None
    if record is None:
        return None
    return Return(
        source=source,
        day=day,
        id=exchange_id,
        key=row["key"],
        prepared_by=draft.prepared_by if draft else None,
        released_by=ReleasedReturn.model_validate_json(released.body).released_by if released else None,
        is_done=row["done"],
        record=record,
    )


def is_refused_to(house: House, by: str, exchange_id: str) -> bool:
    """Whether ``by`` is refused the release of a return."""
    try:
        release(house, exchange_id, by, datetime.now(UTC))
    except NotReleasable:
        return True
    return False


def let_go(house: House, made: Return, by: str) -> Return:
    """Release a prepared return and deliver it, as `sluice exchange release` does."""
    now = datetime.now(UTC)
    release(house, made.id, by, now)
    drain_returns(house, made.source.principal, made.source.flow, now, {})
    return wait_for(house, made.source, made.day, lambda each: each.is_done)


def fetch(settings: Settings, made: Return, folder: Path) -> Delivered:
    """Download file, roles and public key with the principal's own key."""
    principal, bucket = made.source.principal, settings.bucket_exchange
    objects = ObjectStore(as_principal(settings, principal))
    mine = folder / made.id
    mine.mkdir(parents=True, exist_ok=True)
    names = sorted(item.key.rsplit("/", 1)[-1] for item in objects.list_versions(bucket, made.key))
    path = mine / made.key.rsplit("/", 1)[-1]
    roles, key = path.with_name(f"{path.name}.roles.json"), mine / "receipt-key.pem"
    if made.is_sent:
        path.write_bytes(objects.read(bucket, made.key))
        roles.write_bytes(objects.read(bucket, f"{made.key}.roles.json"))
    key.write_bytes(objects.read(bucket, f"{principal}/receipts/receipt-key.pem"))
    return Delivered(made, path, roles, key, tuple(names))


def acknowledge(house: House, delivered: tuple[Delivered, ...]) -> dict[str, AckOutcome]:
    """Let each principal acknowledge its file. Then energy01 acknowledges telecom01's as well, which closes nothing.

    The files are read at once, as the DAG ``acknowledgements`` does every five minutes.
    """
    put: dict[str, str] = {}
    energy, telecom = delivered
    said = {"exchange": energy.of.id, "sha256": energy.of.record.what.sha256}
    for source, name, content in (
        (ENERGY, f"{energy.of.id}.json", json.dumps(said).encode()),
        (TELECOM, f"{telecom.of.id}.ack", b""),
        (ENERGY, f"{telecom.of.id}.ack", b""),
    ):
        objects = ObjectStore(as_principal(house.settings, source.principal))
        key = f"{source.principal}/acks/{name}"
        put[objects.put(house.settings.bucket_exchange, key, content, JSON).version_id] = key
    follow(house, datetime.now(UTC))
    files = [file for source in SOURCES for file in list_ack_files(house.conn, source.principal)]
    return {put[file.version_id]: file.outcome for file in files if file.version_id in put}
