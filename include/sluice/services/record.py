"""Our processes recorded in files, so that later commands find them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sluice.services.places import text_of, write_private
from sluice.services.process import ProcessId, kill_all, spawn


def spawn_recorded(record: Path, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> ProcessId:
    """Like :func:`spawn`, but also record the process; if that fails, kill it, so that it does not run unknown."""
    process = spawn(command, log=log, env=env)
    try:
        write_private(record, json.dumps(asdict(process)))
    except BaseException:
        kill_all([process])
        raise
    return process


def read_record(record: Path) -> ProcessId | None:
    """The process that :func:`spawn_recorded` recorded; None if there is none."""
    told = text_of(record)
    return ProcessId.from_record(json.loads(told)) if told else None
