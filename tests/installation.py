"""What a journey does with a whole installation: drop, wait, kill, look."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice.db import connect
from sluice.exchange.read import ExchangeLine, find_by_versions
from sluice.lake.objects import ObjectStore, StoredObject
from sluice.sample.files import write_campaign
from sluice.services.stack import fresh_settings
from sluice.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[1]
Record = Callable[[str, object], None]
ENERGY = ("energy01", "renewal_campaign")


@dataclass(frozen=True)
class Put:
    """A file in the store, and when it was put (UTC, before the request)."""

    object: StoredObject
    at: datetime


class Stack:
    """What a journey does with the installation: drop, wait, kill, look."""

    def __init__(self, var: Path, folder: Path) -> None:
        self.var, self.folder = var, folder
        self.settings: Settings = fresh_settings(CHECKOUT, var)
        self.objects = ObjectStore(self.settings)
        self._seed = int(time.time())

    def campaigns(self, count: int, rows: int = 200) -> list[Path]:
        """Files of energy01, each with a content of its own."""
        paths = []
        for _ in range(count):
            self._seed += 1
            paths.append(self.folder / f"campaign-{self._seed}.csv")
            write_campaign(paths[-1], rows, self._seed)
        return paths

    def put(self, path: Path, where: tuple[str, str] = ENERGY) -> Put:
        at = datetime.now(UTC)
        key = f"{where[0]}/inbound/{where[1]}/{path.name}"
        return Put(self.objects.put(self.settings.bucket_exchange, key, path, "text/csv"), at)

    def wait(self, puts: Sequence[Put], seconds: float = 180) -> dict[str, ExchangeLine]:
        """Until every file has its receipt and nothing waits in the outbox; by version id."""
        deadline = time.monotonic() + seconds
        while True:
            lines = self.lines(puts)
            if all(line.receipt_at and not line.waiting_effects for line in lines.values()) and len(lines) == len(puts):
                return lines
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{len(puts)} files, after {seconds} s: {[line.decision for line in lines.values()]}"
                )
            time.sleep(0.25)

    def lines(self, puts: Sequence[Put]) -> dict[str, ExchangeLine]:
        """Their exchanges so far; none while the database is away."""
        try:
            with connect(self.settings) as conn:
                return find_by_versions(conn, [put.object.version_id for put in puts])
        except Exception:
            return {}

    def seconds(self, puts: Sequence[Put], lines: dict[str, ExchangeLine]) -> list[float]:
        """Put to receipt, in seconds, per file."""
        found = []
        for put in puts:
            receipt_at = lines[put.object.version_id].receipt_at
            assert receipt_at is not None
            found.append((receipt_at - put.at).total_seconds())
        return sorted(found)

    def pid(self, service: str) -> int:
        done = self.sluice("status", "--format", "json")
        services = json.loads(done.stdout)["services"]
        return int(next(each["pid"] for each in services if each["name"] == service))

    def sluice(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The command, as a person of this installation runs it."""
        return subprocess.run(
            [sys.executable, "-m", "sluice.cli.main", *words],
            env=environment(self.var),
            capture_output=True,
            text=True,
            check=False,
        )


def environment(var: Path) -> dict[str, str]:
    """The environment of this test run's installation, and nothing of Airflow's test mode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SLUICE_"))}
    return kept | {"SLUICE_HOME": str(CHECKOUT), "SLUICE_VAR": str(var)}
