"""Kinds of copies that an exchange leaves, under the names used by records, the catalogue and the erasure stores."""

from typing import NamedTuple

from sluice.terms import ExchangeId

ARRIVED = "arrived"
"""The file as it arrived."""
LAKE = "lake"
INDEX = "index"
"""References of the persons in the accepted rows."""
REST = "index.rest"
"""References of the persons who are in the file but not in the lake."""
FINDINGS = "findings"

REFUSED_FILE = "quarantine.file"
REFUSED_ROWS = "quarantine.rows"
REFUSED_RECORDS = "quarantine.records"
"""Records that are no rows, so that no column tells whose they are."""
HELD_ROWS = "quarantine.held"
"""Rows that wait for somebody's review, or are kept out for a person's right."""

RETURN = "return"
HELD_BACK = "held"
"""Rows that a return leaves out, with the reason."""
RETURN_FINDINGS = "return.findings"
DELIVERED = "delivered"
"""The file that the principal reads: the same bytes as the kept return."""

DIAL_KEPT = "dial.kept"
DIALLED = "dial"
"""The list that agents get: a copy of the kept one, which waited for its receipt."""

ANSWER_KEPT = "handed.kept"
"""The package for a controller, kept until its receipt exists."""
HANDED = "handed"

FOR_A_TIME = frozenset({ARRIVED, REST, REFUSED_FILE, REFUSED_ROWS, REFUSED_RECORDS, HELD_ROWS, DELIVERED})
"""What stays for days of the house at most: no law that requires storage keeps it, the data itself lies elsewhere."""


class CopyName(NamedTuple):
    """The name of one version of one copy of an exchange."""

    exchange_id: ExchangeId
    kind: str
    version_id: str
