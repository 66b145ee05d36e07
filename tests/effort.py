"""How much a test does: what `make test` bears on two cores, or as much as an acceptance row asks (`make evidence`)."""

import os
from typing import TypeVar

T = TypeVar("T")


def effort(short: T, long: T) -> T:
    """``long`` where SLUICE_LONG is set."""
    return long if os.environ.get("SLUICE_LONG") else short
