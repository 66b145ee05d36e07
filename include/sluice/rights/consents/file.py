"""Read a file of consent records: a row per person, purpose and channel, with how and when the person said it. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import ClassVar

import polars as pl

from sluice.agreement.model import Agreement, Purpose
from sluice.errors import Exit, Ref, SluiceError
from sluice.rights.person.identifiers import KINDS
from sluice.rights.person.request_file import MOST_ROWS_NAMED, RowFault
from sluice.subject.columns import normalise_column
from sluice.subject.consent import ConsentState
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind
from sluice.times import BRUSSELS, brussels_day

REQUIRED = ("purpose", "channel", "state", "at", "method", "notice", "collected_by")
OPTIONAL = ("until",)
MOST_ROWS = 100_000
HOME = "BE"
"""Region tried for every telephone number without country code, whatever the contracts say."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
"""Pattern of method, notice and collector: a code without spaces, so that it cannot name a person."""


class ConsentsInvalid(SluiceError):
    """A file of consent records, or a single record, cannot be kept. Values of ``Ref("rule", ...)``:

    NOT_A_TABLE, COLUMNS, TOO_MANY_ROWS, NO_AGREEMENT, or for a single record the code of its fault.
    """

    code: ClassVar[str] = "SLU-625"
    summary: ClassVar[str] = "these consent records cannot be kept"
    cure: ClassVar[str] = "docs/how-to/consent.md says which columns there are and what may stand in them"
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Said:
    """One row as it was given. The person's identifiers stay out of the repr."""

    persons: Mapping[str, str] = field(repr=False)
    """Identifiers by kind (phone, email, customer, national_number, iban). Each gives a record of its own."""
    purpose: str
    channel: str
    state: str
    at: str
    method: str
    notice: str
    collected_by: str
    until: str = ""


@dataclass(frozen=True)
class Records:
    """Records that can be kept (columns of consent.SCHEMA except record_id), and the faults of rows that cannot."""

    frame: pl.DataFrame = field(repr=False)
    faults: tuple[RowFault, ...] = ()

    @property
    def refused(self) -> int:
        return sum(fault.count for fault in self.faults)


def parse_consents(content: bytes) -> list[Said]:
    """Return the rows of a CSV file that is delimited by ``;``, ``,``, tab or ``|``. Raises ConsentsInvalid."""
    try:
        text = content.decode("utf-8-sig")
        delimiter = max(";,\t|", key=text.partition("\n")[0].count)
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), MOST_ROWS + 2))
    except (ValueError, csv.Error):
        raise ConsentsInvalid(Ref("rule", "NOT_A_TABLE")) from None
    head = [column.strip().lower() for column in rows[0]] if rows else []
    is_known = set(REQUIRED) <= set(head) <= {*REQUIRED, *OPTIONAL, *KINDS} and not set(head).isdisjoint(KINDS)
    if not is_known or len(set(head)) < len(head):
        raise ConsentsInvalid(Ref("rule", "COLUMNS"))
    if len(rows) > MOST_ROWS + 1:
        raise ConsentsInvalid(Ref("rule", "TOO_MANY_ROWS"), Ref("rows", MOST_ROWS))
    return [_said(dict(zip(head, row, strict=False)) if len(row) == len(head) else {}) for row in rows[1:]]


def _said(cells: Mapping[str, str]) -> Said:
    given = {name: cells.get(name, "").strip() for name in (*REQUIRED, *OPTIONAL)}
    return Said(persons={word: cells[word] for word in KINDS if cells.get(word, "").strip()}, **given)


def judge_consents(
    rows: Sequence[Said],
    agreements: Sequence[Agreement],
    key: SubjectKey,
    now: datetime,
    regions: frozenset[str] = frozenset({HOME}),
) -> Records:
    """Turn the valid rows into records, one for each identifier, and group the others by fault.

    agreements: those of the principal, whose purposes a row may name. A code that two of them give to different
    purposes names none: their IRIs do.
    regions: those of the principal's contracts. A telephone number without country code can belong to several regions.
    A no then counts in all of them; a yes is kept only if the number fits a single region.
    """
    purposes = _purposes(agreements)
    bad: dict[int, tuple[str, str | None]] = {}
    for place, row in enumerate(rows):
        if fault := _fault(row, purposes, now):
            bad[place] = fault
    parts = list(_referred(rows, bad, key, regions))
    frame = pl.concat(parts) if parts else pl.DataFrame(schema={"place": pl.Int64, "ref": pl.String})
    facts = [_facts(row, purposes) if place not in bad else {} for place, row in enumerate(rows)]
    good = frame.filter(~pl.col("place").is_in(sorted(bad)))
    told = [{"ref": ref, **facts[place]} for place, ref in good.sort("place", "ref").iter_rows()]
    return Records(pl.DataFrame(told, schema_overrides={"until": pl.Date}, infer_schema_length=None), _faults(bad))


def _purposes(agreements: Sequence[Agreement]) -> dict[str, Purpose]:
    """Purposes by code and IRI, each with the channels that it has in any agreement."""
    every = [each for agreement in agreements for each in agreement.purposes]
    channels = {
        each.iri: tuple(dict.fromkeys(w for other in every if other.iri == each.iri for w in other.channels))
        for each in every
    }
    whole = [replace(each, channels=channels[each.iri]) for each in every]
    by_code = {each.code: each for each in whole if len({other.iri for other in every if other.code == each.code}) == 1}
    return by_code | {each.iri: each for each in whole}


def _fault(row: Said, purposes: Mapping[str, object], now: datetime) -> tuple[str, str | None] | None:
    """Return what is wrong with a row as a code and a column, or None."""
    at, until, today = _moment(row), _day(row.until), brussels_day(now)
    said_on, is_day = at and brussels_day(at), _day(row.at) is not None
    checks = {
        "purpose": row.purpose in purposes,
        "channel": row.purpose not in purposes or row.channel in getattr(purposes[row.purpose], "channels", ()),
        "state": row.state in [each.value for each in ConsentState],
        "at": at is not None and said_on is not None and (said_on <= today if is_day else at <= now),
        "until": not row.until or (until is not None and said_on is not None and until >= said_on),
        **{name: bool(CODE.fullmatch(getattr(row, name))) for name in ("method", "notice", "collected_by")},
    }
    wrong = next((name for name, holds in checks.items() if not holds), None)
    if wrong:
        return "VALUE_INVALID_CONSENT", wrong
    return None if row.persons else ("VALUE_NAMES_NOBODY", None)


def _facts(row: Said, purposes: Mapping[str, object]) -> dict[str, object]:
    return {
        "purpose": getattr(purposes[row.purpose], "iri"),  # noqa: B009
        "channel": row.channel,
        "state": row.state,
        "at": _moment(row),
        "until": _day(row.until),
        "method": row.method,
        "notice": row.notice,
        "collected_by": row.collected_by,
    }


def _referred(
    rows: Sequence[Said], bad: dict[int, tuple[str, str | None]], key: SubjectKey, regions: frozenset[str]
) -> Iterator[pl.DataFrame]:
    """Yield the row index and the person's reference, for one kind of identifier at a time.

    Adds rows with an invalid identifier, or with a yes under an ambiguous number, to ``bad``.
    """
    for word, kind in KINDS.items():
        places = [place for place, row in enumerate(rows) if word in row.persons]
        yeses = [place for place in places if rows[place].state == ConsentState.GIVEN.value]
        values = pl.Series(word, [rows[place].persons[word] for place in places], dtype=pl.String)
        forms = _forms(places, values, kind, regions, yeses)
        for place in sorted(set(places) - set(forms["place"])):
            bad.setdefault(place, ("VALUE_INVALID_IDENTIFIER", word))
        for place in forms.filter(pl.col("place").is_duplicated() & pl.col("place").is_in(yeses))["place"].unique():
            bad.setdefault(place, ("VALUE_WITHOUT_COUNTRY_CODE", word))
        yield forms.select("place", ref_column(forms["normal"], kind, key).alias("ref"))


def _forms(
    places: Sequence[int], values: pl.Series, kind: SubjectKind, regions: frozenset[str], yeses: Sequence[int]
) -> pl.DataFrame:
    """Return the row index with each normal form its identifier can have. A yes is tried in ``regions`` only."""
    parts = []
    for region in sorted(regions | {HOME}) if kind is SubjectKind.PHONE else [HOME]:
        normal = normalise_column(values, kind, region=region).values
        form = pl.DataFrame({"place": places, "normal": normal}, schema_overrides={"place": pl.Int64}).drop_nulls()
        is_home_only = kind is SubjectKind.PHONE and region not in regions
        parts.append(form.filter(~pl.col("place").is_in(yeses)) if is_home_only else form)
    return pl.concat(parts).unique(maintain_order=True)


def _moment(row: Said) -> datetime | None:
    """Parse ISO 8601 with an offset, or a Brussels day alone.

    A day alone means its beginning for a yes and its end for a no, so that the no wins.
    """
    day, clock = _day(row.at), time.min if row.state == ConsentState.GIVEN.value else time.max
    try:
        moment = datetime.combine(day, clock, BRUSSELS) if day else datetime.fromisoformat(row.at)
        return moment.astimezone(BRUSSELS).astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # near the ends of the calendar, a time may not exist in another zone
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _faults(bad: Mapping[int, tuple[str, str | None]]) -> tuple[RowFault, ...]:
    by_reason: dict[tuple[str, str | None], list[int]] = {}
    for place in sorted(bad):
        by_reason.setdefault(bad[place], []).append(place + 1)
    return tuple(
        RowFault(code, column, len(places), tuple(places[:MOST_ROWS_NAMED]))
        for (code, column), places in by_reason.items()
    )
