"""Open the returns that are due and take each to its end: what the DAG, the command and the tests call."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from sluice.exchange.drain import Drained, drain
from sluice.exchange.house import House
from sluice.returns.carry import AIRFLOW, carry_return
from sluice.returns.due import open_due
from sluice.terms import Direction, Flow, Principal


def drain_returns(
    house: House, principal: Principal, flow: Flow, now: datetime, run: Mapping[str, str], by: str = AIRFLOW
) -> Drained:
    """Make every return of a flow that is due at ``now``; those that wait for a person go on waiting."""
    open_due(house, principal, flow, now)
    return drain(house, Direction.OUTBOUND_RETURN, principal, flow, run, partial(carry_return, by=by))
