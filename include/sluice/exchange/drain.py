"""A slot: claim one exchange, judge, keep, close, do its effects, take the next until none waits."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.errors import ServiceMissing, SluiceError
from sluice.exchange import store
from sluice.exchange.close import close
from sluice.exchange.effects import do_effects
from sluice.exchange.house import House
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.model import Opened
from sluice.terms import Decision, Direction, Flow, Principal

log = logging.getLogger(__name__)


@dataclass
class Drained:
    """What one slot did: closed exchanges per decision, and those set aside for later."""

    decisions: dict[str, int] = field(default_factory=dict)
    set_aside: int = 0

    def count(self, decision: Decision | None) -> None:
        if decision is not None:
            self.decisions[decision.value] = self.decisions.get(decision.value, 0) + 1


def drain(house: House, direction: Direction, principal: Principal, flow: Flow, run: Mapping[str, str]) -> Drained:
    """Work off the open exchanges of one flow. A failing file is set aside and never met first for ever.

    Raises ServiceMissing when PostgreSQL or S3 is away: then no file is to blame, and all wait.
    """
    drained = Drained()
    while True:
        with store.claim_next(house.conn, direction, principal, flow) as opened:
            if opened is None:
                break
            error: str | None = None
            try:
                drained.count(carry(house, opened, run))
            except ServiceMissing:
                raise
            except SluiceError as failure:
                log.warning("exchange %s is set aside: %s", opened.exchange_id, failure)
                error = failure.code
            if error:
                store.set_aside(house.conn, opened.exchange_id, error)
                drained.set_aside += 1
    do_effects(house)
    return drained


def carry(house: House, opened: Opened, run: Mapping[str, str]) -> Decision | None:
    """Take one claimed exchange from opened to receipted."""
    with judged_exchange(house, opened) as judged:
        decision = close(house, keep(house, judged), run)
    do_effects(house, opened.exchange_id)
    return decision


def reconcile(house: House) -> int:
    """Finish what a dead worker left: effects that are due, work folders nobody holds."""
    done = do_effects(house)
    work = house.settings.var / "work"
    for folder in work.iterdir() if work.is_dir() else ():
        with store.try_lock(house.conn, folder.name) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
    return done
