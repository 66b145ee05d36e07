"""Keys and names of an exchange: every key we write is a function of its id. Pure."""

import re
from typing import TYPE_CHECKING

from sluice.exchange.model import Opened
from sluice.terms import ARRIVING, FLOW_PATTERN, PRINCIPAL_PATTERN, Direction, Flow, Principal

if TYPE_CHECKING:
    from sluice.settings import Settings

PRINCIPAL_NAME = re.compile(PRINCIPAL_PATTERN)
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
FLOW_NAME = re.compile(FLOW_PATTERN)
LONG_DIGITS = re.compile(r"\d{9,}|\d{1,4}(?:[._-]\d{1,4}){2,}")
TIMESTAMP = re.compile(r"20[2-4]\d[01]\d[0-3]\d{1,10}|1[5-9]\d{8}(\d{3})?|\d{1,8}")
"""Digit runs that are harmless in a name: a date and what follows it, seconds or milliseconds since 1970, or a run too
short to be a person's number."""
_SEP = "[._-]?"
WHEN = re.compile(
    rf"(?<!\d)(?:20[2-4]\d{_SEP}[01]\d{_SEP}[0-3]\d(?:[T._-]?[0-2]\d{_SEP}[0-5]\d(?:{_SEP}[0-5]\d(?:\d{{3}})?)?)?"
    rf"|[0-3]\d{_SEP}[01]\d{_SEP}20[2-4]\d|20[2-4]\d{_SEP}\d\d|1[5-9]\d{{8}}(?:\d{{3}})?)(?!\d)"
)
"""Matches a day, a moment of a day, a month or a week, or seconds or milliseconds since 1970."""
FEW_DIGITS = 5
"""Most digits in a file name besides those that :data:`WHEN` matches. Every number that an erasure looks for is longer.
"""
NO_FLOW = Flow("unassigned")
WITHHELD = "[name withheld]"
"""Stands in records for a name that could be a person's; whatever displays it puts it into the reader's language."""


def is_safe_name(name: str) -> bool:
    """Whether a file name is safe: plain characters, at most 200, no long digit run that is not a timestamp.

    A file name goes into keys, receipts and events, so it must not be able to name a person.
    """
    runs = (re.sub(r"\D", "", run) for run in LONG_DIGITS.findall(name))
    return bool(SAFE_NAME.fullmatch(name)) and all(map(TIMESTAMP.fullmatch, runs))


def has_number(name: str) -> bool:
    """Whether a name has so many digits, besides a date or time, that they may be a customer's number.

    Such a file is read, but no record contains its name: nobody could change the record when that customer is erased.
    """
    return sum(map(str.isdigit, WHEN.sub("", name))) > FEW_DIGITS


def withheld_unless_safe(key: str, flow: Flow) -> str:
    """Return the key of a file of this flow, without its file name if that could name a person.

    In the name of an arriving file a number may be a person's. All other names we made ourselves, from ids.

    For a file without a flow the folder is withheld too: whoever sent the file chose that name.
    """
    principal, direction, folder, name = split_key(key)
    if NO_FLOW in (flow, folder):
        return f"{principal}/{direction}/{WITHHELD}"
    is_told = is_safe_name(name) and not (direction in ARRIVING and has_number(name))
    return key if is_told else f"{principal}/{direction}/{folder}/{WITHHELD}"


def shown_beside_flows(key: str) -> str:
    """Return the key of what a principal put in ``requests/`` or ``acks/``, its name withheld if it may be personal."""
    principal, folder, name = key.split("/", 2)
    return key if is_safe_name(name) and not has_number(name) else f"{principal}/{folder}/{WITHHELD}"


def split_key(key: str) -> tuple[str, str, Flow, str]:
    """Split ``<principal>/<direction>/<flow>/<name>``. A name may contain slashes, but is then not a safe name.

    Text in the place of the flow that could not be a flow's name gives NO_FLOW. Whether the flow exists, contracts say.
    """
    principal, direction, *rest = key.split("/", 3)
    if len(rest) == 2 and FLOW_NAME.fullmatch(rest[0]) and is_safe_name(rest[0]):
        return principal, direction, Flow(rest[0]), rest[1]
    return principal, direction, NO_FLOW, "/".join(rest)


def lake_key(opened: Opened, name: str) -> str:
    """Where accepted data lies: plain Hive partitions that DuckDB, polars and Spark read as they are."""
    return f"{opened.principal}/{opened.flow}/exchange={opened.exchange_id}/{name}"


def vault_key(opened: Opened, name: str) -> str:
    """Where refused data lies, encrypted, beside the list of findings, which holds no value."""
    return f"{opened.principal}/{opened.flow}/exchange={opened.exchange_id}/{name}"


INDEX_PREFIX = "_subject_index/"
"""Where index runs of every principal lie in the lake bucket, and merges of them."""


def index_key(opened: Opened, ending: str = "") -> str:
    """Where a subject index run of this exchange lies in the lake bucket."""
    return f"{INDEX_PREFIX}{opened.principal}/exchange={opened.exchange_id}{ending}.parquet"


def merged_prefix(principal: Principal, group: str = "") -> str:
    """Where merged index runs of a principal lie, or those of one group: a month, as ``2026-11/``."""
    return f"{INDEX_PREFIX}{principal}/merged/{group}"


def return_key(opened: Opened, name: str) -> str:
    """Where a return lies in the lake bucket until it is delivered, and for delivering it again."""
    return f"_returns/{opened.principal}/{opened.flow}/exchange={opened.exchange_id}/{name}"


def handed_key(opened: Opened, name: str) -> str:
    """Where an answer to a controller lies in the vault until it is handed over."""
    return f"_handed/{opened.principal}/exchange={opened.exchange_id}/{name}"


def is_sent_on(opened: Opened) -> bool:
    """Whether this is an answer that goes to somebody other than its principal: the next controller."""
    return opened.direction is Direction.PORTABILITY_ACCESS and not opened.key.startswith(f"{opened.principal}/")


def receipt_bucket(settings: "Settings", opened: Opened) -> str:
    """Return the bucket that the receipt goes to: the one that the principal reads.

    The receipt of our agents' results, and of what a person had sent to somebody else, stays with the center.
    """
    is_ours = opened.direction is Direction.INTERNAL or is_sent_on(opened)
    return settings.bucket_internal if is_ours else settings.bucket_exchange


def receipt_stem(opened: Opened) -> str:
    """Receipt, its PDF and the quarantine report share this stem in the principal's own prefix."""
    return f"{opened.principal}/receipts/{opened.flow}/{opened.exchange_id}"
