"""What a command does where whoever started it reads no more, or closed what everybody has open."""

import json
import subprocess
import sys

import pytest

CLOCK = f"{sys.executable} -m sluice.cli.main clock due"


def ended(words: str, stdin: str = "") -> tuple[int, str, str]:
    done = subprocess.run(["bash", "-c", words], input=stdin, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (f"{CLOCK} 2026-03-05 --format json", 0),
        (f"{CLOCK} 2026-03-05 --format json >&-", 0),
        (f"{CLOCK} 2026-03-05 2>&-", 0),
        (f"{CLOCK} never 2>&-", 2),
        (f"{CLOCK} never --format json >&-", 2),
        (f"{CLOCK} - --format json <&-", 0),
        (f"{CLOCK} 2026-03-05 --format json >/dev/full", 3),
    ],
)
def test_a_closed_or_full_stream_changes_no_answer_and_leaves_no_traceback(words: str, code: int) -> None:
    left, _, told = ended(words)

    assert left == code
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_reader_that_left_is_told_from_data_that_is_wrong() -> None:
    """As for any other command in a pipe; 1 would say that a day is wrong."""
    many = "2026-03-05\n" * 20_000

    left, said, told = ended(f"set -o pipefail; {CLOCK} - --format json | head -1", many)

    assert (left, json.loads(said)["legal_due"]) == (141, "2026-04-07")
    assert "Traceback" not in told
    assert ended(f"set -o pipefail; {CLOCK} - | tail -1", many)[0] == 0, "control: it is read to its end"
