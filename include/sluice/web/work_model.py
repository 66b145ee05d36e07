"""Answers of the API about work: who may handle contacts, and what waits for a person."""

from datetime import date, datetime
from typing import Generic, TypeVar

from pydantic import Field

from sluice.rights.notices.model import Channel, NoticeState
from sluice.staff.model import Reason
from sluice.staff.standing import State
from sluice.web.model import Closed


class Told(Closed):
    """What a line of ours says of itself over HTTP; it may know more."""

    model_config = Closed.model_config | {"extra": "ignore"}


Line = TypeVar("Line", bound=Told)


class AgentStanding(Closed):
    """How one agent stands. `valid_until` is exclusive, as far as was known; null where no end was."""

    agent_ref: str
    readiness: State
    valid_until: datetime | None
    reasons: list[Reason]


class StaffPage(Closed):
    """Agents by reference: first who is not ready, then who will not be soon."""

    moment: datetime
    known_at: datetime
    minimum: str = Field(description="Percent that an exam had to reach by then.")
    counts: dict[State, int]
    people: list[AgentStanding]
    next_page: int | None = Field(description="Give it as `page` for the next page; null on the last one.")


class ReturnWaits(Told):
    """A return that lies ready; who prepared it cannot release it."""

    exchange_id: str
    principal: str
    flow: str
    day: date | None
    prepared_at: datetime
    prepared_by: str


class AcknowledgementWaits(Told):
    """A delivered return that nobody acknowledged in time."""

    exchange_id: str
    principal: str
    flow: str
    delivered_at: datetime
    due_at: datetime
    reminded_at: datetime | None
    escalated_at: datetime | None


class ReviewWaits(Told):
    """An exchange with held notes: rows per code, and how many of them nobody has decided yet."""

    exchange_id: str
    principal: str
    flow: str
    codes: dict[str, int]
    open: int


class NoticeWaits(Told):
    """A notice to a recipient of what was decided."""

    notice_id: str
    case_id: str
    principal: str
    recipient: str
    state: NoticeState
    channel: Channel
    due_at: datetime | None


class PlanWaits(Told):
    """A plan of an erasure, by the hash of what stands in it."""

    case_id: str
    principal: str
    sha256: str
    made_at: datetime
    made_by: str


class Matter(Closed, Generic[Line]):
    """How many wait, and at most 200 of them, the longest waiting first."""

    count: int
    lines: list[Line]


class WaitingExchanges(Closed):
    """What waits about exchanges."""

    returns: Matter[ReturnWaits]
    acknowledgements: Matter[AcknowledgementWaits]
    reviews: Matter[ReviewWaits]


class WaitingCases(Closed):
    """What waits about cases."""

    notices: Matter[NoticeWaits]
    plans: Matter[PlanWaits]
