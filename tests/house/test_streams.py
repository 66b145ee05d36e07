"""What a command does where whoever started it reads no more, or closed what everybody has open."""

import errno
import json
import shlex
import subprocess
import sys
from importlib.metadata import version
from itertools import product
from pathlib import Path

import pytest

from sluice.cli.output import LONGEST_LINE, WIDE, probe_stdout_full
from support.effort import chosen

SLUICE = f"{sys.executable} -m sluice"
CHECKOUT = Path(__file__).resolve().parents[2]
BUFFERED = ("", "PYTHONUNBUFFERED=1 ")
JUDGE = "--agreement DPA-ENERGY01 --flow renewal_campaign --dry-run"
CLOCK = f"{sys.executable} -m sluice.cli.main clock due"


def ended(words: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(["bash", "-c", words], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.evidence
@pytest.mark.parametrize(
    ("words", "code"),
    chosen(
        [
            (f"{CLOCK} 2026-03-05 --format json", 0),
            (f"{CLOCK} 2026-03-05 --format json >&-", 3),
            (f"{CLOCK} 2026-03-05 >&-", 3),
            (f"{SLUICE} --version >&-", 3),
            (f"{CLOCK} 2026-03-05 2>&-", 0),
            (f"{CLOCK} never 2>&-", 2),
            (f"{CLOCK} never --format json >&-", 2),
            (f"{CLOCK} - --format json <&-", 0),
            (f"{CLOCK} 2026-03-05 --format json >/dev/full", 3),
        ]
    ),
)
def test_a_closed_or_full_stream_leaves_no_traceback_and_no_answer_that_is_lost_is_done(words: str, code: int) -> None:
    left, _, told = ended(words)

    assert left == code
    assert "Traceback" not in told


@pytest.mark.slow
@pytest.mark.evidence
@pytest.mark.parametrize(
    ("words", "buffered"),
    chosen(list(product(("clock due 2026-03-05", "clock due 2026-03-05 --format json", "--version"), BUFFERED)), 2),
)
def test_a_full_disk_is_told_by_its_code(words: str, buffered: str) -> None:
    left, _, told = ended(f"{buffered}{SLUICE} {words} >/dev/full")

    assert (left, "SLU-310" in told, "Traceback" in told) == (3, True, False)
    left, _, told = ended(f"{buffered}{SLUICE} {words} >&-")
    assert (left, "SLU-310" in told, "Traceback" in told) == (3, True, False), "nor can it be written where all is shut"
    assert ended(f"{buffered}{SLUICE} {words} >/dev/null") == (0, "", ""), "control"


def test_a_line_longer_than_any_item_is_not_read_on_and_those_before_it_are_answered() -> None:
    first, longest = "2026-03-05", "x" * (LONGEST_LINE - 1)
    left, answers, told = ended(f"{CLOCK} -", f"{first}\n{longest}\n{longest}x\n{first}\n")

    lines = [json.loads(line) for line in answers.splitlines()]
    assert [line["line"] for line in lines] == [1, 2] and "error" not in lines[0] and "SLU-304" in str(lines[1])
    assert left == 2 and "LINE_TOO_LONG; line 3; most characters 65536" in told and "xx" not in told


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        "clock due -",
        pytest.param(f"gate run - {JUDGE}", marks=pytest.mark.long),
    ],
)
def test_a_line_without_end_takes_no_memory(words: str) -> None:
    left, _, told = ended(f"yes x | tr -d '\\n' | (ulimit -v 8000000; {SLUICE} {words})")

    assert (left, "LINE_TOO_LONG" in told) == (2, True)


@pytest.mark.slow
@pytest.mark.evidence
@pytest.mark.parametrize("closed", chosen(["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], 2))
def test_importing_the_output_leaves_the_streams_as_they_are_and_preparing_opens_them(closed: str) -> None:
    lines = (
        "import sys; before = sys.stdin, sys.stdout, sys.stderr; from sluice.cli import output",
        "assert (sys.stdin, sys.stdout, sys.stderr) == before and None in before",
        "output.prepare_streams()",
        "assert None not in (sys.stdin, sys.stdout, sys.stderr)",
    )

    assert ended(f"{sys.executable} -c {shlex.quote(chr(10).join(lines))} {closed}")[0] == 0


def test_only_what_stdout_itself_says_is_a_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    assert not probe_stdout_full(OSError(errno.ENOSPC, "of another disk")) and not probe_stdout_full(ValueError())


INTERRUPTED_AT_ITS_FIRST_IMPORT = """
import sys
from sluice.cli.main import main

class Finder:
    def find_spec(self, name, path, target=None):
        raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
sys.argv = ["sluice", "clock", "due", "2026-03-05"]
main()
"""


@pytest.mark.slow
def test_an_interrupt_while_it_is_imported_is_one_as_any_other() -> None:
    words = [sys.executable, "-c", INTERRUPTED_AT_ITS_FIRST_IMPORT]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.slow
def test_the_package_is_the_command_and_says_its_version() -> None:
    assert ended(f"{SLUICE} --version") == (0, f"sluice {version('sluice')}\n", "")
    assert ended(f"{SLUICE} clock due 2026-03-05 --format json") == ended(f"{CLOCK} 2026-03-05 --format json")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [pytest.param("clock due 2026-03-05 --format json", marks=pytest.mark.long), "status"]
)
def test_a_folder_that_was_removed_under_a_shell_changes_no_answer(tmp_path: Path, words: str) -> None:
    command = f"env -u SLUICE_HOME PYTHONPATH={CHECKOUT / 'include'} {SLUICE} {words}"
    left, said, told = ended(f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && {command}")

    assert (left, said, told) == ended(f"cd {tmp_path} && {command}") and "SLU-000" not in told


@pytest.mark.slow
def test_a_log_keeps_a_sentence_on_its_line() -> None:
    left, _, told = ended(f"{CLOCK} 2026-03-05 --country QQ")

    assert (left, len(told.splitlines())) == (2, 1) and len(told) > WIDE


@pytest.mark.slow
def test_no_name_of_a_file_moves_the_cursor(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[2Jb\x9b1m[red].csv"
    file.write_text("x\n")
    for words in (f"gate run {{}}.not {JUDGE}", f"gate run {{}} {JUDGE} --format json", f"gate run {{}} {JUDGE}"):
        _, said, told = ended(f"{SLUICE} {words.format(shlex.quote(str(file)))}")
        assert [sign for sign in "\x1b\x9b" if sign in said + told] == [], words
    assert "a\\x1b[2Jb\\x9b1m[red].csv" in said, "it is told as it is, and is no markup"
    folder = tmp_path / "c\x1b[2J"
    folder.mkdir()
    (folder / "agreement-1.0.0.yaml").write_text("schema: [")
    _, said, _ = ended(f"{SLUICE} agreement lint {shlex.quote(str(folder))}")
    assert "c\\x1b[2J/agreement" in said and "\x1b" not in said


@pytest.mark.slow
def test_a_reader_that_left_is_told_from_data_that_is_wrong() -> None:
    """As for any other command in a pipe; 1 would say that a day is wrong."""
    many = "2026-03-05\n" * 20_000

    left, said, told = ended(f"set -o pipefail; {CLOCK} - --format json | head -1", many)

    assert (left, json.loads(said)["legal_due"]) == (141, "2026-04-07")
    assert "Traceback" not in told
    assert ended(f"set -o pipefail; {CLOCK} - | tail -1", many)[0] == 0, "control: it is read to its end"


@pytest.mark.slow
def test_a_stdout_of_an_old_locale_changes_no_answer(tmp_path: Path) -> None:
    """As `LANG=nl_BE` gives without UTF-8: what has no bytes there is told by its number, and JSON says the same."""
    folder = tmp_path / "région\u2028"
    folder.mkdir()
    (folder / "agreement-1.0.0.yaml").write_text("schema: [")
    lint = f"{SLUICE} agreement lint {shlex.quote(str(folder))}"
    plain = ended(f"{lint} --format json")

    left, said, told = ended(f"PYTHONIOENCODING=latin-1 {lint} | iconv -f latin1 -t utf-8; exit $PIPESTATUS")
    assert (left, "région\\u2028/agreement" in said, told) == (1, True, "")
    for encoding in ("ascii", "latin-1"):
        left, said, told = ended(f"PYTHONIOENCODING={encoding} {lint} --format json")
        assert (left, json.loads(said), told) == (1, json.loads(plain[1]), "")
        left, said, told = ended(f"PYTHONIOENCODING={encoding} {CLOCK} 2026-03-05")
        assert (left, "Sunday" in said, told) == (0, True, "")
    assert "région" in json.loads(plain[1])["problems"][0]["path"], "control: it is told as it is"
    assert len(plain[1].splitlines()) == 1, "a reader that goes by lines gets one"
