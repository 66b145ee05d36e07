"""Do the same step for many items, one after the other, so that a fault of one does not hold up the others."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from sluice.db import Connection
from sluice.errors import UNFORESEEN, Ref, ServiceMissing, SluiceError, told_of

T = TypeVar("T")
log = logging.getLogger(__name__)


class LeftUndone(SluiceError):
    code = "SLU-209"
    summary = "a part of the work was left undone, after all the rest was done"
    cure = "the log above names each item with its own code and cure; the next run meets them again"


class Tally(NamedTuple):
    """What one sweep did: how much is done, and how many items failed, were logged, and are met again by the next."""

    done: int
    failed: int

    @classmethod
    def total(cls, tallies: Iterable["Tally"]) -> "Tally":
        """Add up what several sweeps did."""
        counted = list(tallies)
        return cls(sum(one.done for one in counted), sum(one.failed for one in counted))


class Faults:
    """Counts the items of a sweep that failed and are met again. ``conn``: the connection that all of them use."""

    def __init__(self, conn: Connection) -> None:
        self.count = 0
        self._conn = conn

    @contextmanager
    def kept_apart(self, what: str) -> Iterator[None]:
        """Run the step of one item; if it fails, log and count the fault. Raises ServiceMissing when a store is away.

        A connection lost in the step counts as that, because every later item would fail too. A fault is logged by its
        code, an unforeseen one by its place (:func:`told_of`).
        """
        try:
            yield
            return
        except ServiceMissing:
            raise
        except Exception as error:
            code, said = told_of(error)
            log.log(logging.ERROR if code == UNFORESEEN else logging.WARNING, "%s waits: %s", what, said)
        if self._conn.closed:
            raise ServiceMissing(Ref("service", "postgresql"), Ref("connection", "lost"))
        self.count += 1


def do_each(conn: Connection, what: str | Callable[[T], str], items: Iterable[T], step: Callable[[T], int]) -> Tally:
    """Do a step for every item; what is done is the sum of what the steps return.

    ``what``: how the log calls an item, or a function that says so. Raises ServiceMissing when a store is away.
    """
    done, faults = 0, Faults(conn)
    for item in items:
        with faults.kept_apart(what if isinstance(what, str) else what(item)):
            done += step(item)
    return Tally(done, faults.count)


def check_none_left(what: str, failed: int) -> None:
    """Raises LeftUndone when something was left undone. ``what``: the items in the plural, as ``flows with files``."""
    if failed:
        raise LeftUndone(Ref(f"{what} left undone", failed))
