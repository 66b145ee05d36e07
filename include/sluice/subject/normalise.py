"""Bring an identifier to its one normal form, or say why it has none.

This is never a guess: what does not read as exactly one valid identifier is INVALID, and a value that stands for *no
value* is a PLACEHOLDER. No clock, no I/O, no message that quotes a value.
"""

import re
import unicodedata

from sluice.subject.facts import placeholders
from sluice.subject.model import NoRef, Normal
from sluice.terms import SubjectKind

_INVALID = Normal(None, NoRef.INVALID)
_PLACEHOLDER = Normal(None, NoRef.PLACEHOLDER)
_EMPTY = Normal(None, NoRef.EMPTY)


class _PlainCharacters(dict[int, str]):
    """Maps spaces, digits, dashes and full-width signs of every script to their ASCII twin.

    Superscripts and circled digits stay as they are: a footnote mark is not a digit of a number.
    """

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain_character(chr(code))
        return plain


def _plain_character(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Cf":
        return ""
    if category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r\x85":
        return " "
    if category == "Pd" or char == "\N{MINUS SIGN}":
        return "-"
    folded = unicodedata.normalize("NFKC", char)
    return folded if category != "No" and len(folded) == 1 and folded.isascii() else char


_PLAIN = _PlainCharacters()


def normalise(kind: SubjectKind, value: str | None, *, region: str = "BE") -> Normal:
    """Return the normal form of ``value``, equal for every spelling of one person's identifier, or why there is none.

    In a customer number every character counts; what its principal ignores is left out only when it is referred to
    (``sluice.subject.refs``). ``region``: ISO 3166 alpha-2, for phone numbers written without country code.
    """
    text = (value or "").translate(_PLAIN).strip()
    if not text:
        return _EMPTY
    if is_placeholder_word(text):
        return _PLACEHOLDER
    match kind:
        case SubjectKind.PHONE:
            return _phone(text, region)
        case SubjectKind.EMAIL:
            return _email(value or "")
        case SubjectKind.IBAN:
            return _iban(text)
        case SubjectKind.NATIONAL_NUMBER:
            return _national_number(text)
        case SubjectKind.PRINCIPAL_CUSTOMER_ID:
            return _customer_id(value or "")


def is_placeholder_word(text: str) -> bool:
    """True for filler (``geen``, ``N/A``, ``n.v.t.``, ``---``) in any kind of column."""
    word = " ".join(text.casefold().replace(".", "").strip("-_*?!()[]<>'\" ").split())
    return not word or word in placeholders().words


# --- phone ---------------------------------------------------------------------------------------

_SPACES = re.compile(" {2,}")
_LABEL = re.compile(r"^(?:tel|tél|gsm)(?: ?[.:]+ ?| )", re.IGNORECASE)
_EXTENSION = re.compile(
    r" ?(?:;ext=|[,;]? ?(?:extension|extn|ext|toestel|poste|tst|x|#)[.:]*) ?[0-9]{1,7}$", re.IGNORECASE
)
"""At most one space at each place: several of ``\\s*`` in a row would try a long run of them in every division."""
_WHOLE_FLOAT = re.compile(r"^(\+?[0-9]{6,})[.,]0+$")
_OTHER_FLOAT = re.compile(r"^\+?[0-9]{6,}[.,][0-9]{1,2}$")
_SEPARATORS = re.compile(r"[ ().\-/]")
_DIALLED = re.compile(r"^\+?[0-9]{1,20}$")


def _phone(text: str, region: str) -> Normal:
    compact = compact_phone(text)
    if compact is None:
        return _INVALID
    facts = placeholders()
    digits = compact.lstrip("+")
    if len(set(digits)) == 1 or digits in facts.digits or digits in facts.emergency:
        return _PLACEHOLDER
    return _parsed_phone(compact, region)


def compact_phone(text: str) -> str | None:
    """Return ``+`` and digits only, or None when anything but one number is written.

    A spreadsheet's ``32475123456.0`` is that number, because no digit is lost.
    """
    spaced = _SPACES.sub(" ", text.removeprefix("'").strip(" "))
    bare = _EXTENSION.sub("", _LABEL.sub("", spaced))
    if whole := _WHOLE_FLOAT.match(bare):
        return whole[1]
    if _OTHER_FLOAT.match(bare):
        return None
    compact = _SEPARATORS.sub("", bare)
    return compact if _DIALLED.match(compact) else None


def _parsed_phone(compact: str, region: str) -> Normal:
    import phonenumbers

    try:
        number = phonenumbers.parse(compact, region)
    except phonenumbers.NumberParseException:
        return _INVALID
    national = phonenumbers.national_significant_number(number)
    if len(set(national)) == 1 or national in placeholders().emergency:
        return _PLACEHOLDER
    if not phonenumbers.is_valid_number(number):
        return _INVALID
    return Normal(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), None)


# --- e-mail --------------------------------------------------------------------------------------

_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_MAILBOX = re.compile(rf"^{_ATOM}(?:\.{_ATOM})*$")
_HOST_LABEL = re.compile(r"^[^\W_](?:[^\W_]|-)*$")
_LONGEST_EMAIL = 2_000
"""Characters, before NFKC. Afterwards an address has 318 at most, and NFKC makes one character of four at most; but it
takes time by the square of the marks in a row."""


def _email(value: str) -> Normal:
    """Normalise an address: trimmed, NFKC, case folded. Plus parts and dots stay (RFC 5321 leaves them to the host)."""
    bare = trimmed(value)
    if len(bare) > _LONGEST_EMAIL:
        return _INVALID
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bare).casefold())
    mailbox, _, host = text.removeprefix("mailto:").rpartition("@")
    labels = _host_labels(host)
    if not labels or not _MAILBOX.match(mailbox) or len(mailbox) > 64 or len(mailbox) + len(host) > 253:
        return _INVALID
    facts = placeholders()
    repeats = mailbox == labels[0] and mailbox in facts.words
    if repeats or mailbox in facts.mailboxes or labels[-1] in facts.top_levels:
        return _PLACEHOLDER
    return Normal(f"{mailbox}@{'.'.join(labels)}", None)


def trimmed(value: str) -> str:
    """Return a value without spaces and invisible marks at both ends; inside nothing changes."""
    start, end = 0, len(value)
    while start < end and _PLAIN[ord(value[start])] in ("", " "):
        start += 1
    while end > start and _PLAIN[ord(value[end - 1])] in ("", " "):
        end -= 1
    return value[start:end]


def _host_labels(host: str) -> list[str]:
    """Return the labels of a host name, ``xn--`` ones decoded; none when it is no host name."""
    labels = [_readable(label) for label in host.split(".")]
    top = labels[-1]
    valid = len(labels) >= 2 and all(_is_host_label(label) for label in labels)
    return labels if valid and len(top) >= 2 and not top.isdecimal() else []


def _is_host_label(label: str) -> bool:
    return len(label) <= 63 and _HOST_LABEL.match(label) is not None and not label.endswith("-")


def _readable(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return ""
    return unicodedata.normalize("NFKC", decoded).casefold()


# --- numbers with a checksum ---------------------------------------------------------------------


def _iban(text: str) -> Normal:
    """Normalise an IBAN by ISO 13616: checksum and structure of the country; the bank code is not looked up."""
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    bare = re.sub(r"^IBAN\s*:?\s*", "", text, flags=re.IGNORECASE)
    if set(bare.translate({ord(sign): None for sign in " -."})[2:]) == {"0"}:
        return _PLACEHOLDER
    try:
        return Normal(iban.validate(bare, check_country=False), None)
    except ValidationError:
        return _INVALID


_NATIONAL = re.compile(r"^[0-9]{11}$")
BIRTH_MONTHS = frozenset((*range(13), *range(20, 33), *range(40, 53)))
"""Months in national numbers, with 20 or 40 added in bis numbers; 0: not known."""
SERIALS = range(1, 999)


def _national_number(text: str) -> Normal:
    """Return century and 11 digits: the checksum alone says in which century the person was born.

    Source: Royal Decree of 3 April 1984, modulo 97, with a leading 2 from 2000 on.
    """
    digits = re.sub(r"[ .\-/]", "", whole[1] if (whole := _WHOLE_FLOAT.match(text)) else text)
    if digits and len(set(digits)) == 1:
        return _PLACEHOLDER
    if not _NATIONAL.match(digits) or int(digits[2:4]) not in BIRTH_MONTHS or int(digits[6:9]) not in SERIALS:
        return _INVALID
    body, check = int(digits[:9]), int(digits[9:])
    for century, number in (("19", body), ("20", 2_000_000_000 + body)):
        if 97 - number % 97 == check:
            return Normal(century + digits, None)
    return _INVALID


# --- the principal's own number ------------------------------------------------------------------


def _customer_id(value: str) -> Normal:
    text = trimmed(value)
    if not text.strip("0"):
        return _PLACEHOLDER
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        return _INVALID
    return Normal(text, None)
