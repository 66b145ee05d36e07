"""SQL about cases whose sealed material is due to go. No other module has any."""

from dataclasses import dataclass
from datetime import datetime

from sluice.db import Connection
from sluice.rights.case.model import CaseId
from sluice.rights.notices.notice_store import NEVER_GOES


@dataclass(frozen=True, slots=True)
class Closed:
    """A case that is over, and what is still open about it. ``objects``: None until its removal has begun."""

    case_id: CaseId
    closed_at: datetime
    has_complaint: bool
    notices_open: int
    holds: int
    objects: int | None
    asked_by: str | None
    removed_at: datetime | None


_CLOSED = f"""select c.case_id::text as case_id, max(t.at) as closed_at, c.has_complaint,
        (select count(*) from notice n where n.case_id = c.case_id and n.state <> 'DONE'
            and not ({NEVER_GOES})) as notices_open,
        (select count(*) from suppression_run r where r.case_id = c.case_id and r.lifted_at is null
            and r.reason in ('soft_hold', 'restricted')) as holds,
        d.objects, d.asked_by, d.removed_at
    from subject_case c
    join case_transition t on t.case_id = c.case_id and t.sub_case_id is null and t.to_state = c.state
    left join case_tidied d on d.case_id = c.case_id
    where c.state in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')"""


def find_closed(conn: Connection, before: datetime) -> list[Closed]:
    """Return the cases closed before a moment whose material is not gone, oldest first."""
    rows = conn.execute(
        f"""{_CLOSED} and d.removed_at is null
            group by c.case_id, d.case_id having max(t.at) < %s order by closed_at, case_id""".encode(),
        (before,),
    ).fetchall()
    return [Closed(**{**row, "case_id": CaseId(row["case_id"])}) for row in rows]


def find_case(conn: Connection, case_id: CaseId) -> Closed | None:
    """Return one case, or None while it is open."""
    row = conn.execute(f"{_CLOSED} and c.case_id = %s group by c.case_id, d.case_id".encode(), (case_id,)).fetchone()
    return Closed(**{**row, "case_id": CaseId(row["case_id"])}) if row else None


def begin(conn: Connection, case_id: CaseId, objects: int, by: str, at: datetime) -> None:
    """Note that the removal begins. The first note counts. Call with the case locked."""
    conn.execute(
        """insert into case_tidied (case_id, objects, asked_by, begun_at) values (%s, %s, %s, %s)
           on conflict do nothing""",
        (case_id, objects, by, at),
    )


def end(conn: Connection, case_id: CaseId, at: datetime) -> tuple[int, str] | None:
    """Note that everything is gone, and return how many objects, and who asked. None if another worker was first."""
    row = conn.execute(
        """update case_tidied set removed_at = greatest(begun_at, %s) where case_id = %s and removed_at is null
           returning objects, asked_by""",
        (at, case_id),
    ).fetchone()
    return (row["objects"], row["asked_by"]) if row else None
