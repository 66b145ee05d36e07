"""Answers that lie ready for persons, as an erasure sees them: one more kind of copy, in one more store.

An answer is a copy of what we hold about somebody. If a person is erased at one principal, every answer with
their data of that principal is removed whole, whatever else is in it. Who an answer is about is told by the
request that it answers, as that stands now. It is also opened and read, because another request may name the
same person in another way.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import polars as pl

from sluice.errors import NotFound
from sluice.exchange.house import House
from sluice.lake.quarantine import unseal
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.copy_kinds import ANSWER_KEPT, HANDED
from sluice.rights.case import store
from sluice.rights.case.model import CaseId
from sluice.rights.copies import answer_store, lead_store
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.edits import removed, untouched
from sluice.rights.copies.files import bad_rows_of, needles_for, rows_of
from sluice.rights.copies.linked import is_in_index
from sluice.rights.copies.model import ANSWER, Column, Copy, Edit, Target, region_of
from sluice.rights.copies.needles import recall
from sluice.rights.copies.read import PersonRows
from sluice.rights.copies.received import under_its_key
from sluice.rights.person.identifiers import refs_of
from sluice.rights.person.sealed import KEY_OWNER, find_sealed
from sluice.scan.model import Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes
from sluice.screen.model import STRUCTURED
from sluice.screen.screen import screen_notes
from sluice.subject.cells import PIECE_COLUMN, pieces_of
from sluice.subject.columns import normalise_column
from sluice.subject.index import build_run, find_in_run, write_run
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import ScreenAction, SubjectKind

GROUND = "ANSWER_TO_THE_PERSON"
SENT = frozenset({ANSWER_KEPT, HANDED})
"""Kinds of the answers that go to a controller. Their ids are those of exchanges."""
BEFORE, AFTER = re.compile(r"[\w.@+-]*\Z"), re.compile(r"[\w.@+-]*")
LONGEST = 200
LOOKED_FOR = dict.fromkeys(STRUCTURED, ScreenAction.REVIEW)
PIECE_WITH_DIGIT = r"[A-Za-z0-9+._@-]*[0-9][A-Za-z0-9+._@-]{4,}"
"""What could be a customer number inside a text. Anything shorter could be anything."""
RAW = "record"
"""The column of records that are not rows, as an answer calls it."""
MAY_BE_AGREED = "~^#:!$%&*=?<>`\x01\x1c\x1d\x1e\x1f"
"""Delimiters beside the usual ones, because an answer does not say which one a record had. Characters that occur inside
numbers and names are left out: if text were cut at them, every house number would be somebody's customer number."""


@dataclass(frozen=True)
class AnswerStore:
    """Packages for persons, sealed in the vault, and those of them that go or went to a controller."""

    name: str = "answers to persons"
    kinds: frozenset[str] = frozenset({ANSWER}) | SENT

    def find(self, bench: Bench, copy: Copy) -> int:
        case_id = answer_store.find_case(bench.house.conn, copy.exchange_id)
        if case_id is not None and _is_about(bench.house, case_id, bench.target):
            return 1
        target = bench.target
        if copy.kind == ANSWER and (run := _run(bench.house, copy)) is not None:
            if find_in_run(run, sorted(target.refs)).height:
                return 1
            if not _is_lead(bench, copy):
                return 0
            target = _as_scanned(bench)
        path = bench.fetch(copy)
        if path is None:
            return 0
        if copy.key.endswith(".pgp"):  # only its receiver can open it; the index run says who is in it
            return int(_is_in_index(bench, copy))
        return int(_names(_opened(bench, copy, path), target))

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        rows = self.find(bench, copy)
        if not rows:
            return untouched(self.name, copy)
        return removed(self.name, copy, GROUND, rows)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        return PersonRows(copy)  # what was given before is not given again

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        """Yield all answers wherever they went, except those noted as holding data of other principals only."""
        elsewhere = answer_store.find_elsewhere(house.conn, target.principal)
        found = house.objects.list_versions(house.settings.bucket_vault, answer_store.PREFIX)
        yield from (item for item in found if (item.key, item.version_id) not in elsewhere)
        for bucket, key in answer_store.find_handed_places(house.conn, target.principal):
            yield from (item for item in house.objects.list_versions(bucket, key) if item.key == key)


def run_of_package(
    folder: Path, keys: Sequence[SubjectKey], asked: Iterable[tuple[SubjectKind, Sequence[str]]]
) -> bytes:
    """Make the index run of a finished package: keyed references of everybody in it, so that a search need not open it.

    Each distinct cell is read as every kind under each key. So are the identifiers that the screen finds inside
    text, and the pieces of records that are not rows. asked: the references of the person who asked.
    """
    tables = [pl.read_csv(path, infer_schema=False) for path in sorted(folder.glob("data/*.csv"))]
    cells = [column.rename("cell") for table in tables for column in table.get_columns()]
    texts = pl.concat([pl.Series("cell", [], dtype=pl.String), *cells]).drop_nulls().unique().sort()
    inside = [texts[span.row][span.start : span.end] for span in screen_notes(texts, LOOKED_FOR).spans()]
    pieces = texts.str.extract_all(PIECE_WITH_DIGIT).explode().drop_nulls()
    of_records = [
        pieces_of(table[RAW], MAY_BE_AGREED)[PIECE_COLUMN].rename("cell") for table in tables if RAW in table.columns
    ]
    words = pl.concat([texts, pl.Series("cell", inside, dtype=pl.String), pieces, *of_records]).drop_nulls()
    words = words.unique().sort()
    columns = [
        (kind, ref_column(normalise_column(words, kind, region=region_of(None)).values, kind, key))
        for key in keys
        for kind in SubjectKind
    ]
    own = [(kind, pl.Series(refs, dtype=pl.String)) for kind, refs in asked]
    return write_run(build_run([*columns, *own]))


def _run(house: House, copy: Copy) -> bytes | None:
    """The index run of a package; None once it is gone."""
    try:
        return house.objects.read(copy.bucket, answer_store.index_key_of(copy.key))
    except NotFound:
        return None


def _is_lead(bench: Bench, copy: Copy) -> bool:
    """Whether the second scan of the case found a residue in this answer that its index run does not name."""
    target = bench.target
    return bool(target.case_id) and copy.exchange_id in lead_store.find_leads(bench.house.conn, target)


def _as_scanned(bench: Bench) -> Target:
    """The person with every value that the second scan looks for."""
    target = bench.target
    known = recall(bench.house, CaseId(target.case_id or ""), target.principal)
    return replace(target, values=tuple(sorted({*target.values, *known.values})))


def _is_about(house: House, case_id: CaseId, target: Target) -> bool:
    """Whether one of the persons to erase asked for this answer. False if the request's identifiers are gone."""
    try:
        sealed = find_sealed(house, store.get_case(house.conn, case_id).subject_key)
    except NotFound:
        return False
    if sealed is None:
        return False
    return not target.refs.isdisjoint(refs_of(sealed.envelope.identifiers, target.key, target.principal).values())


def _opened(bench: Bench, copy: Copy, path: Path) -> Path:
    if copy.kind == HANDED:
        return path
    owner = KEY_OWNER if copy.kind == ANSWER else bench.target.principal
    return unseal(path, bench.fresh("answer"), bench.house.keyring, owner)


def _is_in_index(bench: Bench, copy: Copy) -> bool:
    asked = under_its_key(bench, copy)
    return asked is not None and is_in_index(asked, copy)


def _names(package: Path, target: Target) -> bool:
    """Whether a table cell is an identifier of the person in any spelling, or any file has one as it was given."""
    with zipfile.ZipFile(package) as archive:
        texts = {name: archive.read(name) for name in archive.namelist() if name.endswith((".csv", ".json"))}
    tables = [text for name, text in texts.items() if name.startswith("data/") and name.endswith(".csv")]
    if _in_cells([pl.read_csv(BytesIO(table), infer_schema=False) for table in tables], target):
        return True
    words = "\n".join(text.decode() for text in texts.values()).lower()
    longer = {value: found for value in target.values if (found := _longer(value, words))}
    needles = needles_of(target.values, longer, words=sorted(target.refs)) if longer else needles_for(target)
    return scan_bytes(package, needles).status is Status.HIT


def _longer(value: str, text: str) -> frozenset[str]:
    """Words that contain a value but go on beside it: jan.claes@post.example contains an.claes@post.example.

    ``text``: in lower case. There may be thousands of values, and most of them occur nowhere in it.
    """
    found, sought = set[str](), value.lower()
    begin = text.find(sought)
    while begin >= 0:
        end = begin + len(sought)
        if text[begin - 1 : begin].isalnum() or text[end : end + 1].isalnum():
            before, after = BEFORE.search(text, max(0, begin - LONGEST), begin), AFTER.match(text, end, end + LONGEST)
            found.add(f"{before[0] if before else ''}{sought}{after[0] if after else ''}")
        begin = text.find(sought, end)
    return frozenset(found)


def _in_cells(tables: Sequence[pl.DataFrame], target: Target) -> bool:
    """Whether a table names the person. Each distinct cell is read once, as every kind, whatever its column."""
    cells = [column.rename("cell") for table in tables for column in table.get_columns()]
    records = [table[RAW] for table in tables if RAW in table.columns]
    if not cells:
        return False
    kinds, region = [Column("cell", kind) for kind in SubjectKind], region_of(None)
    in_cell = rows_of(pl.concat(cells).drop_nulls().unique().to_frame(), kinds, region, target).any()
    in_record = (
        bool(records) and bad_rows_of(pl.concat(records).drop_nulls(), MAY_BE_AGREED, kinds, region, target).any()
    )
    return bool(in_cell or in_record)
