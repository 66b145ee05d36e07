"""Take an exchange of our own to its end as the only worker who does, and make it again for whoever must stay out."""

from collections.abc import Callable

from sluice.exchange.effects.run import do_effects
from sluice.exchange.house import House
from sluice.exchange.locks import try_lock
from sluice.exchange.model import Opened
from sluice.exchange.persons.suppressed import SuppressedMeanwhile
from sluice.exchange.store import is_open

MOST_TRIES = 5
"""How often one worker makes an exchange. Somebody else has to be kept out each time, so more is no coincidence."""


def carry_alone(house: House, opened: Opened, step: Callable[[], object]) -> int:
    """Do ``step`` if the exchange is open and no other worker is at it, then its effects. Returns how many were done.

    The step is done again if somebody in the exchange must stay out since. Raises SuppressedMeanwhile after
    ``MOST_TRIES``: then the exchange stays open, and the next sweep goes on.
    """
    with try_lock(house.conn, opened.exchange_id) as is_ours:
        if is_ours:
            _until_done(house, opened, step)
    return do_effects(house, opened.exchange_id)


def _until_done(house: House, opened: Opened, step: Callable[[], object]) -> None:
    for left in reversed(range(MOST_TRIES)):
        if not is_open(house.conn, opened.exchange_id):
            return
        try:
            step()
        except SuppressedMeanwhile:
            if not left:
                raise
        else:
            return
