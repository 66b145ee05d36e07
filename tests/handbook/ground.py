"""Where a page is followed: an installation that holds something, a folder like a checkout, a shell in it."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from handbook.commands import HOUSE, Command
from handbook.days import day
from handbook.lived_in import lived_in
from handbook.shell import Placeholders, Shell, follow
from rights.post_office import post_office
from sluice.terms import Direction
from support.copies import Copies
from support.desk import environment
from support.night import Night, copied_night


@dataclass(frozen=True)
class Ground:
    """The installation in which the steps of a page are followed.

    folder: where its reader stands. command: the folder of `sluice`. mail: the address of a mail server.
    """

    night: Night
    folder: Path
    command: Path
    mail: str

    @cached_property
    def environment(self) -> dict[str, str]:
        """The settings of this installation, and those of its S3 for the tool of a principal."""
        given = environment(self.night.desk.settings)
        return given | {
            "PATH": f"{self.command}:{HOUSE / '.venv' / 'bin'}:{given['PATH']}",
            "SLUICE_PRINCIPALS_DIR": str(self.folder / "include" / "principals"),
            "SLUICE_CONTROLLERS_DIR": str(self.folder / "include" / "controllers"),
            "AWS_ENDPOINT_URL": given["SLUICE_S3_ENDPOINT"],
            "AWS_ACCESS_KEY_ID": given["SLUICE_S3_ACCESS_KEY"],
            "AWS_SECRET_ACCESS_KEY": given["SLUICE_S3_SECRET_KEY"],
            "AWS_REGION": given["SLUICE_S3_REGION"],
        }

    def sluice(self, *words: str) -> Any:
        """What a command answers as JSON; something that no page tells, done between two commands of one."""
        done = subprocess.run(
            [str(self.command / "sluice"), *words, "--format", "json"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (words, done.stderr)
        return json.loads(done.stdout)

    @property
    def bucket(self) -> str:
        return self.night.desk.settings.bucket_exchange

    @cached_property
    def person(self) -> tuple[str, str]:
        """Customer number and telephone of somebody who is in the contacts, was called and returned."""
        return self.night.people(1)[0]

    @cached_property
    def row(self) -> dict[str, str]:
        """The whole row that the file of contacts has of a person."""
        return pl.read_csv(self.night.contacts, separator=";", infer_schema=False).row(0, named=True)

    def case(self) -> str:
        """The case that was opened last."""
        return str(self.sluice("case", "list")["cases"][0]["case"])

    def exchange(self, direction: Direction) -> str:
        """The exchange of this direction that was opened last."""
        lines = [line for line in self.night.desk.lines() if line.direction == direction]
        return str(lines[0].id)

    def notice(self, state: str | None = None) -> str:
        found = self.sluice("notices", "list", *(("--state", state) if state else ()))["notices"]
        return str(found[0]["notice"])

    def put(self, key: str, content: bytes) -> None:
        """Put a file as a principal does."""
        self.night.desk.house.objects.put(self.bucket, key, content, "application/json")

    def get(self, key: str, path: Path, bucket: str | None = None) -> None:
        path.write_bytes(self.night.desk.house.objects.read(bucket or self.bucket, key))

    def instruct(self, decision: str, case: str | None = None, **more: object) -> None:
        """Every principal that was asked says what is to be done with a case: by default the last one."""
        self.sluice("case", "follow")
        for part in self.sluice("case", "show", case or self.case())["sub_cases"]:
            if part["state"] == "AWAITING_INSTRUCTION":
                said = {"case": part["sub_case"], "decision": decision, **more}
                key = f"{part['principal']}/requests/instruction-{part['sub_case']}.json"
                self.put(key, json.dumps(said).encode())
        self.sluice("case", "follow")

    def public_key(self, name: str = "receipt-key.pem") -> None:
        """The key that verifies, as everybody has it."""
        (self.folder / name).write_bytes(self.night.desk.house.keyring.public_pem)

    def usual(self) -> dict[str, str | Callable[[], str]]:
        """The names and values that most pages use."""
        record, phone = self.person
        plain = re.sub(r"\D", "", phone)
        local = f"0{plain.removeprefix('0032').removeprefix('32').removeprefix('0')}"
        return {
            "0470123456": local,
            "+32470123456": f"+32{local[1:]}",
            "E10000042": record,
            "C-000001": record,
            "5b1f0c2e": lambda: self.case()[:8],
            "6f0c4f0e": lambda: self.case()[:8],
            "smtp+starttls://user:password@mail.example:587": self.mail,
            "s3://exchange/": f"s3://{self.bucket}/",
            "2026-11-24": str(day(-2)),
            "2026-11-25": str(day(-1)),
            "2026-11-26": str(day(0)),
        }


Prepare = Callable[[Ground], Placeholders]
"""What is made before the first command of a page, and what its words mean then."""


@contextmanager
def standing(copies: Copies, folder: Path, command: Path) -> Iterator[Ground]:
    """A copy of an installation, and a folder with what a checkout has."""
    with post_office() as office, copied_night(copies, folder, fill=lived_in) as night:
        here = folder / "checkout"
        (here / "include").mkdir(parents=True)
        papers = night.desk.settings.principals_dir
        shutil.copytree(papers, here / "include" / "principals")
        (here / "include" / "controllers").mkdir()
        for shared in (".venv", "expectations", "docs"):
            (here / shared).symlink_to(HOUSE / shared)
        (here / "include" / "mappings").mkdir()
        yield Ground(night, here, command, f"smtp://localhost:{office.port}")


def followed(ground: Ground, prepare: Prepare, commands: Sequence[Command], left_out: Sequence[str]) -> list[str]:
    """Follow the steps of a page; returns what ended otherwise than it says."""
    placeholders = ground.usual() | dict(prepare(ground))
    shell = Shell(ground.folder, ground.environment)
    try:
        return follow(shell, commands, placeholders, left_out)
    finally:
        shell.close()


def blocks(address: str, language: str) -> list[str]:
    """The files that a page shows."""
    return re.findall(rf"^```{language}\n(.*?)^```", (HOUSE / address).read_text(), re.MULTILINE | re.DOTALL)
