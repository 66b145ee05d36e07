"""What every sweep does with its items: one after the other, and a fault of one keeps nobody else waiting."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sluice.db import Connection
from sluice.errors import Ref, ServiceMissing, SluiceError, place_of

T = TypeVar("T")
log = logging.getLogger(__name__)


class LeftUndone(SluiceError):
    code = "SLU-209"
    summary = "a part of the work was left undone, after all the rest was done"
    cure = "the log above names each item with its own code and cure; the next run meets them again"


class Faults:
    """How many items of a sweep failed and are met again. ``conn``: what all of them work with."""

    def __init__(self, conn: Connection) -> None:
        self.count = 0
        self._conn = conn

    @contextmanager
    def kept_apart(self, what: str) -> Iterator[None]:
        """Around the step of one item, which ends here when it fails. Raises ServiceMissing when a store is away.

        A connection that was lost in it is that too: every item after it would fail of it. A fault is logged by its
        code; one that nobody foresaw by its type and its place, never by what it says: that may be a value of a person.
        """
        try:
            yield
            return
        except ServiceMissing:
            raise
        except SluiceError as error:
            log.warning("%s waits: %s", what, error)
        except Exception as error:
            log.error("%s waits: %s", what, place_of(error))
        if self._conn.closed:
            raise ServiceMissing(Ref("service", "postgresql"), Ref("connection", "lost"))
        self.count += 1


def each(
    conn: Connection, what: str | Callable[[T], str], items: Iterable[T], step: Callable[[T], int]
) -> tuple[int, int]:
    """Do a step for every item: what the steps add up to, and how many failed and are met again.

    what: an item, for the log; or what says it of one. Raises ServiceMissing when a store is away.
    """
    done, faults = 0, Faults(conn)
    for item in items:
        with faults.kept_apart(what if isinstance(what, str) else what(item)):
            done += step(item)
    return done, faults.count


def check_none_left(what: str, failed: int) -> None:
    """Raises LeftUndone when something was left undone. what: in the plural, as ``flows with files``."""
    if failed:
        raise LeftUndone(Ref(f"{what} left undone", failed))
