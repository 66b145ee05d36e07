"""Take one move of a notice in one transaction: its row and its ledger entry are written together, or not at all."""

from dataclasses import replace
from datetime import datetime

from sluice.db import Connection, transaction
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.ledger.noticed import NoticeMoved
from sluice.rights.case import store
from sluice.rights.case.model import SYSTEM
from sluice.rights.notices import notice_store
from sluice.rights.notices.model import Notice, NoticeState
from sluice.rights.notices.states import moved
from sluice.times import utc_text


def take(
    conn: Connection,
    notice: Notice,
    to: NoticeState,
    at: datetime,
    *,
    by: str = SYSTEM.name,
    via: str = "system",
    evidence_sha256: str | None = None,
    reason: str | None = None,
) -> bool:
    """Move a notice and append the ledger entry; return False if another worker has moved it since it was read."""
    changed = moved(notice, to, at)
    if to is NoticeState.SENT:
        changed = replace(changed, sha256=evidence_sha256)
    with transaction(conn):
        stands = notice_store.get_notice(conn, notice.notice_id, lock=True)
        if (stands.state, stands.reminders, stands.due_at) != (notice.state, notice.reminders, notice.due_at):
            return False
        notice_store.update_notice(conn, changed)
        part = store.find_part(conn, notice.sub_case_id)
        assert part is not None  # the notice refers to it
        body = NoticeMoved(
            notice_id=notice.notice_id,
            sub_case_id=notice.sub_case_id,
            recipient=notice.recipient,
            from_state=notice.state,
            to_state=to,
            at=utc_text(at),
            by=by,
            via=via,
            evidence_sha256=evidence_sha256,
            was_late=changed.was_late,
            reason=reason,
        )
        entry = append(conn, chain=part.chain, kind=EntryKind.NOTICE_MOVED, exchange_id=None, body=body)
        if to is NoticeState.SENT:
            notice_store.note_entry(conn, notice.notice_id, entry.hash.hex())
    return True
