"""Find which returns are due, and open them: the record of a return exists before its inputs are read.

A return is named by the day of its contacts and by its inputs. The same inputs give one return, however often somebody
asks. A further input (a late result, a late credential) gives a new return that supersedes it; so does a person who
must stay out since or who may go again. The deletion of an input gives none.
"""

import hashlib
from datetime import date, datetime, time, timedelta

import rfc8785

from sluice.agreement.in_force.ended import read_ends
from sluice.agreement.in_force.recipe import find_recipe
from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import DeliveryRules, ReturnRecipe
from sluice.agreement.papers import Paper, PaperMissing, PaperReason
from sluice.db import transaction
from sluice.exchange.house import House
from sluice.exchange.made_here import MadeHere
from sluice.exchange.model import Opened
from sluice.exchange.open import record_opened
from sluice.exchange.persons.suppressed_store import last_lifted
from sluice.exchange.stop_store import is_stopped
from sluice.exchange.sweeping import Faults, check_none_left
from sluice.ledger.chains import principal_chain
from sluice.ledger.record import AFTER_END
from sluice.returns import store
from sluice.returns.glance import World, may_be_due
from sluice.returns.model import LIFTED_BY_CONTACTS, Basis, Due, Glance, Last, Stage
from sluice.returns.outdated import LookAtFlow, has_news
from sluice.returns.staffing import StaffNews
from sluice.staff.store import last_import_seq
from sluice.terms import Direction, Flow, Principal
from sluice.times import BRUSSELS, brussels_day

NOT_AGREED = frozenset({PaperReason.NO_CONTRACT, PaperReason.CONTRACT_NOT_YET, PaperReason.CONTRACT_RETIRED})
"""Reasons for which no return is owed: it has no contract."""


def open_due(house: House, principal: Principal, flow: Flow, now: datetime) -> list[Opened]:
    """Open every return of a flow that is due at ``now``, by day of contacts, oldest first.

    A return whose contract has a gap or whose agreement does not hold is opened too, so that it is refused and noticed.
    If an ended agreement asks for its data back (GDPR Art. 28(3)(g)), the paper of the contacts' own day counts. In a
    stopped flow only a return that replaces a prepared one is opened; it waits for the flow to go on.
    A fault on one day does not keep others from being opened. Raises LeftUndone at the end, ServiceMissing.
    """
    today = brussels_day(now)
    ended = read_ends(house.conn, principal, today, now).of(Direction.OUTBOUND_RETURN, flow)
    is_last = ended is not None and ended.end_choice == "return"
    current = in_force(house.conn, principal, Direction.OUTBOUND_RETURN, flow, today, now)
    recipe = _recipe(house, principal, flow, current, now)
    if recipe is None:
        return []
    news = StaffNews(house.conn)
    contacts = store.find_contact_times(house.conn, principal, recipe.contacts_flow)
    world = World(recipe.contacts_flow, recipe.results_flow, contacts, news.last, last_lifted(house.conn, principal))
    look = LookAtFlow(house, principal, flow, recipe, world, news, now, AFTER_END if is_last else "")
    opened, faults = list[Opened](), Faults(house.conn)
    stopped = is_stopped(house.conn, principal, flow)
    for day in store.glance(house.conn, principal, flow, recipe.results_flow):
        if stopped and not (day.last and day.last.stage is Stage.PREPARED):
            continue
        on = day.day
        paper = in_force(house.conn, principal, Direction.OUTBOUND_RETURN, flow, on, now) if is_last else current
        with faults.kept_apart(f"return of {on} of {principal}/{flow}"):
            made = _open(look, day, paper)
            opened += [made] if made else []
    check_none_left("days with returns to open", faults.count)
    return opened


def _open(look: LookAtFlow, day: Glance, paper: Paper | PaperMissing) -> Opened | None:
    """Open a day's return if it is due; None if it is not, or was opened already."""
    cut_off, contract = _cut_off(paper, day.day), _contract(paper, look.ending)
    if (isinstance(paper, PaperMissing) and paper.reason in NOT_AGREED) or cut_off > look.now:
        return None
    staff_news = look.news.name(paper.agreement.minimum_exam_score) if isinstance(paper, Paper) else None
    if not may_be_due(day, look.world, cut_off, contract, staff_news):
        return None
    with transaction(look.conn):
        store.lock_flow(look.conn, look.principal, look.flow)
        last = store.find_last(look.conn, look.principal, look.flow, day.day)
        due = _due(look, day.day, paper, last)
        if due is not None:
            return _insert(look, paper, due)
        if last is not None:
            store.mark_inputs_seen(look.conn, last.exchange_id, look.world.inputs_of(day, cut_off))
    return None


def _insert(look: LookAtFlow, paper: Paper | PaperMissing, due: Due) -> Opened | None:
    made = MadeHere(
        principal=look.principal,
        direction=Direction.OUTBOUND_RETURN,
        flow=look.flow,
        bucket=look.house.settings.bucket_exchange,
        key=f"{look.principal}/outbound/{look.flow}/{file_name(look.flow, paper, due)}",
        name=due.name,
        chain=paper.agreement.agreement_id if paper.agreement else principal_chain(look.principal),
        opened_at=look.now,
        day=due.day,
        is_taken_up=True,
    )
    opened = store.insert_return(look.conn, made, due.inputs)
    if opened is not None:
        store.wake_stale(look.conn, opened)  # an older return of the day may still wait
        record_opened(look.conn, opened, paper)
    return opened


def _recipe(
    house: House, principal: Principal, flow: Flow, paper: Paper | PaperMissing, now: datetime
) -> ReturnRecipe | None:
    """What a return is made of, even if its paper cannot be used; None if no return is owed."""
    if isinstance(paper, Paper):
        return paper.contract.recipe
    if paper.reason in NOT_AGREED:
        return None
    return find_recipe(house.conn, principal, flow, now)


def _due(look: LookAtFlow, day: date, paper: Paper | PaperMissing, last: Last | None) -> Due | None:
    """A day that has an input that its last return lacked, or for which the same inputs would give another return."""
    results = store.find_results(look.conn, look.principal, look.recipe.results_flow, day)
    may_lift = last and LIFTED_BY_CONTACTS & last.held and not _lacks(look, day, last)
    until = None if may_lift else max(_cut_off(paper, day), *(r.closed_at for r in results))
    had = store.find_input_ids(look.conn, last.exchange_id) if last else frozenset[str]()
    contacts = store.find_contacts(look.conn, look.principal, look.recipe.contacts_flow, until, had)
    inputs = store.ids([*results, *contacts])
    contract = _contract(paper, look.ending)
    if last and had.issuperset(inputs) and not last.is_outdated_by(contract) and not has_news(look, day, last, paper):
        return None
    basis = Basis(_named(inputs), last_import_seq(look.conn), contract)
    number = store.count_returns(look.conn, look.principal, look.flow, day) + 1
    return Due(day, (*contacts, *results), basis.name, number)


def _lacks(look: LookAtFlow, day: date, last: Last) -> bool:
    """Whether an input of the return made for a day was deleted: with later contacts, a new one would hold less."""
    was_made = last.is_open or store.find_delivered(look.conn, look.principal, look.flow, day) is not None
    return was_made and store.count_gone(look.conn, last.exchange_id) > 0


def cut_off_of(day: date, cut_off: time) -> datetime:
    """The Brussels time of the next day at which the return of ``day`` is made."""
    return datetime.combine(day + timedelta(days=1), cut_off, BRUSSELS)


def _cut_off(paper: Paper | PaperMissing, day: date) -> datetime:
    return cut_off_of(day, (paper.agreement.delivery if paper.agreement else DeliveryRules()).cut_off)


def _named(inputs: list[str]) -> str:
    return hashlib.sha256(rfc8785.dumps(inputs)).hexdigest()[:32]


def _contract(paper: Paper | PaperMissing, ending: str) -> str:
    """The contract as the name of a basis has it."""
    return f"{paper.contract.sha256[:16] if paper.contract else 'none'}{ending}"


def file_name(flow: Flow, paper: Paper | PaperMissing, due: Due) -> str:
    """As ``renewal_results_2026-11-24.csv``; the second one ends in ``_2.csv``; ``.pgp`` follows if encrypted."""
    number = "" if due.number == 1 else f"_{due.number}"
    if isinstance(paper, PaperMissing):
        return f"{flow}_{due.day}{number}"
    pgp = ".pgp" if paper.agreement.delivery.pgp else ""
    return f"{flow}_{due.day}{number}.{paper.contract.file_format.format}{pgp}"
