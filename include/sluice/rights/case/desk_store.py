"""Find the open cases that wait for a person of the center, in SQL; ``next_step`` has the same rule for one case."""

from collections.abc import Mapping, Sequence

from sluice.db import Connection
from sluice.rights.case.clock_store import WORDS as CLOCK_WORDS
from sluice.rights.case.letter_due import GIVEN
from sluice.rights.case.letter_store import OVERTAKEN
from sluice.rights.case.model import Action, CaseId
from sluice.rights.case.states import IDENTITY_NOT_ASKED, LEFT_TO_CALL, LEFT_TO_DECIDE, OVER, TO_CARRY_OUT

_WHOLE = """(p.action = 'refuse' or p.action = 'restrict' and c."right" <> 'restriction')"""
"""SQL of ``letter_due.is_refused_whole``; a part that nobody decided is not."""
_ANSWERS = "(p.track = 'controller' or p.may_answer)"
"""SQL of ``letter_due.answers``."""
_UNTOLD = f"""({_ANSWERS} and not p.state = any(%(over)s)
              and c.state = any(%(identity_not_asked)s)
              and ({_WHOLE} or not (p.action = 'rectify' and p.track = 'processor')
                   and cardinality(p.action_fields) > 0 and not p.field_groups <@ p.action_fields)
              and exists (select from sub_case w where w.case_id = c.case_id
                          and {_WHOLE.replace("p.", "w.")} is not true))"""
"""SQL of whether a part ``p`` of a case ``c`` has reasons that wait until the desk settles the identity of the person;
must agree with ``letter_due.waits_for_identity``."""
RESTRICTED_SINCE = "SLU-569"
"""The code with which an erasure waits; that of ``erasure.restricted.RestrictedSince``."""
_RESTRICTED = f"""(exists (select from erasure_run r where r.case_id = p.case_id and r.error = '{RESTRICTED_SINCE}')
              and exists (select from suppression_run s left join subject_case a using (case_id)
                where s.principal = p.principal and s.lifted_at is null and s.case_id is distinct from p.case_id
                  and (s.reason = 'restricted' or s.reason = 'soft_hold' and a."right" = 'restriction')))"""
"""SQL of whether the erasure of a part ``p`` waits, because the person asked to have the same data restricted since,
decided or not; which restrictions count must agree with ``needed_store.find_restricted``."""
DECISION = """(select count(*) from case_transition t
    where t.case_id = s.case_id and t.sub_case_id = s.sub_case_id and t.from_state = 'INSTRUCTED'
      and t.to_state in ('ESCALATED', 'AWAITING_INSTRUCTION'))"""
"""SQL of how often the decision on a part ``s`` was taken back; that number names the decision."""
_BY_HAND = f"""(not p.state = any(%(over)s) and exists (select from notice n join sub_case s using (sub_case_id)
                where n.sub_case_id = p.sub_case_id and n.state = 'OWED' and n.channel = 'desk'
                  and n.decision >= {DECISION}))"""
"""SQL of whether the desk still has to tell a recipient of a part ``p``: one without a prefix, of the decision that
stands."""
OURS = f"""(c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT') and (
        not exists (select from sub_case p where p.case_id = c.case_id)
        or exists (select from sub_case p where p.case_id = c.case_id and (
            p.track = 'processor' and p.state = any(%(left_to_call)s)
            or p.track = 'controller' and p.state = any(%(left_to_decide)s) and c.state <> 'ID_PENDING'
            or {_ANSWERS} and p.state = any(%(to_carry_out)s) and p.action = any(%(given)s)
              and c.state = any(%(identity_not_asked)s)
            or {_UNTOLD}
            or p.action = %(erase)s and p.state = any(%(to_carry_out)s) and exists (
                select from erasure_plan e where e.case_id = p.case_id and e.principal = p.principal
                  and e.ended_at is null and e.released_at is null)
            or p.action = %(erase)s and p.state = any(%(to_carry_out)s) and {_RESTRICTED}
            or p.action = %(rectify)s and p.state = any(%(to_carry_out)s)
            or {_BY_HAND}))
        or exists (select from case_letter l where l.case_id = c.case_id and l.language = c.language
            and not exists (select from case_letter_opened o where
                (o.case_id, o.kind, o.scope, o.language) = (l.case_id, l.kind, l.scope, l.language))
            and not exists ({OVERTAKEN})
            and (cardinality(l.sub_cases) = 0 or exists (select from sub_case p
                where p.sub_case_id = any(l.sub_cases) and not p.state = any(%(answered)s))))))"""
"""SQL of whether the next step of a case ``c`` is ours; must agree with ``NextStep.is_ours``.

A test compares them in every state of a case and of its parts, with every action (tests/web/test_today.py)."""
WORDS: Mapping[str, object] = {
    "answered": CLOCK_WORDS["answered"],
    "left_to_call": sorted(state.value for state in LEFT_TO_CALL),
    "left_to_decide": sorted(state.value for state in LEFT_TO_DECIDE),
    "to_carry_out": sorted(state.value for state in TO_CARRY_OUT),
    "identity_not_asked": sorted(state.value for state in IDENTITY_NOT_ASKED),
    "over": sorted(state.value for state in OVER),
    "given": sorted(action.value for action in GIVEN),
    "erase": Action.ERASE.value,
    "rectify": Action.RECTIFY.value,
}


def count_ours(conn: Connection) -> int:
    """Count the open cases that wait for a person of the center."""
    row = conn.execute(f"select count(*) as n from subject_case c where {OURS}".encode(), dict(WORDS)).fetchone()
    return int(row["n"]) if row else 0


def find_planned(conn: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, frozenset[str]]:
    """Per case, the principals at which a plan of its erasure waits for release. A case without any is left out."""
    rows = conn.execute(
        """select case_id::text as case_id, array_agg(principal) as principals from erasure_plan
           where ended_at is null and released_at is null and case_id = any(%s::uuid[]) group by case_id""",
        (list(case_ids),),
    ).fetchall()
    return {CaseId(row["case_id"]): frozenset(row["principals"]) for row in rows}


def find_restricted(conn: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, frozenset[str]]:
    """Per case, the principals at which its erasure waits for a restriction. A case without any is left out."""
    rows = conn.execute(
        f"""select p.case_id::text as case_id, array_agg(p.principal) as principals from sub_case p
            where p.case_id = any(%s::uuid[]) and {_RESTRICTED} group by p.case_id""".encode(),
        (list(case_ids),),
    ).fetchall()
    return {CaseId(row["case_id"]): frozenset(row["principals"]) for row in rows}


def find_by_hand(conn: Connection, case_ids: Sequence[CaseId]) -> dict[CaseId, frozenset[str]]:
    """Per case, the numbers of the parts of which the desk has to tell a recipient. A case without any is left out."""
    rows = conn.execute(
        f"""select p.case_id::text as case_id, array_agg(p.sub_case_id::text) as parts from sub_case p
            where p.case_id = any(%(cases)s::uuid[]) and {_BY_HAND} group by p.case_id""".encode(),
        {"cases": list(case_ids), "over": WORDS["over"]},
    ).fetchall()
    return {CaseId(row["case_id"]): frozenset(row["parts"]) for row in rows}
