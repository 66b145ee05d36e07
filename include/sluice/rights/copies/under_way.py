"""Objects that are not judged yet while a second scan reads: they may name the person, but are no residue."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.exchange.house import House
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies import in_flight_store
from sluice.terms import ExchangeId, Principal

OF_EXCHANGE = re.compile(r"/exchange=([0-9a-f-]{36})[/.]")
"""The part of an object's key that says which exchange put it there."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Exchanges that are open or ended since the scan began, and their objects; the next run looks at what they leave.

    ``counted``: exchanges that were counted as waited for, each once, however many objects it has.
    """

    house: House
    principal: Principal
    since: datetime
    objects: dict[ExchangeId, ObjectVersion]
    counted: set[ExchangeId]

    @classmethod
    def of(cls, house: House, principal: Principal, in_flight: frozenset[ExchangeId]) -> "UnderWay":
        since = datetime.now(UTC)
        return cls(
            house, principal, since, in_flight_store.find_under_way(house.conn, principal, since), set(in_flight)
        )

    def exchange_of(self, item: StoredObject, *, is_new: bool) -> ExchangeId | None:
        """The exchange under way that an object is of, or None. is_new: it may have come while others were read."""
        if is_new and self._look_up(item) is None:
            self.objects.update(in_flight_store.find_under_way(self.house.conn, self.principal, self.since))
        return self._look_up(item)

    def count(self, exchange_id: ExchangeId) -> int:
        """Return 1 for an exchange that was not counted before, else 0."""
        is_new = exchange_id not in self.counted
        self.counted.add(exchange_id)
        return int(is_new)

    def _look_up(self, item: StoredObject) -> ExchangeId | None:
        of = OF_EXCHANGE.search(item.key)
        if of is not None and of[1] in self.objects:
            return ExchangeId(of[1])
        lies_at = ObjectVersion.of(item)
        return next((each for each, came_as in self.objects.items() if came_as == lies_at), None)
