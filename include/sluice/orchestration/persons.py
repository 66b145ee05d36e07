"""Operators for requests of persons: ids in, one use case, nothing out."""

from sluice.orchestration.operators import HouseOperator
from sluice.settings import get_settings


class FollowCases(HouseOperator):
    """Reads what principals asked and instructed, finishes openings, forwards, reminds, writes letters owed.

    What is sealed of a case that was closed long enough ago is removed, and keys that two persons let go.
    """

    def work(self, run: dict[str, str]) -> str:
        from datetime import UTC, datetime

        from sluice.exchange.house import open_house
        from sluice.rights.destroy import finish as finish_destructions
        from sluice.rights.forward import follow
        from sluice.rights.opening import finish_openings
        from sluice.rights.protect import protection_of
        from sluice.rights.requests import read_requests
        from sluice.rights.tidy import tidy

        with open_house(get_settings()) as house:
            protection, now = protection_of(house), datetime.now(UTC)
            opened = finish_openings(house, protection)
            requests = read_requests(house, protection, now)
            told = follow(house, now)
            tidied = tidy(house, now)
            destroyed, _ = finish_destructions(house, now)
        return f"opened {opened}, requests {requests}, told {told}, {tidied}, keys destroyed {destroyed}"


class FollowNotices(HouseOperator):
    """Tells recipients of what was decided, reads what they say, reminds, escalates, and ends cases that are ready."""

    def work(self, run: dict[str, str]) -> str:
        from datetime import UTC, datetime

        from sluice.errors import Ref, StoreError
        from sluice.exchange.house import open_house
        from sluice.rights.finish import sweep

        with open_house(get_settings()) as house:
            done = sweep(house, datetime.now(UTC))
        if done.failed:
            raise StoreError(Ref("notices and steps left undone", done.failed))
        return f"{done.told}, {done.followed}, {done.finished}"
