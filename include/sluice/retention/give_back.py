"""Give data back where an ended agreement asks for it; only then may retention delete it (GDPR Art. 28(3)(g))."""

from dataclasses import dataclass
from datetime import datetime

from sluice.agreement.in_force.store import find_ended
from sluice.agreement.model import Agreement
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.model import NO_RUN, AirflowRun
from sluice.exchange.persons import consent_store
from sluice.exchange.sweeping import Tally, do_each
from sluice.ledger.names import check_name
from sluice.retention import store
from sluice.retention.holds import confirm_return
from sluice.retention.model import RetentionRefused
from sluice.returns.carry import AIRFLOW
from sluice.returns.give_back import FlowGiven, Standing, Wish, give_flow
from sluice.returns.give_back_results import results_given
from sluice.returns.give_back_store import find_flows
from sluice.terms import Principal
from sluice.times import brussels_day

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
) -> GivenBack:
    """Put the accepted rows of every flow of an ended agreement into its principal's own prefix, and confirm it.

    It is not confirmed while results of agents have gone out in no return, as they would be deleted as if given back.
    It is confirmed even if no flow has anything left, because consent records, which are in no file, wait for it too.

    ``form``: csv, xlsx, json, ndjson or parquet; None for the contracts' own. Raises RetentionRefused if an agreement
    is in force or the ended one asks for deletion; raises UsageError.
    """
    by = check_name(by)
    ended = find_ended(house.conn, principal, brussels_day(now), now)
    if ended is None:
        raise RetentionRefused(Ref("rule", "AGREEMENT_IN_FORCE"))
    if ended.end_choice != "return":
        raise RetentionRefused(Ref("rule", "NOTHING_TO_RETURN"), Ref("agreement", ended.agreement_id))
    wish = Wish(ended, form, by)
    contacts = [give_flow(house, wish, flow, run, now) for flow in find_flows(house.conn, principal)]
    flows = (*contacts, *results_given(house, ended, run, now, by))
    is_whole = all(flow.standing is Standing.GIVEN for flow in flows)
    if is_whole:
        confirm_return(house.conn, principal, REFERENCE if flows else NOTHING_LEFT, by, now)
    return GivenBack(ended, flows, is_whole)


def give_back_due(house: House, now: datetime, run: AirflowRun = NO_RUN) -> Tally:
    """Give back for every principal whose ended agreement waits for it. Returns how many are done, and how many failed.

    Raises ServiceMissing.
    """

    def one(principal: Principal) -> int:
        return int(give_back(house, principal, now, AIRFLOW, run=run).is_confirmed)

    return do_each(house.conn, "giving back", _waiting(house, now), one)


def _waiting(house: House, now: datetime) -> list[Principal]:
    """Principals that wait for it, even if only consent records are left, which would otherwise stay for ever."""
    on, found = brussels_day(now), []
    for principal in sorted({*store.find_principals(house.conn), *consent_store.find_principals(house.conn)}):
        ended = find_ended(house.conn, principal, on, now)
        if ended and ended.end_choice == "return" and store.find_returned(house.conn, ended) is None:
            found.append(principal)
    return found
