"""Operators for dial lists. They take what somebody filled in, call one use case, and handle no person's data."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from sluice.orchestration.operators import UseCaseOperator
from sluice.settings import get_settings

REQUESTS = UUID("0b8f4c0e-3f0d-5a55-9d53-2b6f6a5d8c11")


class MakeDialList(UseCaseOperator):
    """Makes one dial list; a retry of the same run makes no second one."""

    template_fields: Sequence[str] = ("principal", "flow", "purpose", "channel", "form")

    def __init__(self, *, principal: str, flow: str, purpose: str, channel: str, form: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.principal, self.flow, self.purpose, self.channel, self.form = principal, flow, purpose, channel, form

    def work(self, run: dict[str, str]) -> str:
        from sluice.dial.make import make_dial_list
        from sluice.dial.model import Channel, Request
        from sluice.exchange.house import open_house
        from sluice.terms import Flow, Principal

        request = Request(
            str(uuid5(REQUESTS, run["run_id"])),
            Principal(self.principal),
            Flow(self.flow),
            self.purpose,
            Channel(self.channel),
            self.form,
            "airflow",
        )
        with open_house(get_settings()) as house:
            done = make_dial_list(house, request, datetime.now(UTC), run)
        return f"exchange {done.exchange_id}: {done.rows} of {done.rows_in} rows"


class FinishDialLists(UseCaseOperator):
    """Recalls dial lists that name somebody who must stay out since, then finishes those left open by dead workers."""

    def work(self, run: dict[str, str]) -> str:
        from sluice.dial.make import finish_left
        from sluice.dial.recall import recall_lists
        from sluice.exchange.house import open_house
        from sluice.exchange.sweeping import check_none_left

        with open_house(get_settings()) as house:
            now = datetime.now(UTC)
            recalled, unrecalled = recall_lists(house, now)
            finished, unfinished = finish_left(house, now, run)
        check_none_left("dial lists", unfinished + unrecalled)
        return f"dial lists: finished {finished}, recalled {recalled}"
