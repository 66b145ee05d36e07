"""Which returns are due, and opening them: the record of a return exists before its inputs are read.

A return is named by the day of its contacts and by its inputs. The same inputs are one return, however
often somebody asks; a further input (a late result, a late credential) is a new one that supersedes it,
and so is one whose persons must stay out since, or may go again. An input that is deleted makes none.
"""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

import rfc8785

from sluice.agreement.model import DeliveryRules, Paper, PaperMissing, PaperReason, ReturnRecipe
from sluice.agreement.store import find_ended, in_force
from sluice.db import transaction
from sluice.errors import Ref, StoreError
from sluice.exchange.correction_store import was_corrected
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.open import record_opened
from sluice.exchange.sweeping import Faults
from sluice.ledger.record import AFTER_END
from sluice.returns import store
from sluice.returns.held import find_held
from sluice.returns.model import Basis, Due, Held, Last, waits_for_agent
from sluice.returns.overtaken import may_go_now, names_kept_out, past_day
from sluice.returns.staffing import StaffNews, agents_of_results
from sluice.staff.store import last_import_seq
from sluice.terms import Direction, Flow, Principal

LIFTED_BY_CONTACTS = frozenset({Held.UNKNOWN_RECORD.value})
"""Reasons that a later file of contacts can lift."""
NOT_AGREED = frozenset({PaperReason.NO_CONTRACT, PaperReason.CONTRACT_RETIRED})
"""Without a contract of the return none is owed."""


def open_due(house: House, principal: Principal, flow: Flow, now: datetime) -> list[Opened]:
    """Open every return of a flow that is due at ``now``; the days of contacts decide, oldest first.

    One whose contract has a gap, or whose agreement does not hold, is opened too: to be refused, and heard of. Where
    an ended agreement wants its data back (GDPR Art. 28(3)(g)), the paper of the contacts' own day counts.
    A fault of one day keeps no other from being opened. Raises StoreError at the end, ServiceMissing.
    """
    today = now.astimezone(BRUSSELS).date()
    ended = find_ended(house.conn, principal, today, now)
    is_last = ended is not None and ended.end_choice == "return"
    current = in_force(house.conn, principal, Direction.OUTBOUND_RETURN, flow, today, now)
    recipe = _recipe(house, principal, flow, current, now)
    if recipe is None:
        return []
    opened, faults, news = list[Opened](), Faults(), StaffNews(house.conn)
    for day in store.find_days(house.conn, principal, recipe.results_flow):
        paper = in_force(house.conn, principal, Direction.OUTBOUND_RETURN, flow, day, now) if is_last else current
        with faults.kept_apart(f"return of {day} of {principal}/{flow}"):
            with transaction(house.conn):
                store.lock_flow(house.conn, principal, flow)
                due = _due(house, principal, flow, day, paper, recipe, news, now, AFTER_END if is_last else "")
                made = _open(house, principal, flow, paper, due, now) if due else None
            opened += [made] if made else []
    if faults.count:
        raise StoreError(Ref("days with returns not opened", faults.count))
    return opened


def _open(
    house: House, principal: Principal, flow: Flow, paper: Paper | PaperMissing, due: Due, now: datetime
) -> Opened | None:
    """The record of a return that is due; None when it was opened already."""
    chain = paper.agreement.agreement_id if paper.agreement else f"principal.{principal}"
    key = f"{principal}/outbound/{flow}/{file_name(flow, paper, due)}"
    made = store.insert_return(house.conn, principal, flow, house.settings.bucket_exchange, key, due, chain, now)
    if made is not None:
        store.wake_stale(house.conn, made)  # an older return of the day that still waits
        record_opened(house.conn, made, paper)
    return made


def _recipe(
    house: House, principal: Principal, flow: Flow, paper: Paper | PaperMissing, now: datetime
) -> ReturnRecipe | None:
    """What a return is made of; where its paper cannot be used, what the contract says all the same."""
    if isinstance(paper, Paper):
        return paper.contract.recipe
    if paper.reason in NOT_AGREED:
        return None
    return store.find_recipe(house.conn, principal, flow, now)


def _due(
    house: House,
    principal: Principal,
    flow: Flow,
    day: date,
    paper: Paper | PaperMissing,
    recipe: ReturnRecipe,
    news: StaffNews,
    now: datetime,
    ending: str,
) -> Due | None:
    """A day whose cut-off has passed and that has an input its last return had not. ``ending``: of its name."""
    if isinstance(paper, PaperMissing) and paper.reason in NOT_AGREED:
        return None
    delivery = paper.agreement.delivery if paper.agreement else DeliveryRules()
    cut_off = cut_off_of(day, delivery.cut_off)
    if cut_off > now:
        return None
    last = store.find_last(house.conn, principal, flow, day)
    results = store.find_results(house.conn, principal, recipe.results_flow, day)
    may_lift = last and LIFTED_BY_CONTACTS & set(last.held) and not _lacks(house, principal, flow, day, last)
    until = None if may_lift else max(cut_off, *(r.closed_at for r in results))
    had = last.inputs if last else ()
    contacts = store.find_contacts(house.conn, principal, recipe.contacts_flow, until, had)
    inputs = store.ids([*results, *contacts])
    basis = _basis(house, paper, inputs, ending)
    if last and not last.is_outdated_by(basis, inputs) and not _has_news(house, principal, last, paper, news, now):
        return None
    return Due(day, (*contacts, *results), basis.name, store.count_returns(house.conn, principal, flow, day) + 1)


def _lacks(house: House, principal: Principal, flow: Flow, day: date, last: Last) -> bool:
    """Whether a file of what was made of a day is deleted: made of other contacts, it would hold less."""
    was_made = last.is_open or store.find_delivered(house.conn, principal, flow, day) is not None
    return was_made and store.count_gone(house.conn, last.exchange_id) > 0


def _has_news(
    house: House, principal: Principal, last: Last, paper: Paper | PaperMissing, news: StaffNews, now: datetime
) -> bool:
    """Whether of the same inputs another return would be made: of staff that is ready, of persons' rights, of time."""
    prepared = store.find_prepared(house.conn, last.exchange_id) if last.is_open else None
    return (
        (prepared is not None and past_day(prepared.how_long.copies, now) is not None)
        or (prepared is not None and names_kept_out(house, principal, prepared.how_long.copies, paper))
        or (prepared is not None and was_corrected(house.conn, principal, last.opened_at))
        or may_go_now(house, principal, last)
        or _has_staff_news(house, last, paper, news, is_prepared=prepared is not None)
    )


def _has_staff_news(
    house: House, last: Last, paper: Paper | PaperMissing, news: StaffNews, *, is_prepared: bool
) -> bool:
    """Whether a staff import after the last return changes when the agents its held rows wait for were ready.

    Asked once: who a return's agents are stands in the store only, and the next poll would read it all again.
    """
    if not (is_prepared or last.waits_for_agents) or not isinstance(paper, Paper):
        return False
    minimum = paper.agreement.minimum_exam_score
    if last.staff_seen == news.name(minimum):
        return False
    news_at = store.find_import_after(house.conn, last.staff)
    if news_at is None:
        return False
    told = news.since(news_at - timedelta(microseconds=1), minimum)
    if told and told.is_about(_agents(house, last, is_prepared=is_prepared)):
        return True
    store.mark_staff_seen(house.conn, last.exchange_id, news.name(minimum))
    return False


def _agents(house: House, last: Last, *, is_prepared: bool) -> Iterable[str | None]:
    """Whom news of staff has to be about to change a return.

    Of one that nobody released yet the agents of all its rows count: an exam may have been withdrawn. Of rows whose
    list is past its retention nothing is known any more: nobody.
    """
    if is_prepared:
        return agents_of_results(house, store.find_inputs(house.conn, last.exchange_id))
    held = find_held(house, last.exchange_id) or ()
    return [row.agent_ref for row in held if waits_for_agent(row.reason)]


def cut_off_of(day: date, cut_off: time) -> datetime:
    """The Brussels time of the next day at which the return of ``day`` is made."""
    return datetime.combine(day + timedelta(days=1), cut_off, BRUSSELS)


def _basis(house: House, paper: Paper | PaperMissing, inputs: list[str], ending: str) -> Basis:
    named = hashlib.sha256(rfc8785.dumps(inputs)).hexdigest()[:32]
    contract = paper.contract.sha256[:16] if paper.contract else "none"
    return Basis(named, last_import_seq(house.conn), f"{contract}{ending}")


def file_name(flow: Flow, paper: Paper | PaperMissing, due: Due) -> str:
    """``renewal_results_2026-11-24.csv``, the second one ``..._2.csv``; ``.pgp`` behind when encrypted."""
    number = "" if due.number == 1 else f"_{due.number}"
    if isinstance(paper, PaperMissing):
        return f"{flow}_{due.day}{number}"
    pgp = ".pgp" if paper.agreement.delivery.pgp else ""
    return f"{flow}_{due.day}{number}.{paper.contract.file_format.format}{pgp}"
