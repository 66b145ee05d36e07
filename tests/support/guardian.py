"""Cleans up after a test process however it ends: waits for the end of stdin, then stops and removes.

    python guardian.py VAR

It is started in a session of its own, so neither Ctrl-C nor kill -9 of the tests reaches it; the
pipe closes when the tests are gone.
"""

import shutil
import sys
from pathlib import Path

from sluice.services import postgres, seaweed, stack
from sluice.services.system_user import homes


def forget_postgres(var: Path) -> None:
    """Stop the server and remove its data for good."""
    postgres.stop(var)
    for home in homes(var):
        shutil.rmtree(home, ignore_errors=True)


def main(var: Path) -> None:
    sys.stdin.buffer.read()
    for copy in var.glob("copies/*/run"):
        seaweed.stop(copy.parent)
    stack.take_down(var)
    forget_postgres(var)
    shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
