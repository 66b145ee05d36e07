"""Processes of ours that are written down, so that whoever comes later finds them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sluice.services.places import text_of, write_private
from sluice.services.process import ProcessId, kill_all, spawn


def spawn_recorded(record: Path, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> ProcessId:
    """As :func:`spawn`, and written down; what cannot be written down does not go on running unknown."""
    process = spawn(command, log=log, env=env)
    try:
        write_private(record, json.dumps(asdict(process)))
    except BaseException:
        kill_all([process])
        raise
    return process


def read_record(record: Path) -> ProcessId | None:
    """What :func:`spawn_recorded` wrote; None where nothing is."""
    told = text_of(record)
    return ProcessId.from_record(json.loads(told)) if told else None
