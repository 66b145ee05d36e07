"""What every sweep does with its items: one after the other, and a fault of one keeps nobody else waiting."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sluice.errors import ServiceMissing, SluiceError, place_of

T = TypeVar("T")
log = logging.getLogger(__name__)


class Faults:
    """How many items of a sweep failed and are met again."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def kept_apart(self, what: str) -> Iterator[None]:
        """Around the step of one item, which ends here when it fails. Raises ServiceMissing when a store is away.

        A fault is logged by its code; one that nobody foresaw by its type and its place, never by what it says: that
        may be a value of a person.
        """
        try:
            yield
        except ServiceMissing:
            raise
        except SluiceError as error:
            self.count += 1
            log.warning("%s waits: %s", what, error)
        except Exception as error:
            self.count += 1
            log.error("%s waits: %s", what, place_of(error))


def each(what: str | Callable[[T], str], items: Iterable[T], step: Callable[[T], int]) -> tuple[int, int]:
    """Do a step for every item: what the steps add up to, and how many failed and are met again.

    what: an item, for the log; or what says it of one. Raises ServiceMissing when a store is away.
    """
    done, faults = 0, Faults()
    for item in items:
        with faults.kept_apart(what if isinstance(what, str) else what(item)):
            done += step(item)
    return done, faults.count
