"""A slot: claim one exchange, judge it, keep it, close it, do its effects, take the next; then merge the index."""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from sluice.db import coded, connect
from sluice.errors import (
    UNFORESEEN,
    DatabaseUnready,
    DiskUnfit,
    DocumentInvalid,
    EvidenceInvalid,
    NotMigrated,
    ServiceMissing,
    SluiceError,
    StoreError,
)
from sluice.exchange import store
from sluice.exchange.close import close
from sluice.exchange.effects.run import do_effects
from sluice.exchange.house import House
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.model import NO_RUN, AirflowRun, Opened
from sluice.exchange.open import Arrivals
from sluice.exchange.persons.merged import merge_new
from sluice.exchange.persons.sealed_runs import SuppressionsLost
from sluice.exchange.persons.suppressed import SuppressedMeanwhile
from sluice.exchange.stops import FlowIsStopped
from sluice.exchange.sweeping import Faults, check_none_left
from sluice.exchange.workroom import sweep_folders
from sluice.key_files import KeyLost, KeyOutOfReach
from sluice.terms import ARRIVING, Decision, Direction, ExchangeId, Flow, Principal

log = logging.getLogger(__name__)

NOT_THE_FILES_FAULT = (
    ServiceMissing,
    NotMigrated,
    DatabaseUnready,
    DiskUnfit,
    StoreError,
    DocumentInvalid,
    EvidenceInvalid,
    KeyLost,
    KeyOutOfReach,
    SuppressedMeanwhile,
    SuppressionsLost,
    FlowIsStopped,
)
"""Faults of a service, a paper or a key, or a right or a stop that came between. The file is not to blame, so the
attempt does not count."""
ANSWERS_AGAIN_S, ASKED_EVERY_S = 60.0, 0.5
"""How long a worker waits for a database that ended its connection, to note that the file is not to blame."""
UNDONE = "arrivals or flows with files"
"""How a run that left some of either undone calls them."""
CarryToEnd = Callable[[House, Opened, AirflowRun], Decision | None]
"""Takes one claimed exchange to its end; None when it is not at its end yet."""
Clock = Callable[[], float]
"""Returns seconds that only go forward."""


@dataclass
class Drained:
    """What one slot did: closed exchanges per decision, those set aside for later, those held up by a fault of ours."""

    decisions: dict[str, int] = field(default_factory=dict)
    set_aside: int = 0
    held_up: int = 0

    @property
    def waiting(self) -> int:
        """Exchanges that were met and could not be taken to their end; they are met again."""
        return self.set_aside + self.held_up

    def count(self, decision: Decision | None) -> None:
        if decision is not None:
            self.decisions[decision.value] = self.decisions.get(decision.value, 0) + 1

    def add(self, other: "Drained") -> None:
        self.decisions = dict(Counter(self.decisions) + Counter(other.decisions))
        self.set_aside += other.set_aside
        self.held_up += other.held_up


def drain(
    house: House,
    direction: Direction,
    principal: Principal,
    flow: Flow,
    run: AirflowRun,
    carry: CarryToEnd | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Drained:
    """Work off the open exchanges of one flow.

    A failing file is set aside, so that it is not always the first to be met. An exchange that waits for us is met
    once: if it were tried again and again, the oldest would keep the newest from ever being met. ``carry`` takes one
    claimed exchange to its end; the default is the one for files that arrived. Once ``is_over``, nothing more is
    claimed after the first.

    Raises ServiceMissing when PostgreSQL or S3 is away: then no file is to blame, and all wait.
    """
    drained, held, met = Drained(), list[str](), list[ExchangeId]()
    while not (met and is_over()):
        with store.claim_next(house.conn, direction, principal, flow, but=held) as opened:
            if opened is None:
                break
            met.append(opened.exchange_id)
            if not _carried(house, opened, run, carry or carry_arrival, drained):
                held.append(opened.exchange_id)
    _finish_slot(house, principal, met, drained)
    return drained


def _carried(house: House, opened: Opened, run: AirflowRun, carry: CarryToEnd, drained: Drained) -> bool:
    """Take one claimed exchange to its end, or set it aside, and count it; return False if it waits for us.

    Raises ServiceMissing, and what nobody foresaw, also an interrupt: then it is set aside as well.
    """
    try:
        with coded():
            decision = carry(house, opened, run)
    except NOT_THE_FILES_FAULT as failure:
        _hold_up(house, opened, failure)
        drained.held_up += 1
        if isinstance(failure, ServiceMissing):
            raise
        return False
    except SluiceError as failure:
        log.warning("exchange %s is set aside: %s", opened.exchange_id, failure)
        _set_aside(house, opened, failure.code)
        drained.set_aside += 1
    except BaseException:
        _set_aside(house, opened, UNFORESEEN)
        raise
    else:
        drained.count(decision)
    return True


def _hold_up(house: House, opened: Opened, failure: SluiceError) -> None:
    """Let an exchange wait for us: the attempt does not count, also if the database took our connection with it."""
    log.warning("exchange %s waits: %s", opened.exchange_id, failure)
    if not house.conn.broken:
        store.requeue_uncounted(house.conn, opened.exchange_id, failure.code)
    elif not _noted_anew(house, opened, failure):
        log.warning("exchange %s: the database did not come back, so this attempt counts", opened.exchange_id)


def _noted_anew(house: House, opened: Opened, failure: SluiceError) -> bool:
    """Note over a connection of its own that an attempt does not count; return False if the database stays away."""
    end = time.monotonic() + ANSWERS_AGAIN_S
    while time.monotonic() < end:
        try:
            with connect(house.settings) as conn:
                store.requeue_uncounted(conn, opened.exchange_id, failure.code)
                return not conn.broken
        except (ServiceMissing, DatabaseUnready):
            time.sleep(ASKED_EVERY_S)
    return False


def _set_aside(house: House, opened: Opened, code: str) -> None:
    """Let an exchange wait for its own fault, if that can still be noted."""
    if not house.conn.broken:
        store.requeue_counted(house.conn, opened.exchange_id, code)


def _finish_slot(house: House, principal: Principal, met: Sequence[ExchangeId], drained: Drained) -> None:
    """Do all effects that are due, with lineage for these exchanges only; merge the index if something closed."""
    do_effects(house, lineage=False)  # also what a dead worker left; its lineage is for `reconcile`, every minute
    if met:
        do_effects(house, *met)
    if drained.decisions:
        merge_new(house, principal, datetime.now(UTC))


def drain_all(house: House) -> dict[str, Drained]:
    """Open what arrived, work off every flow and finish effects: what trigger, slots and reconcile do.

    Raises LeftUndone at the end when arrivals were not opened (or could not be listed) or files of a flow were left
    undone, ServiceMissing when a store is away.
    """
    arrived = Arrivals.of(house.settings).open_new(house.conn, house.objects)
    flows, left = drain_many(house, lambda *_: True, NO_RUN)
    reconcile(house)
    check_none_left(UNDONE, arrived.failed + left)
    return flows


def drain_many(
    house: House,
    is_meant: Callable[[Direction, store.Waiting], bool],
    run: AirflowRun,
    seconds: float = math.inf,
    clock: Clock = time.monotonic,
) -> tuple[dict[str, Drained], int]:
    """Work off the flows that ``is_meant`` selects; return what became of each, by name, and how many failed.

    A flow that failed is met again next time. After ``seconds`` nothing more is claimed. Each flow may use up its share
    of them, plus what those before it left, and takes at least one exchange. Raises ServiceMissing when a store is
    away.
    """
    done: dict[str, Drained] = {}
    faults, begun_at = Faults(house.conn), clock()
    meant = [(way, one) for way in ARRIVING for one in store.find_waiting(house.conn, way) if is_meant(way, one)]
    for place, (direction, waiting) in enumerate(meant, start=1):
        name = f"{waiting.principal}/{waiting.flow}"
        is_over = partial(_is_past, clock, begun_at + seconds * place / len(meant))
        with faults.kept_apart(f"files of {name}"):
            done[name] = drain(house, direction, waiting.principal, waiting.flow, run, is_over=is_over)
    return done, faults.count


def _is_past(clock: Clock, moment: float) -> bool:
    return clock() >= moment


def carry_arrival(house: House, opened: Opened, run: AirflowRun) -> Decision | None:
    """Take one claimed arrival from opened to receipted."""
    with judged_exchange(house, opened) as judged:
        store.check_still_ours(house.conn, opened)
        decision = close(house, keep(house, judged), run)
    do_effects(house, opened.exchange_id, lineage=False)
    return decision


def reconcile(house: House) -> int:
    """Finish what a dead worker left: effects that are due, work folders nobody holds."""
    done = do_effects(house)
    sweep_folders(house)
    return done
