"""Operators for answers to persons: make decided ones, hand over those for controllers, remove expired ones."""

from datetime import datetime
from typing import TYPE_CHECKING

from sluice.orchestration.operators import HouseOperator

if TYPE_CHECKING:
    from sluice.exchange.house import House

MACHINE = "airflow"


class MakeAnswers(HouseOperator):
    """Makes and seals the package of every decided case of access or portability that has none yet."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.answers.sweep import make_decided
        from sluice.exchange.sweeping import check_none_left

        made, failed = make_decided(house, MACHINE, now)
        check_none_left("answers", failed)
        return f"answers made: {made}"


class HandAnswers(HouseOperator):
    """Hands over the packages that persons want sent to another controller, and those that principals get."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.answers.handover_due import hand_owed
        from sluice.exchange.sweeping import check_none_left

        handed, failed = hand_owed(house, now, run)
        check_none_left("handovers", failed)
        return f"answers handed over: {handed}"


class RemoveAnswers(HouseOperator):
    """Removes packages whose last day is over, and objects there that no table row names."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.answers.keep import remove_due
        from sluice.exchange.sweeping import check_none_left

        removed, failed = remove_due(house, now)
        check_none_left("removals", failed)
        return f"answers removed: {removed}"
