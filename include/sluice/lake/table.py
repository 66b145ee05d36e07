"""What reading a file gives: a table of text, or one refusal with a code.

Nothing here holds a cell outside the two frames of :class:`Table`: a refusal points at rows and
columns by number, so that it can be printed, recorded and sent.
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
"""A refusal and a note name at most this many row numbers; ``count`` has them all."""


class FormatHintInvalid(SluiceError):
    """The contract asks for an encoding or delimiter that does not exist."""

    code: ClassVar[str] = "SLU-421"
    summary: ClassVar[str] = "the contract describes a file format that cannot be used"
    cure: ClassVar[str] = "correct `encoding` or `delimiter` under `servers` in the contract"
    exit: ClassVar[Exit] = Exit.REFUSED


class FileUnreadable(SluiceError):
    """The local copy of a file could not be opened or changed while it was read."""

    code: ClassVar[str] = "SLU-422"
    summary: ClassVar[str] = "the local copy of a file could not be read"
    cure: ClassVar[str] = "check disk and rights of the working folder, then run the exchange again"


@dataclass(frozen=True, slots=True)
class FormatHints:
    """What the contract says of the file. None: found on the bytes; both must agree.

    ``columns``: names the contract knows; they decide between two readings of one header.
    ``decimal_comma``: between ``;`` and ``,`` as equally good delimiters, the comma is no delimiter.
    ``moments``: columns with the strptime format in which workbooks and Parquet give a date, moment or time that is
    one, if it fits. ``commas``: columns whose numbers they give with a comma. Text is always as it stands there.
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
class Limits:
    """Sizes above which a file is refused (security.md section 2): what counts where no agreement says otherwise."""

    file_bytes: int = 2 * 1024**3
    cell_bytes: int = 1024**2
    columns: int = 1024
    name_characters: int = 200
    json_depth: int = 32
    """Objects and arrays within each other; the record itself is the first."""
    records: int = 50_000_000
    record_characters: int = 5 * 1024**2
    """Of one JSON record, which is in memory whole however small its cells are."""
    archive_ratio: int = 100
    archive_entries: int = 10_000
    blank_rows: int = 1_000
    """Longest run of blank rows inside a sheet."""

    def unpacked_bytes(self, packed_bytes: int) -> int:
        """What may come out of a file of this size; a little of it may be as repetitive as it likes."""
        return min(self.file_bytes, max(REPETITIVE_BYTES, self.archive_ratio * packed_bytes))

    def swollen(self, packed_bytes: int) -> str:
        """The code where more comes out than that: which of the two limits it is."""
        return "LIMIT_FILE_SIZE" if self.unpacked_bytes(packed_bytes) == self.file_bytes else "ARCHIVE_RATIO"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the bytes were read, and how each part of that was found.

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
    """``gzip`` or ``zip``, where the file came packed; ``pgp``, ``pgp gzip`` or ``pgp zip``, where encrypted."""
    encrypted_to: str | None = None
    signed_by: str | None = None
    """Fingerprints, where it came encrypted: the center's key, and the pinned key of who signed."""
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
    """A record that cannot be a row of the table; ``row`` 1 = first record after the header."""

    row: int
    code: str
    place: int | None = None
    """Of the cell that is to blame, 1 = first column; None: no single one."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever sent the file should know, and that refuses nothing. Of the whole file, also in a part.

    ``rule``: the step that saw it, e.g. ``format.header``; ``columns`` by position, 1 = first."""

    code: str
    rule: str
    count: int
    columns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file as text: every column String, an empty cell null, no value changed.

    ``frame`` holds the sound records in file order; ``row_numbers`` (UInt32, same height) says which
    record each of them is: 1 = first record after the header. ``bad_records`` (``row_number``
    UInt32, ``code``, ``raw``, ``place``) holds the others with their text, for quarantine. Together they are
    ``record_count`` records; blank lines after the last record do not count. ``absent``: columns of ``frame``
    that only the contract names, not the file.
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
    """Why a file cannot be read as a table, without a word of the file.

    ``undecided``: more than one reading is possible, or it could not be told; ``readings`` names
    them. ``rows``: first row numbers concerned, 1 = first record, of ``count`` places. ``columns``: positions.
    ``rule``: the step that refused, e.g. ``format.encoding``.
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
    """Bad records as (row number, code, text), in the shape :class:`Table` keeps them.

    places: of the cell to blame, by row number."""
    import polars as pl

    schema = {"row_number": pl.UInt32, "code": pl.String, "raw": pl.String}
    to_blame = pl.Series("place", [places.get(row) for row, *_ in records], dtype=pl.UInt32)
    return pl.DataFrame(records, schema=schema, orient="row").with_columns(to_blame)
