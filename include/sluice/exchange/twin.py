"""Tell whether a file is one that was accepted before, sent twice."""

from collections.abc import Sequence

from sluice.agreement.model import DataContract
from sluice.exchange import store
from sluice.exchange.house import House
from sluice.exchange.judging.job import mapping_hash, mapping_of, read_suites
from sluice.exchange.model import Opened, Twin, says_again
from sluice.exchange.read import show_exchange
from sluice.terms import Direction, ExchangeId


def find_twin(house: House, opened: Opened, contract: DataContract, sha256: str) -> ExchangeId | None:
    """The accepted exchange of which this file is a duplicate; None if its bytes are to be judged.

    They are if no file with them was accepted, if they say the same again, or if what was accepted is no longer there:
    retention or an erasure took it, and whoever sends it anew means it. Persons who must stay out do so all the same.
    They are too if those are there, and rows of them were refused by another contract, suite or mapping than those of
    now.

    Only a file of a principal can say the same again or anew. Results tell of contacts, and each contact was once: what
    went to the principal, and was deleted here, would go a second time, under whatever contract. ``contract``: the one
    of this file.
    """
    twins = store.find_same_content(house.conn, opened, sha256)
    is_of_principal = opened.direction is Direction.INBOUND
    standing = [
        twin
        for twin in twins
        if (not _is_judged_otherwise(house, twin, contract) if twin.is_there else not is_of_principal)
    ]
    last = max((twin.age for twin in standing), key=lambda age: age.order, default=None)
    is_taken = last is None or (
        is_of_principal and says_again(opened.age, last, store.find_other_content(house.conn, opened, sha256))
    )
    store.note_said_again(house.conn, opened.exchange_id, _newest(twins) if is_taken else None)
    return None if last is None or is_taken else last.exchange_id


def _is_judged_otherwise(house: House, twin: Twin, contract: DataContract) -> bool:
    """Whether rows of a twin were refused by rules that are no longer those of the flow.

    Only then is its record read: the content is locked meanwhile. Held rows wait, and no rule refused them.
    """
    record = show_exchange(house.conn, twin.exchange_id).record if twin.has_refused else None
    if record is None:
        return False
    if record.how.contract_sha256 != contract.sha256:
        return True
    now: dict[str, str] = {suite.name: suite.sha256 for suite in read_suites(house.settings, contract)}
    now |= mapping_hash(mapping_of(house.settings, contract))
    return any(record.how.suites.get(name) != sha256 for name, sha256 in now.items())


def _newest(twins: Sequence[Twin]) -> ExchangeId | None:
    """The twin after which none was taken yet, so that none is accepted twice after it; None without twins."""
    before = {twin.after for twin in twins}
    return next((twin.exchange_id for twin in twins if twin.exchange_id not in before), None)
