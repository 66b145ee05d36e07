"""Operators for answers to persons: make decided ones, hand over those for controllers, remove expired ones."""

from datetime import UTC, datetime

from sluice.orchestration.operators import UseCaseOperator
from sluice.settings import get_settings

MACHINE = "airflow"


class MakeAnswers(UseCaseOperator):
    """Makes and seals the package of every decided case of access or portability that has none yet."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.sweep import make_decided
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            made, failed = make_decided(house, MACHINE, datetime.now(UTC))
        check_none_left("answers", failed)
        return f"answers made: {made}"


class HandAnswers(UseCaseOperator):
    """Hands over the packages that persons want sent to another controller, and those that principals get."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.handover_due import hand_owed
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            handed, failed = hand_owed(house, datetime.now(UTC), run)
        check_none_left("handovers", failed)
        return f"answers handed over: {handed}"


class RemoveAnswers(UseCaseOperator):
    """Removes packages whose last day is over, and objects there that no table row names."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.keep import remove_due
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            removed, failed = remove_due(house, datetime.now(UTC))
        check_none_left("removals", failed)
        return f"answers removed: {removed}"
