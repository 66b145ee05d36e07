"""What is not judged yet while a second scan reads: it names the person, perhaps, and is no residue."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.exchange.house import House
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies import copy_store
from sluice.terms import ExchangeId, Principal

OF_EXCHANGE = re.compile(r"/exchange=([0-9a-f-]{36})[/.]")
"""In the key of what an exchange put down."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Exchanges that are open, or ended since the scan began, and their objects: the next run looks at what they leave.

    ``counted``: those that are counted as waited for, each once, whatever it has.
    """

    house: House
    principal: Principal
    since: datetime
    objects: dict[ExchangeId, tuple[str, str, str]]
    counted: set[ExchangeId]

    @classmethod
    def of(cls, house: House, principal: Principal, in_flight: frozenset[ExchangeId]) -> "UnderWay":
        since = datetime.now(UTC)
        return cls(house, principal, since, copy_store.find_under_way(house.conn, principal, since), set(in_flight))

    def exchange_of(self, item: StoredObject, *, is_new: bool) -> ExchangeId | None:
        """Whose it is; None: nobody's who is under way. is_new: it may have come while others were read."""
        if is_new and self._look_up(item) is None:
            self.objects.update(copy_store.find_under_way(self.house.conn, self.principal, self.since))
        return self._look_up(item)

    def count(self, exchange_id: ExchangeId) -> int:
        """1 for each that is not counted yet."""
        is_new = exchange_id not in self.counted
        self.counted.add(exchange_id)
        return int(is_new)

    def _look_up(self, item: StoredObject) -> ExchangeId | None:
        of = OF_EXCHANGE.search(item.key)
        if of is not None and of[1] in self.objects:
            return ExchangeId(of[1])
        lies_at = (item.bucket, item.key, item.version_id)
        return next((each for each, came_as in self.objects.items() if came_as == lies_at), None)
