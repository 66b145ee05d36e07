"""The operator that follows up acknowledgements of returns."""

from datetime import datetime
from typing import TYPE_CHECKING

from sluice.orchestration.operators import HouseOperator

if TYPE_CHECKING:
    from sluice.exchange.house import House


class FollowAcknowledgements(HouseOperator):
    """Reads the files under ``acks/``, reminds and escalates; fails when something was left undone."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.exchange.sweeping import check_none_left
        from sluice.returns.reminders import follow

        done = follow(house, now)
        check_none_left("acknowledgements and notices", done.failed)
        told = f"reminded: {done.reminders.reminded}, escalated: {done.reminders.escalated}"
        return f"{dict(done.acks.outcomes)}, waiting: {done.acks.waiting}; {told}"
