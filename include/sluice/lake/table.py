"""The results of reading a file: a table of text, or one refusal with a code.

Cells are held only in the two frames of :class:`Table`. A refusal refers to rows and columns by
number, so that it can be printed, recorded and sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from sluice.errors import Exit, SluiceError

if TYPE_CHECKING:
    import polars as pl

REPETITIVE_BYTES = 16 << 20
SHOWN_ROWS = 20
"""The most row numbers that a refusal names; ``count`` counts all of them."""


class FormatHintInvalid(SluiceError):
    """The contract asks for an encoding or delimiter that does not exist."""

    code: ClassVar[str] = "SLU-421"
    summary: ClassVar[str] = "the contract describes a file format that cannot be used"
    cure: ClassVar[str] = "correct `encoding` or `delimiter` under `servers` in the contract"
    exit: ClassVar[Exit] = Exit.REFUSED


class LocalCopyUnreadable(SluiceError):
    """The local copy of a file could not be opened or changed while it was read."""

    code: ClassVar[str] = "SLU-422"
    summary: ClassVar[str] = "the local copy of a file could not be read"
    cure: ClassVar[str] = "check disk and rights of the working folder, then run the exchange again"


@dataclass(frozen=True, slots=True)
class FormatHints:
    """What the contract says about the file. None leaves it to the bytes; otherwise both must agree.

    ``columns``: names that the contract knows; they decide between two readings of one header.
    ``decimal_comma``: if ``;`` and ``,`` are equally good delimiters, the comma is not the delimiter.
    ``moments``: (column, strptime format) for typed dates, timestamps and times of workbooks and Parquet, applied if
    the format fits. ``commas``: columns whose typed numbers get a decimal comma. Text always stays as it is.
    """

    format: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    columns: tuple[str, ...] = ()
    decimal_comma: bool = False
    moments: tuple[tuple[str, str], ...] = ()
    commas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Sizes above which a file is refused, unless the agreement says otherwise."""

    file_bytes: int = 2 * 1024**3
    cell_bytes: int = 1024**2
    columns: int = 1024
    name_characters: int = 200
    json_depth: int = 32
    """Levels of nested objects and arrays; the record itself is the first."""
    records: int = 50_000_000
    record_characters: int = 5 * 1024**2
    """Length of one JSON record, which is held in memory whole, however small its cells are."""
    archive_ratio: int = 100
    archive_entries: int = 10_000
    blank_rows: int = 1_000
    """Longest run of blank rows inside a sheet."""

    def unpacked_bytes(self, packed_bytes: int) -> int:
        """How much may come out of a packed file of this size. The ratio does not apply to the first 16 MiB."""
        return min(self.file_bytes, max(REPETITIVE_BYTES, self.archive_ratio * packed_bytes))

    def swollen(self, packed_bytes: int) -> str:
        """The code for a file of which more comes out: the one of the two limits that was exceeded."""
        return "LIMIT_FILE_SIZE" if self.unpacked_bytes(packed_bytes) == self.file_bytes else "ARCHIVE_RATIO"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes were read, and the evidence for each choice.

    ``line_ending``: ``lf``, ``crlf``, ``cr`` or ``mixed``. ``header_row``: 1 is the first line or row
    of the file. ``sheet``: position of the sheet, 1 = first; its name is text of the file and stays
    out of records. ``evidence``: part -> short words and counts, never a cell.
    """

    format: str
    encoding: str | None = None
    bom: bool = False
    delimiter: str | None = None
    quote: str | None = None
    line_ending: str | None = None
    header_row: int = 1
    sheet: int | None = None
    date_system: str | None = None
    container: str | None = None
    """``gzip`` or ``zip`` for a packed file; ``pgp``, ``pgp gzip`` or ``pgp zip`` for an encrypted one."""
    encrypted_to: str | None = None
    signed_by: str | None = None
    """Fingerprints, for an encrypted file: of the center's key, and of the pinned key if the file was signed."""
    evidence: Mapping[str, str] = field(default_factory=dict)

    def as_record(self) -> dict[str, str | int | bool | None]:
        """One flat row for the exchange record; evidence keys begin with ``evidence_``."""
        record: dict[str, str | int | bool | None] = {
            "format": self.format,
            "encoding": self.encoding,
            "bom": self.bom,
            "delimiter": self.delimiter,
            "quote": self.quote,
            "line_ending": self.line_ending,
            "header_row": self.header_row,
            "sheet": self.sheet,
            "date_system": self.date_system,
            "container": self.container,
        }
        if self.encrypted_to:
            record |= {"encrypted_to": self.encrypted_to, "signed_by": self.signed_by}
        return record | {f"evidence_{part}": words for part, words in self.evidence.items()}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be a row of the table. ``row``: 1 = first record after the header."""

    row: int
    code: str
    place: int | None = None
    """Column of the cell to blame, 1 = first; None when no single cell is."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the sender should know but that refuses nothing. It is about the whole file, even in a part.

    ``rule``: the step that found it, e.g. ``format.header``; ``columns``: by position, 1 = first."""

    code: str
    rule: str
    count: int
    columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as text: every column String, an empty cell null, no value changed.

    ``frame`` holds the sound records in file order; ``row_numbers`` (UInt32, same height) gives the number
    of each: 1 = first record after the header. ``bad_records`` (``row_number`` UInt32, ``code``, ``raw``,
    ``place``) holds the other records with their text, for quarantine. Together they are ``record_count``
    records; blank lines after the last record do not count. ``absent``: columns of ``frame`` that the
    contract names and the file does not have.
    """

    frame: "pl.DataFrame"
    row_numbers: "pl.Series"
    bad_records: "pl.DataFrame"
    record_count: int
    dialect: Dialect
    notes: tuple[Note, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def bad_rows(self) -> tuple[BadRow, ...]:
        """The records that are no rows, in file order, without their text."""
        known = self.bad_records.select("row_number", "code", "place").iter_rows()
        return tuple(BadRow(row, code, place) for row, code, place in known)


@dataclass(frozen=True, slots=True)
class FormatRefusal:
    """Why a file cannot be read as a table, without quoting the file.

    ``rule``: the step that refused, e.g. ``format.encoding``. ``undecided``: several readings are possible,
    named in ``readings``, or none could be proven. ``rows``: the first of the ``count`` rows concerned, 1 = first
    record. ``columns``: positions.
    """

    code: str
    rule: str
    undecided: bool = False
    readings: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    count: int = 1


def bad_records_frame(
    records: Sequence[tuple[int, str, str]], places: Mapping[int, int] = MappingProxyType({})
) -> "pl.DataFrame":
    """Put bad records, given as (row number, code, text), into the frame that :class:`Table` holds.

    places: row number -> column of the cell to blame."""
    import polars as pl

    schema = {"row_number": pl.UInt32, "code": pl.String, "raw": pl.String}
    to_blame = pl.Series("place", [places.get(row) for row, *_ in records], dtype=pl.UInt32)
    return pl.DataFrame(records, schema=schema, orient="row").with_columns(to_blame)
