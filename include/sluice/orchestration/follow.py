"""The operator that follows up acknowledgements of returns."""

from datetime import UTC, datetime

from sluice.orchestration.operators import UseCaseOperator
from sluice.settings import get_settings


class FollowAcknowledgements(UseCaseOperator):
    """Reads the files under ``acks/``, reminds and escalates; fails when something was left undone."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left
        from sluice.returns.reminders import follow

        with open_house(get_settings()) as house:
            done = follow(house, datetime.now(UTC))
        check_none_left("acknowledgements and notices", done.failed)
        told = f"reminded: {done.reminders.reminded}, escalated: {done.reminders.escalated}"
        return f"{dict(done.acks.outcomes)}, waiting: {done.acks.waiting}; {told}"
