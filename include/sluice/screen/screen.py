"""Screen a column of notes: find candidates with vectorised passes, judge each distinct one exactly, then mask.

Only listed terms and checksummed numbers are found. A note without a finding is not proven clean
(docs/explanation/free-text.md); ``sluice.screen.sample`` picks such notes for a human.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from sluice.errors import Ref
from sluice.screen.fold import fold
from sluice.screen.model import STRUCTURED, Hit, NotesMalformed, Screened
from sluice.screen.numbers import find_mails, find_numbers
from sluice.screen.phones import phone_shape
from sluice.screen.prefilter import Candidates, find_candidates, find_shapes
from sluice.screen.tables import tables_version
from sluice.screen.words import find_words
from sluice.terms import ScreenAction, ScreenClass

FINDING_COLUMNS = {
    "row": pl.UInt32,
    "class": pl.String,
    "start": pl.UInt32,
    "end": pl.UInt32,
    "action": pl.String,
}


@dataclass(slots=True)
class _Results:
    rows: list[int] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    masked_rows: list[int] = field(default_factory=list)
    masked: list[str] = field(default_factory=list, repr=False)


def screen_notes(
    notes: pl.Series,
    actions: Mapping[ScreenClass, ScreenAction],
    *,
    region: str = "BE",
) -> Screened:
    """Find everything of the classes in ``actions``, and replace the spans to MASK by ``[class]``.

    notes: String, nulls allowed. region: the one whose phone numbers are written without a country code.
    ALLOW, REVIEW and REFUSE leave the text as it is; refusing is up to the caller.
    Raises NotesMalformed.
    """
    _check_text(notes)
    results = _read_all(notes, actions, region)
    return Screened(
        notes=_with_masks(notes, results),
        findings=_findings(results, actions),
        screened_for=tuple(one for one in ScreenClass if one in actions),
        tables_version=tables_version(),
        rows_with_text=int((notes.str.len_bytes() > 0).sum()),
    )


def _check_text(notes: pl.Series) -> None:
    if notes.dtype != pl.String:
        raise NotesMalformed(Ref("column", notes.name))


def _read_all(notes: pl.Series, actions: Mapping[ScreenClass, ScreenAction], region: str) -> _Results:
    """Read the candidates; each distinct note only once, because most notes are one of a few short ones."""
    known = dict(_read_distinct(notes.drop_nulls().unique(), actions, region))
    rows = notes.is_in(pl.Series(list(known), dtype=pl.String).implode()).arg_true()
    results = _Results()
    masks = frozenset(one for one, action in actions.items() if action is ScreenAction.MASK)
    for row, note in zip(rows.to_list(), notes.gather(rows).to_list(), strict=True):
        _add(results, row, note, known[note], masks)
    return results


def _read_distinct(
    notes: pl.Series, actions: Mapping[ScreenClass, ScreenAction], region: str
) -> Iterator[tuple[str, tuple[Hit, ...]]]:
    """Yield the notes in which something is found."""
    looks = _looks(find_candidates(notes), actions, region).insert_column(0, notes.alias("note"))
    asked = (pl.col("shapes") > 0) | pl.col("mails") | pl.col("words")
    for note, shapes, mails, words in looks.filter(asked).iter_rows():
        if hits := _read(note, shapes, mails, words, actions=actions, region=region):
            yield note, hits


def _looks(found: Candidates, actions: Mapping[ScreenClass, ScreenAction], region: str) -> pl.DataFrame:
    """What the exact stage must look for in each note: ``shapes`` of numbers (UInt8), ``mails``, ``words``."""
    shapes = pl.Series("shapes", [0], dtype=pl.UInt8).new_from_index(0, len(found.plain))
    if actions.keys() & (STRUCTURED - {ScreenClass.EMAIL}):
        rows = found.numbers.arg_true()
        shapes = shapes.scatter(rows, find_shapes(found.plain.gather(rows), phone_shape(region)))
    mails = found.mails & (ScreenClass.EMAIL in actions)
    words = found.words & bool(actions.keys() - STRUCTURED)
    return pl.DataFrame({"shapes": shapes, "mails": mails, "words": words})


def _read(
    note: str,
    shapes: int,
    mails: bool,
    words: bool,
    *,
    actions: Mapping[ScreenClass, ScreenAction],
    region: str,
) -> tuple[Hit, ...]:
    """Run the exact stage on one note; the spans are those of the original note, sorted."""
    folded = fold(note)
    hits: list[Hit] = []
    if shapes:
        hits += find_numbers(folded.text, shapes, region)
    if mails:
        hits += find_mails(folded.text)
    if words:
        hits += find_words(note, folded)
    kept = {(name, *folded.origin(start, end)) for name, start, end in hits if name in actions}
    return tuple(sorted(kept, key=lambda hit: (hit[1], hit[2], hit[0])))


def _add(results: _Results, row: int, note: str, hits: Sequence[Hit], masks: frozenset[ScreenClass]) -> None:
    results.rows += [row] * len(hits)
    results.hits += hits
    to_mask = [hit for hit in hits if hit[0] in masks]
    if to_mask:
        results.masked_rows.append(row)
        results.masked.append(mask(note, to_mask))


def mask(note: str, hits: Iterable[Hit]) -> str:
    """Replace each span (sorted by start) by its class; overlapping spans together by the class of the longest."""
    merged: list[Hit] = []
    for hit in hits:
        if merged and hit[1] < merged[-1][2]:
            last = merged[-1]
            name = max(last, hit, key=lambda one: one[2] - one[1])[0]
            merged[-1] = (name, last[1], max(last[2], hit[2]))
        else:
            merged.append(hit)
    pieces, done = [], 0
    for name, start, end in merged:
        pieces += [note[done:start], f"[{name}]"]
        done = end
    return "".join([*pieces, note[done:]])


def _with_masks(notes: pl.Series, results: _Results) -> pl.Series:
    return notes.clone().scatter(results.masked_rows, results.masked) if results.masked_rows else notes


def _findings(results: _Results, actions: Mapping[ScreenClass, ScreenAction]) -> pl.DataFrame:
    columns = {
        "row": results.rows,
        "class": [hit[0].value for hit in results.hits],
        "start": [hit[1] for hit in results.hits],
        "end": [hit[2] for hit in results.hits],
        "action": [actions[hit[0]].value for hit in results.hits],
    }
    return pl.DataFrame(columns, schema=FINDING_COLUMNS)
