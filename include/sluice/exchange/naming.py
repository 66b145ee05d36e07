"""Keys, names and times of an exchange: every key we write is a function of its id. Pure."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sluice.exchange.model import Opened
from sluice.terms import Flow

PRINCIPAL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
LONG_DIGITS = re.compile(r"\d{9,}")
TIMESTAMP = re.compile(r"20\d{10}(\d{2})?|1[5-9]\d{8}(\d{3})?")
"""YYYYMMDDhhmm[ss], or seconds or milliseconds since 1970 between 2017 and 2033."""
NO_FLOW = Flow("unassigned")
BRUSSELS = ZoneInfo("Europe/Brussels")


def utc_text(moment: datetime) -> str:
    """ISO 8601 with milliseconds and ``Z``, as every record writes time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_safe_name(name: str) -> bool:
    """Plain characters, at most 200, no long digit run that is not a timestamp.

    A file name goes into keys, receipts and events, so it must not be able to name a person.
    """
    return bool(SAFE_NAME.fullmatch(name)) and all(TIMESTAMP.fullmatch(run) for run in LONG_DIGITS.findall(name))


def withheld_unless_safe(key: str) -> str:
    """The key; with its file name withheld when that name could name a person."""
    place, _, name = key.rpartition("/")
    return key if is_safe_name(name) else f"{place}/[name withheld]"


def lake_key(opened: Opened, name: str) -> str:
    """Where accepted data lies: plain Hive partitions that DuckDB, polars and Spark read as they are."""
    return f"{opened.principal}/{opened.flow}/exchange={opened.exchange_id}/{name}"


def vault_key(opened: Opened, name: str) -> str:
    """Where refused data and reports lie, encrypted."""
    return f"{opened.principal}/{opened.flow}/exchange={opened.exchange_id}/{name}"


def index_key(opened: Opened) -> str:
    """Where the subject index run of this exchange lies in the lake bucket."""
    return f"_subject_index/{opened.principal}/exchange={opened.exchange_id}.parquet"


def receipt_stem(opened: Opened) -> str:
    """Receipt, its PDF and the quarantine report share this stem in the principal's own prefix."""
    return f"{opened.principal}/receipts/{opened.flow}/{opened.exchange_id}"
