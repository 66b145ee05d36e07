"""SQL about who is kept out while a request is open, and until when."""

from typing import NamedTuple

from sluice.db import Connection
from sluice.rights.case.model import CaseId
from sluice.terms import Principal

_PROVEN_AT = """exists (select from case_transition t join sub_case p using (sub_case_id)
    where t.case_id = r.case_id and p.principal = r.principal and t.reason_code = 'ERASED')"""
"""Whether a part of principal ``r.principal`` took its step on the proof that the person is erased there."""

_NO_GROUND = """exists (select from sub_case p where p.case_id = r.case_id and p.principal = r.principal)
    and not exists (select from sub_case p where p.case_id = r.case_id and p.principal = r.principal
        and (p.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT') or p.state = 'CLOSED'
            and p.action = case r.reason when 'restricted' then 'restrict' else 'stop' end))
    and (r.reason = 'restricted' or r.reason = 'objected' and r.bases <> '{}' and c."right" = 'objection')"""
"""Whether every part of principal ``r.principal`` is over and none of them decided what run ``r`` carries out: whoever
decided it took that back. An objection to direct marketing, alone (which reaches every basis) or within a general one,
stands without anybody's decision (Art. 21(3))."""


class OpenProtection(NamedTuple):
    """A case that keeps its person out at a principal."""

    case_id: CaseId
    principal: Principal


def find_open_protections(conn: Connection) -> list[OpenProtection]:
    """Return every protection that has not ended.

    If a request was taken back, what it restricted, objected to or erased counts as a protection too, except an erasure
    that had been proven there. So does a restriction or an upheld objection that nobody decides any more.
    """
    rows = conn.execute(
        f"""select r.case_id::text as case_id, r.principal from suppression_run r join subject_case c using (case_id)
           where r.lifted_at is null
             and (r.reason = 'soft_hold'
                  or c.state = 'WITHDRAWN_BY_SUBJECT' and (r.reason in ('restricted', 'objected')
                      or r.reason = 'erased' and not {_PROVEN_AT})
                  or {_NO_GROUND})
           group by r.case_id, r.principal order by min(r.made_at), r.case_id, r.principal""".encode()
    ).fetchall()
    return [OpenProtection(CaseId(row["case_id"]), Principal(row["principal"])) for row in rows]


def is_proven_at(conn: Connection, case_id: CaseId, principal: str) -> bool:
    """Whether a part of this principal took its step on the proof that the person is erased there."""
    row = conn.execute(
        f"select {_PROVEN_AT} as is_proven from (select %s::uuid as case_id, %s as principal) r".encode(),
        (case_id, principal),
    ).fetchone()
    return bool(row and row["is_proven"])


def find_protected(conn: Connection) -> dict[CaseId, set[str]]:
    """Return the principals where each open case keeps, or kept, somebody out."""
    rows = conn.execute(
        """select distinct r.case_id::text as case_id, r.principal
           from suppression_run r join subject_case c using (case_id)
           where c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')"""
    ).fetchall()
    found: dict[CaseId, set[str]] = {}
    for row in rows:
        found.setdefault(CaseId(row["case_id"]), set()).add(row["principal"])
    return found
