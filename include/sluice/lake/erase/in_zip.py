"""Erase inside a zip of one file: the member keeps its name, time and method, and its content has its own eraser."""

import filecmp
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

from sluice.lake.erase.cut import CHUNK, folder_beside
from sluice.lake.erase.in_gzip import Eraser
from sluice.lake.erase.model import CONTAINER_TEXT_KEPT, Erased, EraseRefused
from sluice.lake.read.sniff import Kind
from sluice.lake.read.unpack import unpack
from sluice.lake.table import FileLimits, FormatRefusal


def erase_in_zip(source: Path, target: Path, erase: Eraser, limits: FileLimits | None = None) -> Erased:
    """Write ``target``, a zip with the only member edited by ``erase``.

    target: must not exist. Raises EraseRefused: DAMAGED_CONTAINER, OUTPUT_DIFFERS or a rule of the inner
    eraser; LocalCopyUnreadable."""
    with folder_beside(target) as folder:
        return _erase(source, target, folder, erase, limits or FileLimits())


def _erase(source: Path, target: Path, folder: Path, erase: Eraser, limits: FileLimits) -> Erased:
    inner, edited, packed, proof = (folder / name for name in ("inner", "edited", "packed", "proof"))
    if isinstance(unpack(source, Kind.ZIP, "", inner, limits), FormatRefusal):
        raise EraseRefused.because("DAMAGED_CONTAINER")
    erased = erase(inner, edited)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(packed, "w") as new:
        [member] = old.infolist()
        again = zipfile.ZipInfo(member.filename, member.date_time)
        again.compress_type, again.external_attr = member.compress_type, member.external_attr
        again.file_size = edited.stat().st_size
        with edited.open("rb") as content, new.open(again, "w") as out:
            shutil.copyfileobj(content, out, CHUNK)
    unpacked = unpack(packed, Kind.ZIP, "", proof, limits)
    if isinstance(unpacked, FormatRefusal) or not filecmp.cmp(proof, edited, shallow=False):
        raise EraseRefused.because("OUTPUT_DIFFERS")
    target.touch(exist_ok=False)
    packed.replace(target)
    return replace(erased, remarks=(*erased.remarks, CONTAINER_TEXT_KEPT))
