"""References of the cells of a file: of its columns that can name a person, and of records that are no rows.

An erasure and the index at intake ask the same here, so what the index does not know no column says.
"""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from sluice.subject.columns import normalise_column
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

PIECE = r"[^;,\t|\"{}\[\]\r\n]+"
"""What stands between the delimiters of any format we read."""
PIECE_COLUMN = "piece"


def refs_of_columns(
    frame: pl.DataFrame, kinds: Mapping[str, SubjectKind], region: str, key: bytes
) -> Iterator[tuple[SubjectKind, pl.Series]]:
    """Per column that is there: its kind, and the reference of every row. ``kinds``: by name of a column."""
    for name, kind in kinds.items():
        if name in frame.columns:
            yield kind, ref_column(normalise_column(frame[name], kind, region=region).values, kind, key)


def pieces_of(raw: pl.Series) -> pl.DataFrame:
    """Records that are no rows in pieces: ``row``, the place in ``raw``, and ``piece``."""
    pieces = pl.DataFrame({"row": pl.int_range(len(raw), eager=True), PIECE_COLUMN: raw.str.extract_all(PIECE)})
    return pieces.explode(PIECE_COLUMN).with_columns(pl.col(PIECE_COLUMN).str.strip_chars())


def count_pieces(raw: pl.Series) -> int:
    """How many pieces these records have."""
    return int(raw.str.count_matches(PIECE).sum())


def refs_of_pieces(
    raw: pl.Series, kinds: Iterable[SubjectKind], region: str, key: bytes
) -> Iterator[tuple[SubjectKind, pl.Series]]:
    """Of records that are no rows: what each piece is a reference of, read as every kind."""
    pieces = pieces_of(raw)
    for kind in sorted(set(kinds)):
        yield from refs_of_columns(pieces, {PIECE_COLUMN: kind}, region, key)
