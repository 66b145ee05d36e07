"""References of the cells of a file: of its columns that can name a person, and of records that are no rows.

An erasure and the index at intake both ask here, so no column names anybody whom the index does not know.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from sluice.subject.columns import normalise_column
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

PIECE = r"[^;,\t|\"{}\[\]\r\n]+"
"""Matches what stands between the delimiters of any format we read, unless the contract agreed on another one."""
CUT_BY_PIECE = ";,\t|{}[]"
MEMBER, IS_MEMBER = r"[^:;,\t|\"{}\[\]\r\n]+", r'"\s*:'
"""The same for JSON, where a number follows the colon of its key: what to extract, and from which records."""
ESCAPED = r'"[^"\\]*\\.(?:[^"\\]|\\.)*"'
"""Matches a JSON string with an escape in it, such as ``"\\u002B32475123456"`` by .NET and ``"A\\/12"`` by PHP."""
PIECE_COLUMN = "piece"
RAW, ROW = pl.col("raw"), "row"


def refs_of_columns(
    frame: pl.DataFrame, kinds: Mapping[str, SubjectKind], region: str, key: SubjectKey
) -> Iterator[tuple[SubjectKind, pl.Series]]:
    """Yield, for each column that is there, its kind and the reference of every row. ``kinds``: by column name."""
    for name, kind in kinds.items():
        if name in frame.columns:
            yield kind, ref_column(normalise_column(frame[name], kind, region=region).values, kind, key)


def pieces_of(raw: pl.Series, delimiters: Iterable[str] | None) -> pl.DataFrame:
    """Cut records that are no rows into pieces: ``row``, the place in ``raw``, and ``piece``.

    A record is cut in every way: at the delimiters of all formats, at each delimiter that may have been agreed on
    (``delimiters``) by itself, and as JSON, with escapes resolved.
    """
    rows = pl.DataFrame({ROW: pl.int_range(len(raw), eager=True), "raw": raw})
    cut = [
        rows.filter(has_it).select(ROW, RAW.str.extract_all(pattern).alias(PIECE_COLUMN)).explode(PIECE_COLUMN)
        for pattern, has_it in _cuts(delimiters)
    ]
    return pl.concat([*cut[:-1], _as_meant(cut[-1])]).with_columns(pl.col(PIECE_COLUMN).str.strip_chars())


def _cuts(delimiters: Iterable[str] | None) -> Iterator[tuple[str, pl.Expr]]:
    """Yield what to extract, and from which records; strings with escapes come last."""
    yield PIECE, pl.lit(True)
    for each in delimiters or ():
        if each not in CUT_BY_PIECE:
            yield rf"[^\x{ord(each):02x}\"\r\n]+", RAW.str.contains(each, literal=True)
    yield MEMBER, RAW.str.contains(IS_MEMBER)
    yield ESCAPED, RAW.str.contains("\\", literal=True)


def _as_meant(texts: pl.DataFrame) -> pl.DataFrame:
    """Return JSON strings without quotes and escapes; null for other text, such as a quoted path in CSV."""
    found = texts[PIECE_COLUMN].to_list()
    return texts.with_columns(pl.Series(PIECE_COLUMN, [text and _unescaped(text) for text in found], dtype=pl.String))


def _unescaped(text: str) -> str | None:
    try:
        return str(json.loads(text, strict=False)).encode(errors="replace").decode()
    except json.JSONDecodeError:
        return None


def count_pieces(raw: pl.Series, delimiters: Iterable[str] | None) -> int:
    """Return how many pieces these records have at most."""
    rows = pl.DataFrame({"raw": raw})
    counts = (rows.filter(has_it).select(RAW.str.count_matches(one).sum()) for one, has_it in _cuts(delimiters))
    return sum(int(count.item()) for count in counts)


def refs_of_pieces(
    raw: pl.Series, delimiters: Iterable[str] | None, kinds: Iterable[SubjectKind], region: str, key: SubjectKey
) -> Iterator[tuple[SubjectKind, pl.Series]]:
    """Yield the references of the pieces of records that are no rows, each piece read as every kind."""
    pieces = pieces_of(raw, delimiters)
    for kind in sorted(set(kinds)):
        yield from refs_of_columns(pieces, {PIECE_COLUMN: kind}, region, key)
