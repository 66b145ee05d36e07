"""Notes that a person has to see: which rows wait, reading them, deciding, and letting rows come back.

Rows that may go come back as a file of their own, put where files of their flow arrive: an exchange
with its own gate, record and receipt. Only bytes that a decision names are taken for such a file.
"""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.model import DataContract
from sluice.agreement.papers import Paper
from sluice.db import Connection, transaction
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange import outbox, review_store, store
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.read import show_exchange
from sluice.exchange.review_model import Choice, Review, is_for_review
from sluice.exchange.workroom import private_folder
from sluice.lake.quarantine import unseal
from sluice.lake.write.model import WriteForm, Written
from sluice.lake.write.table import write_table
from sluice.lake_columns import ROW, is_ref
from sluice.ledger.append import append
from sluice.ledger.copy_kinds import FINDINGS, HELD_ROWS, LAKE
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.ledger.record import REVIEW, ExchangeRecord, InputLine
from sluice.ledger.reviewed import NotesRead, ReviewDecided
from sluice.ledger.store import find_entry
from sluice.media_types import NDJSON
from sluice.terms import ExchangeId, FieldGroup, Principal, ScreenAction
from sluice.times import utc_text

if TYPE_CHECKING:
    import polars as pl

FORM = WriteForm(format="ndjson")
"""Rows come back in a format that keeps every cell as it was, whatever the flow's own is."""
BACK = re.compile(r"/review-[a-p]{32}-[0-9]+\.ndjson$")
LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop", "-")
"""Turns an exchange id into letters: digits in a file name could be taken for a person's number."""


class RowsNotWaiting(SluiceError):
    code: ClassVar[str] = "SLU-418"
    summary: ClassVar[str] = "these rows do not wait for a review"
    cure: ClassVar[str] = (
        "`sluice review show` lists the rows that wait and what was decided of the others; those of somebody whose "
        "data may only be kept are not read until that ends"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class NotesWaiting:
    """An exchange with held notes: rows per code, and how many of them nobody has decided yet."""

    exchange_id: ExchangeId
    principal: str
    flow: str
    codes: dict[str, int]
    open: int


@dataclass(frozen=True, slots=True)
class NoteRow:
    """One held row: its number in the file, why it is held, and what was decided of it."""

    row: int
    codes: tuple[str, ...]
    review: Review | None


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes to be read, as CSV: row numbers, codes and note columns only."""

    rows: int
    content: bytes = field(repr=False)


def list_waiting(conn: Connection, principal: Principal | None, limit: int = 200) -> list[NotesWaiting]:
    """Exchanges with rows that wait for a person or were decided by one, newest first."""
    return list(islice(_waiting(conn, review_store.find_with_held_rows(conn, principal)), limit))


def list_open(conn: Connection, limit: int) -> list[NotesWaiting]:
    """Exchanges with rows on which nobody has decided yet, the oldest first."""
    return list(_waiting(conn, review_store.find_open(conn, limit)))


def _waiting(conn: Connection, exchange_ids: Iterable[ExchangeId]) -> Iterator[NotesWaiting]:
    for exchange_id in exchange_ids:
        record = show_exchange(conn, exchange_id).record
        held = record.right_treatment.held_back if record else {}
        if codes := {code: count for code, count in sorted(held.items()) if is_for_review(code)}:
            opened, left = store.get_opened(conn, exchange_id), review_store.count_left(conn, exchange_id)
            yield NotesWaiting(exchange_id, opened.principal, opened.flow, codes, left)


def note_rows(house: House, exchange_id: ExchangeId) -> list[NoteRow]:
    """Return the rows of one exchange that are held for their notes, or that were decided on.

    Rows that were erased before anybody decided are left out. Raises NotFound when it has no list of findings.
    """
    found, there = _noted(house, exchange_id), _held(house, exchange_id)
    return [each for each in found if each.review or each.row in there]


def count_again(house: House, exchange_id: ExchangeId, there: frozenset[int]) -> None:
    """Count again, after an erasure, the rows that wait for a decision.

    ``there``: numbers of the rows that are left.
    """
    with transaction(house.conn):
        store.lock_exchange(house.conn, exchange_id)
        left = [each for each in _noted(house, exchange_id) if each.review is None and each.row in there]
        review_store.note_left(house.conn, exchange_id, len(left))


def _held(house: House, exchange_id: ExchangeId) -> frozenset[int]:
    """Return the numbers of held rows that are there; none past their retention, or while an erasure rewrites them."""
    opened = store.get_opened(house.conn, exchange_id)
    with suppress(RowsNotWaiting, NotFound), _rows_of(house, opened, sample=False, columns=[ROW]) as frame:
        return frozenset(frame[ROW])
    return frozenset()


def _noted(house: House, exchange_id: ExchangeId) -> list[NoteRow]:
    decided = {row: each for each in review_store.find_reviews(house.conn, [exchange_id]) for row in each.rows}
    codes: dict[int, list[str]] = {}
    for row, code in _findings(house, exchange_id):
        if is_for_review(code):
            codes.setdefault(row, []).append(code)
    return [NoteRow(row, tuple(sorted(found)), decided.get(row)) for row, found in sorted(codes.items())]


def read_notes(house: House, exchange_id: ExchangeId, by: str, now: datetime, *, sample: bool) -> Notes:
    """Return the notes for ``by`` to read. The ledger says that they were read before anybody can read them.

    ``sample``: return notes without a finding that were drawn for a person to read, instead of those held. Notes about
    somebody whose data may only be kept (GDPR Art. 18(2)) wait until it may be used again.

    Raises RowsNotWaiting, NotFound, UsageError.
    """
    import polars as pl

    by, opened = check_name(by), store.get_opened(house.conn, exchange_id)
    with _rows_of(house, opened, sample=sample) as frame:
        told = pl.DataFrame(
            [(row, code) for row, code in _findings(house, exchange_id) if _is_wanted(code, sample)],
            schema={ROW: pl.Int64, "codes": pl.String},
            orient="row",
        )
        wanted = told.group_by(ROW).agg(pl.col("codes").unique().sort().str.join(" ")).sort(ROW)
        contract = _contract(house, opened)
        notes = [name for name in _note_columns(contract, sample=sample) if name in frame.columns]
        usable = frame.filter(_is_usable(house, opened, contract, frame)).with_columns(pl.col(ROW).cast(pl.Int64))
        shown = wanted.join(usable, on=ROW).select(ROW, "codes", *notes)
    if shown.is_empty() or not notes:
        raise RowsNotWaiting(Ref("exchange", exchange_id))
    body = NotesRead(
        exchange_id=exchange_id,
        why="sample" if sample else "review",
        rows=shown.height,
        read_by=by,
        read_at=utc_text(now),
    )
    with private_folder(house) as folder:
        written = write_table(shown.cast(pl.String), {}, WriteForm(format="csv"), folder / "notes.csv", title="notes")
        content = written.path.read_bytes()
    with transaction(house.conn):
        append(house.conn, chain=opened.chain, kind=EntryKind.NOTES_READ, exchange_id=None, body=body)
    return Notes(shown.height, content)


def decide(
    house: House,
    exchange_id: ExchangeId,
    rows: Iterable[int],
    choice: Choice,
    by: str,
    now: datetime,
    *,
    reason: str | None = None,
) -> Review:
    """Decide on rows that wait, once for each row, with a reason. Rows that may go come back through the outbox.

    Raises RowsNotWaiting, UsageError.
    """
    check_reason(reason)
    by, opened = check_name(by), store.get_opened(house.conn, exchange_id)
    wanted = tuple(sorted(set(rows)))
    with transaction(house.conn):
        store.lock_exchange(house.conn, exchange_id)
        waiting = {each.row for each in note_rows(house, exchange_id) if each.review is None}
        if not wanted or not set(wanted) <= waiting:
            raise RowsNotWaiting(Ref("exchange", exchange_id), Ref("rows", len(set(wanted) - waiting)))
        number = len(review_store.find_reviews(house.conn, [exchange_id])) + 1
        review = Review(exchange_id, number, choice, wanted, by, now, opened.bucket, back_key(opened, number))
        review_store.insert_review(house.conn, review)
        review_store.note_reviewed(house.conn, exchange_id, len(wanted))
        if review.comes_back:
            outbox.rearm(house.conn, exchange_id, outbox.Effect.REVIEW)
        body = _entry(review, reason)
        append(house.conn, chain=opened.chain, kind=EntryKind.REVIEW_DECIDED, exchange_id=None, body=body)
    return review


def _entry(review: Review, reason: str | None) -> ReviewDecided:
    return ReviewDecided(
        exchange_id=review.exchange_id,
        number=review.number,
        decision=review.choice.value,
        rows=len(review.rows),
        decided_by=review.decided_by,
        decided_at=utc_text(review.decided_at),
        key=review.key if review.comes_back else None,
        reason=reason,
    )


def put_reviewed(house: House, exchange_id: ExchangeId) -> None:
    """The effect: put every file that is owed. A row that was erased meanwhile does not come back."""
    opened = store.get_opened(house.conn, exchange_id)
    for review in review_store.find_reviews(house.conn, [exchange_id]):
        if not review.comes_back or review.put_at is not None:
            continue
        with private_folder(house) as folder:
            written = _written(house, opened, review, folder)
            if written is not None:
                review_store.note_file(house.conn, review, written.sha256)
                house.objects.put_converging(review.bucket, review.key, written.path, NDJSON)
        review_store.note_put(house.conn, review)


def review_of(conn: Connection, opened: Opened) -> Review | None:
    """Return the decision that brings back the rows in this arrival, or None for any other file."""
    return review_store.find_by_file(conn, opened.bucket, opened.key)


def held_inputs(conn: Connection, review: Review) -> tuple[InputLine, ...]:
    """Return the exchange whose held rows a decision brings back, with its held copy as its record names it."""
    entry = find_entry(conn, review.exchange_id, EntryKind.EXCHANGE_CLOSED)
    record = ExchangeRecord.model_validate_json(entry.body) if entry else None
    return tuple(
        InputLine(
            exchange_id=review.exchange_id,
            kind=REVIEW,
            bucket=copy.bucket,
            key=copy.key,
            version_id=copy.version_id,
            sha256=copy.sha256,
        )
        for copy in (record.how_long.copies if record else ())
        if copy.kind == HELD_ROWS and copy.version_id
    )


def paper_of_review(paper: Paper, review: Review) -> Paper:
    """Return the paper for rows that come back: their own format, no new sample, masks if so decided. Pure.

    ``paper``: the one they were held under, whose columns they have, whatever contract is in force since.
    """
    form = replace(
        paper.contract.file_format,
        format=FORM.format,
        pattern="review-*.ndjson",
        delimiter=None,
        encoding=None,
        sheet=None,
    )
    rules, masks = paper.agreement.free_text, review.choice is Choice.MASK
    actions = {
        word: ScreenAction.MASK if masks and action is ScreenAction.REVIEW else action
        for word, action in rules.actions.items()
    }
    return replace(
        paper,
        contract=replace(paper.contract, file_format=form),
        agreement=replace(paper.agreement, free_text=replace(rules, actions=actions, sample_share=0.0)),
    )


def back_key(opened: Opened, number: int) -> str:
    """Where rows come back: beside the other files of their flow."""
    name = f"review-{opened.exchange_id.translate(LETTERS)}-{number}.ndjson"
    return f"{opened.principal}/{opened.direction}/{opened.flow}/{name}"


def is_back_key(key: str) -> bool:
    """Whether rows come back under this key: they are then in :data:`FORM`, whatever the format of their flow."""
    return BACK.search(key) is not None


def _written(house: House, opened: Opened, review: Review, folder: Path) -> Written | None:
    import polars as pl

    with _rows_of(house, opened, sample=False) as frame:
        rows = frame.filter(pl.col(ROW).is_in(list(review.rows))).drop(ROW)
    return write_table(rows, {}, FORM, folder / "back.ndjson", title="review") if rows.height else None


@contextmanager
def _rows_of(
    house: House, opened: Opened, *, sample: bool, columns: list[str] | None = None
) -> Iterator["pl.DataFrame"]:
    """Yield held rows as they came or, for a ``sample``, accepted rows of the lake; all columns, or these alone."""
    import polars as pl

    copies = {copy.kind: copy for copy in find_copies(house.conn, opened.exchange_id)}
    copy = copies.get(LAKE if sample else HELD_ROWS)
    if copy is None or copy.version_id is None:
        raise RowsNotWaiting(Ref("exchange", opened.exchange_id))
    with private_folder(house) as folder:
        path = house.objects.fetch(copy.bucket, copy.key, copy.version_id, folder / "rows").path
        opened_path = path if sample else unseal(path, folder / "opened", house.keyring, opened.principal)
        yield pl.read_parquet(opened_path, columns=columns)


def _contract(house: House, opened: Opened) -> DataContract | None:
    """The contract that the exchange was judged by."""
    return paper_under(house.conn, opened).contract


def _note_columns(contract: DataContract | None, *, sample: bool) -> list[str]:
    own = [each.name for each in contract.fields if each.group is FieldGroup.NOTE_FREE_TEXT] if contract else []
    return list(dict.fromkeys(["note", *own])) if sample else own


def _is_usable(house: House, opened: Opened, contract: DataContract | None, frame: "pl.DataFrame") -> "pl.Series":
    """Tell which rows name nobody whose data may only be kept: by the lake's references, else by their cells."""
    import polars as pl

    from sluice.exchange.persons.suppressed import find_stored_only  # with polars, which no page loads
    from sluice.subject.cells import refs_of_columns

    refs = [frame[name] for name in filter(is_ref, frame.columns)]
    if not refs and contract is not None:
        key, region = house.subject_key(opened.principal), contract.file_format.region
        refs = [column for _, column in refs_of_columns(frame, naming_columns(contract), region, key)]
    away = pl.Series(sorted(find_stored_only(house, opened.principal)), dtype=pl.String)
    named = pl.Series([False]).new_from_index(0, frame.height)
    for column in refs:
        named |= column.is_in(away.implode()).fill_null(False)
    return ~named


def _findings(house: House, exchange_id: ExchangeId) -> list[tuple[int, str]]:
    """Row number and code of every finding."""
    import polars as pl

    copy = get_copy(house.conn, exchange_id, FINDINGS)
    content = house.objects.read(copy.bucket, copy.key, copy.version_id)
    frame = pl.read_csv(io.BytesIO(content), infer_schema=False).select("row", "code").drop_nulls()
    return [(int(row), code) for row, code in frame.iter_rows()]


def _is_wanted(code: str, sample: bool) -> bool:
    return code == "TEXT_SAMPLE" if sample else is_for_review(code)
