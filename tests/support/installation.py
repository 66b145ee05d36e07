"""What a journey does with a whole installation: drop, wait, kill, look."""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sluice.agreement.in_force.store import list_agreements
from sluice.db import connect
from sluice.exchange.read import ExchangeLine, find_by_versions
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.sample.files import write_campaign
from sluice.services import keeper
from sluice.services.doctor import LOOKS, Check, check
from sluice.services.process import wait_until
from sluice.services.stack import fresh_settings
from sluice.settings import Settings
from support.stores import guarded_var

CHECKOUT = Path(__file__).resolve().parents[2]
Record = Callable[[str, object], None]
ENERGY = ("energy01", "renewal_campaign")


@dataclass(frozen=True)
class Put:
    """A file in the store, and when it was put (UTC, before the request)."""

    object: StoredObject
    at: datetime

    @property
    def principal(self) -> str:
        return self.object.key.split("/")[0]


class Stack:
    """What a journey does with the installation: drop, wait, kill, look."""

    def __init__(self, var: Path, folder: Path, given: Mapping[str, str]) -> None:
        self.var, self.folder, self._given = var, folder, given
        self.settings: Settings = fresh_settings(CHECKOUT, var)
        self.objects = ObjectStore(self.settings)
        self._seed = int(time.time())

    def campaigns(self, count: int, rows: int = 200) -> list[Path]:
        """Files of energy01, each with a content of its own."""
        return [self.campaign(rows) for _ in range(count)]

    def campaign(self, rows: int) -> Path:
        """One such file."""
        self._seed += 1
        path = self.folder / f"campaign-{self._seed}.csv"
        write_campaign(path, rows, self._seed)
        return path

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
        """The exchanges of these files so far; none while the database is away."""
        try:
            with connect(self.settings) as conn:
                return find_by_versions(conn, [put.object.version_id for put in puts])
        except Exception:
            return {}

    def seconds(self, puts: Sequence[Put], lines: dict[str, ExchangeLine]) -> list[float]:
        """Seconds from put to receipt, by file."""
        found = []
        for put in puts:
            receipt_at = lines[put.object.version_id].receipt_at
            assert receipt_at is not None
            found.append((receipt_at - put.at).total_seconds())
        return sorted(found)

    def check_exactly_once(self, puts: Sequence[Put], lines: dict[str, ExchangeLine]) -> None:
        """One exchange, one closing entry, one lake object and one receipt for every file."""
        ids = sorted(line.id for line in lines.values())
        with connect(self.settings) as conn:
            closed = conn.execute(
                "select exchange_id::text as id from ledger.entry "
                "where kind = 'exchange.closed' and exchange_id = any(%s)",
                (ids,),
            ).fetchall()
        lake: list[str] = []
        receipts: list[str] = []
        for principal in sorted({put.principal for put in puts}):
            lake += self._keys(self.settings.bucket_lake, f"{principal}/")
            receipts += self._keys(self.settings.bucket_exchange, f"{principal}/receipts/")
        assert {(line.decision, line.reason_code) for line in lines.values()} == {("accepted", None)}
        assert sorted(row["id"] for row in closed) == ids
        parts = [key for key in lake if key.endswith("part-0.parquet")]
        assert [sum(each in key for key in parts) for each in ids] == [1] * len(puts)
        assert [sum(key.endswith(f"{each}.json") for key in receipts) for each in ids] == [1] * len(puts)

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        return [found.key for found in self.objects.list_versions(bucket, prefix)]

    def pid(self, service: str) -> int:
        """The process of a service that the keeper watches, once it is up; never 0, which would be all of ours."""
        assert wait_until(lambda: self._process(service) is not None, 60), f"{service} is down"
        return self._process(service) or self.pid(service)

    def _process(self, service: str) -> int | None:
        standing = keeper.read_standing(self.var)
        kept = standing.find(service) if standing else None
        return kept.process.pid if kept and kept.process.is_alive() else None

    def kill(self, service: str, seconds: float = 60) -> None:
        """Send SIGKILL, and wait until another process has replaced it."""
        pid = self.pid(service)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: self._process(service) not in (pid, None), seconds), f"{service} did not come back"

    def sluice(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command as a person of this installation does."""
        return _sluice(environment(self.var) | self._given, words)


@contextmanager
def installed(*words: str, principals: Path | None = None) -> Iterator[Stack]:
    """`sluice up` in a folder of its own; its guardian takes it down, even if the tests are killed.

    words: said to `up`. principals: their papers, where they are not those of the checkout.
    """
    given = {"SLUICE_PRINCIPALS_DIR": str(principals)} if principals else {}
    with guarded_var() as var, tempfile.TemporaryDirectory(prefix="sluice-files-") as files:
        up = _sluice(environment(var) | given, ["up", *words])
        assert up.returncode == 0, up.stderr
        started = Stack(var, Path(files), given)
        with connect(started.settings) as conn:
            assert list_agreements(conn, datetime.now(UTC)), "the papers are in force once it is up"
        yield started


def _sluice(env: Mapping[str, str], words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sluice.cli.main", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def environment(var: Path) -> dict[str, str]:
    """The environment of this test run's installation, and nothing of Airflow's test mode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SLUICE_"))}
    return kept | {"SLUICE_HOME": str(CHECKOUT), "SLUICE_VAR": str(var)}


def examine_one(name: str, settings: Settings) -> Check:
    """Run only this check. Raises ValueError for a name that none has."""
    [look] = (look for look in LOOKS if look.name == name)
    return check(look, settings)


SHORTEST = 12
"""Characters of a secret that is looked for: a shorter one would be found by chance."""


def secrets_of(var: Path) -> dict[str, str]:
    """Every secret below ``var/secrets``, by file and name; identifiers that stand beside a secret are none."""
    found: dict[str, str] = {}
    for path in sorted((var / "secrets").iterdir()):
        text = path.read_text(encoding="utf-8").strip()
        if path.suffix == ".json":
            found |= {f"{path.name}: {name}": value for name, value in _leaves(json.loads(text), path.stem)}
        else:
            body = [line for line in text.splitlines() if not line.startswith("-----")]
            found[path.name] = "".join(body)
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def told(content: bytes, secrets: Iterable[str]) -> set[str]:
    """Which secrets a text tells: as they are, in base64, or in hexadecimal digits."""
    return {secret for secret in secrets if any(form in content for form in _forms(secret))}


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield from (plain, base64.b64encode(plain).rstrip(b"="), plain.hex().encode())


def _leaves(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Texts of a JSON file under names that say that they are secret; of a file of passwords all."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{number}")
    elif isinstance(value, str) and any(word in name.lower() for word in ("secret", "password", "login", "roles")):
        yield name, value
