"""Stop a flow and resume it: when a contract or an export is wrong, and somebody has to look at it first.

What arrives is opened and waits. Nothing of the flow is judged or made, whether by its own DAG, by `sweep`, by a
command or by a page. A return that closed before the stop is delivered. A file that a worker had already taken up is
finished; a return is not: none closes and goes out while its flow is stopped, so what goes out afterwards is made, or
checked again, under the rights of that day.
"""

from datetime import datetime
from typing import ClassVar

from sluice.db import Connection, transaction
from sluice.errors import Exit, NotFound, Ref, SluiceError
from sluice.exchange import stop_store
from sluice.exchange.persons.suppressed_store import lock_principal
from sluice.exchange.read import check_flow
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.ledger.stopped import FlowResumed, FlowStopped
from sluice.terms import Flow, Principal
from sluice.times import utc_text


class FlowIsStopped(SluiceError):
    """Something was asked of a flow that is stopped."""

    code: ClassVar[str] = "SLU-208"
    summary: ClassVar[str] = "this flow is stopped"
    cure: ClassVar[str] = "`sluice exchange stops` says who stopped it and why; `sluice exchange resume` lets it go on"
    exit: ClassVar[Exit] = Exit.REFUSED


def stop_flow(conn: Connection, principal: Principal, flow: Flow, reason: str, by: str, now: datetime) -> bool:
    """Stop a flow: nothing of it is taken up or made. Return False when it was stopped already.

    ``reason``: a code or an IRI, not a sentence. Raises UsageError, and NotFound for a flow that nobody has.
    """
    check_reason(reason)
    name = check_name(by)
    check_flow(conn, principal, flow)
    with transaction(conn):
        lock_principal(conn, principal)  # a return that is just closing goes out; none does after this commit
        if not stop_store.insert_stop(conn, principal, flow, reason, name, now):
            return False
        body = FlowStopped(principal=principal, flow=flow, reason=reason, stopped_by=name, stopped_at=utc_text(now))
        append(conn, chain=principal_chain(principal), kind=EntryKind.FLOW_STOPPED, exchange_id=None, body=body)
    return True


def resume_flow(conn: Connection, principal: Principal, flow: Flow, by: str, now: datetime) -> None:
    """Resume a flow; what waits is taken up within minutes. Raises UsageError, and NotFound when it is not stopped."""
    name = check_name(by)
    check_flow(conn, principal, flow)
    with transaction(conn):
        lock_principal(conn, principal)  # what is just closing has the papers of before, and closed before this
        resumed_at = stop_store.end_stop(conn, principal, flow, name, now)
        if resumed_at is None:
            raise NotFound(Ref("stop of flow", f"{principal}/{flow}"))
        body = FlowResumed(principal=principal, flow=flow, resumed_by=name, resumed_at=utc_text(resumed_at))
        append(conn, chain=principal_chain(principal), kind=EntryKind.FLOW_RESUMED, exchange_id=None, body=body)


def check_not_stopped(conn: Connection, principal: Principal, flow: Flow) -> None:
    """Raises FlowIsStopped when a flow is stopped."""
    if stop_store.is_stopped(conn, principal, flow):
        raise FlowIsStopped(Ref("principal", principal), Ref("flow", flow))
