"""Take back a dial list that names somebody who must stay out since it was made: the agents' copy goes, at once.

Nobody edits it: a new list without the person is one request away, and the old one says in the ledger why it ended.
"""

from datetime import UTC, datetime

from sluice.agreement.model import Paper
from sluice.db import transaction
from sluice.dial import store
from sluice.dial.facts import channel_rule
from sluice.dial.make import paper_of
from sluice.dial.model import Request
from sluice.dial.rules import task_of
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.naming import BRUSSELS, utc_text
from sluice.exchange.put_dial import DIALLED, KEPT
from sluice.exchange.suppressed import find_suppressed
from sluice.ledger.append import append
from sluice.ledger.dialled import ListRecalled
from sluice.ledger.model import EntryKind
from sluice.ledger.record import CopyLine
from sluice.subject.index import find_in_run
from sluice.subject.scope import Use
from sluice.terms import ExchangeId

GONE = (DIALLED, KEPT)


def recall_lists(house: House, now: datetime) -> int:
    """Remove every list that names somebody who must stay out for its purpose over its channel; how many."""
    return sum(_recall(house, exchange_id, request, now) for exchange_id, request in store.find_out(house.conn))


def _recall(house: House, exchange_id: ExchangeId, request: Request, now: datetime) -> bool:
    copies = find_copies(house.conn, exchange_id)
    use = _use(house, request, now)
    suppressed = find_suppressed(house, request.principal, None if use is None else (frozenset({use}),))
    if suppressed is None or not _names(house, copies, suppressed["ref"].to_list()):
        return False
    for copy in copies:  # first: who dies in between finds the list again
        if copy.kind in GONE:
            house.objects.delete_others(copy.bucket, copy.key, frozenset())
    with transaction(house.conn):
        if not store.mark_gone(house.conn, exchange_id, GONE, now):
            return False  # another worker did
        body = ListRecalled(exchange_id=exchange_id, principal=request.principal, recalled_at=utc_text(now))
        chain = f"principal.{request.principal}"
        append(house.conn, chain=chain, kind=EntryKind.DIAL_RECALLED, exchange_id=exchange_id, body=body)
    return True


def _use(house: House, request: Request, now: datetime) -> Use | None:
    """What the list is for; None where its paper is gone: then whatever anybody said counts."""
    today = now.astimezone(BRUSSELS).date()
    paper = paper_of(house, request, today, datetime.now(UTC))
    task = task_of(paper, request.purpose, channel_rule(request.channel, today)) if isinstance(paper, Paper) else None
    return None if task is None or isinstance(task, str) else task.use


def _names(house: House, copies: list[CopyLine], refs: list[str]) -> bool:
    runs = (copy for copy in copies if copy.kind == "index")
    return any(find_in_run(house.objects.read(run.bucket, run.key, run.version_id), refs).height for run in runs)
