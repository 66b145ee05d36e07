"""Keep consent records: what persons said about being contacted, when, how, on which wording, and who collected it.

Whoever said no is first kept out of that purpose and channel, as after any withdrawal. Then the records are stored,
and after them their row and ledger entry. Importing the same file or statement again changes nothing.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import polars as pl
import rfc8785

from sluice.agreement.in_force.store import list_contracts, list_in_force
from sluice.agreement.model import Agreement
from sluice.db import transaction
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.exchange.persons import consents
from sluice.exchange.persons.consent_store import ConsentRun, insert_run, is_known
from sluice.exchange.persons.gone import find_gone
from sluice.exchange.persons.suppressed import keep_out
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.consented import ConsentLine, ConsentsRecorded
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.rights.consents.file import HOME, ConsentsInvalid, Records, Said, judge_consents, parse_consents
from sluice.rights.person.request_file import RowFault
from sluice.subject.consent import SCHEMA, TAKES_BACK, WORD, ConsentState, last_words
from sluice.subject.scope import scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from sluice.times import brussels_day, utc_text

Withdrawn = frozenset[tuple[str, str, str]]
"""Reference, purpose (DPV IRI) and channel of every withdrawal that counts now and was not on record before."""
Tell = Callable[[str, str, Withdrawn], None]
"""Told of new withdrawals before they are stored: the id of the run, the SHA-256 of its source, who withdrew what."""
NAMESPACE = uuid.UUID("5b0c6f57-0f0e-5d0c-8f9d-2b7f7a1f4c1e")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Result of keeping a file or one statement. ``left_out``: number of records of persons who were erased and of
    whom nothing stayed by decision."""

    run_id: str
    source_sha256: str
    records: int
    refused: int
    left_out: int
    is_new: bool
    faults: tuple[RowFault, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one principal that are kept together, from a file or from one statement."""

    principal: Principal
    records: Records
    source_sha256: str
    dated_on: date
    """Brussels date of the file, or of the day on which the statement was recorded."""
    by: str
    """Name of the person who records them."""


def tell_nobody(_run_id: str, _source: str, _withdrawn: Withdrawn) -> None:
    """Tell nobody of withdrawals."""


def import_consents(
    house: House,
    principal: Principal,
    content: bytes,
    dated_on: date,
    by: str,
    now: datetime,
    tell: Tell = tell_nobody,
) -> Recorded:
    """Keep the records of a CSV file. ``dated_on``: Brussels date of the file. Raises ConsentsInvalid, UsageError."""
    if dated_on > brussels_day(now):
        raise UsageError(Ref("option", "--dated"))
    records = _judged(house, principal, parse_consents(content), now)
    return _keep(house, Batch(principal, records, hashlib.sha256(content).hexdigest(), dated_on, by), now, tell)


def record_consent(
    house: House, principal: Principal, said: Said, by: str, now: datetime, tell: Tell = tell_nobody
) -> Recorded:
    """Keep what one person said. Raises ConsentsInvalid, which names the column."""
    records = _judged(house, principal, [said], now)
    if records.faults:
        [fault] = records.faults
        raise ConsentsInvalid(Ref("rule", fault.code), *([Ref("column", fault.column)] if fault.column else []))
    told = records.frame.with_columns(pl.col("at").dt.to_string(), pl.col("until").dt.to_string())
    source = hashlib.sha256(rfc8785.dumps(told.to_dicts())).hexdigest()
    return _keep(house, Batch(principal, records, source, brussels_day(now), by), now, tell)


def _judged(house: House, principal: Principal, rows: list[Said], now: datetime) -> Records:
    agreements, key = _agreements(house, principal, now), house.subject_key(principal)
    known = list_contracts(house.conn, now, naming=(principal,))
    regions = {each.contract.file_format.region for each in known if each.contract.principal == principal}
    return judge_consents(rows, agreements, key, now, frozenset(regions or {HOME}))


def _agreements(house: House, principal: Principal, now: datetime) -> tuple[Agreement, ...]:
    found = list_in_force(house.conn, principal, brussels_day(now), now)
    if not found:
        raise ConsentsInvalid(Ref("rule", "NO_AGREEMENT"))
    return found


def _keep(house: House, batch: Batch, now: datetime, tell: Tell) -> Recorded:
    """Store a batch once; the same batch again changes nothing."""
    principal, source, records = batch.principal, batch.source_sha256, batch.records
    run_id, name = str(uuid.uuid5(NAMESPACE, f"{principal}/{source}")), check_name(batch.by)
    frame = _named(principal, records.frame)
    with consents.hold_records(house, principal):  # an erasure either ran before and is seen here, or runs after
        gone = find_gone(house, principal, frozenset(frame["ref"].to_list()))
        kept = frame.filter(~pl.col("ref").is_in(sorted(gone)))
        done = Recorded(run_id, source, kept.height, records.refused, frame.height - kept.height, False, records.faults)
        if is_known(house.conn, run_id) or kept.is_empty():
            return done
        before = consents.find_records(house, principal)
        noes = _noes(before, kept, now)
        _keep_out(house, principal, noes, run_id, now)
        tell(run_id, source, _withdrawn(noes, before))  # first, so that a killed worker leaves nothing untold
        stored = consents.put(house, principal, run_id, kept)
        where = (stored.bucket, stored.key, stored.version_id)
        run = ConsentRun(run_id, principal, source, batch.dated_on, kept.height, *where, now, name)
        with transaction(house.conn):
            is_new = insert_run(house.conn, run)
            if is_new:
                body = _body(run, kept, done)
                chain, kind = principal_chain(principal), EntryKind.CONSENTS_RECORDED
                append(house.conn, chain=chain, kind=kind, exchange_id=None, body=body)
    return replace(done, is_new=is_new)


def _named(principal: Principal, frame: pl.DataFrame) -> pl.DataFrame:
    """Add the record ids, which are computed from the content, and drop duplicates."""
    if frame.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    ids = [
        str(
            uuid.uuid5(
                NAMESPACE, f"{principal}/{row['ref']}/{row['purpose']}/{row['channel']}/{row['state']}/{row['at']}"
            )
        )
        for row in frame.iter_rows(named=True)
    ]
    whole = frame.with_columns(pl.Series("record_id", ids), pl.col("at").cast(SCHEMA["at"]))
    return whole.select(list(SCHEMA)).unique("record_id", keep="first", maintain_order=True)


def _noes(before: pl.DataFrame, kept: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return those of these records that are a no, and the word that counts now."""
    words = last_words(pl.concat([before, kept]), brussels_day(now))
    return words.filter(pl.col("state").is_in(TAKES_BACK)).join(kept.select("record_id"), on="record_id", how="semi")


def _withdrawn(noes: pl.DataFrame, before: pl.DataFrame) -> Withdrawn:
    """Return what was withdrawn by these records and is not on record yet."""
    new = noes.filter(pl.col("state") == ConsentState.WITHDRAWN.value).join(before, on="record_id", how="anti")
    return frozenset(new.select(WORD).iter_rows())


def _keep_out(house: House, principal: Principal, noes: pl.DataFrame, run_id: str, now: datetime) -> None:
    """Suppress the persons of these records for that purpose and channel."""
    for (purpose, channel), group in noes.group_by(WORD[1:], maintain_order=True):
        scope = scope_of(Suppression.CONSENT_WITHDRAWN, frozenset({str(purpose)}), str(channel))
        keep_out(
            house,
            principal,
            frozenset(group["ref"].to_list()),
            Suppression.CONSENT_WITHDRAWN,
            cause=f"consent/{run_id}/{purpose}/{channel}",
            case_id=None,
            now=now,
            scope=scope,
        )


def _body(run: ConsentRun, kept: pl.DataFrame, done: Recorded) -> ConsentsRecorded:
    counts = kept.group_by("purpose", "channel", "state").len("records").sort("purpose", "channel", "state")
    return ConsentsRecorded(
        run_id=run.run_id,
        principal=run.principal,
        source_sha256=run.source_sha256,
        dated_on=run.dated_on.isoformat(),
        lines=tuple(ConsentLine(**row) for row in counts.iter_rows(named=True)),
        refused=done.refused,
        left_out=done.left_out,
        recorded_by=run.recorded_by,
        recorded_at=utc_text(run.recorded_at),
    )
