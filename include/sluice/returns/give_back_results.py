"""Agents' results when an agreement ends: those in no delivered return must not be deleted as if given back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from sluice.agreement.in_force.ended import Ends
from sluice.agreement.in_force.recipe import find_recipe
from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import Agreement
from sluice.agreement.papers import PaperMissing
from sluice.exchange.early_refusal import missing_paper
from sluice.exchange.house import House
from sluice.exchange.model import AirflowRun
from sluice.exchange.stop_store import is_stopped
from sluice.returns import give_back_store, store
from sluice.returns.drain import drain_returns
from sluice.returns.due import NOT_AGREED
from sluice.returns.give_back import FlowGiven, Standing, flow_given
from sluice.terms import Direction, Flow


def results_given(
    house: House, ends: Ends, ended: Agreement, run: AirflowRun, now: datetime, by: str
) -> Iterator[FlowGiven]:
    """Make the returns that are due, and say how far each flow is; with several days, the first that is not given."""
    for flow in give_back_store.find_return_flows(house.conn, ended.principal):
        recipe = find_recipe(house.conn, ended.principal, flow, now)
        if recipe is None or ends.of(Direction.OUTBOUND_RETURN, flow) != ended:
            continue
        if give_back_store.has_open_arrivals(house.conn, ended.principal, recipe.results_flow, Direction.INTERNAL):
            yield FlowGiven(flow, Standing.WAITS_FOR_ARRIVALS)
            continue
        if store.find_days(house.conn, ended.principal, recipe.results_flow):
            drain_returns(house, ended.principal, flow, now, run, by)
        days = list(_of_days(house, ended, flow, recipe.results_flow, now))
        if days:
            first = next((each for each in days if each.standing is not Standing.GIVEN), days[-1])
            waits = first.standing is Standing.UNDER_WAY and is_stopped(house.conn, ended.principal, flow)
            yield replace(first, standing=Standing.STOPPED) if waits else first


def _of_days(house: House, ended: Agreement, flow: Flow, results: Flow, now: datetime) -> Iterator[FlowGiven]:
    waiting = give_back_store.find_unreturned(house.conn, ended.principal, flow, results)
    is_agreed = _missing(house, ended, flow, ended.valid_to, now) is None
    for day in store.find_days(house.conn, ended.principal, results):
        missing = _missing(house, ended, flow, day, now)
        if missing is None or (is_agreed and day not in waiting):
            yield _of_day(house, ended, flow, day, day in waiting)
        elif is_agreed:
            yield FlowGiven(flow, Standing.REFUSED, reason_code=missing_paper(missing).code)


def _missing(house: House, ended: Agreement, flow: Flow, day: date | None, now: datetime) -> PaperMissing | None:
    """Why no return is made for a day: no contract of it holds then; None if one does.

    If no contract held when the agreement ended, no return is owed at all.
    """
    assert day is not None  # it ended
    paper = in_force(house.conn, ended.principal, Direction.OUTBOUND_RETURN, flow, day, now)
    return paper if isinstance(paper, PaperMissing) and paper.reason in NOT_AGREED else None


def _of_day(house: House, ended: Agreement, flow: Flow, day: date, is_waiting: bool) -> FlowGiven:
    """How far one day is. If all its results were returned it is given, even if a later return of it was refused."""
    last = give_back_store.find_last_of_day(house.conn, ended.principal, flow, day)
    if last is None:
        return FlowGiven(flow, Standing.UNDER_WAY)
    found = flow_given(house, flow, last)
    if is_waiting and found.standing is Standing.GIVEN:
        return replace(found, standing=Standing.UNDER_WAY)
    if not is_waiting and found.standing is Standing.REFUSED:
        return replace(found, standing=Standing.GIVEN, reason_code=None)
    return found
