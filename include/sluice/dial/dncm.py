"""Import the Do-Not-Call-Me list from a file: hashed and dated, with its numbers kept only as keyed references."""

import hashlib
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.db import transaction
from sluice.dial import store
from sluice.dial.model import ListInvalid, ListReplaced, ListSmaller, NumberList
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.ledger.append import append
from sluice.ledger.dialled import NumbersImported
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.media_types import PARQUET
from sluice.subject.columns import normalise_column
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import Principal, SubjectKind
from sluice.times import brussels_day, utc_text

if TYPE_CHECKING:
    import polars as pl

OWNER = Principal("_dncm")
"""The owner of the key that references are made with. No principal's code can begin with ``_``."""
CHAIN = "center.dncm"
DAY = rb"(?:(?:19|20)[0-9]{2}[-/.]?[01][0-9][-/.]?[0-3][0-9]|[0-3]?[0-9][-/.][01]?[0-9][-/.](?:19|20)[0-9]{2})(?![0-9])"
FIRST = re.compile(rb"^[ \t\"']*([+()0-9 ./-]{9,24}?(?=[ \t]+" + DAY + rb")|[+()0-9 ./-]{6,24})")
"""The number at the beginning of a line, which the registration date may follow."""
MOST_INVALID = 0.1
MOST_LOST = 0.05
"""How much smaller than the previous list a list may be: people leave it, but not by the thousands at once."""
HEAD_LINES = 1


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported list. ``is_new``: whether it is new, or was downloaded later than known so far."""

    found: NumberList
    is_new: bool


def import_numbers(
    house: House,
    path: Path,
    dated_on: date,
    by: str,
    now: datetime,
    *,
    may_be_smaller: bool = False,
    may_come_back: bool = False,
) -> Imported:
    """Import a list as it was downloaded: one number per line. ``dated_on``: Brussels date of the download.

    The object is stored first, then the row and the ledger entry. The same file imported again under a later date
    takes that date, as the list did not change until then; under an earlier date nothing changes.
    Raises ListInvalid, ListSmaller unless ``may_be_smaller``, ListReplaced unless ``may_come_back``, UsageError for a
    date in the future, and NameInvalid.
    """
    name = check_name(by)
    if dated_on > brussels_day(now):
        raise UsageError(Ref("option", "--dated"))
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    refs, refused = read_numbers(content, SubjectKey(house.keyring.subject_key(OWNER)))
    if not may_come_back:
        _check_last(house, sha256, dated_on)
    if not may_be_smaller:
        _check_whole(house, refs.height, dated_on)
    sink = io.BytesIO()
    refs.write_parquet(sink, compression="zstd", statistics=False)
    stored = house.objects.put_once(house.settings.bucket_lake, f"_dncm/{sha256}.parquet", sink.getvalue(), PARQUET)
    found = NumberList(
        sha256, dated_on, refs.height, refused, stored.bucket, stored.key, stored.version_id, now, name
    )  # fmt: skip
    return _note(house, found)


def _note(house: House, found: NumberList) -> Imported:
    """Write the row and the ledger entry, if the list is new or has a later date than before."""
    with transaction(house.conn):
        is_new = store.insert_numbers(house.conn, found)
        if is_new:
            body = NumbersImported(
                sha256=found.sha256,
                dated_on=found.dated_on.isoformat(),
                numbers=found.numbers,
                refused=found.refused,
                imported_by=found.imported_by,
                imported_at=utc_text(found.imported_at),
            )
            append(house.conn, chain=CHAIN, kind=EntryKind.DNCM_IMPORTED, exchange_id=None, body=body)
        return Imported(store.get_numbers(house.conn, found.sha256), is_new)


def _check_last(house: House, sha256: str, dated_on: date) -> None:
    """Raises ListReplaced for an old list that would become the youngest again, without those who registered since."""
    youngest = next(iter(store.list_numbers(house.conn, 1)), None)
    if youngest is None or youngest.sha256 == sha256 or dated_on < youngest.dated_on:
        return
    if store.find_numbers(house.conn, sha256):
        raise ListReplaced(Ref("youngest of", youngest.dated_on.isoformat()))


def _check_whole(house: House, numbers: int, dated_on: date) -> None:
    """Raises ListSmaller for a list that would become the youngest but has far fewer numbers than the one before."""
    before = next(iter(store.list_numbers(house.conn, 1)), None)
    if before and dated_on >= before.dated_on and numbers < (1 - MOST_LOST) * before.numbers:
        raise ListSmaller(Ref("numbers", numbers), Ref("numbers before", before.numbers))


def read_numbers(content: bytes, key: SubjectKey) -> tuple["pl.DataFrame", int]:
    """The distinct references of the numbers, sorted (column ref), and how many lines have no number.

    Raises ListInvalid.
    """
    import polars as pl

    lines = [line for line in content.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    cells = [match[1].decode() if (match := FIRST.match(line)) else None for line in lines]
    if cells and cells[0] is None:
        cells = cells[HEAD_LINES:]  # a line of column names
    values = pl.Series("number", cells, dtype=pl.String)
    normal = normalise_column(values, SubjectKind.PHONE).values
    refused = int(normal.is_null().sum())
    if not cells or refused > MOST_INVALID * len(cells):
        raise ListInvalid(Ref("lines", len(cells)), Ref("without a number", refused))
    refs = ref_column(normal.drop_nulls(), SubjectKind.PHONE, key)
    return pl.DataFrame({"ref": refs.unique().sort()}), refused


def are_listed(house: House, found: NumberList, numbers: "pl.Series", region: str) -> "pl.Series":
    """Whether each phone number, in any spelling, is on a list; one that cannot be read is not."""
    import polars as pl

    listed = pl.read_parquet(io.BytesIO(house.objects.read(found.bucket, found.key, found.version_id)))["ref"]
    normal = normalise_column(numbers, SubjectKind.PHONE, region=region).values
    refs = ref_column(normal, SubjectKind.PHONE, SubjectKey(house.keyring.subject_key(OWNER)))
    return refs.is_in(listed.implode()).fill_null(False)
