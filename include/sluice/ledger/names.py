"""Names of our own people as the ledger keeps them: one spelling each, so that four eyes are not two."""

import unicodedata
from string import ascii_letters

from sluice.errors import Ref, UsageError

LONGEST = 100
FORM = r"Latin letters (accents too), digits, spaces and . _ @ + ' - , ( ) / | \ ·"
_LETTERS = frozenset(ascii_letters + "ÆæŒœØøŁłĐđÐðÞþßẞıŊŋĦħŦŧƏəƆɔƐɛ")
"""Of names, without what stands on or under them. No other Latin letter: small capitals, clicks and those of phonetics
are told from these by nobody."""
_BESIDE_LETTERS = frozenset("0123456789 ._@+'-,()/|\\·")
"""As logins of directories (``CORP\\anna``, ``auth0|12``) and names (``Maes, An (NL)``, ``Gal·la``) have them."""
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc", "'"))
_ALIKE = str.maketrans({"ð": "đ", "\u0131": "i"})
"""Small letters that have one capital, to the eye or in some language."""


class NameInvalid(UsageError):
    """Nobody of ours is called so: every record of what somebody does holds their name."""

    code = "SLU-308"
    summary = "a record cannot hold this name"
    cure = f"give a name that begins with a letter or digit and has at most {LONGEST} characters, all of them {FORM}"


def check_name(by: str, option: str = "--by") -> str:
    """The login or name of one of ours, as it is kept: NFKC, its spaces single. Raises NameInvalid for any other.

    Letters are Latin, so that no letter of another script, and nothing that is not seen, makes a second person.
    """
    if not is_name(by):
        raise NameInvalid(Ref("option", option))
    return _spelled(by)


def is_name(text: str) -> bool:
    """Whether :func:`check_name` keeps it."""
    name = _spelled(text)
    fits = 0 < len(name) <= LONGEST and name[0].isalnum()
    return fits and all(map(_is_usual, name)) and not any(map(_is_no_sign, text))


def _spelled(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).split())


def is_same_person(name: str, other: str) -> bool:
    """Logins differ by more than case, spaces and the way their letters are composed.

    A letter that no name has any more, in one that was kept before, may stand for whatever it looks like.
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
    """Ends a line, or tells a terminal something: nobody has that between two words of their name."""
    return not letter.isprintable() and unicodedata.category(letter) != "Zs"


def _is_usual(letter: str) -> bool:
    return letter in _BESIDE_LETTERS or unicodedata.normalize("NFD", letter)[0] in _LETTERS
