"""How the tests of this room hand bytes to the reader."""

from pathlib import Path

from sluice.lake.read.format_codes import CODES
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints, FormatRefusal, Table

PGP = Path(__file__).parent / "pgp"
KEY = (PGP / "compressed_key.asc").read_text()
MESSAGE = (PGP / "compressed_message.asc").read_bytes()
"""What GnuPG 2.4.7 makes of a CSV by default (``gpg --sign --encrypt --armor``), compressed inside the encryption, and
the key of that one message: signed by the same key that it is encrypted to. The key is nobody's."""


def read_bytes(
    folder: Path, content: bytes, name: str = "drop.csv", hints: FormatHints | None = None
) -> Table | FormatRefusal:
    """The answer for a file of that content and name."""
    path = folder / "object"
    path.write_bytes(content)
    return read_table(path, file_name=name, wanted=hints)


def table_of(answer: Table | FormatRefusal) -> Table:
    """The table that an answer must be."""
    assert isinstance(answer, Table), answer
    return answer


def refusal_of(answer: Table | FormatRefusal) -> FormatRefusal:
    """The refusal that an answer must be, with a code that people are told the meaning of."""
    assert isinstance(answer, FormatRefusal), answer
    assert answer.code in CODES, answer
    return answer
