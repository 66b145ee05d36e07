"""Operators for requests of persons: ids in, one use case, nothing out."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator, Context

from sluice.orchestration.guard import guarded
from sluice.orchestration.operators import HouseOperator
from sluice.settings import get_settings

MACHINE = "airflow"
"""Who makes the plans that nobody made; no person, so that one is enough to release them."""


class FollowCases(HouseOperator):
    """Reads what principals asked and instructed, finishes openings, forwards, reminds, writes letters owed."""

    def work(self, run: dict[str, str]) -> str:
        from datetime import UTC, datetime

        from sluice.exchange.house import open_house
        from sluice.rights.forward import follow
        from sluice.rights.opening import finish_openings
        from sluice.rights.protect import protection_of
        from sluice.rights.requests import read_requests

        with open_house(get_settings()) as house:
            protection, now = protection_of(house), datetime.now(UTC)
            opened = finish_openings(house, protection)
            requests = read_requests(house, protection, now)
            told = follow(house, now)
        return f"opened {opened}, requests {requests}, told {told}"


class FindDecided(BaseOperator):
    """Plans what was decided, and ids of cases whose plan was released; opaque, so they may pass through XCom."""

    template_fields: Sequence[str] = ()

    def execute(self, context: Context) -> list[str]:
        return guarded(self._find)

    def _find(self) -> list[str]:
        from datetime import UTC, datetime

        from sluice.exchange.house import open_house
        from sluice.rights.erase_control import take_up

        with open_house(get_settings()) as house:
            return list(take_up(house, MACHINE, datetime.now(UTC)))


class EraseCase(HouseOperator):
    """Erases what was decided of one case, and scans everything again; a residue fails the task."""

    template_fields: Sequence[str] = ("case_id",)

    def __init__(self, *, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id

    def work(self, run: dict[str, str]) -> str:
        from datetime import UTC, datetime

        from sluice.errors import Ref
        from sluice.exchange.house import open_house
        from sluice.rights.certificate import issue
        from sluice.rights.erase import run as erase
        from sluice.rights.erase_model import NotFinished
        from sluice.rights.model import CaseId

        with open_house(get_settings()) as house:
            report = erase(house, CaseId(self.case_id), datetime.now(UTC))
            left = (report.residual or 0) + report.doubts + report.waiting
            if left:
                raise NotFinished(Ref("case", self.case_id), Ref("left", left))
            certificates = issue(house, CaseId(self.case_id), report.principals)
        return f"case {self.case_id}: {report.objects_scanned} objects scanned, {len(certificates)} certificates"


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
