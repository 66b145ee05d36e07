"""SIGKILL at many points of the outbound path, each followed by a rerun until all is quiet."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from returns.victim import work
from sluice.documents.statement import verify_statement
from sluice.exchange.effects.run import do_effects
from sluice.exchange.read import ExchangeLine
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.verify import verify
from sluice.settings import Settings
from sluice.times import BRUSSELS
from support.desk import environment
from support.effort import chosen, effort
from support.forks import Fork, forked
from support.night import AT_ONCE, DUE_DAY, Call, Night, call_log, open_night, with_papers

POINTS = effort(1, 34)
"""Evenly spread kills, beside one in each chosen place; each has a day of its own, of 100 at most."""
BESIDE = ("odcs.yaml", "receipt.json", "receipt.pdf", "roles.json")
PLACES = frozenset(
    {
        "returns/due", "returns/carry", "returns/make", "returns/keep", "exchange/close", "exchange/effects/run",
        "exchange/effects/deliver", "exchange/store", "lake/s3/objects", "ledger/append",
    }
)  # fmt: skip
"""What it has to have died in at least once, of those that are chosen."""
STEP_IN_PLACE = 3


def cut_off_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(6, 1), BRUSSELS)


@dataclass(frozen=True)
class Victim:
    """Processes that work and die at a given step."""

    process: Fork

    def run(self, kill_at: int, day: date, within: str = "") -> tuple[bool, int, str]:
        """Whether it was killed, the steps it counted, and where it ended; at the cut-off of ``day``.

        ``within``: the module whose steps alone count; all that are watched by default.
        """
        self.process.write(f"{kill_at} {cut_off_after(day).isoformat()} {within}")
        status, steps, place = self.process.read().split()
        return int(status) == 9, int(steps), place


@contextmanager
def open_victim(night: Night) -> Iterator[Victim]:
    with forked(Path(__file__).with_name("victim.py"), environment(night.desk.settings)) as process:
        yield Victim(process)


@contextmanager
def open_season(settings: Settings, folder: Path, days: list[date]) -> Iterator[Night]:
    """Fill an installation: three calls per day in the lake, no return made yet."""
    long_ago = datetime.combine(days[0] - timedelta(days=1), time(), BRUSSELS)
    with open_night(settings, folder, 10, known_since=long_ago) as night:
        people = night.people(3)
        calls = [
            Call(f"{day}-{n}", *person, at=datetime.combine(day, time(10 + n)))
            for day in days
            for n, person in enumerate(people)
        ]
        night.results(call_log(calls))
        yield night


def days_before_today(count: int) -> list[date]:
    return [DUE_DAY - timedelta(days=back) for back in reversed(range(count))]


@pytest.mark.timeout(900)
@pytest.mark.evidence
@pytest.mark.parametrize("releases", [pytest.param("at once", marks=pytest.mark.long), "by a second person"])
def test_killed_anywhere_a_rerun_delivers_exactly_once(
    store_settings: Settings, tmp_path: Path, releases: str, record_property: Callable[[str, object], None]
) -> None:
    within = chosen(sorted(PLACES), 3)
    settings = with_papers(store_settings, tmp_path, *([AT_ONCE] if releases == "at once" else []))
    first, second, *days = days_before_today(POINTS + len(within) + 2)
    with open_season(settings, tmp_path, [first, second, *days]) as night, open_victim(night) as victim:
        steps, after = victim.run(0, first)[1], victim.run(0, second)[1]
        looks = (after - steps) // 2  # every day that was made before is looked at, twice
        places = []
        for number, day in enumerate(days):
            if number < POINTS:  # evenly spread; the release lies between the looks
                before = 2 if releases != "at once" and number > POINTS // 2 else 1
                killed, _, place = victim.run(
                    before * looks * (number + 2) + 1 + steps * (2 * number + 1) // (2 * POINTS), day
                )
            else:  # and once in each place, because a spread may step over a short one
                killed, _, place = victim.run(STEP_IN_PLACE, day, within[number - POINTS])
            assert killed
            places.append(place)
            assert half_visible(night) == []
            rerun(night, day)
            assert half_visible(night) == []
        returns, seen = night.returns(), look(night)
        wrong = [(places[n - 2], why) for n, line in enumerate(reversed(returns)) if (why := faults(night, seen, line))]
        assert wrong == []
        assert len(returns) == len(days) + 2
        assert holds(night)
        assert {each for place in places for each in place.split("<")} >= set(within)
        check_sees_a_second_delivery_and_one_without_receipt(night, returns[0])
    record_property(
        f"SIGKILL points of the outbound path, released {releases}: whole, once, with receipt after rerun",
        f"{len(places) - len(wrong)} of {len(places)} ({steps} steps)",
    )


def rerun(night: Night, day: date) -> None:
    """Work again until nothing is left to do; what waits for its next attempt need not wait here."""
    for _ in range(5):
        night.desk.house.conn.execute(
            "update exchange set next_attempt_at = now() where decision = 'open' and next_attempt_at < 'infinity'"
        )
        night.desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
        work(night.desk.house, cut_off_after(day))
        do_effects(night.desk.house)  # as `reconcile` does: lineage that the dead one owed
        if not night.desk.sql(
            "select 1 from exchange where decision = 'open' union all select 1 from outbox where done_at is null"
        ):
            return
    raise AssertionError("not quiet")


@dataclass(frozen=True)
class Seen:
    """What lies in the stores: versions by key of the principal's bucket, and returns kept in the lake."""

    shared: Mapping[str, list[StoredObject]]
    kept: list[str]


def look(night: Night) -> Seen:
    shared: dict[str, list[StoredObject]] = {}
    for item in night.desk.objects(night.desk.settings.bucket_exchange):
        shared.setdefault(item.key, []).append(item)
    lake = night.desk.house.objects.list_versions(night.desk.settings.bucket_lake, "_returns/")
    return Seen(shared, [item.key for item in lake])


def half_visible(night: Night) -> list[str]:
    """Files of a return without all that explains them, or without a receipt and a closed record."""
    bucket = night.desk.settings.bucket_exchange
    seen = {item.key for item in night.desk.house.objects.list_versions(bucket, "energy01/outbound/")}
    closed = {
        str(row["key"])
        for row in night.desk.sql(
            """select key from exchange join ledger.entry using (exchange_id)
               where kind = 'exchange.closed' and receipt_at is not null"""
        )
    }
    files = [key for key in seen if not key.endswith(BESIDE)]
    return [key for key in files if key not in closed or any(f"{key}.{name}" not in seen for name in BESIDE)]


def faults(night: Night, seen: Seen, line: ExchangeLine) -> list[str]:
    """Everything that is wrong with a delivered return; empty if nothing is."""
    desk, record = night.desk, night.record(line)
    key, bucket = record.what.key, desk.settings.bucket_exchange
    kinds = [str(row["kind"]) for row in desk.sql(f"select kind from ledger.entry where exchange_id = '{line.id}'")]
    released = ["return.prepared", "return.released"] if "return.prepared" in kinds else []
    acks = desk.sql(f"select 1 from acknowledgement where exchange_id = '{line.id}'")
    copies = desk.sql(f"select 1 from copy where exchange_id = '{line.id}' and kind = 'delivered'")
    receipts = [name for name in seen.shared if "/receipts/" in name and line.id in name]
    statement = verify_statement(desk.house.objects.read(bucket, f"{key}.roles.json"), desk.house.keyring.public_pem)
    content = desk.house.objects.read(bucket, key)
    checks = {
        "decision": line.decision == "accepted",
        "entries": sorted(kinds) == sorted(["exchange.opened", "exchange.closed", *released]),
        "versions": all(len(seen.shared.get(name, ())) == 1 for name in (key, *(f"{key}.{end}" for end in BESIDE))),
        "bytes": hashlib.sha256(content).hexdigest() == record.what.sha256 == statement.files[0].sha256,
        "receipt": sorted(name.rpartition(".")[2] for name in receipts) == ["json", "pdf"],
        "acknowledgement awaited": len(acks) == 1,
        "delivered copy": len(copies) == 1,
        "kept return": len([name for name in seen.kept if line.id in name]) == 1,
        "effects": line.waiting_effects == (),
    }
    return [name for name, holds in checks.items() if not holds]


def holds(night: Night) -> bool:
    return verify(night.desk.house.conn, public_pem=night.desk.house.keyring.public_pem).valid


def check_sees_a_second_delivery_and_one_without_receipt(night: Night, line: ExchangeLine) -> None:
    """The control."""
    objects, bucket = night.desk.house.objects, night.desk.settings.bucket_exchange
    key = night.record(line).what.key
    objects.put(bucket, "energy01/outbound/renewal_results/bare.csv", b"x", "text/csv")
    assert half_visible(night) == ["energy01/outbound/renewal_results/bare.csv"]
    objects.put(bucket, key, objects.read(bucket, key), "text/csv")
    assert faults(night, look(night), line) == ["versions"]
    for item in look(night).shared[f"{key}.receipt.json"]:
        objects.delete_version(bucket, item.key, item.version_id)
    assert key in half_visible(night)
