"""Notices in PostgreSQL: all SQL about them is here. A state changes together with its ledger entry, or not at all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.exchange.beginning import get_by_beginning
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.model import EntryKind
from sluice.rights.case.desk_store import DECISION
from sluice.rights.case.model import Action, CaseId, Protection, SubCase, SubCaseId
from sluice.rights.case.states import OVER, UNDECIDED
from sluice.rights.notices.model import AnswerFile, Channel, Notice, NoticeId, NoticeOutcome, NoticeState, Side
from sluice.rights.notices.states import LATE
from sluice.terms import ExchangeId, Principal

_COLUMNS = tuple(each.name for each in fields(Notice) if each.name != "is_withdrawn")
_CAST = {"notice_id": "::text", "sub_case_id": "::text", "case_id": "::text", "exchanges": "::text[]"}

_STANDS = f"f.decision = {DECISION}"
"""SQL of whether what was found out, ``f``, is of the decision that stands on part ``s``, or of its last one."""
_IS_OVER = f"""n.state = 'OWED' and exists (select from sub_case s
    where s.sub_case_id = n.sub_case_id and n.decision < {DECISION})"""
"""SQL of a notice of a decision that was taken back before anybody was told of it: it is withdrawn."""
_LATE = f"""(n.state = any(%(late)s) or n.state = 'OWED' and n.channel = 'desk') and not ({_IS_OVER})
    and exists (select from sub_case p where p.sub_case_id = n.sub_case_id and p.state <> 'WITHDRAWN_BY_SUBJECT')"""
_LATE_STATES = {"late": sorted(LATE)}
NEVER_GOES = f"""({_IS_OVER} or n.state = 'OWED' and n.channel = 'prefix'
    and exists (select from sub_case w where w.sub_case_id = n.sub_case_id and w.state = 'WITHDRAWN_BY_SUBJECT'))"""
"""SQL of a notice that nobody sends and nobody can tell by hand: its decision was taken back first, or it would have
been sent as a file, but its part was withdrawn first."""
_NOTICE = ", ".join(
    [*(f"n.{name}{_CAST.get(name, '')} as {name}" for name in _COLUMNS), f"{NEVER_GOES} as is_withdrawn"]
)


def find_unasked(
    conn: Connection, decided: Iterable[str], carried_out: Iterable[str]
) -> list[tuple[CaseId, SubCaseId]]:
    """Parts of whose decision nobody has found out yet who has to be told.

    Erasures and corrections are looked at once they were carried out, because only then it is known what came of
    them; other decisions as soon as they are made.
    """
    rows = conn.execute(
        f"""select s.case_id::text as case_id, s.sub_case_id::text as sub_case_id from sub_case s
            where s.action <> 'refuse'
              and s.state = any(case when s.action in ('erase', 'rectify') then %s::text[] else %s::text[] end)
              and not exists (select from propagation f where f.sub_case_id = s.sub_case_id and {_STANDS})
            order by s.case_id, s.sub_case_id""".encode(),
        (list(carried_out), [*decided, *carried_out]),
    ).fetchall()
    return [(CaseId(row["case_id"]), SubCaseId(row["sub_case_id"])) for row in rows]


def find_decision(conn: Connection, sub_case_id: str) -> int:
    """Which decision stands on a part, or was the last one: how often one was taken back before it."""
    row = conn.execute(
        f"select {DECISION} as decision from sub_case s where s.sub_case_id = %s".encode(), (sub_case_id,)
    ).fetchone()
    return int(row["decision"]) if row else 0


def is_over(conn: Connection, notice: Notice) -> bool:
    """Whether the decision that a notice tells of was taken back."""
    return notice.decision < find_decision(conn, notice.sub_case_id)


def insert_propagation(
    conn: Connection, sub_case_id: str, decision: int, notices: Sequence[Notice], found_at: datetime, entry_hash: str
) -> None:
    """Store who has to be told of a decision on a part. Call this in the transaction that appended the entry."""
    conn.execute(
        """insert into propagation (sub_case_id, decision, recipients, found_at, entry_hash)
           values (%s, %s, %s, %s, %s)""",
        (sub_case_id, decision, len(notices), found_at, entry_hash),
    )
    marks = ", ".join(f"%({name})s" for name in _COLUMNS)
    with conn.cursor() as cursor:
        cursor.executemany(
            f"insert into notice ({', '.join(_COLUMNS)}) values ({marks})".encode(),
            [{name: _plain(getattr(notice, name)) for name in _COLUMNS} for notice in notices],
        )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def find_propagation(conn: Connection, sub_case_id: str) -> str | None:
    """The hash of the entry that says who has to be told of a part; None while nobody has found out."""
    row = conn.execute(
        f"""select f.entry_hash from propagation f join sub_case s using (sub_case_id)
            where f.sub_case_id = %s and {_STANDS}""".encode(),
        (sub_case_id,),
    ).fetchone()
    return row["entry_hash"] if row else None


def count_recipients(conn: Connection, sub_case_id: str) -> int:
    """How many have to be told of a part; 0 while nobody has found out."""
    row = conn.execute(
        f"""select f.recipients from propagation f join sub_case s using (sub_case_id)
            where f.sub_case_id = %s and {_STANDS}""".encode(),
        (sub_case_id,),
    ).fetchone()
    return int(row["recipients"]) if row else 0


def find_kept_out(conn: Connection, part: SubCase, reason: Protection | None, but: Iterable[str] = ()) -> str | None:
    """The hash of the entry that says that the persons of a part are kept out, as decided; None while they are not.

    ``but``: ids of runs that carry out something else.
    """
    row = conn.execute(
        """select coalesce(r.entry_hash, (select encode(e.hash, 'hex') from ledger.entry e
                   where e.chain = 'principal.' || r.principal and e.kind = %(kind)s
                     and convert_from(e.body, 'UTF8')::json ->> 'run_id' = r.run_id::text
                   order by e.seq limit 1)) as hash
           from suppression_run r
           where r.case_id = %(case)s and r.principal = %(principal)s and r.reason = %(reason)s and r.lifted_at is null
             and r.run_id <> all(%(but)s::uuid[])
           order by r.made_at, r.run_id limit 1""",
        {
            "kind": EntryKind.SUPPRESSION_CHANGED.value,
            "case": part.case_id,
            "principal": part.principal,
            "reason": reason.value if reason else None,
            "but": list(but),
        },
    ).fetchone()
    return row["hash"] if row else None


def count_untold(conn: Connection, sub_case_id: str) -> int | None:
    """How many recipients of a part were not told yet; None while nobody has found out who they are."""
    row = conn.execute(
        f"""select (select count(*) from notice n where n.sub_case_id = f.sub_case_id and n.decision = f.decision
                    and n.told_at is null) as untold
            from propagation f join sub_case s using (sub_case_id) where f.sub_case_id = %s and {_STANDS}""".encode(),
        (sub_case_id,),
    ).fetchone()
    return int(row["untold"]) if row else None


def are_recipients_told(conn: Connection, part: SubCase) -> bool:
    """Whether the recipients of a part are known and were all told (Art. 19). A refusal is told to none."""
    return part.action is Action.REFUSE or count_untold(conn, part.sub_case_id) == 0


def is_recipient(conn: Connection, name: str) -> bool:
    """Whether a notice is, or was, for a recipient of this name: the code of a principal, or the name on its record."""
    row = conn.execute("select exists (select from notice where recipient = %s) as has", (name,)).fetchone()
    return bool(row and row["has"])


def list_notices(
    conn: Connection,
    *,
    case_id: str | None = None,
    recipient: str | None = None,
    states: Iterable[NoticeState] = (),
    withdrawn: bool | None = None,
    limit: int | None = 200,
) -> list[Notice]:
    """Notices, newest first. ``states``: only these; all if empty.

    ``withdrawn``: True for those only that never go, False for those only that do; None for both.
    """
    wanted = "" if withdrawn is None else f"and {NEVER_GOES} = %(withdrawn)s"
    rows = conn.execute(
        f"""select {_NOTICE} from notice n
            where (%(case)s::uuid is null or n.case_id = %(case)s)
              and (%(recipient)s::text is null or n.recipient = %(recipient)s)
              and (%(states)s::text[] = '{{}}' or n.state = any(%(states)s)) {wanted}
            order by n.found_at desc, n.recipient, n.notice_id limit %(limit)s""".encode(),
        {
            "case": case_id,
            "recipient": recipient,
            "states": [each.value for each in states],
            "limit": limit,
            "withdrawn": withdrawn,
        },
    ).fetchall()
    return [_notice(row) for row in rows]


def list_late(conn: Connection, limit: int) -> list[Notice]:
    """Notices that are late, and those that the desk has to send, those due longest first."""
    rows = conn.execute(
        f"""select {_NOTICE} from notice n where {_LATE}
            order by n.due_at nulls last, n.found_at, n.notice_id limit %(limit)s""".encode(),
        {**_LATE_STATES, "limit": limit},
    ).fetchall()
    return [_notice(row) for row in rows]


def count_late(conn: Connection) -> int:
    """How many notices :func:`list_late` would return without limit."""
    row = conn.execute(f"select count(*) as n from notice n where {_LATE}".encode(), _LATE_STATES).fetchone()
    return int(row["n"]) if row else 0


def find_to_tell(conn: Connection) -> list[NoticeId]:
    """Notices that still have to be put as a file, without those that never go; oldest first."""
    rows = conn.execute(
        f"""select n.notice_id::text as id from notice n
            where n.state = 'OWED' and n.channel = 'prefix' and not {NEVER_GOES}
            order by n.found_at, n.notice_id""".encode()
    ).fetchall()
    return [NoticeId(row["id"]) for row in rows]


def find_without_receipt(conn: Connection) -> list[Notice]:
    """Notices that were told by a file and have no receipt yet, because a worker died; oldest first."""
    rows = conn.execute(
        f"""select {_NOTICE} from notice n
            where n.channel = 'prefix' and n.told_at is not null and n.receipted_at is null
            order by n.told_at, n.notice_id""".encode()
    ).fetchall()
    return [_notice(row) for row in rows]


def find_notice(conn: Connection, notice_id: str, *, lock: bool = False) -> Notice | None:
    """One notice by its number, or None. ``lock``: hold it until the transaction ends."""
    end = "for update of n" if lock else ""
    row = conn.execute(f"select {_NOTICE} from notice n where notice_id = %s {end}".encode(), (notice_id,)).fetchone()
    return _notice(row) if row else None


def get_notice(conn: Connection, notice_id: str, *, lock: bool = False) -> Notice:
    """One notice by its number. Raises NotFound."""
    found = find_notice(conn, notice_id, lock=lock)
    if found is None:
        raise NotFound(Ref("notice", notice_id))
    return found


def find_stopped(conn: Connection, notice: Notice) -> tuple[tuple[str, ...], str | None]:
    """The purposes (DPV IRIs) and channel that the request behind a notice stops at its principal; empty: all."""
    row = conn.execute(
        """select purposes, channel from suppression_run
           where case_id = %s and principal = %s and reason in ('objected', 'consent_withdrawn')
           order by bases = '{}' limit 1""",
        (notice.case_id, notice.principal),
    ).fetchone()
    return (tuple(row["purposes"]), row["channel"]) if row else ((), None)


def find_done(conn: Connection) -> list[Notice]:
    """Notices that are done or never sent, whose file may still name a person because a worker died half-way."""
    rows = conn.execute(
        f"""select {_NOTICE} from notice n
            where n.channel = 'prefix' and n.dropped_at is null and (n.state = 'DONE' or {NEVER_GOES})
            order by n.done_at, n.notice_id""".encode()
    ).fetchall()
    return [_notice(row) for row in rows]


def find_beginning(conn: Connection, beginning: str) -> NoticeId:
    """The one notice whose number begins with this. Raises NotFound, Ambiguous."""
    return NoticeId(get_by_beginning(conn, "notice", beginning, "select notice_id as id from notice"))


def update_notice(conn: Connection, notice: Notice) -> None:
    """Write what a move can change in a notice. The notice must be locked."""
    conn.execute(
        """update notice set state = %(state)s, told_at = %(told_at)s, due_at = %(due_at)s, sha256 = %(sha256)s,
               acknowledged_at = %(acknowledged_at)s, done_at = %(done_at)s, was_late = %(was_late)s,
               reminders = %(reminders)s, reminded_at = %(reminded_at)s, escalated_at = %(escalated_at)s
           where notice_id = %(notice_id)s""",
        {name: _plain(getattr(notice, name)) for name in _COLUMNS},
    )


def note_entry(conn: Connection, notice_id: NoticeId, entry_hash: str) -> None:
    """Note which ledger entry says that a notice was sent; its receipt is made from that entry."""
    conn.execute("update notice set entry_hash = %s where notice_id = %s", (entry_hash, notice_id))


def mark_receipted(conn: Connection, notice_id: NoticeId, at: datetime) -> None:
    """Note that the receipt lies beside the notice."""
    conn.execute("update notice set receipted_at = %s where notice_id = %s", (at, notice_id))


def mark_dropped(conn: Connection, notice_id: NoticeId, at: datetime) -> None:
    """Note that the file that named a person is gone."""
    conn.execute("update notice set dropped_at = %s where notice_id = %s", (at, notice_id))


def insert_answer(conn: Connection, file: AnswerFile) -> bool:
    """Store what one version under acks/ did; return False if that was stored already."""
    row = conn.execute(
        """insert into notice_answer (principal, bucket, key, version_id, notice_id, outcome, seen_at)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing returning 1""",
        (file.principal, file.bucket, file.key, file.version_id, file.notice_id, file.outcome.value, file.seen_at),
    ).fetchone()
    return row is not None


def find_answers(conn: Connection, items: Sequence[StoredObject]) -> list[AnswerFile]:
    """The stored answers to these versions."""
    rows = conn.execute(
        """select f.principal, f.bucket, f.key, f.version_id, f.notice_id::text as notice_id, f.outcome, f.seen_at
           from unnest(%s::text[], %s::text[], %s::text[]) as a(bucket, key, version_id)
           join notice_answer f using (bucket, key, version_id)""",
        ([i.bucket for i in items], [i.key for i in items], [i.version_id for i in items]),
    ).fetchall()
    return [_answer(row) for row in rows]


def list_answers(conn: Connection, principal: str | None = None, limit: int = 200) -> list[AnswerFile]:
    """What was put under acks/ about notices, and what it did, newest first."""
    rows = conn.execute(
        """select principal, bucket, key, version_id, notice_id::text as notice_id, outcome, seen_at
           from notice_answer where (%(principal)s::text is null or principal = %(principal)s)
           order by seen_at desc, key, version_id limit %(limit)s""",
        {"principal": principal, "limit": limit},
    ).fetchall()
    return [_answer(row) for row in rows]


def find_open_requests(conn: Connection, principal: Principal, but: str | None) -> tuple[str, ...]:
    """Beginnings of the keys under which a principal was told of requests that are not over.

    ``but``: leave out those of this case.
    """
    rows = conn.execute(
        """select sub_case_id::text as id from sub_case
           where principal = %s and case_id is distinct from %s and state <> all(%s)""",
        (principal, but, sorted(OVER)),
    ).fetchall()
    return tuple(f"{principal}/notices/case-{row['id']}" for row in rows)


def find_undecided(conn: Connection, principal: Principal, case_id: str | None) -> tuple[str, ...]:
    """Beginnings of the keys under which a principal was told of this request, while it still has to decide."""
    rows = conn.execute(
        """select sub_case_id::text as id from sub_case
           where principal = %s and case_id is not distinct from %s and state = any(%s)""",
        (principal, case_id, sorted(UNDECIDED)),
    ).fetchall()
    return tuple(f"{principal}/notices/case-{row['id']}" for row in rows)


def find_over(conn: Connection, principal: Principal) -> tuple[str, ...]:
    """Keys of the notices that forwarded requests to a principal, for requests that are over."""
    rows = conn.execute(
        "select sub_case_id::text as id from sub_case where principal = %s and state = any(%s)",
        (principal, sorted(OVER)),
    ).fetchall()
    return tuple(f"{principal}/notices/case-{row['id']}.json" for row in rows)


def _answer(row: Mapping[str, Any]) -> AnswerFile:
    return AnswerFile(**{**row, "outcome": NoticeOutcome(row["outcome"])})


def _notice(row: Mapping[str, Any]) -> Notice:
    return Notice(
        **{
            **row,
            "notice_id": NoticeId(row["notice_id"]),
            "sub_case_id": SubCaseId(row["sub_case_id"]),
            "case_id": CaseId(row["case_id"]),
            "side": Side(row["side"]),
            "channel": Channel(row["channel"]),
            "action": Action(row["action"]),
            "state": NoticeState(row["state"]),
            "field_groups": tuple(row["field_groups"]),
            "exchanges": tuple(map(ExchangeId, row["exchanges"])),
        }
    )
