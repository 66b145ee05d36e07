"""Take back dial lists that name somebody who must stay out since, whether agents already have the list or not.

A list is removed, not edited: a new one without the person is one request away, and the ledger says why the old one
ended.
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
from sluice.exchange.store import get_opened
from sluice.exchange.sweeping import Tally, do_each
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.copy_kinds import DIAL_KEPT, DIALLED
from sluice.ledger.dialled import ListRecalled
from sluice.ledger.model import EntryKind
from sluice.ledger.record import CopyLine
from sluice.subject.scope import Use
from sluice.terms import ExchangeId
from sluice.times import brussels_day, utc_text

GONE = (DIALLED, DIAL_KEPT)


def recall_lists(house: House, now: datetime) -> Tally:
    """Remove every list that names somebody who must stay out for its purpose over its channel.

    Returns how many, and how many could not be checked and are tried again later. Raises ServiceMissing.
    """
    return do_each(
        house.conn, "recalling a dial list", store.find_out(house.conn, GONE), lambda out: _recall(house, *out, now)
    )


def _recall(house: House, exchange_id: ExchangeId, request: Request, now: datetime) -> int:
    opened, use = get_opened(house.conn, exchange_id), _use(house, request, now)
    with hold_object(house.conn, opened.bucket, opened.key):  # the effect that delivers it waits, and finds it gone
        suppressed = find_suppressed(house, request.principal, None if use is None else (frozenset({use}),))
        copies = find_copies(house.conn, exchange_id)
        if suppressed is None or not names_any(house, copies, suppressed["ref"].to_list()):
            return 0
        house.objects.delete_others(opened.bucket, opened.key, frozenset())  # even if the catalogue lacks it yet
        _remove_kept(house, copies)
        with transaction(house.conn):
            if not store.mark_gone(house.conn, exchange_id, GONE, now):
                return 0
            body = ListRecalled(exchange_id=exchange_id, principal=request.principal, recalled_at=utc_text(now))
            chain = principal_chain(request.principal)
            append(house.conn, chain=chain, kind=EntryKind.DIAL_RECALLED, exchange_id=exchange_id, body=body)
    return 1


def _remove_kept(house: House, copies: Iterable[CopyLine]) -> None:
    """Remove the kept copies before the catalogue says so: if the worker dies in between, the list is found again."""
    for copy in copies:
        if copy.kind == DIAL_KEPT:
            with hold_object(house.conn, copy.bucket, copy.key):
                house.objects.delete_others(copy.bucket, copy.key, frozenset())


def _use(house: House, request: Request, now: datetime) -> Use | None:
    """The use that the list is for; None if no paper allows it any more: then every suppression counts."""
    today = brussels_day(now)
    paper = paper_of(house, request, today, now)
    task = task_of(paper, request.purpose, channel_rule(request.channel, today)) if isinstance(paper, Paper) else None
    return None if task is None or isinstance(task, str) else task.use
