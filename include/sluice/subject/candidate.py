"""Name and birth date in one normal form: it suggests candidates to a human, and never identifies anybody.

Two persons can share it and one person can have several, so it makes no SubjectRef. It is keyed like one, under a kind
of its own, and only the index and the search for candidates know it.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime

import polars as pl

from sluice.subject.normalise import is_placeholder_word
from sluice.subject.refs import keyed

KIND = "name_birth_date"
OLDEST = date(1890, 1, 1)
"""Nobody in a file was born before this day; an earlier date stands for *not known*."""
FILLER = frozenset({date(1900, 1, 1), date(1970, 1, 1), date(2000, 1, 1)})
"""Birth dates that programs write when they know none. Somebody born then is found by an identifier only."""

LONGEST_NAME = 1_000
"""Characters. Unicode's normal forms take time by the square of the marks in a row."""
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ħ": "h",
        "ŋ": "n",
    }
)
"""Letters that Unicode does not decompose into a letter and a mark."""
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?$")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})$")


def normal_name(text: str) -> str | None:
    """Return the name's parts without case, marks and order: ``Étienne DE SMET`` and ``de smet, etienne`` are equal.

    None for filler, and for a name with fewer than two letters or more than 1,000 characters.
    """
    if len(text) > LONGEST_NAME or is_placeholder_word(text):
        return None
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_LETTERS)
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    parts = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", plain).casefold())
    name = " ".join(sorted(parts))
    return None if sum(map(len, parts)) < 2 or is_placeholder_word(name) else name


def normal_birth_date(text: str, date_format: str | None = None) -> date | None:
    """Read a birth date written in ISO, day first with ``/ . -``, or as the contract says (strptime); else None.

    It is never read month first unless the contract says so: ``03/04/1980`` is the third of April.
    """
    text = text.strip()
    day = _as_written(text, date_format) if date_format else None
    if day is None and (found := _ISO.match(text)):
        day = _date(found[1], found[2], found[3])
    if day is None and date_format is None and (found := _DAY_FIRST.match(text)):
        day = _date(found[4], found[3], found[1])
    return None if day is None or day < OLDEST or day in FILLER else day


def normal_candidate(names: Sequence[str | None], birth_date: str | None, date_format: str | None = None) -> str | None:
    """Return the one spelling of a name, in any number of parts, and a birth date; None if one of them is missing."""
    name = normal_name(" ".join(part for part in names if part and not is_placeholder_word(part)))
    day = normal_birth_date(birth_date or "", date_format)
    return f"{name}|{day.isoformat()}" if name and day else None


def candidate_ref(key: bytes, normal: str) -> str:
    """Return what stands for a normal form in the index, under one principal's key."""
    return keyed(key, KIND, normal)


def candidate_column(
    names: Sequence[pl.Series], birth_dates: pl.Series, key: bytes, date_format: str | None = None
) -> pl.Series:
    """``candidate_ref`` of every row (String columns of one length); null where there is no normal form."""
    rows = zip(*(series.to_list() for series in (*names, birth_dates)), strict=True)
    known: dict[tuple[str | None, ...], str | None] = {}
    refs = [known[row] if row in known else _ref(row, key, date_format, known) for row in rows]
    return pl.Series("candidate", refs, dtype=pl.String)


def _ref(
    row: tuple[str | None, ...], key: bytes, date_format: str | None, known: dict[tuple[str | None, ...], str | None]
) -> str | None:
    normal = normal_candidate(row[:-1], row[-1], date_format)
    known[row] = made = candidate_ref(key, normal) if normal else None
    return made


def _as_written(text: str, date_format: str) -> date | None:
    try:
        return datetime.strptime(text, date_format).date()
    except ValueError:
        return None


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
