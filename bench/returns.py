"""A return of one day: joined, checked, gated, written, recorded, receipted and delivered.

FLOOR is DuckDB on the same lake objects: it keeps the last delivery of each contact and the last
contact of each record, joins them to the contacts and writes the CSV. It checks no person, no agent
and no rule, keeps no record and tells nobody. Ours starts at the objects in S3 and ends when the
file, its receipt and its role statement lie in the principal's prefix.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from bench import BenchRow, Cost, cost, median, progress
from bench.stores import an_installation
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.read import ExchangeLine, list_exchanges
from sluice.returns.drain import drain_returns
from sluice.returns.release import release
from sluice.sample.exports import Platform
from sluice.sample.files import write_campaign
from sluice.sample.results import Cast, ResultPlan, write_results
from sluice.settings import Settings
from sluice.staff.admit import admit
from sluice.staff.model import StaffFile
from sluice.terms import Direction, Flow, Principal
from sluice.times import BRUSSELS

SEED = 20_261_125
ROUNDS = 3
PER_CONTACT = 2.4
ENERGY, RETURN = Principal("energy01"), Flow("renewal_results")
FLOOR = """
    copy (
        with last_update as (
            select * from read_parquet($results)
            qualify row_number() over (partition by contact_id order by updated_at desc, disposition desc) = 1
        ), last_contact as (
            select * from last_update
            qualify row_number() over (partition by record_id order by started_at desc, contact_id desc) = 1
        )
        select c.customer_number, c.phone, c.product, r.started_at, r.disposition, r.callback_at, r.order_number,
               r.note, r.recording_ref, r.agent, r.talk_seconds
        from last_contact r join read_parquet($contacts) c on c.customer_number = r.record_id
        order by c.customer_number
    ) to '{target}' (format csv, delimiter ';', header)
"""


def rows(size: int) -> Iterator[BenchRow]:
    """``size / 2`` contacts with 2.4 results each (500,000 and 1,200,000 when full)."""
    contacts = size // 2
    with an_installation() as settings, TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        with open_house(settings) as house:
            activate_all(house.conn, settings.principals_dir, datetime.now(UTC))
            _arrive(house, folder, contacts)
            base = median([cost(lambda: _floor(settings, folder)) for _ in range(ROUNDS)])
            progress("return: made, released and delivered")
            made = cost(lambda: drain_returns(house, ENERGY, RETURN, datetime.now(UTC), {}))
            delivered = cost(lambda: _release(house))
        [line] = _returns(settings)
    yield from _told(base, made, delivered, line.rows_in or 0, line.rows_accepted or 0)


def _told(base: Cost, made: Cost, delivered: Cost, rows_in: int, rows_out: int) -> Iterator[BenchRow]:
    text = f"FLOOR DuckDB join + write {base.wall_s:.2f} s wall, {base.cpu_s:.2f} s CPU"
    whole = made.wall_s + delivered.wall_s
    what = f"return of {rows_out:,} of {rows_in:,} rows"
    yield BenchRow("returns", f"{what}: wall", whole / base.wall_s, "x", text, goal=2.0, at_least=False)
    yield BenchRow("returns", f"{what}: CPU", (made.cpu_s + delivered.cpu_s) / base.cpu_s, "x", text)
    yield BenchRow("returns", "made", made.wall_s, "s", f"released and delivered {delivered.wall_s:.2f} s")


def _arrive(house: House, folder: Path, contacts: int) -> None:
    """Contacts, staff and results of a day that is due at any hour come in through the gate."""
    day = (datetime.now(BRUSSELS) - timedelta(days=2)).date()
    progress(f"{contacts:,} contacts arrive")
    source = folder / "contacts.csv"
    write_campaign(source, contacts, SEED)
    house.objects.put(house.settings.bucket_exchange, f"{ENERGY}/inbound/renewal_campaign/c.csv", source, "text/csv")
    drain_all(house)
    agents = [f"agent{number:02}" for number in range(40)]
    admit(
        house.conn, StaffFile(staff_file(agents), "file"), key=house.keyring.staff_key(), controller="center",
        now=datetime.now(UTC),
    )  # fmt: skip
    frame = pl.read_csv(source, separator=";", infer_schema=False).select(
        pl.col("customer_number").alias("record_id"),
        "phone",
        pl.col("last_name").alias("name"),
        pl.lit("RENEWAL_2026").alias("campaign"),
        "language",
    )
    results = round(contacts * PER_CONTACT)
    progress(f"{results:,} results arrive")
    log = folder / "results.csv"
    write_results(
        log, Platform.FIVE9, frame, SEED, plan=ResultPlan(duplicate=results // 10), on=day, results=results,
        cast=Cast(agents=tuple(agents)),
    )  # fmt: skip
    house.objects.put(house.settings.bucket_internal, f"{ENERGY}/internal/renewal_results/r.csv", log, "text/csv")
    drain_all(house)
    _fetch(house, folder)


def staff_file(agents: list[str]) -> bytes:
    """Everybody is ready."""
    lines = ["kind,agent,at,version,whole,score", "code_version,,2026-01-01T00:00:00+01:00,coc-4,,"]
    for agent in agents:
        lines += [
            f"course,{agent},2026-09-01T09:00:00+02:00,gdpr-2,yes,",
            f"exam,{agent},2026-09-02T09:00:00+02:00,gdpr-2,yes,95",
            f"signature,{agent},2026-09-03T09:00:00+02:00,coc-4,,",
        ]
    return ("\n".join(lines) + "\n").encode()


def _fetch(house: House, folder: Path) -> None:
    """The lake objects on local disk, for the floor."""
    for row in house.conn.execute("select direction, bucket, key, version_id from accepted_data").fetchall():
        name = "contacts" if row["direction"] == "inbound" else "results"
        house.objects.fetch(row["bucket"], row["key"], row["version_id"], folder / f"{name}.parquet")


def _floor(settings: Settings, folder: Path) -> None:
    paths = {"results": str(folder / "results.parquet"), "contacts": str(folder / "contacts.parquet")}
    with duckdb.connect() as floor:
        floor.execute(FLOOR.format(target=folder / "floor.csv"), paths)


def _release(house: House) -> None:
    [line] = list_exchanges(house.conn, direction=Direction.OUTBOUND_RETURN)
    release(house, line.id, "bench", datetime.now(UTC))
    drain_returns(house, ENERGY, RETURN, datetime.now(UTC), {})


def _returns(settings: Settings) -> list[ExchangeLine]:
    with open_house(settings) as house:
        return list_exchanges(house.conn, direction=Direction.OUTBOUND_RETURN)
