"""Operators for dial lists. They take what somebody filled in, call one use case, and handle no person's data."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sluice.orchestration.operators import HouseOperator

if TYPE_CHECKING:
    from sluice.exchange.house import House

REQUESTS = UUID("0b8f4c0e-3f0d-5a55-9d53-2b6f6a5d8c11")


class MakeDialList(HouseOperator):
    """Makes one dial list; a retry of the same run makes no second one."""

    template_fields: Sequence[str] = ("principal", "flow", "purpose", "channel", "form")

    def __init__(self, *, principal: str, flow: str, purpose: str, channel: str, form: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.principal, self.flow, self.purpose, self.channel, self.form = principal, flow, purpose, channel, form

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.dial.make import make_dial_list
        from sluice.dial.model import Channel, Request
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
        done = make_dial_list(house, request, now, run)
        return f"exchange {done.exchange_id}: {done.rows} of {done.rows_in} rows"


class FinishDialLists(HouseOperator):
    """Recalls dial lists that name somebody who must stay out since, then finishes those left open by dead workers."""

    def work_in(self, house: "House", now: datetime, run: dict[str, str]) -> str:
        from sluice.dial.make import finish_left
        from sluice.dial.recall import recall_lists
        from sluice.exchange.sweeping import check_none_left

        recalled, unrecalled = recall_lists(house, now)
        finished, unfinished = finish_left(house, now, run)
        check_none_left("dial lists", unfinished + unrecalled)
        return f"dial lists: finished {finished}, recalled {recalled}"
