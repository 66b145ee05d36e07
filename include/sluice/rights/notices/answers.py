"""What recipients answer to notices: by a file ``acks/notice-*`` under their own prefix, or by word to the desk.

Every version of a file is answered once: its outcome, the state of the notice and the ledger entry are written
in one transaction. An answer that changed nothing gets a notice of its own. That is a function of the recorded
outcome, so a rerun gives what a dead worker still owes.
"""

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sluice.db import Connection, transaction
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.inbox import InboxSweep, put_at, sweep
from sluice.exchange.naming import NO_FLOW, withheld_unless_safe
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.ledger.noticed import NoticeAnswerRefused
from sluice.ledger.reason import check_reason
from sluice.returns.ack_file import UUID, is_of_notice, read_members, read_small
from sluice.returns.notices import find_missing, give_notice
from sluice.rights.notices import notice_store
from sluice.rights.notices.book import take
from sluice.rights.notices.model import (
    AnswerFile,
    Channel,
    NotByHand,
    Notice,
    NoticeId,
    NoticeOutcome,
    NoticeState,
)
from sluice.rights.notices.to_recipient import ENDS, refused_document
from sluice.terms import Principal

log = logging.getLogger(__name__)
NAMED = re.compile(rf"notice-({UUID.pattern})\.({'|'.join(ENDS)})")


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of an answer: which notice it is about, and whether that is done or only received."""

    notice_id: NoticeId
    is_done: bool


def parse_answer(name: str, content: bytes) -> Answer | None:
    """Read a file ``notice-...``; None if it says nothing. Pure.

    The file is either empty and named ``notice-<number>.ack`` or ``.done``, or a JSON object of exactly ``notice``
    and ``state`` (``acknowledged`` or ``done``); upper case is read as lower case.
    """
    if not content:
        named = NAMED.fullmatch(name.lower())
        return Answer(NoticeId(named[1]), ENDS[named[named.re.groups]] == "done") if named else None
    said = read_members(content, "notice", "state")
    if said is None or not UUID.fullmatch(said["notice"]) or said["state"] not in ENDS.values():
        return None
    return Answer(NoticeId(said["notice"]), said["state"] == "done")


def judge_answer(answer: Answer | None, notice: Notice | None, principal: str | None) -> NoticeOutcome:
    """Decide what an answer does. Pure.

    ``principal``: the one whose prefix it lay under; None if the recipient told the desk.
    """
    if answer is None:
        return NoticeOutcome.UNREADABLE
    if notice is None:
        return NoticeOutcome.UNKNOWN_NOTICE
    if principal is not None and (notice.recipient != principal or notice.channel is not Channel.PREFIX):
        return NoticeOutcome.OTHER_PRINCIPAL
    if notice.state is NoticeState.DONE:
        return NoticeOutcome.ALREADY_DONE
    if answer.is_done:
        return NoticeOutcome.DONE
    return NoticeOutcome.ALREADY_ACKNOWLEDGED if notice.acknowledged_at else NoticeOutcome.ACKNOWLEDGED


def read_answers(house: House, now: datetime) -> InboxSweep:
    """Answer every ``acks/notice-*`` version that has no answer yet, oldest first.

    The time that counts is when the store took the file, not when it is read. Raises ServiceMissing when a store is
    away; other faults are counted, and tried again by the next sweep.
    """
    answer = partial(_answer, house, now)
    return sweep(house, "an answer about a notice", partial(_find, house), answer, partial(_give_refusals, house))


def acknowledge(
    conn: Connection,
    named: str,
    by: str,
    now: datetime,
    evidence_sha256: str,
    *,
    is_done: bool,
    reason: str | None = None,
) -> tuple[NoticeId, NoticeOutcome]:
    """Note what a recipient told the desk. ``evidence_sha256``: of the file that proves it.

    ``named``: the notice's number or an unambiguous beginning. ``reason``: a code or an IRI. Raises NotFound,
    Ambiguous, UsageError, NotByHand while nobody was told.
    """
    check_reason(reason)
    name, notice_id = check_name(by), notice_store.find_beginning(conn, named)
    with transaction(conn):
        notice = notice_store.get_notice(conn, notice_id, lock=True)
        if notice.state is NoticeState.OWED:
            raise NotByHand(Ref("notice", notice_id), Ref("state", notice.state))
        outcome = judge_answer(Answer(notice_id, is_done), notice, None)
        if outcome.moves:
            move = NoticeState(outcome)
            take(conn, notice, move, now, by=name, via="command", evidence_sha256=evidence_sha256, reason=reason)
    return notice_id, outcome


def note_sent(
    conn: Connection, named: str, by: str, now: datetime, evidence_sha256: str, *, reason: str | None = None
) -> NoticeId:
    """Note that the desk told a recipient that has no prefix.

    Raises NotFound, Ambiguous, UsageError, NotByHand for a notice that is told in another way, was told before, or
    tells of a decision that was taken back.
    """
    check_reason(reason)
    name, notice_id = check_name(by), notice_store.find_beginning(conn, named)
    with transaction(conn):
        notice = notice_store.get_notice(conn, notice_id, lock=True)
        if notice.channel is not Channel.DESK or notice.state is not NoticeState.OWED:
            raise NotByHand(Ref("notice", notice_id), Ref("state", notice.state), Ref("told by", notice.channel))
        if notice_store.is_over(conn, notice):
            raise NotByHand(Ref("notice", notice_id), Ref("state", "its decision was taken back"))
        sent = NoticeState.SENT
        take(conn, notice, sent, now, by=name, via="command", evidence_sha256=evidence_sha256, reason=reason)
    return notice_id


def _find(house: House, principal: Principal) -> tuple[list[StoredObject], list[AnswerFile]]:
    under = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "acks"))
    there = [item for item in under if is_of_notice(item.key)]
    return there, notice_store.find_answers(house.conn, there)


def _answer(house: House, now: datetime, principal: Principal, item: StoredObject) -> AnswerFile | None:
    """Read one version and record what it did; None if it has to wait or another worker has it."""
    content = read_small(house, item)
    answer = None if content is None else parse_answer(item.key.rsplit("/", 1)[-1], content)
    since = put_at(item, now)
    with transaction(house.conn):
        notice = notice_store.find_notice(house.conn, answer.notice_id, lock=True) if answer else None
        outcome = judge_answer(answer, notice, principal)
        if notice and outcome.moves and notice.told_at is None:
            return None  # the notice's file is there, but not recorded yet
        file = AnswerFile(
            principal, item.bucket, item.key, item.version_id, notice.notice_id if notice else None, outcome, now
        )
        if not notice_store.insert_answer(house.conn, file):
            return None
        if notice and outcome.moves:
            at = max(since, notice.told_at or since)
            evidence = hashlib.sha256(content or b"").hexdigest()
            take(house.conn, notice, NoticeState(outcome), at, by=principal, via="file", evidence_sha256=evidence)
        else:
            _refuse(house.conn, file)
    return file


def _refuse(conn: Connection, file: AnswerFile) -> None:
    body = NoticeAnswerRefused(
        principal=file.principal,
        outcome=file.outcome,
        notice_id=file.notice_id,
        bucket=file.bucket,
        key=withheld_unless_safe(file.key, NO_FLOW),
        version_id=file.version_id,
    )
    kind = EntryKind.NOTICE_ANSWER_REFUSED
    append(conn, chain=principal_chain(file.principal), kind=kind, exchange_id=None, body=body)
    log.warning("an answer of %s about a notice changes nothing: %s", file.principal, file.outcome)


def _give_refusals(house: House, principal: str, files: Sequence[AnswerFile]) -> int:
    """Give a notice for each answer that changed nothing, unless there is one already; return how many."""
    refused = {
        f"{principal}/notices/notice-ack-{file.version_id}.json": file for file in files if not file.outcome.moves
    }
    missing = find_missing(house, principal, refused)
    for key in missing:
        give_notice(house, key, refused_document(refused[key]))
    return len(missing)
