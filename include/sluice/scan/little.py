"""What the process of an erasure reads by itself: what is plain, and what stays little when it is opened.

Everything else may swell, or take for ever, and goes to a reader that may take only so much (readers.py).
"""

import mmap
from pathlib import Path

from sluice.scan.form import Form, form_of
from sluice.scan.model import Decrypt, Limits, Reason, Scan
from sluice.scan.needles import Needles
from sluice.scan.walk import scan_bytes

PLAIN = frozenset({Form.TEXT, Form.PICTURE, Form.UNKNOWN})
"""Read as they stand, window by window."""
LITTLE = Limits(whole_bytes=4 << 20, inflated_bytes=64 << 20, floor_bytes=4 << 20, swell=1)


def scan_little(path: Path, needles: Needles, decrypt: Decrypt | None = None) -> Scan | None:
    """As :func:`scan_bytes`; None: it is too much, and a reader has to read it. Raises OSError."""
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
