"""SQL about what persons still need: what they restricted, and the answers that they are owed."""

from datetime import date

from sluice.db import Connection
from sluice.rights.case.model import CaseId
from sluice.rights.case.states import NOT_ANSWERED, OVER, UNDECIDED
from sluice.terms import Principal


def find_restricted(conn: Connection, principal: Principal) -> list[str]:
    """Suppression runs that restrict data now, or that hold persons who asked for that until it is decided."""
    rows = conn.execute(
        """select r.run_id::text as id from suppression_run r left join subject_case c using (case_id)
           where r.principal = %s and r.lifted_at is null
             and (r.reason = 'restricted' or r.reason = 'soft_hold' and c."right" = 'restriction') order by r.run_id""",
        (principal,),
    ).fetchall()
    return [row["id"] for row in rows]


def find_decided(conn: Connection, principal: Principal) -> list[str]:
    """Parts of open requests whose data is to be given and that have no answer yet."""
    rows = conn.execute(
        """select s.sub_case_id::text as id from sub_case s join subject_case c using (case_id)
           where s.principal = %s and s.action in ('give', 'export') and s.state = any(%s) and c.state <> all(%s)
           order by s.sub_case_id""",
        (principal, sorted(NOT_ANSWERED), sorted(OVER)),
    ).fetchall()
    return [row["id"] for row in rows]


def find_undecided(conn: Connection, principal: Principal, on: date) -> list[CaseId]:
    """Open requests for access or portability of which a part here is undecided on a Brussels day.

    Left out are those whose identity check failed, and those that no extension lets anybody answer in time any more.
    """
    rows = conn.execute(
        """select distinct s.case_id::text as id from sub_case s join subject_case c using (case_id)
           where s.principal = %s and s.action is null and s.state = any(%s) and c.state <> all(%s)
             and c."right" in ('access', 'portability') and not c.has_failed_identity and c.extended_due >= %s
           order by 1""",
        (principal, sorted(UNDECIDED), sorted(OVER), on),
    ).fetchall()
    return [CaseId(row["id"]) for row in rows]
