"""Keys and names of an exchange: every key we write is a function of its id. Pure."""

import re
from typing import TYPE_CHECKING

from sluice.exchange.model import Opened
from sluice.terms import ARRIVING, Direction, Flow, Principal

if TYPE_CHECKING:
    from sluice.settings import Settings

PRINCIPAL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
FLOW_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LONG_DIGITS = re.compile(r"\d{9,}|\d{1,4}(?:[._-]\d{1,4}){2,}")
TIMESTAMP = re.compile(r"20[2-4]\d[01]\d[0-3]\d{1,10}|1[5-9]\d{8}(\d{3})?|\d{1,8}")
"""A date and what follows it, seconds or milliseconds since 1970, or too short to be a person's number."""
_SEP = "[._-]?"
WHEN = re.compile(
    rf"(?<!\d)(?:20[2-4]\d{_SEP}[01]\d{_SEP}[0-3]\d(?:[T._-]?[0-2]\d{_SEP}[0-5]\d(?:{_SEP}[0-5]\d(?:\d{{3}})?)?)?"
    rf"|[0-3]\d{_SEP}[01]\d{_SEP}20[2-4]\d|20[2-4]\d{_SEP}\d\d|1[5-9]\d{{8}}(?:\d{{3}})?)(?!\d)"
)
"""A day, a moment of it, a month or a week, or seconds or milliseconds since 1970."""
FEW_DIGITS = 5
"""Of a file's name, beside what :data:`WHEN` is: no number that an erasure looks for is so short."""
NO_FLOW = Flow("unassigned")
WITHHELD = "[name withheld]"
"""Stands in records for a name that could be a person's; whoever shows it says it in the words of the reader."""


def is_safe_name(name: str) -> bool:
    """Plain characters, at most 200, no long digit run that is not a timestamp.

    A file name goes into keys, receipts and events, so it must not be able to name a person.
    """
    runs = (re.sub(r"\D", "", run) for run in LONG_DIGITS.findall(name))
    return bool(SAFE_NAME.fullmatch(name)) and all(map(TIMESTAMP.fullmatch, runs))


def has_number(name: str) -> bool:
    """Whether a name has more digits, beside a date or time, than a number of nobody: it may be a customer's.

    Such a file is read, but its name stands in no record, which nobody could change when that customer is erased.
    """
    return sum(map(str.isdigit, WHEN.sub("", name))) > FEW_DIGITS


def withheld_unless_safe(key: str, flow: Flow) -> str:
    """The key of a file of this flow; with its file name withheld when that name could name a person.

    Of what arrives a number may be that of its person; other names we made ourselves, of ids.

    Of a file that has no flow the folder is withheld too: whoever sent it chose that name.
    """
    principal, direction, folder, name = split_key(key)
    if NO_FLOW in (flow, folder):
        return f"{principal}/{direction}/{WITHHELD}"
    is_told = is_safe_name(name) and not (direction in ARRIVING and has_number(name))
    return key if is_told else f"{principal}/{direction}/{folder}/{WITHHELD}"


def shown_beside_flows(key: str) -> str:
    """The key of what a principal put beside its flows, in ``requests/`` or ``acks/``; its name withheld likewise."""
    principal, folder, name = key.split("/", 2)
    return key if is_safe_name(name) and not has_number(name) else f"{principal}/{folder}/{WITHHELD}"


def split_key(key: str) -> tuple[str, str, Flow, str]:
    """``<principal>/<direction>/<flow>/<name>``; a name may hold slashes, and then it is no safe one.

    What stands in the place of a flow but could not be one is no flow; whether it is one, contracts say.
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
    """Whether it is an answer that somebody else than its principal reads: the next controller."""
    return opened.direction is Direction.PORTABILITY_ACCESS and not opened.key.startswith(f"{opened.principal}/")


def receipt_bucket(settings: "Settings", opened: Opened) -> str:
    """Where the receipt goes: to the principal; for our agents' results, and for what a person had sent to somebody
    else, to the center itself."""
    is_ours = opened.direction is Direction.INTERNAL or is_sent_on(opened)
    return settings.bucket_internal if is_ours else settings.bucket_exchange


def receipt_stem(opened: Opened) -> str:
    """Receipt, its PDF and the quarantine report share this stem in the principal's own prefix."""
    return f"{opened.principal}/receipts/{opened.flow}/{opened.exchange_id}"
