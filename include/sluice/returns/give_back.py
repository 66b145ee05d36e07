"""Give an ended agreement's data back to its principal (GDPR Art. 28(3)(g)): one exchange of its own per flow.

It is opened before a row is read, closed with the six answers, and delivered after its receipt. The same data under
the same rights of persons is one exchange, however often somebody asks; the next run finishes a killed one.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial

import rfc8785

from sluice.agreement.in_force.store import in_force
from sluice.agreement.model import Agreement
from sluice.agreement.papers import Paper, PaperMissing
from sluice.db import transaction
from sluice.errors import Ref, UsageError
from sluice.exchange.carry_alone import carry_alone
from sluice.exchange.close import close_record
from sluice.exchange.early_refusal import finding, missing_paper
from sluice.exchange.effects.kept_out import is_overtaken
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.made_here import MadeHere
from sluice.exchange.model import AirflowRun, Opened
from sluice.exchange.open import record_opened
from sluice.exchange.persons.suppressed import find_suppressed, names_any
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.exchange.record import Closing
from sluice.exchange.stop_store import is_stopped
from sluice.exchange.stops import FlowIsStopped, check_not_stopped
from sluice.exchange.store import get_opened
from sluice.exchange.uses import needs_of_file
from sluice.exchange.workroom import work_folder
from sluice.gate.model import Finding
from sluice.ledger.record import GIVEN_BACK, ExchangeRecord
from sluice.returns import give_back_store, store
from sluice.returns.carry import AIRFLOW, forbidden, wait_for_release
from sluice.returns.give_back_make import closing_at, keep_given, make_given
from sluice.returns.give_back_record import record_of_given, record_of_nothing
from sluice.returns.give_back_store import LastGiven
from sluice.returns.model import Input
from sluice.subject.suppression import Suppression
from sluice.terms import ACCEPTED_DECISIONS, Direction, ExchangeId, Flow
from sluice.times import brussels_day

FORMATS = ("csv", "xlsx", "json", "ndjson", "parquet")
STALE = "STALE_PERSONS"
"""Reason code of a prepared exchange that names somebody who must stay out since."""
MAY_GO_LATER: frozenset[str] = frozenset({Suppression.RESTRICTED, Suppression.SOFT_HOLD})
"""Reasons that end some day: rows held for one of them must not be deleted as if given back."""


class Standing(StrEnum):
    """How far the data of a flow is on its way back."""

    GIVEN = "given"
    WAITS_FOR_RELEASE = "waits_for_release"
    WAITS_FOR_PERSONS = "waits_for_persons"
    """Rows of somebody whose data is restricted or on hold stayed here."""
    WAITS_FOR_ARRIVALS = "waits_for_arrivals"
    STOPPED = "stopped"
    """The flow is stopped until somebody resumes it."""
    UNDER_WAY = "under_way"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class FlowGiven:
    """How far one flow is. ``held``: number of rows that stayed here, by reason."""

    flow: Flow
    standing: Standing
    exchange_id: ExchangeId | None = None
    rows: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Which ended agreement's data goes back, in which format (None: the contract's own), and who asks."""

    ended: Agreement
    format: str | None = None
    by: str = AIRFLOW

    def __post_init__(self) -> None:
        if self.format not in (None, *FORMATS):
            raise UsageError(Ref("option", "--to"))

    @property
    def last_day(self) -> date:
        """The last day of the agreement."""
        assert self.ended.valid_to is not None  # it ended
        return self.ended.valid_to


def give_flow(house: House, wish: Wish, flow: Flow, run: AirflowRun, now: datetime) -> FlowGiven:
    """Give the data of one flow back to its principal, or as far as that is possible. Repeating it changes nothing."""
    if is_stopped(house.conn, wish.ended.principal, flow):
        return _stopped(house, wish, flow)
    if give_back_store.has_open_arrivals(house.conn, wish.ended.principal, flow):
        return FlowGiven(flow, Standing.WAITS_FOR_ARRIVALS)
    opened = _opened(house, wish, flow, now)
    try:
        carry_alone(house, opened, partial(_carry, house, opened, wish.by, run))
    except FlowIsStopped:  # meanwhile; it stays open
        return _stopped(house, wish, flow)
    last = give_back_store.find_last(house.conn, wish.ended, flow)
    assert last is not None  # it was opened just now
    return flow_given(house, flow, last)


def _stopped(house: House, wish: Wish, flow: Flow) -> FlowGiven:
    """The standing of a stopped flow: nothing new is opened, but what was given in full before counts."""
    last = give_back_store.find_last(house.conn, wish.ended, flow)
    if last and _is_whole(house, last, _inputs(house, wish, flow)):
        return flow_given(house, flow, last)
    return FlowGiven(flow, Standing.STOPPED)


def _opened(house: House, wish: Wish, flow: Flow, now: datetime) -> Opened:
    """The exchange that gives the flow back: the last one if a new one would give nothing else, else a new one."""
    ended, principal = wish.ended, wish.ended.principal
    with transaction(house.conn):
        store.lock_flow(house.conn, principal, flow)
        last, inputs = give_back_store.find_last(house.conn, ended, flow), _inputs(house, wish, flow)
        paper = in_force(house.conn, principal, Direction.INBOUND, flow, wish.last_day, now)
        name = f"{GIVEN_BACK}{ended.version}-{_basis(house, wish, paper, inputs)}-"
        if last and (last.is_open or _is_whole(house, last, inputs) or _would_be_same(last, name)):
            return get_opened(house.conn, last.exchange_id)
        number = give_back_store.count_given(house.conn, ended, flow) + 1
        key = f"{principal}/outbound/{flow}/{_file_name(wish, flow, paper, number)}"
        made = MadeHere(
            principal=principal,
            direction=Direction.OUTBOUND_RETURN,
            flow=flow,
            bucket=house.settings.bucket_exchange,
            key=key,
            name=f"{name}{number}",
            chain=ended.agreement_id,
            opened_at=now,
            day=wish.last_day,
        )
        opened = store.insert_return(house.conn, made, inputs)
        assert opened is not None  # nobody opened it: its flow is locked
        record_opened(house.conn, opened, paper)
    return opened


def _inputs(house: House, wish: Wish, flow: Flow) -> tuple[Input, ...]:
    return tuple(store.find_contacts(house.conn, wish.ended.principal, flow, None))


def _is_whole(house: House, last: LastGiven, inputs: tuple[Input, ...]) -> bool:
    """Whether everything that exists was given back, except rows of persons who must stay out for good.

    What waits for its delivery, and holds somebody who must stay out since, never arrives.
    """
    if (
        last.decision not in ACCEPTED_DECISIONS
        or MAY_GO_LATER & set(last.held)
        or not set(store.ids(inputs)) <= last.inputs
    ):
        return False
    if store.is_delivered(house.conn, last.exchange_id):
        return True
    return not is_overtaken(house, get_opened(house.conn, last.exchange_id))


def _would_be_same(last: LastGiven, name: str) -> bool:
    """Whether nothing that it is made from changed. One closed as STALE is made again."""
    return last.version_id.startswith(name) and last.reason_code != STALE


def _basis(house: House, wish: Wish, paper: Paper | PaperMissing, inputs: tuple[Input, ...]) -> str:
    """A hash that names what it is made from: files, contract, format, and who must stay out."""
    said = {
        "inputs": sorted([each.exchange_id, each.sha256] for each in inputs),
        "contract": paper.contract.sha256 if paper.contract else None,
        "format": wish.format,
        "kept_out": sorted(find_in_force(house.conn, wish.ended.principal)),
    }
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()[:32]


def _file_name(wish: Wish, flow: Flow, paper: Paper | PaperMissing, number: int) -> str:
    """As ``renewal_campaign_given_back_2026-12-31.csv``; the second one ends in ``_2.csv``; ``.pgp`` if encrypted."""
    form = wish.format or (paper.contract.file_format.format if paper.contract else "none")
    pgp = ".pgp" if wish.ended.delivery.pgp else ""
    return f"{flow}_given_back_{wish.last_day}{'' if number == 1 else f'_{number}'}.{form}{pgp}"


def go_on_prepared(house: House, exchange_id: ExchangeId, run: AirflowRun) -> int:
    """Carry a prepared exchange as far as it goes now; it is refused if it names somebody who must stay out since."""
    opened = get_opened(house.conn, exchange_id)
    return carry_alone(house, opened, partial(_carry, house, opened, AIRFLOW, run))


def _carry(house: House, opened: Opened, by: str, run: AirflowRun) -> None:
    """Carry it to its end or until it waits for a second person. Raises SuppressedMeanwhile."""
    prepared = store.find_prepared(house.conn, opened.exchange_id)
    if prepared is not None:
        _go_on(house, opened, prepared, run)
    else:
        _make(house, opened, by, run)


def _make(house: House, opened: Opened, by: str, run: AirflowRun) -> None:
    paper, kept_out = paper_under(house.conn, opened), find_in_force(house.conn, opened.principal)
    if isinstance(paper, PaperMissing):
        return _refuse(house, opened, missing_paper(paper), run)
    if reasons := forbidden(paper.agreement, brussels_day(opened.opened_at)):
        return _refuse(house, opened, reasons[0], run)
    with work_folder(house, opened) as folder:
        given = make_given(house, opened, paper, folder)
        if isinstance(given, Finding):
            return _refuse(house, opened, given, run)
        copies = keep_given(house, opened, paper, given, folder)
    record = record_of_given(opened, paper, given, copies, Closing(house.settings, run, datetime.now(UTC)))
    if record.decision in ACCEPTED_DECISIONS and paper.agreement.delivery.two_person_release:
        wait_for_release(house, opened, record, kept_out, by)
    else:
        _let_go(house, opened, record, kept_out)
    return None


def _go_on(house: House, opened: Opened, record: ExchangeRecord, run: AirflowRun) -> None:
    """Close a prepared exchange if it is released; refuse it if it names somebody who must stay out since."""
    paper, kept_out = paper_under(house.conn, opened), find_in_force(house.conn, opened.principal)
    needs = needs_of_file(paper) if isinstance(paper, Paper) else None
    suppressed = find_suppressed(house, opened.principal, needs)
    if suppressed is not None and names_any(house, record.how_long.copies, suppressed["ref"].to_list()):
        _refuse(house, opened, finding(STALE, "given_back.persons"), run)
    elif store.is_released(house.conn, opened.exchange_id):
        _let_go(house, opened, closing_at(house, record, datetime.now(UTC)), kept_out)


def _let_go(house: House, opened: Opened, record: ExchangeRecord, kept_out: frozenset[str]) -> None:
    """Close it, after which it is delivered. Raises FlowIsStopped; it stays open then."""
    check = partial(check_not_stopped, house.conn, opened.principal, opened.flow)
    close_record(house, opened, record, kept_out, check=check)


def _refuse(house: House, opened: Opened, why: Finding, run: AirflowRun) -> None:
    """Close it as refused; the next run opens another once anything that it is made from has changed."""
    paper = paper_under(house.conn, opened)
    close_record(
        house, opened, record_of_nothing(opened, paper, [why], Closing(house.settings, run, datetime.now(UTC)))
    )


def flow_given(house: House, flow: Flow, last: LastGiven) -> FlowGiven:
    """How far a flow is, by its last exchange."""
    if last.is_open:
        waits = last.is_prepared and not store.is_released(house.conn, last.exchange_id)
        standing = Standing.WAITS_FOR_RELEASE if waits else Standing.UNDER_WAY
    elif last.decision not in ACCEPTED_DECISIONS:
        standing = Standing.REFUSED
    elif MAY_GO_LATER & set(last.held):
        standing = Standing.WAITS_FOR_PERSONS
    else:
        standing = Standing.GIVEN if store.is_delivered(house.conn, last.exchange_id) else Standing.UNDER_WAY
    return FlowGiven(flow, standing, last.exchange_id, last.rows, last.held, last.reason_code)
