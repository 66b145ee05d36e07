"""Carry one opened return to its end: gather, sort out, judge, write, keep; then close it, or wait for release.

Repeating the steps gives the same bytes, so a rerun after a kill finds what was written and goes on. Nothing is sent
here: delivery is an effect of the closed record, after its receipt.
"""

from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from sluice.agreement.clauses.facts import EEA_COUNTRIES
from sluice.agreement.model import Agreement
from sluice.agreement.papers import Paper, PaperMissing, PaperReason
from sluice.errors import NotFound, Ref
from sluice.exchange.close import close_record
from sluice.exchange.early_refusal import countries_without_basis, finding, missing_paper, refused
from sluice.exchange.effects.kept_out import names_kept_out
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.judge import MOST_ATTEMPTS
from sluice.exchange.locks import content_lock
from sluice.exchange.model import AirflowRun, Opened
from sluice.exchange.persons.suppressed import commit_unless_suppressed
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.exchange.record import Closing
from sluice.exchange.stops import check_not_stopped
from sluice.exchange.store import check_still_ours
from sluice.exchange.workroom import work_folder
from sluice.gate.model import Finding
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord, is_after_end
from sluice.ledger.returned import PreparedReturn
from sluice.returns import store
from sluice.returns.keep import keep_return
from sluice.returns.make import make_return
from sluice.returns.making import Making
from sluice.returns.model import INPUT_GONE, RETENTION_OVER
from sluice.returns.overtaken import may_still_go, past_day
from sluice.returns.paper import is_nothing_left
from sluice.returns.record import Outcome, record_of_return
from sluice.terms import ACCEPTED_DECISIONS, Decision, Verdict
from sluice.times import brussels_day, utc_text

AIRFLOW = "airflow"
"""The name under which a return is prepared that no person asked for."""


def carry_return(house: House, opened: Opened, run: AirflowRun, by: str = AIRFLOW) -> Decision | None:
    """Carry one claimed return to its end; None while it waits for a second person. ``by``: who prepares it.

    Raises FlowIsStopped if it would go out while its flow is stopped: it stays open, and is made again under the rights
    that persons have when the flow goes on.
    """
    if opened.attempts > MOST_ATTEMPTS:
        return _refuse(house, opened, run, finding("UNREADABLE_GAVE_UP", "exchange.attempts", count=opened.attempts))
    if store.has_newer(house.conn, opened):
        return _refuse(house, opened, run, finding("STALE_NEWER_RETURN", "return.newest"))
    prepared = store.find_prepared(house.conn, opened.exchange_id)
    if prepared is not None:
        return _go_on(house, opened, prepared, run)
    on = brussels_day(opened.opened_at)
    paper = _paper(house, opened)
    if isinstance(paper, PaperMissing):
        return _refuse(house, opened, run, missing_paper(paper))
    if reasons := forbidden(paper.agreement, on):
        return _refuse(house, opened, run, *reasons)
    if not is_after_end(opened.direction, opened.version_id) and is_nothing_left(paper, opened):
        return _refuse(house, opened, run, finding(RETENTION_OVER, "return.retention"))
    if gone := store.count_gone(house.conn, opened.exchange_id):
        return _refuse(house, opened, run, finding(INPUT_GONE, "return.inputs", count=gone))
    with content_lock(house.conn, opened, str(opened.day)), work_folder(house, opened) as folder:
        return _prepare(house, opened, paper, run, by, folder)


def forbidden(agreement: Agreement, on: date) -> tuple[Finding, ...]:
    """Reasons that stop every return under an agreement: countries without a basis for transfer (GDPR Art. 44)."""
    basis_missing, delivery = countries_without_basis(agreement, on), agreement.delivery
    is_without = delivery.transfer_basis is None or agreement.transfers_outside_eea == "forbidden"
    if delivery.country not in EEA_COUNTRIES and is_without:
        basis_missing |= {delivery.country}
    return (finding("FORBIDDEN_COUNTRY", "paper.country", count=len(basis_missing)),) if basis_missing else ()


def _prepare(house: House, opened: Opened, paper: Paper, run: AirflowRun, by: str, folder: Path) -> Decision | None:
    kept_out = find_in_force(house.conn, opened.principal)
    making = make_return(house, opened, paper, folder)
    before = store.find_delivered(house.conn, opened.principal, opened.flow, _day(opened))
    if making.written and before and before[1] == making.written.sha256:
        making = making.refused(finding("DUPLICATE_CONTENT", f"content.once:{before[0]}"))
    check_still_ours(house.conn, opened)
    copies = keep_return(house, opened, paper, making, folder)
    outcome = Outcome(opened, paper, making, copies, before[0] if before else None)
    record = record_of_return(outcome, Closing(house.settings, run, datetime.now(UTC)))
    if record.decision in ACCEPTED_DECISIONS and paper.agreement.delivery.two_person_release:
        wait_for_release(house, opened, record, kept_out, by)
        return None
    return _let_go(house, opened, record, kept_out)


def wait_for_release(house: House, opened: Opened, record: ExchangeRecord, kept_out: frozenset[str], by: str) -> None:
    """Record a return as prepared and by whom, so that somebody else can release it. Raises SuppressedMeanwhile."""
    now = datetime.now(UTC)
    body = PreparedReturn(exchange_id=opened.exchange_id, prepared_by=by, prepared_at=utc_text(now), record=record)

    def commit() -> None:
        store.mark_prepared(house.conn, record, by, now)
        append(
            house.conn, chain=opened.chain, kind=EntryKind.RETURN_PREPARED, exchange_id=opened.exchange_id, body=body
        )

    commit_unless_suppressed(house, opened.principal, kept_out, record.how_long.copies, commit)


def _go_on(house: House, opened: Opened, record: ExchangeRecord, run: AirflowRun) -> Decision | None:
    """Close a prepared return as it was recorded, if it is released; else it goes on waiting.

    It is refused once no agreement holds any more, as one that was not prepared would be. A return that names somebody
    who must stay out since, or whose last day is past, waits for the one that replaces it (``due.py``).
    """
    kept_out, copies = find_in_force(house.conn, opened.principal), record.how_long.copies
    if not may_still_go(house.conn, opened, datetime.now(UTC)):
        return _refuse(house, opened, run, missing_paper(PaperMissing(PaperReason.AGREEMENT_EXPIRED)))
    may_go = store.is_released(house.conn, opened.exchange_id) and not past_day(copies, datetime.now(UTC))
    if not may_go or names_kept_out(house, opened.principal, copies, _paper(house, opened)):
        store.wait_again(house.conn, opened.exchange_id)
        return None
    closing = record.model_copy(update={"closed_at": utc_text(datetime.now(UTC))})
    return _let_go(house, opened, closing, kept_out)


def _let_go(house: House, opened: Opened, record: ExchangeRecord, kept_out: frozenset[str]) -> Decision | None:
    """Close a return, after which it is delivered. Raises FlowIsStopped: nobody checks that again after closing."""
    check = partial(check_not_stopped, house.conn, opened.principal, opened.flow)
    return close_record(house, opened, record, kept_out, check=check)


def _refuse(house: House, opened: Opened, run: AirflowRun, *reasons: Finding) -> Decision | None:
    """Close a return as refused, without making anything."""
    paper = _paper(house, opened)
    nothing = Making(verdict=refused(reasons, Verdict.REFUSED))
    record = record_of_return(Outcome(opened, paper, nothing), Closing(house.settings, run, datetime.now(UTC)))
    return close_record(house, opened, record)


def _paper(house: House, opened: Opened) -> Paper | PaperMissing:
    """The paper a return was opened under."""
    return paper_under(house.conn, opened)


def _day(opened: Opened) -> date:
    if opened.day is None:
        raise NotFound(Ref("day of the return", opened.exchange_id))
    return opened.day
