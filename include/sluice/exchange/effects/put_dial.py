"""Put a dial list where agents' platforms take it: after its receipt, with its last day in the catalogue."""

from collections.abc import Sequence

from sluice.errors import NotFound, Ref
from sluice.exchange.catalogue import find_copies, insert_delivered
from sluice.exchange.effects.deliver import TYPES
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.model import Opened
from sluice.exchange.naming import receipt_bucket, receipt_stem
from sluice.exchange.persons.suppressed import SuppressedMeanwhile, find_suppressed, names_any
from sluice.ledger.copy_kinds import DIAL_KEPT, DIALLED
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.media_types import OCTETS
from sluice.subject.scope import Use

CHANNEL_WORD = "channel_word"
"""Key in a list's record: its channel, as agreements spell it."""
USE_BASIS = "use_basis"
"""Key in a list's record: the basis of its contacts. That is consent where the law asks for a yes, else the basis of
the purpose."""


def put_dial(house: House, opened: Opened, record: ExchangeRecord) -> None:
    """Copy the kept list to its key in the agents' bucket. A list that was taken back before is not put any more.

    This runs under the lock of that key, so a recall or an edit comes before or after. Raises NotFound while there is
    no receipt, and SuppressedMeanwhile when the list names somebody who must stay out since.
    """
    receipt = house.objects.head(receipt_bucket(house.settings, opened), f"{receipt_stem(opened)}.json")
    if receipt is None:
        raise NotFound(Ref("receipt of exchange", opened.exchange_id))
    with hold_object(house.conn, opened.bucket, opened.key):
        copies = find_copies(house.conn, opened.exchange_id)
        kept = next((copy for copy in copies if copy.kind == DIAL_KEPT), None)
        if kept is None:
            return
        _check_nobody(house, opened, record, copies)
        content = house.objects.read(kept.bucket, kept.key, kept.version_id)
        kind = TYPES.get(opened.key.rpartition(".")[2], OCTETS)
        stored = house.objects.put_once(opened.bucket, opened.key, content, kind)
        copy = kept.model_copy(
            update={"kind": DIALLED, "bucket": stored.bucket, "key": stored.key, "version_id": stored.version_id}
        )
        insert_delivered(house.conn, opened.exchange_id, copy)


def _check_nobody(house: House, opened: Opened, record: ExchangeRecord, copies: Sequence[CopyLine]) -> None:
    """Raises SuppressedMeanwhile when the list names somebody who must stay out since.

    Then a recall takes the list back, and a new one is made without them.
    """
    word, basis = (record.how.dialect.get(name) for name in (CHANNEL_WORD, USE_BASIS))
    uses = frozenset(Use(purpose.iri, basis or purpose.legal_basis, word) for purpose in record.why.purposes)
    suppressed = find_suppressed(house, opened.principal, (uses,))
    if suppressed is not None and names_any(house, copies, suppressed["ref"].to_list()):
        raise SuppressedMeanwhile(Ref("exchange", opened.exchange_id))
