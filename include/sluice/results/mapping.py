"""Load a mapping file into a :class:`ResultMapping`, or report every problem in it with its line."""

import hashlib
import re
import zoneinfo
from collections.abc import Iterator, Mapping
from pathlib import Path

from sluice.agreement.document import MAX_BYTES, Fault, Found, Spot, parse_yaml
from sluice.agreement.model import Problem
from sluice.agreement.shape import Day, Flag, Keys, Kind, Many, Text, Word, check_shape
from sluice.results.mapping_codes import MAPPING_CODES
from sluice.results.model import (
    CANONICAL_COLUMNS,
    DURATION_COLUMNS,
    OFFSET,
    REQUIRED_COLUMNS,
    TIME_COLUMNS,
    DurationReading,
    LatestBy,
    MappedColumn,
    MappingInvalid,
    Reading,
    ResultMapping,
    Source,
    Take,
    TimeReading,
    Unit,
)
from sluice.terms import Sha256

_NAME = Text()
_NAMES = Many(_NAME, least=2)
_TIME: Mapping[str, Kind] = {"format": _NAME, "zone": _NAME}
_COLUMN = Keys(
    must={},
    may={
        "column": _NAME,
        "first_of": _NAMES,
        "joined": _NAMES,
        "cell": Keys(must={"column": _NAME, "fields": _NAMES, "field": _NAME}),
        "family": Text(empty=True),
        **_TIME,
        "plus": Many(_NAME, least=1),
        "unit": Word(tuple(Unit)),
        "null_words": Many(_NAME, least=1),
        "optional": Flag(),
    },
)
_SHAPE = Keys(
    must={
        "platform": Text(r"[a-z][a-z0-9_]{0,62}", "lower-case letters, digits and _"),
        "version": Text(r"\d+\.\d+\.\d+", "three numbers with dots, in quotes if need be"),
        "date": Day(),
        "means": Text(),
        "columns": Keys(
            must=dict.fromkeys(REQUIRED_COLUMNS, _COLUMN),
            may=dict.fromkeys(CANONICAL_COLUMNS[len(REQUIRED_COLUMNS) :], _COLUMN),
        ),
    },
    may={"null_words": Many(_NAME, least=1), "latest_by": Keys(must={"family": _NAME, **_TIME})},
)
_EXTRA_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DIRECTIVE = re.compile(r"%[.:#]?[A-Za-z]")
_KNOWN = re.compile(r"%(?:[YmbBdaAHIpMSFTz]|\.f|[:#]z)")
"""The allowed directives: not %y, since two digits do not give the century, nor %D and the like, which hide the order
of day and month."""
_NEEDED = (("%Y", "%F"), ("%m", "%b", "%B", "%F"), ("%d", "%F"), ("%H", "%I", "%T"), ("%M", "%T"))


def load_mapping(path: Path) -> ResultMapping:
    """Load the mapping in one file. Raises MappingInvalid with every problem found."""
    body = _read(path)
    try:
        root = parse_yaml(body)
    except Fault as fault:
        problem = _problem(path, fault.line, fault.number, fault.where, fault.detail)
    else:
        if not root["platform"].exists:
            raise MappingInvalid(_problem(path, 1, "007"))
        found = list(_shape_findings(root)) or list(_findings(root))
        if not found:
            return _build(root, Sha256(hashlib.sha256(body).hexdigest()))
        places = sorted({(one.spot.line, one.number, one.spot.where, one.detail) for one in found})
        raise MappingInvalid(*(_problem(path, *place) for place in places))
    raise MappingInvalid(problem)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
    except OSError:
        pass
    raise MappingInvalid(_problem(path, 1, "001"))


def _problem(path: Path, line: int, number: str, where: str = "", detail: str = "") -> Problem:
    known = MAPPING_CODES[f"MAP-{number}"]
    place = " - ".join(part for part in (where, detail) if part) or "this file"
    return Problem(str(path), line, known.code, f"{known.rule}: {place}. Cure: {known.cure}")


def _shape_findings(root: Spot) -> Iterator[Found]:
    """Findings for whatever is outside the closed shape; the names under ``extra`` are up to the file."""
    extra = root["extra"]
    shape = Keys(_SHAPE.must, {**_SHAPE.may, "extra": Keys({}, dict.fromkeys(extra.keys, _COLUMN))})
    yield from check_shape(root, shape)
    for name, spot in extra.keys.items():
        if not _EXTRA_NAME.fullmatch(name):
            yield Found(spot, "017", "a name of lower-case letters, digits and _")


def _findings(root: Spot) -> Iterator[Found]:
    """Findings that the shape alone cannot show."""
    for name, spot in root["columns"].keys.items():
        yield from _column_findings(name, spot, root)
    for name, spot in root["extra"].keys.items():
        if name in CANONICAL_COLUMNS:
            yield Found(spot, "027")
        yield from _column_findings(name, spot, root)
    if root["latest_by"].is_given:
        yield from _time_findings(root["latest_by"])


def _column_findings(name: str, spot: Spot, root: Spot) -> Iterator[Found]:
    if sum(spot[take].is_given for take in Take) != 1:
        yield Found(spot, "020")
    if spot["family"].is_given and not root["latest_by"].is_given:
        yield Found(spot["family"], "024")
    if cell := spot["cell"].value:
        fields = cell["fields"]
        if cell["field"] not in fields or len(set(fields)) < len(fields):
            yield Found(spot["cell"], "026")
    yield from _reading_findings(name, spot)
    if spot["format"].is_given and spot["zone"].is_given:
        yield from _time_findings(spot)


def _reading_findings(name: str, spot: Spot) -> Iterator[Found]:
    """Check how a column is read. A time needs format and zone; ``unit`` alone is a duration, with ``plus`` it is of a
    time."""
    form, zone, plus, unit = (spot[key].is_given for key in ("format", "zone", "plus", "unit"))
    is_time, is_duration = form and zone and plus == unit, unit and not (form or zone or plus)
    is_text = not (form or zone or plus or unit)
    fits = {**dict.fromkeys(TIME_COLUMNS, is_time), **dict.fromkeys(DURATION_COLUMNS, is_duration)}
    known = is_text if name in CANONICAL_COLUMNS else is_text or is_time or is_duration
    if not fits.get(name, known):
        yield Found(spot, "025")


def _time_findings(spot: Spot) -> Iterator[Found]:
    directives = _DIRECTIVE.findall(spot["format"].value)
    complete = all(any(one in directives for one in choice) for choice in _NEEDED)
    halves = ("%I" in directives) == ("%p" in directives)
    if not (complete and halves and all(map(_KNOWN.fullmatch, directives))):
        yield Found(spot["format"], "022")
    zone = spot["zone"].value
    if zone != OFFSET and not _is_zone(zone):
        yield Found(spot["zone"], "021")
    if (zone == OFFSET) != any(one.endswith("z") for one in directives):
        yield Found(spot["zone"], "023")


def _is_zone(name: str) -> bool:
    return name in zoneinfo.available_timezones()


def _build(root: Spot, sha256: Sha256) -> ResultMapping:
    shared = tuple(root["null_words"].value or ())
    spots = {**root["columns"].keys, **root["extra"].keys}
    order = [name for name in CANONICAL_COLUMNS if name in spots] + list(root["extra"].keys)
    latest = root["latest_by"]
    return ResultMapping(
        platform=root["platform"].value,
        version=root["version"].value,
        dated=root["date"].value,
        sha256=sha256,
        columns=tuple(_column(name, spots[name], shared) for name in order),
        latest_by=LatestBy(latest["family"].value, _time(latest), shared) if latest.is_given else None,
    )


def _column(name: str, spot: Spot, shared: tuple[str, ...]) -> MappedColumn:
    own = tuple(spot["null_words"].value or ())
    return MappedColumn(name, _source(spot), _reading(spot), shared + own, bool(spot["optional"].value))


def _source(spot: Spot) -> Source:
    take = next(take for take in Take if spot[take].is_given)
    value = spot[take].value
    if take is Take.CELL:
        return Source(take, (value["column"],), value["fields"].index(value["field"]), len(value["fields"]))
    return Source(take, (value,) if isinstance(value, str) else tuple(value))


def _reading(spot: Spot) -> Reading:
    if spot["format"].is_given:
        return _time(spot)
    return DurationReading(Unit(spot["unit"].value)) if spot["unit"].is_given else None


def _time(spot: Spot) -> TimeReading:
    unit = Unit(spot["unit"].value) if spot["unit"].is_given else Unit.SECONDS
    return TimeReading(spot["format"].value, spot["zone"].value, tuple(spot["plus"].value or ()), unit)
