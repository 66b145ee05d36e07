"""Names of our own people as the ledger keeps them, each in one spelling, so that no one can pass for two people."""

import unicodedata
from string import ascii_letters

from sluice.errors import Ref, UsageError

LONGEST = 100
FORM = r"Latin letters (accents too), digits, spaces and . _ @ + ' - , ( ) / | \ ·"
_LETTERS = frozenset(ascii_letters + "ÆæŒœØøŁłĐđÐðÞþßẞıŊŋĦħŦŧƏəƆɔƐɛ")
"""The base letters that names may have, apart from accents.

Other Latin letters (small capitals, clicks, phonetic letters) are left out, because people cannot tell them from
these."""
_BESIDE_LETTERS = frozenset("0123456789 ._@+'-,()/|\\·")
"""Other characters, as in logins of directories (``CORP\\anna``, ``auth0|12``) and names (``Maes, An (NL)``,
``Gal·la``)."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc", "'"))
_ALIKE = str.maketrans({"ð": "đ", "\u0131": "i"})
"""Small letters that share a capital with another letter, to the eye or in some language."""


class NameInvalid(UsageError):
    """A name that no record can hold. Every record of what somebody does holds their name."""

    code = "SLU-308"
    summary = "a record cannot hold this name"
    cure = f"give a name that begins with a letter or digit and has at most {LONGEST} characters, all of them {FORM}"


def check_name(by: str) -> str:
    """Return a login or name of one of our people as it is kept: NFKC, with single spaces. Raises NameInvalid.

    Only Latin letters are allowed: a look-alike letter of another script, or an invisible character, would make one
    person look like two in the records.
    """
    if not is_name(by):
        raise NameInvalid(Ref("option", "--by"))
    return _spelled(by)


def is_name(text: str) -> bool:
    """Whether :func:`check_name` accepts a name."""
    name = _spelled(text)
    fits = 0 < len(name) <= LONGEST and name[0].isalnum()
    return fits and all(map(_is_usual, name)) and not any(map(_is_no_sign, text))


def _spelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).split())


def is_same_person(name: str, other: str) -> bool:
    """Whether two logins differ only in case, spaces and how their letters are composed.

    A letter that no name of ours may have matches any other, since it may look like it: papers name people too.
    """
    ours, theirs = _folded(name), _folded(other)
    alike = (
        one == another or not (_is_usual(one) and _is_usual(another))
        for one, another in zip(ours, theirs, strict=False)
    )
    return len(ours) == len(theirs) and all(alike)


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.translate(_APOSTROPHES).translate(_ALIKE).split())


def _is_no_sign(letter: str) -> bool:
    """Whether a character ends a line or controls a terminal: not even white space in a name may be that."""
    return not letter.isprintable() and unicodedata.category(letter) != "Zs"


def _is_usual(letter: str) -> bool:
    return letter in _BESIDE_LETTERS or unicodedata.normalize("NFD", letter)[0] in _LETTERS
