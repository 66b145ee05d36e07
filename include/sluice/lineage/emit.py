"""Send a lineage event to where the settings say: a receiver over HTTP, a file, or nowhere."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sluice.errors import Ref
from sluice.lineage.model import EventRefused, ReceiverDown, TargetInvalid
from sluice.lineage.post import post_json

ENDPOINT = "/api/v1/lineage"
"""Where OpenLineage receivers listen; used when the URL names no path."""
REFUSED = (400, 413, 422)
"""Answers of HTTP that are about this event; what others say (401, 403, 404, 405, 429...) any event would be told."""


def emit(event: str, url: str | None) -> None:
    """Check ``event`` and send it to ``url`` (http(s)://, file:/// or None for nowhere), once.

    Raises EventInvalid before anything leaves, ReceiverDown when nothing arrives, EventRefused when this event is
    not wanted (the outbox tries again; a receiver knows a repeated event by its run id and type), TargetInvalid for
    another URL.
    """
    if url is None:
        return
    from sluice.lineage.check import check_event

    check_event(event)
    target = urlsplit(url)
    if target.scheme == "file" and target.path.startswith("/") and not target.netloc:
        _append(Path(unquote(target.path)), event)
    elif target.scheme in ("http", "https") and target.hostname:
        _post(url if target.path.strip("/") else f"{target.scheme}://{target.netloc}{ENDPOINT}", event)
    else:
        raise TargetInvalid(Ref("setting", "SLUICE_LINEAGE_URL"))


def _append(path: Path, event: str) -> None:
    """One line in one write: with O_APPEND two writers never mix their lines."""
    line = event.encode() + b"\n"
    failed: str | int
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            if (written := os.write(handle, line)) == len(line):
                return
            failed = f"only {written} of {len(line)} bytes written"
        finally:
            os.close(handle)
    except OSError as error:
        failed = error.errno or "unknown"
    raise ReceiverDown(Ref("target", "file"), Ref("reason", failed))


def _post(url: str, event: str) -> None:
    failed = post_json(url, event)
    if failed is not None:
        kind = EventRefused if failed in REFUSED else ReceiverDown
        raise kind(Ref("target", urlsplit(url).hostname or "unknown"), Ref("answer", failed))
