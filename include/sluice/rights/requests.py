"""Request files, which a principal puts under ``requests/`` with its own key: up to 100,000 persons and one right.

Each version is answered once. Its case number is a function of the version, so that a rerun opens the same case. Rows
that name nobody are counted by code; the others go on. Instructions are in the same place.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from uuid import UUID, uuid5

from sluice.db import transaction
from sluice.documents.words import in_each_language
from sluice.exchange.house import House
from sluice.exchange.inbox import list_principals, oldest_first, put_at
from sluice.exchange.naming import shown_beside_flows
from sluice.exchange.sweeping import Faults
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.ledger.append import append
from sluice.ledger.cased import CaseRequestRead
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.returns.notices import give_notice
from sluice.rights import request_store
from sluice.rights.case import steps, store
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Actor, Case, CaseId, Role
from sluice.rights.instruction_rules import is_instruction
from sluice.rights.opening import envelope_of, finish_openings, open_envelope, right_asked
from sluice.rights.person.request_file import (
    LARGEST_BYTES,
    Asked,
    FileOutcome,
    RowFault,
    parse_request,
    why_unreadable,
)
from sluice.rights.person.scope import is_known
from sluice.rights.read_instructions import content_of, note_keys, read_instruction
from sluice.rights.request_store import RequestFile
from sluice.terms import Principal

MOST_PER_SWEEP = 200
"""The most new files of one principal per sweep, so that a flood of files does not delay others."""
NUMBERS = UUID("5f6a4a52-1c67-4b6e-9a0b-0f5a3c1d7e42")
GDPR_APPLIES = date(2018, 5, 25)


@dataclass(frozen=True, slots=True)
class RequestSweep:
    """Result of one pass over all ``requests/``: files and instructions by outcome.

    ``finished``: openings left by dead workers. ``failed``: files not answered, principals whose files cannot be
    listed, and openings not finished; all are tried again.
    """

    requests: Mapping[str, int] = field(default_factory=dict)
    instructions: Mapping[str, int] = field(default_factory=dict)
    finished: int = 0
    failed: int = 0


def read_requests(house: House, now: datetime) -> RequestSweep:
    """Answer every version under ``<principal>/requests/`` that has no answer yet, oldest first.

    Openings that a dead worker left are finished first. Raises ServiceMissing when a store is away; other faults are
    counted and tried again.
    """
    note_keys(house)
    finished, not_opened = finish_openings(house, now)
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    faults = Faults(house.conn)
    for principal in list_principals(house):
        fresh: list[StoredObject] = []
        with faults.kept_apart(f"what {principal} put under requests/"):
            fresh = _fresh(house, principal)
        for item in fresh:
            with faults.kept_apart(f"a request of {principal}"):
                _answer(house, principal, item, now, *counts)
    return RequestSweep(dict(counts[0]), dict(counts[1]), finished, not_opened + faults.count)


def _answer(
    house: House,
    principal: Principal,
    item: StoredObject,
    now: datetime,
    requests: Counter[str],
    instructions: Counter[str],
) -> None:
    if is_instruction(item.key):
        instructions[read_instruction(house, principal, item, now).outcome] += 1
    else:
        requests[read_request(house, principal, item, now).outcome] += 1


def read_request(house: House, principal: Principal, item: StoredObject, now: datetime) -> RequestFile:
    """Read one version, open its case and give the notice. A repeated call returns what is there."""
    content = content_of(house, item, LARGEST_BYTES)
    asked = parse_request(item.key, content) if content else _unread(item)
    sha256 = hashlib.sha256(content).hexdigest() if content else None
    file = partial(RequestFile, principal, item.version_id, sha256=sha256, seen_at=now)
    if isinstance(asked, FileOutcome):
        faults = (_why(item, content),) if asked is FileOutcome.UNREADABLE else ()
        return _record(house, item, file(asked, None, 0, faults))
    if not asked.persons and asked.sought is None:
        return _record(house, item, file(FileOutcome.NO_PERSONS, None, 0, asked.faults))
    since = put_at(item, now)
    if asked.received and not GDPR_APPLIES <= asked.received <= received_on(since):
        return _record(house, item, file(FileOutcome.BAD_DATE, None, 0, ()))
    if not is_known(house, principal, now):
        return _record(house, item, file(FileOutcome.NO_AGREEMENT, None, 0, ()))
    case = _open(house, principal, item, asked, since, now)
    if asked.sought is None:  # the principal knows whom it names; if there is only a name, our desk says who that is
        steps.vouch(house.conn, case.case_id, principal, now, sha256 or "")
    return _record(house, item, file(FileOutcome.READ, case.case_id, case.persons, asked.faults))


def _unread(item: StoredObject) -> FileOutcome:
    return FileOutcome.TOO_LARGE if item.size_bytes > LARGEST_BYTES else FileOutcome.UNREADABLE


def _why(item: StoredObject, content: bytes) -> RowFault:
    """Why the file cannot be read, which is no fault of a row."""
    if not content:
        return RowFault("FILE_EMPTY" if item.size_bytes == 0 else "NOT_GIVEN_BY_THE_STORE", None, 0, ())
    found = why_unreadable(item.key, content)
    return RowFault(found.code, found.member, 0, (), found.line)


def _open(house: House, principal: Principal, item: StoredObject, asked: Asked, since: datetime, now: datetime) -> Case:
    """Open the case. Its clock runs from receipt by the controller, our hours to forward from the file's arrival.

    Agreements count as they were known when the file arrived, or as they are now if this principal had none then.
    """
    case_id = CaseId(str(uuid5(NUMBERS, f"{item.bucket}/{principal}/{item.version_id}")))
    actor, received = Actor(Role.PRINCIPAL, principal), asked.received or received_on(since)
    persons = asked.persons or ((),)  # one person, whom nobody has confirmed yet
    opened = since if is_known(house, principal, since) else now
    right = right_asked(asked.right, asked.purposes)
    envelope = envelope_of(case_id, right, principal, persons, received, opened, actor)
    envelope = replace(envelope, sought=asked.sought, purposes=asked.purposes, contact_channel=asked.channel)
    return open_envelope(house, replace(envelope, language=asked.language, forward_from=since), now)


def _record(house: House, item: StoredObject, file: RequestFile) -> RequestFile:
    """Write row and ledger entry together, then give the notice, a function of the row. An earlier row stays."""
    with transaction(house.conn):
        is_new = request_store.insert_file(house.conn, file)
        if is_new:
            append(
                house.conn,
                chain=principal_chain(file.principal),
                kind=EntryKind.CASE_REQUEST_READ,
                exchange_id=None,
                body=_body(item, file),
            )
    stored = file if is_new else request_store.get_file(house.conn, file.principal, file.version_id)
    give_request_notice(house, stored)
    return stored


def _body(item: StoredObject, file: RequestFile) -> CaseRequestRead:
    by_code: Counter[str] = Counter()
    for fault in file.faults:
        by_code[fault.code] += fault.count
    by_code = +by_code  # rows alone: a file that cannot be read has none
    return CaseRequestRead(
        principal=file.principal,
        outcome=file.outcome,
        case_id=file.case_id,
        persons=file.persons,
        refused=dict(by_code),
        bucket=item.bucket,
        key=shown_beside_flows(item.key),
        version_id=item.version_id,
        sha256=file.sha256,
    )


def give_request_notice(house: House, file: RequestFile) -> None:
    """Tell the principal what became of its file. ``cases``: the numbers of its own parts; empty until a person is
    confirmed.
    """
    parts = store.get_case(house.conn, file.case_id).sub_cases if file.case_id else ()
    give_notice(
        house,
        f"{file.principal}/notices/request-{file.version_id}.json",
        {
            "notice": "case.request_read" if file.outcome is FileOutcome.READ else "case.request_refused",
            "outcome": file.outcome.value,
            "version_id": file.version_id,
            "sha256": file.sha256,
            "persons": file.persons,
            "cases": [part.sub_case_id for part in parts],
            "rows_refused": sum(fault.count for fault in file.faults),
            "reasons": request_store.reasons_of(file),
            "text": in_each_language(f"controller.{'READ' if file.outcome is FileOutcome.READ else 'REFUSED'}"),
        },
    )


def _fresh(house: House, principal: Principal) -> list[StoredObject]:
    """Return the versions without an answer, and those whose notice a dead worker did not give; oldest first."""
    bucket = house.settings.bucket_exchange
    there = list(house.objects.list_versions(bucket, prefix_of(principal, "requests")))
    if not there:
        return []
    answered = request_store.find_answered(house.conn, principal, [item.version_id for item in there])
    told = {item.key for item in house.objects.list_versions(bucket, prefix_of(principal, "notices"))}
    done = {version for version in answered if told & _notice_keys(principal, version)}
    fresh = [item for item in there if item.version_id not in done]
    return oldest_first(fresh)[:MOST_PER_SWEEP]


def _notice_keys(principal: str, version_id: str) -> set[str]:
    return {f"{principal}/notices/{word}-{version_id}.json" for word in ("request", "instruction")}
