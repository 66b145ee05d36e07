"""What principals put for us to answer beside their files (``requests/``, ``acks/``): whose, in what order, when."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.exchange.sweeping import Faults
from sluice.lake.s3.names import InStore, ObjectVersion
from sluice.lake.s3.objects import StoredObject
from sluice.terms import Principal

LONG_AGO = datetime.min.replace(tzinfo=UTC)
MOST_PER_SWEEP = 1000
"""The most new files of one principal per sweep, so that a flood keeps nobody else waiting."""


class Answered(InStore, Protocol):
    """One version of a file that was read, and what it did."""

    @property
    def outcome(self) -> StrEnum: ...


File = TypeVar("File", bound=Answered)


@dataclass(frozen=True, slots=True)
class InboxSweep:
    """One sweep over what all principals put: new files by outcome, notices given, files left for the next sweep.

    ``waiting``: files that wait for something, or that another worker has. ``failed``: how often a step failed for a
    file or a principal, each logged by its code.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    notices: int = 0
    waiting: int = 0
    failed: int = 0


def sweep(
    house: House,
    what: str,
    find: Callable[[Principal], tuple[Sequence[StoredObject], Sequence[File]]],
    answer: Callable[[Principal, StoredObject], File | None],
    tell: Callable[[Principal, Sequence[File]], int],
) -> InboxSweep:
    """Answer every version of every principal that has no answer yet, oldest first.

    ``what``: how the log calls one. ``find``: the versions that lie there, and the answers to those that have one.
    ``answer``: answers one; None if it waits, or another worker has it. ``tell``: gives the missing notices about
    answers, and returns how many. Raises ServiceMissing when a store is away; other faults are counted and met again.
    """
    outcomes, faults = Counter[str](), Faults(house.conn)
    notices = waiting = 0
    for principal in list_principals(house):
        with faults.kept_apart(f"{what} of {principal}"):
            there, known = find(principal)
            names = set(map(ObjectVersion.of, known))
            fresh = oldest_first(item for item in there if ObjectVersion.of(item) not in names)
            before, done = faults.count, list[File]()
            for item in fresh[:MOST_PER_SWEEP]:
                with faults.kept_apart(f"{what} of {principal}"):
                    file = answer(principal, item)
                    done += [] if file is None else [file]
            outcomes.update(file.outcome.value for file in done)
            waiting += len(fresh) - len(done) - (faults.count - before)
            notices += tell(principal, [*known, *done])
    return InboxSweep(dict(outcomes), notices, waiting, faults.count)


def list_principals(house: House) -> Iterator[Principal]:
    """List the principals that have a folder in the exchange bucket."""
    found = house.objects.list_prefixes(house.settings.bucket_exchange)
    return map(Principal, filter(PRINCIPAL_NAME.fullmatch, found))


def oldest_first(items: Iterable[StoredObject]) -> list[StoredObject]:
    """Sort listed objects in the order in which the store took them.

    The clock of a store has whole seconds. Of two versions of one key in the same second, the one listed last is the
    older: ListObjectVersions of S3 lists the versions of a key with the newest first.
    """
    last_listed_first = list(items)[::-1]
    return sorted(last_listed_first, key=lambda item: (item.modified_at or LONG_AGO, item.key))


def put_at(item: StoredObject, now: datetime) -> datetime:
    """Return when the store took an object, not when it is read; never later than ``now``, whatever its clock says."""
    return min(item.modified_at or now, now)
