"""Sockets of processes into which only root may look are counted, and stop nobody who is not."""

import json
import os
from pathlib import Path

from support.forks import forked

SCRIPT = Path(__file__).with_name("unseen.py")


def test_whoever_is_not_root_is_told_how_many_processes_were_not_looked_into() -> None:
    with forked(SCRIPT, os.environ) as process:
        (exposed, none_closed), (hidden, closed) = json.loads(process.read())

    assert len(exposed) == 1 and exposed[0].startswith("127.0.0.2:") and none_closed == 0, (
        "control: an open one is found"
    )
    assert (hidden, closed) == ([], 1)
