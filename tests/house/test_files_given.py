"""A file that a command is given and cannot use: said before anything starts, with a code, as wrong usage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluice.cli.demo import ends
from sluice.cli.whole import app
from sluice.errors import Exit, FileMissing, FileUnreadable, Ref, check_readable
from sluice.settings import find_home

SHUT = Path("/proc/sys/vm/compact_memory")
"""A file that the kernel lets nobody read, not even root."""
COMMANDS = [  # the others take a path, at which Typer looks itself
    ("staff", "import"),
    ("gate", "run", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_file_that_may_not_be_read_is_told_before_anything_starts(words: tuple[str, ...]) -> None:
    assert SHUT.is_file(), "control: it is there"
    codes = [CliRunner().invoke(app, [*words, path]).exception for path in (str(SHUT), "nosuch.csv")]

    assert [type(each) for each in codes] == [FileUnreadable, FileMissing]
    assert FileUnreadable.exit is Exit.USAGE


def test_of_a_batch_it_is_that_line_s_error() -> None:
    done = CliRunner().invoke(app, [*COMMANDS[1], "-"], input=f"{SHUT}\n")
    assert done.exit_code == Exit.USAGE and FileUnreadable.code in done.stdout


def test_a_folder_or_nothing_is_no_file_and_a_file_is(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(FileMissing):
            check_readable(path, Ref("argument", "FILE"))
    (tmp_path / "file").touch()
    check_readable(tmp_path / "file", Ref("argument", "FILE"))


def test_the_demo_looks_at_a_file_before_it_starts_anything(tmp_path: Path) -> None:
    environment = {**os.environ, "SLUICE_HOME": str(find_home()), "SLUICE_VAR": str(tmp_path / "var")}
    command = [sys.executable, "-m", "sluice.cli.main", "demo", "nosuch.csv"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, FileMissing.code in done.stderr) == (Exit.USAGE, True)
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("decided", "holds", "exit"),
    [
        ((), True, Exit.DONE),
        (("accepted",), True, Exit.DONE),
        (("partly_accepted",), True, Exit.DONE),
        (("refused",), True, Exit.REFUSED),
        (("undecided",), True, Exit.UNDECIDED),
        ((), False, Exit.REFUSED),
        (("accepted",), False, Exit.REFUSED),
    ],
)
def test_a_demo_of_a_file_ends_as_that_file_was_decided(decided: tuple[str, ...], holds: bool, exit: Exit) -> None:
    assert ends(decided, holds=holds) is exit
