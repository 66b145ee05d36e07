"""Take back a dial list that names somebody who must stay out since it was made, whether agents have it yet or not.

Nobody edits it: a new list without the person is one request away, and the old one says in the ledger why it ended.
"""

from collections.abc import Iterable
from datetime import datetime

from sluice.agreement.papers import Paper
from sluice.db import transaction
from sluice.dial import store
from sluice.dial.facts import channel_rule
from sluice.dial.make import paper_of
from sluice.dial.model import Request
from sluice.dial.rules import task_of
from sluice.exchange.catalogue import find_copies
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object
from sluice.exchange.persons.suppressed import find_suppressed, names_any
from sluice.exchange.store import get_open
from sluice.exchange.sweeping import each
from sluice.ledger.append import append
from sluice.ledger.copy_kinds import DIAL_KEPT, DIALLED
from sluice.ledger.dialled import ListRecalled
from sluice.ledger.model import EntryKind
from sluice.ledger.record import CopyLine
from sluice.subject.scope import Use
from sluice.terms import ExchangeId
from sluice.times import brussels_day, utc_text

GONE = (DIALLED, DIAL_KEPT)


def recall_lists(house: House, now: datetime) -> tuple[int, int]:
    """Remove every list that names somebody who must stay out for its purpose over its channel.

    How many, and how many could not be looked at and are met again. Raises ServiceMissing.
    """
    return each(
        house.conn, "recalling a dial list", store.find_out(house.conn, GONE), lambda out: _recall(house, *out, now)
    )


def _recall(house: House, exchange_id: ExchangeId, request: Request, now: datetime) -> int:
    opened, use = get_open(house.conn, exchange_id), _use(house, request, now)
    with hold_object(house.conn, opened.bucket, opened.key):  # whoever hands it out waits, and finds it gone
        suppressed = find_suppressed(house, request.principal, None if use is None else (frozenset({use}),))
        copies = find_copies(house.conn, exchange_id)
        if suppressed is None or not names_any(house, copies, suppressed["ref"].to_list()):
            return 0
        house.objects.delete_others(opened.bucket, opened.key, frozenset())  # also one that is not in the catalogue yet
        _remove_kept(house, copies)
        with transaction(house.conn):
            if not store.mark_gone(house.conn, exchange_id, GONE, now):
                return 0
            body = ListRecalled(exchange_id=exchange_id, principal=request.principal, recalled_at=utc_text(now))
            chain = f"principal.{request.principal}"
            append(house.conn, chain=chain, kind=EntryKind.DIAL_RECALLED, exchange_id=exchange_id, body=body)
    return 1


def _remove_kept(house: House, copies: Iterable[CopyLine]) -> None:
    """Before the catalogue says so: who dies in between finds the list again."""
    for copy in copies:
        if copy.kind == DIAL_KEPT:
            with hold_object(house.conn, copy.bucket, copy.key):
                house.objects.delete_others(copy.bucket, copy.key, frozenset())


def _use(house: House, request: Request, now: datetime) -> Use | None:
    """What the list is for; None where its paper is gone: then whatever anybody said counts."""
    today = brussels_day(now)
    paper = paper_of(house, request, today, now)
    task = task_of(paper, request.purpose, channel_rule(request.channel, today)) if isinstance(paper, Paper) else None
    return None if task is None or isinstance(task, str) else task.use
