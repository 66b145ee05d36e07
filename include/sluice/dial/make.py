"""Make a dial list: an exchange of its own, opened before a row is read, closed with counts of rows left out and why.

The same request made again gives the same list. If a worker dies, ``finish_left`` finishes its list.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.in_force.store import find_contract_by_hash, in_force, is_flow
from sluice.agreement.model import DataContract
from sluice.agreement.papers import Paper, PaperMissing, PaperReason
from sluice.db import transaction
from sluice.dial import store
from sluice.dial.dncm import are_listed
from sluice.dial.facts import channel_rule, list_age_days
from sluice.dial.model import FORMATS, Dialled, DialRefused, Input, LeftOut, NumberList, Request
from sluice.dial.record import Made, record_of_list, record_of_refusal
from sluice.dial.rules import (
    CONSENT,
    CONSENT_AT,
    CONSENT_UNTIL,
    REACHED,
    Task,
    compose,
    find_purpose,
    list_is_stale,
    task_of,
)
from sluice.dial.sealed import read_noes
from sluice.dial.view import read_rows, refs_of
from sluice.dial.words import AGE, SAID, Reading, readings_of, with_noes
from sluice.errors import NotFound, Ref, UsageError
from sluice.exchange.carry_alone import carry_alone
from sluice.exchange.catalogue import find_copies
from sluice.exchange.close import close_record
from sluice.exchange.house import House
from sluice.exchange.keep import AS_MADE, copy_line
from sluice.exchange.last_days import shortest_retention
from sluice.exchange.model import NO_RUN, AirflowRun, Opened
from sluice.exchange.naming import index_key, return_key
from sluice.exchange.open import record_opened
from sluice.exchange.persons.consents import find_words
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.persons.suppressed_store import find_in_force
from sluice.exchange.read import show_exchange
from sluice.exchange.record import Closing
from sluice.exchange.sweeping import Tally, do_each
from sluice.exchange.workroom import work_folder
from sluice.lake.write.model import ValueUnwritable, WriteForm
from sluice.lake.write.table import write_table
from sluice.lake_columns import CORRECTED, REFS
from sluice.ledger.chains import principal_chain
from sluice.ledger.copy_kinds import DIAL_KEPT, DIALLED, INDEX
from sluice.ledger.names import check_name
from sluice.ledger.record import DIAL, CopyLine, ExchangeRecord
from sluice.media_types import PARQUET
from sluice.subject.cells import refs_of_columns
from sluice.subject.columns import normalise_column
from sluice.subject.consent import word_of_rows
from sluice.subject.index import build_run, write_run
from sluice.terms import Direction, Principal, SubjectKind
from sluice.times import brussels_day

NOT_AGREED = "NOT_AGREED"
"""Recorded in place of a purpose that the agreement does not have, because what was typed may be anything."""


def make_dial_list(house: House, request: Request, now: datetime, run: AirflowRun = NO_RUN) -> Dialled:
    """Make the list of a request and put it into the agents' bucket, after its receipt.

    ``now``: the moment at which it is opened and judged; its record has the actual closing time. Raises UsageError,
    NameInvalid, NotFound for a flow that no contract ever named, and DialRefused. The latter names the reason code of
    a list that may not be made, which has a record too, or says that the list was taken back since.
    """
    if request.format not in FORMATS:
        raise UsageError(Ref("option", "--to"))
    opened = store.find_opened(house.conn, request) or _open(house, request, now)
    carry_alone(house, opened, partial(_close, house, opened, request, now, run))
    return _dialled(house, opened)


def _close(house: House, opened: Opened, request: Request, now: datetime, run: AirflowRun) -> None:
    """Make the list and close it. Raises SuppressedMeanwhile if somebody in it must stay out since it was begun."""
    known = find_in_force(house.conn, request.principal)
    close_record(house, opened, _record(house, opened, request, now, run), known)


def finish_left(house: House, now: datetime, run: AirflowRun = NO_RUN) -> Tally:
    """Finish the lists that dead workers left open. Returns how many, and how many failed and are tried again later.

    Raises ServiceMissing.
    """

    def one(request: Request) -> int:
        with suppress(DialRefused):  # a refused list is finished too
            make_dial_list(house, request, now, run)
        return 1

    return do_each(house.conn, "a dial list", store.find_left(house.conn), one)


def _open(house: House, request: Request, now: datetime) -> Opened:
    if not is_flow(house.conn, request.principal, request.flow):  # else what was typed would be recorded for good
        raise NotFound(Ref("flow", "of the request"))
    request, today = replace(request, asked_by=check_name(request.asked_by)), brussels_day(now)
    paper = paper_of(house, request, today, now)
    agreement = paper.agreement
    if agreement is None or find_purpose(agreement, request.purpose) is None:
        request = replace(request, purpose=NOT_AGREED)
    chain = agreement.agreement_id if agreement else principal_chain(request.principal)
    name = f"{request.flow}_{request.channel}_{today}_{request.request_id[:8]}.{request.format}"
    key = f"{request.principal}/{DIAL}/{request.flow}/{name}"
    with transaction(house.conn):
        opened = store.insert_open(house.conn, request, house.settings.bucket_internal, key, chain, now)
        if opened is not None:
            record_opened(house.conn, opened, paper)
    found = opened or store.find_opened(house.conn, request)
    assert found is not None  # somebody opened it just now
    return found


def paper_of(house: House, request: Request, on: date, known_at: datetime) -> Paper | PaperMissing:
    """The paper of the contacts, which alone says what they may be used for."""
    return in_force(house.conn, request.principal, Direction.INBOUND, request.flow, on, known_at)


def _record(house: House, opened: Opened, request: Request, now: datetime, run: AirflowRun) -> ExchangeRecord:
    """Make and keep the list, and return its record.

    The paper is that of its opening; files and Do-Not-Call-Me lists count as of ``now``. Suppressions are those in
    force while it is made. The record has the actual closing time, as an erasure asks what closed since it began.
    """
    today, on = brussels_day(opened.opened_at), brussels_day(now)
    paper = paper_of(house, request, today, opened.opened_at)
    if isinstance(paper, PaperMissing):
        return _refused(house, opened, paper, f"FORBIDDEN_{paper.reason.name}", run)
    task = task_of(paper, request.purpose, channel_rule(request.channel, today))
    if isinstance(task, str):
        return _refused(house, opened, paper, task, run)
    listed = next(iter(store.list_numbers(house.conn, 1)), None) if task.needs_number_list else None
    if list_is_stale(task, listed, on, list_age_days(today)):
        return _refused(house, opened, paper, "STALE_DNCM_LIST", run)
    if listed is not None:
        store.note_list(house.conn, opened.exchange_id, listed.sha256)
    taken = _taken(house, request, task, on)
    if taken is None:
        return _refused(house, opened, paper, f"FORBIDDEN_{PaperReason.CONTRACT_GAP}", run)
    with work_folder(house, opened) as folder:
        try:
            made = _make(house, paper, task, request, listed, taken, folder)
        except ValueUnwritable:
            return _refused(house, opened, paper, "VALUE_UNWRITABLE", run)
        copies = _keep(house, opened, paper, made, taken)
    return record_of_list(opened, paper, made, copies, Closing(house.settings, run, datetime.now(UTC)))


def _refused(house: House, opened: Opened, paper: Paper | PaperMissing, code: str, run: AirflowRun) -> ExchangeRecord:
    return record_of_refusal(opened, paper, [code], Closing(house.settings, run, datetime.now(UTC)))


@dataclass(frozen=True, slots=True)
class Taken:
    """The files of a list, oldest first, with the contract that each came under.

    ``sealed``: rows of files of contacts that were not accepted, with their contract. ``before``: how many rows other
    files have that do not count, by reason.
    """

    inputs: tuple[Input, ...]
    contracts: tuple[DataContract, ...]
    sealed: tuple[tuple[Input, DataContract], ...]
    before: Counter[str]


def _taken(house: House, request: Request, task: Task, on: date) -> Taken | None:
    """The files that a list is made of; None if nobody can read the contract of one any more.

    Then nobody knows which of its columns says that a person may not be contacted, so no list is made.
    """
    inputs, before = _counted(store.find_inputs(house.conn, request.principal, request.flow), task, on)
    sealed, _ = _counted(store.find_sealed(house.conn, request.principal, request.flow), task, on)
    hashes = {each.contract_sha256 for each in (*inputs, *sealed)}
    known = {key: contract for key in hashes if (contract := find_contract_by_hash(house.conn, key))}
    if not hashes <= set(known):
        return None
    contracts = tuple(known[each.contract_sha256] for each in inputs)
    return Taken(tuple(inputs), contracts, tuple((each, known[each.contract_sha256]) for each in sealed), before)


def _make(
    house: House, paper: Paper, task: Task, request: Request, listed: NumberList | None, taken: Taken, folder: Path
) -> Made:
    rows = read_rows(house, request.principal, paper.contract, taken.inputs, folder)
    for field in (task.contact, *task.columns):
        if field.name not in rows.columns:
            rows = rows.with_columns(_empty(field.name))
    regions = [contract.file_format.region for contract in taken.contracts]
    rows = rows.with_columns(_reached(rows, task, paper.contract.file_format.region, regions))
    rows = _with_consents(house, request.principal, task, taken.inputs, rows)
    suppressed = find_suppressed(house, request.principal, (frozenset({task.use}),))
    found = _listed(house, listed, (paper.contract, *taken.contracts), rows) if listed else None
    of_all = (*taken.contracts, *(contract for _, contract in taken.sealed))
    readings = readings_of(of_all, task.consents, task.rule.word)
    rows = _with_noes(house, request.principal, readings, taken, rows, folder)
    composed = compose(rows, task, readings, suppressed, found, taken.before)
    form, types = _form(paper, request.format), {field.name: field.logical_type for field in task.columns}
    written = write_table(
        _dialable(composed.rows, task, request.format),
        types,
        form,
        folder / "list",
        title=f"{request.principal} {request.flow}",
    )
    return Made(task, taken.inputs, composed, written, request.format, listed)


def _with_noes(
    house: House, principal: Principal, readings: Sequence[Reading], taken: Taken, rows: pl.DataFrame, folder: Path
) -> pl.DataFrame:
    """Add to the rows what their persons said no to in rows that were not accepted.

    ``readings``: of the accepted files, then of the sealed ones, numbered on.
    """
    by_age = {age: reading for reading in readings for age in reading.ages}
    files = [
        (each, contract, by_age[age]) for age, (each, contract) in enumerate(taken.sealed, start=len(taken.inputs))
    ]
    return with_noes(rows, read_noes(house, principal, files, taken.inputs, folder))


def _with_consents(
    house: House, principal: Principal, task: Task, inputs: Sequence[Input], rows: pl.DataFrame
) -> pl.DataFrame:
    """Add to the rows what the records of consent, if any, say about their persons for this purpose and channel."""
    words, refs = find_words(house, principal), refs_of(rows)
    if words.is_empty() or rows.is_empty() or not refs:
        return rows
    ages = pl.Series(SAID, [each.age.as_of for each in inputs], dtype=pl.Datetime("us", "UTC"))
    said = word_of_rows(refs, words, task.purpose.iri, task.rule.word)
    return rows.with_columns(ages.gather(rows[AGE]).alias(SAID), said[CONSENT], said[CONSENT_AT], said[CONSENT_UNTIL])


def _reached(rows: pl.DataFrame, task: Task, region: str, regions: Sequence[str]) -> pl.Series:
    """Whether each row has a contact point, by the contract in force and by that of its file (``regions``, by AGE).

    What is no number in the country of its file is not dialled as one of another.
    """
    reached = pl.Series([True]).new_from_index(0, rows.height)
    for each in dict.fromkeys((region, *regions)):
        ages = pl.Series([age for age, own in enumerate(regions) if each in (own, region)], dtype=pl.UInt32)
        of_these = rows[AGE].is_in(ages.implode())
        contact = rows[task.contact.name]
        reached &= ~of_these | normalise_column(contact, task.rule.contact, region=each).values.is_not_null()
    return reached.alias(REACHED)


def _listed(house: House, listed: NumberList, contracts: Sequence[DataContract], rows: pl.DataFrame) -> pl.Series:
    """Whether any telephone number of each row is on the Do-Not-Call-Me list, not only the one to be called.

    ``contracts``: the one in force, then those of the files, which may name the columns of numbers otherwise.
    """
    phones = {
        field.name: None
        for contract in contracts
        for field in contract.fields
        if field.subject_key is SubjectKind.PHONE and field.name in rows.columns
    }
    region = contracts[0].file_format.region
    found = [are_listed(house, listed, rows[name], region).alias(name) for name in phones]
    return pl.DataFrame(found).select(pl.any_horizontal(pl.lit(False), pl.all())).to_series()


def _dialable(rows: pl.DataFrame, task: Task, form: str) -> pl.DataFrame:
    """Write ``00`` for ``+`` in telephone numbers in CSV: a spreadsheet would take ``+`` for a formula."""
    if form != "csv" or task.rule.contact is not SubjectKind.PHONE:
        return rows
    return rows.with_columns(pl.col(task.contact.name).str.replace(r"^\s*\+", "00"))


def _empty(name: str) -> pl.Expr:
    return pl.lit(None, pl.String).alias(name)


def _counted(inputs: Sequence[Input], task: Task, on: date) -> tuple[list[Input], Counter[str]]:
    """Files that count on a day, and how many rows the others have, by reason.

    A file does not count if it is past its retention or came in for other purposes.
    """
    kept, before = [], Counter[str]()
    for one in inputs:
        if one.delete_after is not None and one.delete_after < on:
            before[LeftOut.PAST_RETENTION.value] += one.rows
        elif task.purpose.code not in one.purposes:
            before[LeftOut.OTHER_PURPOSE.value] += one.rows
        else:
            kept.append(one)
    return kept, before


def _form(paper: Paper, wanted: str) -> WriteForm:
    """How to write the list: with the principal's own formats, because cells stay as the principal wrote them."""
    form, is_text = paper.contract.file_format, wanted == "csv"
    formats = {field.name: field.date_format for field in paper.contract.fields if field.date_format}
    return WriteForm(
        format=wanted,
        delimiter=form.delimiter if is_text else None,
        encoding="utf-8" if is_text else None,
        decimal_comma=form.decimal_comma,
        date_format=form.date_format,
        date_formats=formats,
    )


def _keep(house: House, opened: Opened, paper: Paper, made: Made, taken: Taken) -> tuple[CopyLine, ...]:
    """Keep the list where nobody sees it yet, with the index of who is in it.

    Its last day is the earliest of several, so that it never outlives a file it was made from.
    """
    today = brussels_day(opened.opened_at)
    rule, day = shortest_retention(paper.agreement, paper.contract, {"received": today})
    of_inputs = [each.delete_after for each in made.inputs]
    longest = today + timedelta(days=house.settings.keep_dial_days)
    last = min(filter(None, (day, longest, _fresh_until(made, today), made.composed.until, *of_inputs)))
    bucket, key = house.settings.bucket_lake, return_key(opened, opened.file_name)
    kept = house.objects.put_converging(bucket, key, made.written.path, AS_MADE)
    copies = [copy_line(DIAL_KEPT, kept, made.composed.rows.height, rule, last)]
    naming, refs = naming_columns(paper.contract), made.composed.refs
    of_files = [item for contract in (*taken.contracts, paper.contract) for item in naming_columns(contract).items()]
    kinds = {f"{start}{name}": kind for name, kind in of_files for start in (REFS, CORRECTED)}
    named = [(kind, refs[name]) for name in refs.columns if (kind := kinds.get(name))]
    if named:
        region = paper.contract.file_format.region
        cells = refs_of_columns(made.composed.rows, naming, region, house.subject_key(opened.principal))
        content = write_run(build_run([*named, *cells]), is_whole=True)
        run = house.objects.put_converging(bucket, index_key(opened), content, PARQUET)
        copies.append(copy_line(INDEX, run, None, rule, last))
    return tuple(copies)


def _fresh_until(made: Made, today: date) -> date | None:
    """The last day on which its Do-Not-Call-Me list is recent enough; None if it needed no such list."""
    return made.listed.dated_on + timedelta(days=list_age_days(today)) if made.listed else None


def _dialled(house: House, opened: Opened) -> Dialled:
    record = show_exchange(house.conn, opened.exchange_id).record
    if record is None:
        raise DialRefused(Ref("exchange", opened.exchange_id), Ref("state", "another worker makes it"))
    if record.reason_code:
        raise DialRefused(Ref("exchange", opened.exchange_id), Ref("reason", record.reason_code))
    if {copy.kind for copy in find_copies(house.conn, opened.exchange_id)}.isdisjoint((DIALLED, DIAL_KEPT)):
        raise DialRefused(Ref("exchange", opened.exchange_id), Ref("state", "taken back, or past its last day"))
    return Dialled(
        exchange_id=opened.exchange_id,
        decision=record.decision,
        reason_code=record.reason_code,
        rows_in=record.what.rows_in,
        rows=record.what.rows_accepted,
        left_out=dict(record.right_treatment.held_back),
        bucket=record.what.bucket,
        key=record.what.key,
        dncm_sha256=record.how.dialect.get("dncm_sha256"),
    )
