"""Dated parameters and the purposes of this room, from ``facts/``, where each row has its source."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from isoduration import parse_duration

from sluice.errors import Ref
from sluice.staff.model import StaffParameterMissing
from sluice.times import BRUSSELS


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that is valid from a Brussels date until the next row with the same name."""

    name: str
    value: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class StaffPurpose:
    """Why staff files are read; ``text`` per language (nl, fr, en). IRIs: DPV 2.3."""

    code: str
    iri: str
    legal_basis: str
    text: tuple[tuple[str, str], ...]


def exam_valid_until(taken_at: datetime) -> datetime:
    """When an exam expires (exclusive, in UTC), by the parameter of the Brussels day on which it was taken.

    This is calendar time: an exam of 1 March, 10:00 in Brussels, expires on a 1 March at 10:00 in Brussels.
    Raises StaffParameterMissing.
    """
    local = taken_at.astimezone(BRUSSELS)
    until: datetime = local + parse_duration(_value("exam_validity", local.date()))
    return until.astimezone(UTC)


def default_minimum(on: date) -> Decimal:
    """The center's own minimum score in percent, for when an agreement names none. Raises StaffParameterMissing."""
    return Decimal(_value("minimum_exam_score", on))


def purposes() -> tuple[StaffPurpose, ...]:
    """The purposes of staff imports."""
    return tuple(
        StaffPurpose(
            row["code"], row["iri"], row["legal_basis"], tuple((word, row[word]) for word in ("nl", "fr", "en"))
        )
        for row in _rows("purposes")
    )


def _value(name: str, on: date) -> str:
    """The value of a parameter on a day. Raises StaffParameterMissing."""
    for parameter in _parameters():
        if parameter.name == name and parameter.valid_from <= on:
            return parameter.value
    raise StaffParameterMissing(Ref("parameter", name), Ref("date", on.isoformat()))


@cache
def _parameters() -> tuple[Parameter, ...]:
    """All parameters, latest first."""
    held = [
        Parameter(row["parameter"], row["value"], date.fromisoformat(row["valid_from"])) for row in _rows("parameters")
    ]
    return tuple(sorted(held, key=lambda parameter: parameter.valid_from, reverse=True))


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("sluice.staff") / "facts" / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
