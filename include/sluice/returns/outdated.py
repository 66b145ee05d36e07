"""Whether the same inputs would give another return by now: because of time, rights of persons, or news of staff."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sluice.agreement.model import ReturnRecipe
from sluice.agreement.papers import Paper, PaperMissing, PaperReason
from sluice.db import Connection
from sluice.exchange.catalogue import find_copies
from sluice.exchange.effects.kept_out import names_kept_out
from sluice.exchange.house import House
from sluice.exchange.persons.correction_store import was_corrected
from sluice.exchange.store import get_opened
from sluice.ledger.record import CopyLine
from sluice.returns import store
from sluice.returns.glance import World
from sluice.returns.held import find_held
from sluice.returns.model import InputKind, Last, Stage, waits_for_agent
from sluice.returns.overtaken import may_go_now, past_day
from sluice.returns.staffing import StaffNews, agents_of_results
from sluice.returns.unready import holds_unready
from sluice.terms import Flow, Principal


@dataclass(frozen=True, slots=True)
class LookAtFlow:
    """One look at the days of a flow. ``ending``: suffix to names of returns made after the agreement ended."""

    house: House
    principal: Principal
    flow: Flow
    recipe: ReturnRecipe
    world: World
    news: StaffNews
    now: datetime
    ending: str

    @property
    def conn(self) -> Connection:
        return self.house.conn


def has_news(look: LookAtFlow, day: date, last: Last, paper: Paper | PaperMissing) -> bool:
    """Whether the same inputs would give another return, because of staff readiness, rights of persons, or time."""
    prepared = store.find_prepared(look.conn, last.exchange_id) if last.is_open else None
    if prepared is not None and _is_overtaken(look, last, paper, prepared.how_long.copies):
        return True
    return (
        (last.stage is Stage.ON_ITS_WAY and _names_kept_out(look, find_copies(look.conn, last.exchange_id), paper))
        or may_go_now(look.house, look.principal, last)
        or _has_staff_news(look, day, last, paper, is_prepared=prepared is not None)
    )


def _is_overtaken(look: LookAtFlow, last: Last, paper: Paper | PaperMissing, copies: Sequence[CopyLine]) -> bool:
    """Whether a prepared return with these copies must not go as it is."""
    return (
        _has_ended(look, last, paper)
        or past_day(copies, look.now) is not None
        or _names_kept_out(look, copies, paper)
        or was_corrected(look.conn, look.principal, last.opened_at)
    )


def _names_kept_out(look: LookAtFlow, copies: Sequence[CopyLine], paper: Paper | PaperMissing) -> bool:
    return names_kept_out(look.house, look.principal, copies, paper)


def _has_ended(look: LookAtFlow, last: Last, paper: Paper | PaperMissing) -> bool:
    """Whether the agreement of a prepared return ended: it is made again as what goes back, or refused."""
    if look.ending:
        return not last.name.endswith(look.ending)
    return isinstance(paper, PaperMissing) and paper.reason is PaperReason.AGREEMENT_EXPIRED


def _has_staff_news(look: LookAtFlow, day: date, last: Last, paper: Paper | PaperMissing, *, is_prepared: bool) -> bool:
    """Whether a staff import after the last return changes when the agents of the day's rows were ready.

    That is, of rows that wait for their agent, and of rows that went. A no is recorded: the agents of a return are
    known only from the store, and the next poll would read it all again.
    """
    is_asked = is_prepared or last.waits_for_agents or not last.is_open
    if not is_asked or not isinstance(paper, Paper):
        return False
    minimum = paper.agreement.minimum_exam_score
    if last.staff_seen == look.news.name(minimum):
        return False
    news_at = store.find_import_after(look.conn, last.staff)
    if news_at is None:
        return False
    if _is_about_waiting(look, last, news_at, minimum, is_prepared=is_prepared) or _holds_unready(look, day, last):
        return True
    store.mark_staff_seen(look.conn, last.exchange_id, look.news.name(minimum))
    return False


def _is_about_waiting(look: LookAtFlow, last: Last, news_at: datetime, minimum: Decimal, *, is_prepared: bool) -> bool:
    """Whether news of staff since ``news_at`` is about the agents of what lies prepared, or of rows that wait."""
    if not (is_prepared or last.waits_for_agents):
        return False
    told = look.news.since(news_at - timedelta(microseconds=1), minimum)
    return bool(told) and told.is_about(_agents(look.house, last, is_prepared=is_prepared))


def _holds_unready(look: LookAtFlow, day: date, last: Last) -> bool:
    """Whether what was delivered for a day holds rows of an agent who, as is known since, was not ready.

    Once results that it was made of are gone, it is not made anew: their rows would be missing.
    """
    delivered = None if last.is_open else store.find_delivered(look.conn, look.principal, look.flow, day)
    if delivered is None or store.count_gone(look.conn, delivered[0], InputKind.RESULTS):
        return False
    return holds_unready(look.house, get_opened(look.conn, delivered[0]))


def _agents(house: House, last: Last, *, is_prepared: bool) -> Iterable[str | None]:
    """The agents whom news of staff must concern to change a return.

    For a return not released yet these are the agents of all its rows, as an exam may have been withdrawn; else those
    of rows held for their agent. There are none if the list of held rows is past its retention.
    """
    if is_prepared:
        return agents_of_results(house, store.find_inputs(house.conn, last.exchange_id))
    held = find_held(house, last.exchange_id) or ()
    return [row.agent_ref for row in held if waits_for_agent(row.reason)]
