"""Open the returns that are due and carry each to its end; called by the DAG, the command and the tests."""

import logging
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from sluice.exchange.drain import Drained, drain
from sluice.exchange.house import House
from sluice.exchange.model import NO_RUN, AirflowRun
from sluice.exchange.sweeping import Faults, LeftUndone, check_none_left, do_each
from sluice.ledger.names import check_name
from sluice.returns.carry import AIRFLOW, carry_return
from sluice.returns.due import open_due
from sluice.returns.give_back import go_on_prepared
from sluice.returns.store import find_prepared_flows, find_prepared_given
from sluice.terms import Direction, Flow, Principal

log = logging.getLogger(__name__)


def drain_returns(
    house: House, principal: Principal, flow: Flow, now: datetime, run: AirflowRun, by: str = AIRFLOW
) -> Drained:
    """Make every return of a flow that is due at ``now``; returns that wait for a person go on waiting.

    Raises UsageError if ``by`` is no name, ServiceMissing, and, after all others were made, LeftUndone if a day could
    not be opened.
    """
    by = check_name(by)
    fault: LeftUndone | None = None
    try:
        open_due(house, principal, flow, now)
    except LeftUndone as error:
        fault = error
    drained = drain(house, Direction.OUTBOUND_RETURN, principal, flow, run, partial(carry_return, by=by))
    if fault is not None:
        raise fault
    return drained


def remake_prepared(house: House, principal: Principal, now: datetime) -> None:
    """Make prepared returns again at once if they were overtaken, by a person who must stay out or by newer results.

    A prepared give-back at the end of an agreement is closed instead, and the next run makes another. A fault is logged
    and tried again by the schedule. Raises ServiceMissing.
    """
    given = find_prepared_given(house.conn, principal)
    _, not_remade = do_each(house.conn, "what is given back", given, partial(go_on_prepared, house, run=NO_RUN))
    flows = [(principal, flow) for flow in find_prepared_flows(house.conn, principal)]
    try:
        drain_all_returns(house, flows, now, NO_RUN)
    except LeftUndone as error:
        log.warning("prepared returns of %s wait: %s", principal, error)
    if not_remade:
        log.warning("%d that are given back to %s wait, as they were prepared", not_remade, principal)


def drain_all_returns(house: House, flows: Iterable[tuple[Principal, Flow]], now: datetime, run: AirflowRun) -> Drained:
    """Like :func:`drain_returns`, for many flows; a fault in one does not hold up the others.

    Raises LeftUndone at the end, ServiceMissing.
    """
    total, faults = Drained(), Faults(house.conn)
    for principal, flow in flows:
        with faults.kept_apart(f"returns of {principal}/{flow}"):
            total.add(drain_returns(house, principal, flow, now, run))
    check_none_left("flows with returns", faults.count)
    return total
