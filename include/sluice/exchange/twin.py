"""Tell whether a file is one that was accepted before, sent twice."""

from collections.abc import Sequence

from sluice.exchange import store
from sluice.exchange.house import House
from sluice.exchange.model import Opened, Twin, says_again
from sluice.terms import Direction, ExchangeId


def find_twin(house: House, opened: Opened, sha256: str) -> ExchangeId | None:
    """The accepted exchange of which this file is a duplicate; None if its bytes are to be judged.

    They are if no file with them was accepted, if they say the same again, or if what was accepted is no longer there:
    retention or an erasure took it, and whoever sends it anew means it. Persons who must stay out do so all the same.

    Only a file of a principal can be either. Results tell of contacts, and each contact was once: what went to the
    principal, and was deleted here, would go a second time.
    """
    twins = store.find_same_content(house.conn, opened, sha256)
    is_of_principal = opened.direction is Direction.INBOUND
    standing = [twin for twin in twins if twin.is_there or not is_of_principal]
    last = max((twin.age for twin in standing), key=lambda age: age.order, default=None)
    is_taken = last is None or (
        is_of_principal and says_again(opened.age, last, store.find_other_content(house.conn, opened, sha256))
    )
    store.note_said_again(house.conn, opened.exchange_id, _newest(twins) if is_taken else None)
    return None if last is None or is_taken else last.exchange_id


def _newest(twins: Sequence[Twin]) -> ExchangeId | None:
    """The twin after which none was taken yet, so that none is accepted twice after it; None without twins."""
    before = {twin.after for twin in twins}
    return next((twin.exchange_id for twin in twins if twin.exchange_id not in before), None)
