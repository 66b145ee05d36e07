"""Scan an object in the erasing process itself, if it is plain or stays small when unpacked.

Any other object may swell or take forever, so it goes to a reader process with limits (readers.py).
"""

import mmap
from pathlib import Path

from sluice.scan.form import Form, form_of
from sluice.scan.model import Decrypt, Limits, Reason, Scan
from sluice.scan.needles import Needles
from sluice.scan.walk import scan_bytes

PLAIN = frozenset({Form.TEXT, Form.PICTURE, Form.UNKNOWN})
"""Forms that are searched as they stand, window by window."""
LITTLE = Limits(whole_bytes=4 << 20, inflated_bytes=64 << 20, floor_bytes=4 << 20, swell=1)


def scan_little(path: Path, needles: Needles, decrypt: Decrypt | None = None) -> Scan | None:
    """Like :func:`scan_bytes`, but None if the object is too much, so that a reader must scan it. Raises OSError."""
    size = path.stat().st_size
    if not size or _form_of(path) in PLAIN:
        return scan_bytes(path, needles, decrypt=decrypt)
    if size > LITTLE.whole_bytes:
        return None
    scan = scan_bytes(path, needles, decrypt=decrypt, limits=LITTLE)
    return None if any(doubt.reason is Reason.TOO_LARGE for doubt in scan.doubts) else scan


def _form_of(path: Path) -> Form:
    with path.open("rb") as file:  # unmapped when the last view of it goes
        return form_of(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))
