"""Give data back where an ended agreement asks for it; only then may retention delete it (GDPR Art. 28(3)(g))."""

from dataclasses import dataclass
from datetime import datetime

from sluice.agreement.model import Agreement
from sluice.exchange.house import House
from sluice.exchange.model import NO_RUN, AirflowRun
from sluice.exchange.persons import consent_store
from sluice.exchange.sweeping import Tally, do_each
from sluice.ledger.names import check_name
from sluice.retention import store
from sluice.retention.ended import find_returning, pick_returning
from sluice.retention.holds import confirm_return
from sluice.returns.carry import AIRFLOW
from sluice.returns.give_back import FlowGiven, Standing, Wish, give_flow
from sluice.returns.give_back_results import results_given
from sluice.returns.give_back_store import find_flows
from sluice.terms import Direction, Principal

REFERENCE = "GIVEN-BACK"
"""Reference in place of the principal's own confirmation: its data lies in its own prefix, with receipts."""
NOTHING_LEFT = "NOTHING-LEFT"
"""Reference used instead if no flow has anything to give back, so that nobody claims that something lies there."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What one run did for one principal. ``is_confirmed``: everything was given back, so that retention may delete.

    ``flows``: flows of contacts, and of results that returns have to bring back.
    """

    agreement: Agreement
    flows: tuple[FlowGiven, ...]
    is_confirmed: bool


def give_back(
    house: House,
    principal: Principal,
    now: datetime,
    by: str,
    *,
    form: str | None = None,
    run: AirflowRun = NO_RUN,
    agreement_id: str | None = None,
) -> GivenBack:
    """Put the accepted rows of every flow of an ended agreement into its principal's own prefix, and confirm it.

    It is not confirmed while results of agents have gone out in no return, as they would be deleted as if given back.
    It is confirmed even if no flow has anything left, because consent records, which are in no file, wait for it too.

    ``form``: csv, xlsx, json, ndjson or parquet; None for the contracts' own. ``agreement_id``: None for the first that
    waits. Raises UsageError, and as :func:`pick_returning`.
    """
    by = check_name(by)
    ends, ended = pick_returning(house.conn, principal, now, agreement_id)
    wish = Wish(ended, form, by)
    every = find_flows(house.conn, principal)
    contacts = [give_flow(house, wish, flow, run, now) for flow in every if ends.of(Direction.INBOUND, flow) == ended]
    flows = (*contacts, *results_given(house, ends, ended, run, now, by))
    is_whole = all(flow.standing is Standing.GIVEN for flow in flows)
    if is_whole:
        said = REFERENCE if flows else NOTHING_LEFT
        confirm_return(house.conn, principal, said, by, now, ended.agreement_id)
    return GivenBack(ended, flows, is_whole)


def give_back_due(house: House, now: datetime, run: AirflowRun = NO_RUN) -> Tally:
    """Give back for every ended agreement that waits for it. Returns how many are done, and how many failed.

    Raises ServiceMissing.
    """

    def one(waiting: tuple[Principal, str]) -> int:
        principal, agreement_id = waiting
        return int(give_back(house, principal, now, AIRFLOW, run=run, agreement_id=agreement_id).is_confirmed)

    return do_each(house.conn, "giving back", _waiting(house, now), one)


def _waiting(house: House, now: datetime) -> list[tuple[Principal, str]]:
    """Agreements that wait for it, even if only consent records are left, which would otherwise stay for ever."""
    principals = sorted({*store.find_principals(house.conn), *consent_store.find_principals(house.conn)})
    return [(each, name) for each in principals for name in find_returning(house.conn, each, now)]
