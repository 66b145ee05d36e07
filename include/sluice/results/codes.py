"""Every code that making canonical rows can give; the catalogues of the documents room explain each one."""

from typing import Final

CODES: Final = frozenset(
    {
        "HEADER_MISSING_COLUMN",
        "VALUE_CONTACT_ID",
        "VALUE_RECORD_ID",
        "VALUE_TIMESTAMP",
        "VALUE_TIMESTAMP_MISSING",
        "VALUE_TIME_GAP",
        "VALUE_TIME_TWICE",
        "VALUE_DURATION",
        "VALUE_JOINED_CELL",
        "VALUE_NO_CONTACT",
    }
)
