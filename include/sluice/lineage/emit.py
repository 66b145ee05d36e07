"""Send a lineage event to the target of the settings: a receiver over HTTP, a file, or nowhere."""

import fcntl
import os
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from sluice.errors import Ref
from sluice.lineage.model import EventRefused, ReceiverDown, TargetInvalid
from sluice.lineage.post import post_json

ENDPOINT = "/api/v1/lineage"
"""The path at which OpenLineage receivers listen; used when the URL has no path."""
REFUSED = (400, 413, 422)
"""HTTP statuses that are about this event. Others (401, 403, 404, 405, 429...) would meet any event."""


def emit(event: str, url: str | None) -> None:
    """Check ``event`` and send it to ``url`` (http(s)://, file:/// or None for nowhere), once.

    Raises EventInvalid before anything is sent, ReceiverDown when nothing arrives, EventRefused when the receiver does
    not want this event, TargetInvalid for any other URL. The outbox tries again; a receiver recognises a repeated event
    by its run id and type.
    """
    if url is None:
        return
    from sluice.lineage.check import check_event

    check_event(event)
    target = check_target(url)
    if target.scheme == "file":
        _append(Path(unquote(target.path)), event)
    else:
        _post(url if target.path.strip("/") else f"{target.scheme}://{target.netloc}{ENDPOINT}", event)


def check_target(url: str) -> SplitResult:
    """The parts of a URL to which events can be sent. Raises TargetInvalid for any other."""
    try:
        target = urlsplit(url)
        is_file = target.scheme == "file" and target.path.startswith("/") and not target.netloc
        is_good = is_file or (target.scheme in ("http", "https") and bool(target.hostname))
    except ValueError:  # no address of this machine or another, such as http://[
        is_good = False
    if not is_good:
        raise TargetInvalid(Ref("setting", "SLUICE_LINEAGE_URL"))
    return target


def _append(path: Path, event: str) -> None:
    """Append one line with a single write, so that, with O_APPEND, two writers never mix their lines.

    After a line that a full disk or a kill has torn, a new one is begun. Raises ReceiverDown.
    """
    failed: str | int
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)  # while another writes, the file ends in the middle of its line
            line = _begun_anew(handle) + event.encode() + b"\n"
            if (written := os.write(handle, line)) == len(line):
                return
            failed = f"only {written} of {len(line)} bytes written"
        finally:
            os.close(handle)
    except OSError as error:
        failed = error.errno or "unknown"
    raise ReceiverDown(Ref("target", "file"), Ref("reason", failed))


def _begun_anew(handle: int) -> bytes:
    """A line end where the last line of a file lacks its own, else nothing."""
    size = os.fstat(handle).st_size
    return b"\n" if size and os.pread(handle, 1, size - 1) != b"\n" else b""


def _post(url: str, event: str) -> None:
    failed = post_json(url, event)
    if failed is not None:
        kind = EventRefused if failed in REFUSED else ReceiverDown
        raise kind(Ref("target", urlsplit(url).hostname or "unknown"), Ref("answer", failed))
