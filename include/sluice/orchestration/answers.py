"""Operators of answers to persons: make what was decided, hand over what controllers get, remove what is over."""

from datetime import UTC, datetime

from sluice.orchestration.operators import HouseOperator
from sluice.settings import get_settings

MACHINE = "airflow"


class MakeAnswers(HouseOperator):
    """Makes the package of every case of access or portability that was decided and has none yet; seals it."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.sweep import make_decided
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            made, failed = make_decided(house, MACHINE, datetime.now(UTC))
        check_none_left("answers", failed)
        return f"answers made: {made}"


class HandAnswers(HouseOperator):
    """Hands over what persons asked to send to a next controller, and what principals get themselves."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.handover_due import hand_owed
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            handed, failed = hand_owed(house, datetime.now(UTC), run)
        check_none_left("handovers", failed)
        return f"answers handed over: {handed}"


class RemoveAnswers(HouseOperator):
    """Removes packages whose last day is over, and what lies there without a line."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.answers.keep import remove_due
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            removed, failed = remove_due(house, datetime.now(UTC))
        check_none_left("removals", failed)
        return f"answers removed: {removed}"
