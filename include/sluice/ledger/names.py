"""Names of our own people as the ledger keeps them: one spelling each, so that four eyes are not two."""

import unicodedata

from sluice.errors import Ref, UsageError

LONGEST = 100
_BESIDE_LETTERS = frozenset("0123456789 ._@+'-")


def check_name(by: str, option: str = "--by") -> str:
    """The login or name of one of ours, as it is kept: NFKC, its spaces single. Raises UsageError for any other.

    Letters are Latin, so that no letter of another script, and nothing that is not seen, makes a second person.
    """
    name = " ".join(unicodedata.normalize("NFKC", by).split())
    if not (0 < len(name) <= LONGEST and name[0].isalnum() and all(map(_is_usual, name))):
        raise UsageError(Ref("option", option), Ref("form", "Latin letters, digits and . _ @ + ' -"))
    return name


def is_same_person(name: str, other: str) -> bool:
    """Logins differ by more than case, spaces and the way their letters are composed."""
    return _folded(name) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


def _is_usual(letter: str) -> bool:
    return letter in _BESIDE_LETTERS or (letter.isalpha() and unicodedata.name(letter, "").startswith("LATIN "))
