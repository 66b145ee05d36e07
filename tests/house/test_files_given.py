"""A file that a command is given and cannot use: said before anything starts, with a code, as wrong usage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluice.cli.demo import ends
from sluice.cli.main import main
from sluice.cli.whole import app
from sluice.errors import Exit, FileMissing, FileUnreadable, Ref, SluiceError
from sluice.given_files import check_readable, read_given
from sluice.settings import get_home

SHUT = Path("/proc/sys/vm/compact_memory")
"""A file that the kernel lets nobody read, not even root."""
CONTRACT = get_home() / "include" / "principals" / "energy01" / "renewal_campaign.inbound.odcs.yaml"
COMMANDS = [
    ("staff", "import"),
    ("gate", "run", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run"),
    ("contract", "infer"),
    ("contract", "drift", str(CONTRACT)),
    ("contract", "explain"),
    ("contract", "export"),
    ("receipt", "roles", "--key", "/dev/null"),
    ("receipt", "certificate", "--key", "/dev/null"),
    ("receipt", "export", "--key", "/dev/null"),
    ("case", "rectify", "6f0c4f0e"),
    ("dncm", "import"),
    ("consent", "import", "--dated", "2026-11-25"),
    ("subject", "candidates"),
    ("receipt", "verify", "--key", "/dev/null"),
]
AFTER = {("consent", "import"): ["energy01"]}
"""What a command takes behind its file."""
OPTIONS = [
    ("receipt", "verify", "some.json", "--key"),
    ("receipt", "verify", str(CONTRACT), "--key", "/dev/null", "--pdf"),
    ("case", "identity", "6f0c4f0e", "--evidence"),
    ("case", "open", "--right", "erasure", "--sought"),
    ("notices", "sent", "7b0d3f1e", "--by", "anna", "--evidence"),
]
FOLDER_TOO = [("agreement", "lint"), ("contract", "lint")]
FOLDER_ALONE = [("agreement", "activate"), ("ledger", "verify", "--receipts")]
NAME = "jan.peeters@x.be.csv"
"""What a file may be called; nothing of it is said."""


def failed(*words: str) -> SluiceError:
    """Run a command line that has to fail; how it ended."""
    error = CliRunner().invoke(app, [*words, *AFTER.get(words[:2], [])]).exception
    assert isinstance(error, SluiceError), (words, error)
    return error


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_what_is_no_file_is_told_by_every_command_in_the_same_words(words: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    argument = "argument PATH" if words in (("contract", "explain"), ("contract", "export")) else "argument FILE"

    missing, inside = failed(*words, str(tmp_path / f"2{NAME}")), failed(*words, str(folder))

    assert (type(missing), type(inside), missing.exit) == (FileMissing, FileMissing, Exit.USAGE)
    assert argument in str(missing) and "A_FOLDER" in str(inside) and "A_FOLDER" not in str(missing)
    assert "peeters" not in f"{missing} {inside}"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_file_that_may_not_be_read_is_told_as_that(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By Typer, which looks at a path first, or by us."""
    assert SHUT.is_file(), "control: it is there"
    monkeypatch.setattr(sys, "argv", ["sluice", *words, str(SHUT), *AFTER.get(words[:2], [])])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr().err.splitlines()[-1]
    assert (left.value.code, told.startswith(f"{FileUnreadable.code} "), "compact" in told) == (2, True, False)
    assert "argument FILE" in told or "argument PATH" in told


@pytest.mark.parametrize("words", COMMANDS[1:6], ids=lambda words: " ".join(words[:2]))
def test_a_pipe_where_a_file_is_read_twice_is_told_as_one(words: tuple[str, ...], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "A_PIPE_OR_DEVICE" in str(failed(*words, str(tmp_path / "pipe")))


def test_what_is_read_once_may_come_out_of_a_pipe(tmp_path: Path) -> None:
    """As bash puts it there for `--key <(command)`."""
    os.mkfifo(tmp_path / "pipe")
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(tmp_path / 'pipe')!r}, 'w').write('a')"])
    assert read_given(tmp_path / "pipe", Ref("option", "--key")) == b"a"
    assert writer.wait(10) == 0


@pytest.mark.parametrize("words", OPTIONS, ids=lambda words: " ".join(words[:2]))
def test_a_file_of_an_option_is_told_by_that_option(words: tuple[str, ...], tmp_path: Path) -> None:
    error = failed(*words, str(tmp_path / NAME))
    assert type(error) is FileMissing and f"option {words[-1]}" in str(error) and "peeters" not in str(error)


@pytest.mark.parametrize("words", FOLDER_TOO, ids=" ".join)
def test_a_path_where_nothing_is_is_wrong_usage_for_a_linter_too(words: tuple[str, ...], tmp_path: Path) -> None:
    error = failed(*words, str(tmp_path / NAME))
    assert type(error) is FileMissing and "argument PATH" in str(error) and "peeters" not in str(error)
    assert CliRunner().invoke(app, [*words, str(tmp_path)]).exit_code == Exit.REFUSED, "control: no paper in it"


@pytest.mark.parametrize("words", FOLDER_ALONE, ids=" ".join)
def test_a_folder_that_is_none_is_told_and_not_taken_for_an_empty_one(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("nothing", "file"):
        error = failed(*words, str(tmp_path / name))
        assert type(error) is FileMissing and "NO_FOLDER" in str(error)


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
    environment = {**os.environ, "SLUICE_HOME": str(get_home()), "SLUICE_VAR": str(tmp_path / "var")}
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
