"""A contract skeleton from the columns of a file: types guessed, roles and purposes left OPEN. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sluice.agreement.contract.rules import FOLDERS, RECIPE
from sluice.agreement.errors import ColumnNameUnfit
from sluice.agreement.shape import OPEN
from sluice.errors import Ref, at_place
from sluice.terms import Direction, Flow, Principal


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What was counted in one column; no value of it.

    ``logical_type``: an ODCS logicalType, or OPEN when a date or a number reads both ways. ``date_format``: its format
    in ODCS letters, or both formats; None of a number.
    """

    name: str
    logical_type: str
    date_format: str | None
    required: bool
    unique: bool
    """No value occurs twice; that makes a suggested key more likely."""


@dataclass(frozen=True, slots=True)
class FileProfile:
    """How the file is written. ``delimiter`` and ``encoding`` are None where they have no meaning.

    ``decimal_comma``: None if marks in numbers may divide thousands as well as decimals.
    """

    suffix: str
    format: str
    delimiter: str | None
    encoding: str | None
    decimal_comma: bool | None


WRITTEN_INDENT = "      "
"""Indentation of the first line of a column."""
BOTH_NUMBERS = "every number fits both, 1,234 or 1.234"
SOMEONE = Principal("someone")
SOME_FLOW = Flow("some_flow")

_KEYS = (
    (
        r"phone|telefo|((?<![a-z])t[eé]l|(?-i:(?<=[a-z])T[eé]l))(?![a-z])|gsm|mobi(le|el)|msisdn|contact_?num(ber|mer)",
        "phone_e164",
    ),
    (r"e-?mail|courriel", "email"),
    (r"rijksregister|registre.?national|national.?(register.?)?number|\bniss\b|\binsz\b", "national_number"),
    (r"iban", "iban"),
    (
        r"(customer|client|klant|lead|subscriber|contact|account|person|record).*(id|no|num|number|nummer|nr|code|key)\b",
        "",
    ),
    (r"^(n°|nr|num[eé]ro)(?![a-z]).*(client|klant)", ""),
    (r"^(customer|klant|lead)$|customerid|_id$|^id$", ""),
)
_ENCODINGS = {"utf_8": "utf-8", "utf8": "utf-8", "ascii": "utf-8", "utf-8-sig": "utf-8", "windows-1252": "cp1252"}


def suggest_key(name: str) -> str | None:
    """Suggest the kind of identifier that a column of this name may be, for a person to confirm."""
    for pattern, kind in _KEYS:
        if re.search(pattern, name, re.IGNORECASE):
            return kind or "principal_customer_id"
    return None


def infer_contract(
    columns: Sequence[ColumnProfile],
    file: FileProfile,
    principal: Principal = SOMEONE,
    flow: Flow = SOME_FLOW,
    direction: Direction = Direction.INBOUND,
) -> str:
    """Return the YAML of a contract that lints with nothing but gaps: each OPEN is a decision for a person."""
    lines = [
        *_head(principal, flow, direction),
        *_server(file, principal, flow, direction),
        *_defaults(principal, direction),
        "schema:",
        f"  - name: {quoted(flow)}",
        "    physicalType: file",
        "    logicalType: object",
        "    quality:",
        "      - {id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error, dimension: completeness}",
        "    properties:",
    ]
    for column in columns:
        lines += column_lines(column)
    return "\n".join(lines) + "\n"


def _head(principal: Principal, flow: Flow, direction: Direction) -> Iterator[str]:
    yield "# Inferred from the columns of a file. Every OPEN is a decision: `sluice contract explain` lists them."
    yield "apiVersion: v3.1.0"
    yield "kind: DataContract"
    yield f"id: {principal}.{direction}.{flow}"
    yield "version: 1.0.0"
    yield "status: active"


def _server(file: FileProfile, principal: Principal, flow: Flow, direction: Direction) -> Iterator[str]:
    yield "servers:"
    yield "  - server: drop"
    yield "    type: s3"
    bucket = "internal" if direction is Direction.INTERNAL else "exchange"
    yield f"    location: s3://{bucket}/{principal}/{FOLDERS.get(direction, direction)}/{flow}/*{file.suffix}"
    yield f"    format: {file.format}"
    if file.delimiter:
        yield f"    delimiter: {quoted(file.delimiter)}"
    yield "    customProperties:"
    if file.encoding:
        encoding = file.encoding.lower().replace("utf_", "utf-")
        yield f"      - {{property: encoding, value: {_ENCODINGS.get(encoding, encoding)}}}"
    if file.decimal_comma is None:
        yield f"      - {{property: decimalComma, value: {OPEN}}}   # true or false: {BOTH_NUMBERS}"
    else:
        yield f"      - {{property: decimalComma, value: {str(file.decimal_comma).lower()}}}"
    yield "      - {property: region, value: BE}   # for phone numbers without country code"


def _defaults(principal: Principal, direction: Direction) -> Iterator[str]:
    yield "customProperties:            # defaults for every column; a column may override"
    yield f"  - {{property: principal, value: {quoted(principal)}}}"
    yield f"  - {{property: direction, value: {direction}}}"
    yield f"  - {{property: agreementId, value: {OPEN}}}        # the agreement these files are exchanged under"
    yield f"  - {{property: agreementVersion, value: {OPEN}}}"
    if direction is Direction.INTERNAL:
        yield f"  - {{property: resultMapping, value: {OPEN}}}      # a file of include/mappings, without .yaml"
    if direction is Direction.OUTBOUND_RETURN:
        yield from (f"  - {{property: {name}, value: {OPEN}}}" for name in RECIPE)
    yield f"  - {{property: purposeIris, value: [{OPEN}]}}      # why: a purpose of the agreement, DPV IRI"
    yield f"  - {{property: legalBasis, value: {OPEN}}}         # GDPR Art. 6(1), DPV IRI"
    yield "  - {property: basisHolder, value: principal}"
    yield f"  - {{property: roleProfile, value: {OPEN}}}        # whose: e.g. PRINCIPAL_CONTROLLER"
    yield f"  - {{property: dataOrigin, value: {OPEN}}}         # provided, observed, derived or agent_made"
    yield f"  - {{property: retentionRule, value: {OPEN}}}      # how long: a retention code of the agreement"


def column_lines(column: ColumnProfile) -> Iterator[str]:
    """Yield one entry of ``properties``, with what a person has to decide left OPEN."""
    yield f"      - name: {quoted(column.name)}"
    if column.logical_type == OPEN:
        yield f"        logicalType: {OPEN}   # {_choice(column.date_format)}"
    else:
        yield f"        logicalType: {column.logical_type}"
    if column.date_format and column.logical_type != OPEN:
        yield f"        logicalTypeOptions: {{format: {quoted(column.date_format)}}}"
    yield f"        required: {str(column.required).lower()}"
    kind = suggest_key(column.name)
    if kind and column.unique:
        yield "        # unique: true   # no value stands twice here; with this rule, rows that repeat one are refused"
    yield "        customProperties:"
    yield f"          - {{property: fieldGroup, value: {OPEN}}}"
    yield f"          - {{property: dataCategory, value: {OPEN}}}"
    if kind:
        yield f"          # - {{property: subjectKey, value: {kind}}}   # if it finds the person of the row"


def _choice(date_format: str | None) -> str:
    """Say between what a person decides of a column that reads both ways."""
    if date_format is None:
        return f"number if the mark divides decimals, string if thousands: {BOTH_NUMBERS}"
    return f"{'timestamp' if 'HH' in date_format else 'date'}, {date_format}: every cell fits both"


def is_one_line(name: str) -> bool:
    """Whether a contract can name a column like this; a header of a workbook may have line breaks and tabs."""
    return not re.search(r"[\t\r\n]", name)


def check_names(columns: Sequence[ColumnProfile]) -> None:
    """Raises ColumnNameUnfit for a name that a contract cannot have."""
    for place, column in enumerate(columns, 1):
        if not is_one_line(column.name):
            raise ColumnNameUnfit(Ref("column", at_place(place)))


def quoted(text: str) -> str:
    """``text`` as a YAML double-quoted scalar; what does not print is escaped."""
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
