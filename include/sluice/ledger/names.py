"""Names of our own people as the ledger keeps them: one spelling each, so that four eyes are not two."""

import unicodedata

from sluice.errors import Ref, UsageError

LONGEST = 100
_BESIDE_LETTERS = frozenset("0123456789 ._@+'-,()/|\\·")
"""As logins of directories (``CORP\\anna``, ``auth0|12``) and names (``Maes, An (NL)``, ``Gal·la``) have them."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc", "'"))


def check_name(by: str, option: str = "--by") -> str:
    """The login or name of one of ours, as it is kept: NFKC, its spaces single. Raises UsageError for any other.

    Letters are Latin, so that no letter of another script, and nothing that is not seen, makes a second person.
    """
    if not is_name(by):
        raise UsageError(Ref("option", option), Ref("form", r"Latin letters, digits and . _ @ + ' - , ( ) / | \ ·"))
    return _spelled(by)


def is_name(text: str) -> bool:
    """Whether :func:`check_name` keeps it."""
    name = _spelled(text)
    return 0 < len(name) <= LONGEST and name[0].isalnum() and all(map(_is_usual, name))


def _spelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).split())


def is_same_person(name: str, other: str) -> bool:
    """Logins differ by more than case, spaces and the way their letters are composed."""
    return _folded(name) == _folded(other)


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join(folded.translate(_APOSTROPHES).split())


def _is_usual(letter: str) -> bool:
    return letter in _BESIDE_LETTERS or (letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN "))
