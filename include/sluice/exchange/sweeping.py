"""What every sweep does with its items: one after the other, and a fault of one keeps nobody else waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from sluice.errors import ServiceMissing, SluiceError

T = TypeVar("T")
log = logging.getLogger(__name__)


def each(what: str, items: Iterable[T], step: Callable[[T], int]) -> tuple[int, int]:
    """Do a step for every item: what the steps add up to, and how many failed and are met again.

    A fault is logged by its code. Raises ServiceMissing when a store is away.
    """
    done = failed = 0
    for item in items:
        try:
            done += step(item)
        except ServiceMissing:
            raise
        except SluiceError as error:
            failed += 1
            log.warning("%s waits: %s", what, error)
    return done, failed
