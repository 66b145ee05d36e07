"""Turn an export of one platform into canonical rows, whole columns at a time; unreadable values become findings.

Pure: it takes a frame of text and a mapping, and returns a frame of text and findings. A value that
cannot be read is null.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from sluice.results.model import (
    CANONICAL_COLUMNS,
    REQUIRED_COLUMNS,
    DurationReading,
    MappedColumn,
    ResultMapping,
    Source,
    Take,
    TimeReading,
)
from sluice.results.reading import (
    as_text,
    is_unread,
    local_of,
    null_of,
    seconds_of,
    time_faults,
    utc_of,
)
from sluice.terms import Severity

_CHOSEN = "\0chosen"
"""Extra column with the position of the phone column that counts. No export has a column with this name."""


@dataclass(frozen=True, slots=True)
class MappingFinding:
    """Something that a mapping could not read. ``column``: the platform's column name, never a value.

    ``row_index``: 0 = first row of the frame; None if the file lacks ``column``.
    ``rule``: ``mapping.<canonical column>``.
    """

    row_index: int | None
    rule: str
    code: str
    column: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """Canonical rows, as many as the export has and in the same order, and all findings.

    Findings about the file come first, then those about rows, by ``row_index``.
    """

    frame: pl.DataFrame
    findings: tuple[MappingFinding, ...]

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The platform's columns that the file lacks; if there are any, the file cannot be used."""
        return tuple(one.column for one in self.findings if one.row_index is None)

    @property
    def usable(self) -> pl.Series:
        """A mask, true for rows that are contacts and have no finding of severity error."""
        wrong = [one.row_index for one in self.findings if one.row_index is not None and one.severity is Severity.ERROR]
        there = self.frame.select(pl.all_horizontal(pl.col(REQUIRED_COLUMNS).is_not_null())).to_series()
        return there.scatter(wrong, False).rename("usable")


@dataclass(frozen=True, slots=True)
class _Check:
    """A finding for every row where ``mask`` is true."""

    mask: pl.Series
    rule: str
    code: str
    column: str
    severity: Severity = Severity.ERROR

    def findings(self) -> Iterator[MappingFinding]:
        for row in self.mask.arg_true().to_list():
            yield MappingFinding(row, self.rule, self.code, self.column, self.severity)


def to_canonical(frame: pl.DataFrame, mapping: ResultMapping) -> Canonical:
    """Turn the export into canonical rows: same height, same order, columns ``mapping.names``.

    frame: every column String, as ``lake.read_table`` returns it."""
    missing = list(_missing(frame.columns, mapping))
    absent = {name for one in mapping.columns for name in _needs(one, mapping, frame.columns)} - set(frame.columns)
    whole = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in sorted(absent))
    chosen, checks = _choose_latest(whole, mapping)
    texts = _texts(whole.with_columns(chosen), mapping)
    values = [_value(one, texts) for one in mapping.columns]
    made = pl.DataFrame([value for value, _ in values])
    checks += [check for _, found in values for check in found]
    said = {one.rule for one in missing}
    checks += [check for check in _required(made, mapping, chosen, checks) if check.rule not in said]
    rows = sorted((one for check in checks for one in check.findings()), key=_order)
    empty = [pl.lit(None, pl.String).alias(name) for name in CANONICAL_COLUMNS if name not in made.columns]
    return Canonical(made.with_columns(empty).select(mapping.names), (*missing, *rows))


def without_null_words(frame: pl.DataFrame, mapping: ResultMapping) -> pl.DataFrame:
    """The export with nothing in each cell that counts as empty in all that the mapping makes of its column."""
    words: dict[str, set[str]] = {}
    for names, said in _null_words(frame.columns, mapping):
        for name in names:
            words[name] = words.get(name, set(said)) & set(said)
    there = (name for name in frame.columns if name in words)
    return frame.with_columns(null_of(pl.col(name), sorted(words[name])).alias(name) for name in there)


def _null_words(columns: Sequence[str], mapping: ResultMapping) -> Iterator[tuple[Iterable[str], tuple[str, ...]]]:
    """Columns that are read together, and what counts as empty there."""
    for one in mapping.columns:
        yield _needs(one, mapping, columns), one.null_words
    if mapping.latest_by:
        phones = _phones(columns, mapping)
        yield [mapping.latest_by.family + phone for phone in phones], mapping.latest_by.null_words


def _order(finding: MappingFinding) -> tuple[int, str, str, str]:
    return finding.row_index or 0, finding.rule, finding.code, finding.column


def _missing(names: Sequence[str], mapping: ResultMapping) -> Iterator[MappingFinding]:
    """Findings for the needed columns that the export lacks; of a family, one is needed for each phone column."""
    if mapping.latest_by and not _phones(names, mapping):
        yield MappingFinding(None, "mapping.latest_by", "HEADER_MISSING_COLUMN", mapping.latest_by.family)
    for one in mapping.columns:
        for name in () if one.optional else _needs(one, mapping, names):
            if name not in names:
                yield MappingFinding(None, f"mapping.{one.name}", "HEADER_MISSING_COLUMN", name)


def _needs(one: MappedColumn, mapping: ResultMapping, names: Sequence[str]) -> tuple[str, ...]:
    plus = one.reading.plus if isinstance(one.reading, TimeReading) else ()
    if one.source.take is Take.FAMILY:
        return tuple(one.source.names[0] + phone for phone in _phones(names, mapping)) + plus
    return one.source.names + plus


def _phones(names: Sequence[str], mapping: ResultMapping) -> list[str]:
    """The phone columns of a family, sorted, so that their order in the file does not matter."""
    if mapping.latest_by is None:
        return []
    family = mapping.latest_by.family
    return sorted(name.removeprefix(family) for name in names if name.startswith(family) and name != family)


def _choose_latest(frame: pl.DataFrame, mapping: ResultMapping) -> tuple[pl.Series, list[_Check]]:
    """The position of the phone column with the latest attempt; null without one, or if any time is unreadable."""
    nothing = pl.Series(_CHOSEN, [None], dtype=pl.Int32).new_from_index(0, frame.height)
    phones = _phones(frame.columns, mapping)
    if mapping.latest_by is None or not phones:
        return nothing, []
    latest, times, checks = mapping.latest_by, [], list[_Check]()
    for phone in phones:
        name = latest.family + phone
        text = frame.select(null_of(pl.col(name), latest.null_words)).to_series()
        time, found = _time(text, latest.time, MappedColumn("latest_by", Source(Take.COLUMN, (name,))))
        times.append(time.alias(phone))
        checks += found
    wide = pl.DataFrame(times)
    newest = pl.max_horizontal(pl.all())
    position = pl.lit(None, pl.Int32)
    for at, phone in reversed(list(enumerate(phones))):
        position = pl.when(pl.col(phone) == newest).then(pl.lit(at, pl.Int32)).otherwise(position)
    chosen = wide.select(position.alias(_CHOSEN)).to_series()
    for check in checks:
        chosen = pl.select(pl.when(~check.mask).then(chosen)).to_series().alias(_CHOSEN)
    return chosen, checks


def _texts(frame: pl.DataFrame, mapping: ResultMapping) -> pl.DataFrame:
    """The text of each canonical column, and of each duration added to a time, as ``<column>+<name>``."""
    phones = _phones(frame.columns, mapping)
    made: list[pl.Expr] = []
    for one in mapping.columns:
        made.append(_text(one, phones).alias(one.name))
        if one.source.take is Take.CELL:
            made.append(_is_miscounted(one).alias(f"{one.name}?"))
        for name in one.reading.plus if isinstance(one.reading, TimeReading) else ():
            made.append(null_of(pl.col(name), one.null_words).alias(f"{one.name}+{name}"))
    return frame.select(made)


def _text(one: MappedColumn, phones: Sequence[str]) -> pl.Expr:
    source = one.source
    columns = [null_of(pl.col(name), one.null_words) for name in source.names if source.take is not Take.FAMILY]
    match source.take:
        case Take.COLUMN:
            return columns[0]
        case Take.FIRST_OF:
            return pl.coalesce(columns)
        case Take.JOINED:
            return pl.concat_str(columns, separator=" ")
        case Take.CELL:
            part = pl.col(source.names[0]).str.split(",").list.get(source.place, null_on_oob=True)
            return pl.when(~_is_miscounted(one)).then(null_of(part.str.strip_chars(), one.null_words))
        case Take.FAMILY:
            text = pl.lit(None, pl.String)
            for at, phone in enumerate(phones):
                value = null_of(pl.col(source.names[0] + phone), one.null_words)
                text = pl.when(pl.col(_CHOSEN) == at).then(value).otherwise(text)
            return text


def _is_miscounted(one: MappedColumn) -> pl.Expr:
    """Whether a filled cell has another number of fields than listed: a value has a comma, or the list changed."""
    cell = null_of(pl.col(one.source.names[0]), one.null_words)
    return (cell.str.count_matches(",", literal=True) != one.source.width - 1).fill_null(False)


def _value(one: MappedColumn, texts: pl.DataFrame) -> tuple[pl.Series, list[_Check]]:
    """The values of a canonical column, and checks for what could not be read."""
    text, rule = texts[one.name], f"mapping.{one.name}"
    if one.source.take is Take.CELL:
        return text, [_Check(texts[f"{one.name}?"], rule, "VALUE_JOINED_CELL", one.source.label)]
    if isinstance(one.reading, DurationReading):
        seconds = seconds_of(text, one.reading.unit)
        return seconds.cast(pl.String), [_Check(is_unread(text, seconds), rule, "VALUE_DURATION", one.source.label)]
    if isinstance(one.reading, TimeReading):
        time, checks = _time(text, one.reading, one)
        time, more = _with_durations(time, one, texts)
        return as_text(time).alias(one.name), checks + more
    return text, []


def _time(text: pl.Series, reading: TimeReading, one: MappedColumn) -> tuple[pl.Series, list[_Check]]:
    """Moments in UTC, null where unreadable, and checks for those."""
    local = local_of(text, reading)
    time = utc_of(local, reading)
    faults = time_faults(text, local, time, reading)
    return time, [_Check(mask, f"mapping.{one.name}", code, one.source.label) for code, mask in faults]


def _with_durations(time: pl.Series, one: MappedColumn, texts: pl.DataFrame) -> tuple[pl.Series, list[_Check]]:
    """Add the durations of ``plus`` to a moment; an empty one counts as zero."""
    checks: list[_Check] = []
    assert isinstance(one.reading, TimeReading)
    for name in one.reading.plus:
        text = texts[f"{one.name}+{name}"]
        seconds = seconds_of(text, one.reading.unit)
        unread = is_unread(text, seconds)
        checks.append(_Check(unread, f"mapping.{one.name}", "VALUE_DURATION", name))
        later = time + (seconds.fill_null(0) * 1_000_000).cast(pl.Duration("us"))
        time = pl.select(pl.when(~unread).then(later)).to_series()
    return time, checks


def _required(
    made: pl.DataFrame, mapping: ResultMapping, chosen: pl.Series, checks: Sequence[_Check]
) -> Iterator[_Check]:
    """Checks for values that every contact needs, unless another finding already explains their absence."""
    labels = {one.name: one.source.label for one in mapping.columns}
    untouched = _never_tried(mapping, chosen, checks)
    yield _Check(made["contact_id"].is_null(), "mapping.contact_id", "VALUE_CONTACT_ID", labels["contact_id"])
    if "record_id" in labels:
        empty = made["record_id"].is_null() & ~_marked(checks, "mapping.record_id", made.height)
        yield _Check(empty, "mapping.record_id", "VALUE_RECORD_ID", labels["record_id"], Severity.WARNING)
    if mapping.latest_by:
        yield _Check(untouched, "mapping.latest_by", "VALUE_NO_CONTACT", mapping.latest_by.family, Severity.WARNING)
    for name in ("updated_at", "started_at"):
        said = untouched | _marked(checks, f"mapping.{name}", made.height)
        said |= _marked(checks, "mapping.latest_by", made.height)
        yield _Check(made[name].is_null() & ~said, f"mapping.{name}", "VALUE_TIMESTAMP_MISSING", labels[name])


def _never_tried(mapping: ResultMapping, chosen: pl.Series, checks: Sequence[_Check]) -> pl.Series:
    if mapping.latest_by is None:
        return _marked((), "", len(chosen))
    return chosen.is_null() & ~_marked(checks, "mapping.latest_by", len(chosen))


def _marked(checks: Sequence[_Check], rule: str, height: int) -> pl.Series:
    marked = pl.Series([False]).new_from_index(0, height)
    for check in checks:
        if check.rule == rule:
            marked |= check.mask
    return marked
