"""Which returns are due, and opening them: the record of a return exists before its inputs are read.

A return is named by the day of its contacts and by its inputs. The same inputs are one return, however
often somebody asks; other inputs (a late result, a late credential) are a new one that supersedes it.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

import rfc8785

from sluice.agreement.model import Agreement, DataContract
from sluice.agreement.store import in_force
from sluice.db import transaction
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS, utc_text
from sluice.exchange.open import LINEAGE_START
from sluice.exchange.store import insert_effects
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.opened import OpenedRecord
from sluice.returns import store
from sluice.returns.model import STAFF, Due, Held, Last
from sluice.staff.store import last_import_seq
from sluice.terms import Direction, Flow, Principal

LIFTED_BY_CONTACTS = frozenset({Held.UNKNOWN_RECORD.value})
"""Reasons that a later file of contacts can lift."""


def open_due(house: House, principal: Principal, flow: Flow, now: datetime) -> list[Opened]:
    """Open every return of a flow that is due at ``now``; the days of contacts decide, oldest first."""
    today = now.astimezone(BRUSSELS).date()
    paper = in_force(house.conn, principal, Direction.OUTBOUND_RETURN, flow, today, now)
    agreement, contract = paper.agreement, paper.contract
    if agreement is None or contract is None or contract.recipe is None:
        return []
    opened = []
    with transaction(house.conn):
        store.lock_flow(house.conn, principal, flow)
        for due in _due(house, agreement, contract, now):
            key = f"{principal}/outbound/{flow}/{file_name(contract, agreement, due)}"
            made = store.insert_return(
                house.conn, principal, flow, house.settings.bucket_exchange, key, due, agreement.agreement_id, now
            )
            if made is not None:
                _record(house, made, agreement)
                opened.append(made)
    return opened


def _record(house: House, opened: Opened, agreement: Agreement) -> None:
    """The entry and the effect of opening; an older return of the day that still waits is taken up again."""
    store.wake_stale(house.conn, opened)
    insert_effects(house.conn, opened.exchange_id, [LINEAGE_START])
    body = OpenedRecord(
        exchange_id=opened.exchange_id,
        principal=opened.principal,
        direction=opened.direction,
        flow=opened.flow,
        bucket=opened.bucket,
        key=opened.key,
        version_id=opened.version_id,
        size_bytes=0,
        opened_at=utc_text(opened.opened_at),
        agreement_id=agreement.agreement_id,
        agreement_version=agreement.version,
    )
    append(house.conn, chain=opened.chain, kind=EntryKind.EXCHANGE_OPENED, exchange_id=opened.exchange_id, body=body)


def _due(house: House, agreement: Agreement, contract: DataContract, now: datetime) -> Iterator[Due]:
    """Days whose cut-off has passed and whose inputs are not those of their last return."""
    recipe = contract.recipe
    assert recipe is not None  # open_due asked
    principal, flow = contract.principal, contract.flow
    for day in store.find_days(house.conn, principal, recipe.results_flow):
        cut_off = cut_off_of(day, agreement.delivery.cut_off)
        if cut_off > now:
            continue
        last = store.find_last(house.conn, principal, flow, day)
        results = store.find_results(house.conn, principal, recipe.results_flow, day)
        until = None if last and LIFTED_BY_CONTACTS & set(last.held) else max(cut_off, *(r.closed_at for r in results))
        contacts = store.find_contacts(house.conn, principal, recipe.contacts_flow, until)
        name = _name(house, contract, last, store.ids([*results, *contacts]))
        if last is None or last.version_id != name:
            yield Due(day, (*contacts, *results), name, store.count_returns(house.conn, principal, flow, day) + 1)


def cut_off_of(day: date, cut_off: time) -> datetime:
    """The Brussels time of the next day at which the return of ``day`` is made."""
    return datetime.combine(day + timedelta(days=1), cut_off, BRUSSELS)


def _name(house: House, contract: DataContract, last: Last | None, inputs: list[str]) -> str:
    """What a return is made of, as a name. Beside its inputs only what can change the outcome of the last one:
    new credentials where rows waited for their agent, a new contract where it was refused."""
    basis: dict[str, object] = {"inputs": inputs}
    if last and any(reason.startswith((STAFF, "AGENT_")) for reason in last.held):
        basis["staff"] = last_import_seq(house.conn)
    if last and not last.is_open and not last.is_delivered:
        basis["contract"] = contract.sha256
    return f"inputs-{hashlib.sha256(rfc8785.dumps(basis)).hexdigest()[:32]}"  # type: ignore[arg-type]


def file_name(contract: DataContract, agreement: Agreement, due: Due) -> str:
    """``renewal_results_2026-11-24.csv``, the second one ``..._2.csv``; ``.pgp`` behind when encrypted."""
    number = "" if due.number == 1 else f"_{due.number}"
    pgp = ".pgp" if agreement.delivery.pgp else ""
    return f"{contract.flow}_{due.day}{number}.{contract.file_format.format}{pgp}"
