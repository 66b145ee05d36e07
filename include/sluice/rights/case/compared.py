"""Compare the steps and states of cases with the ledger, which has every step."""

from sluice.db import Connection
from sluice.ledger.model import Difference

_STEPS = """
    with kept as (
        select transition_id::text as row, jsonb_build_array(case_id, sub_case_id, from_state, to_state, actor_role,
                   actor, date_trunc('milliseconds', at), reason_code, evidence_sha256, reasons)::text as said
        from case_transition
    ), told as (
        select chain || ' ' || seq as row, jsonb_build_array(r -> 'case_id', r -> 'sub_case_id', r -> 'from_state',
                   r -> 'to_state', r -> 'actor_role', r -> 'actor', (r ->> 'at')::timestamptz, r -> 'reason_code',
                   r -> 'evidence_sha256', r -> 'reasons')::text as said
        from ledger.entry, lateral (select convert_from(body, 'UTF8')::jsonb as r) record
        where kind = 'case.transitioned'
    )
    select coalesce(k.row, t.row) as row,
           array[case when t.row is null then 'not in the ledger' else 'not in the table' end] as columns
    from (select *, row_number() over (partition by said order by row) as n from kept) k
    full join (select *, row_number() over (partition by said order by row) as n from told) t using (said, n)
    where k.row is null or t.row is null
"""

_STATES = """
    with last as (
        select distinct on (case_id, sub_case_id) case_id, sub_case_id, to_state
        from case_transition order by case_id, sub_case_id, transition_id desc
    )
    select each.{id}::text as row, array['state'] as columns
    from {table} each left join last on last.{id} = each.{id} {of_itself}
    where each.state is distinct from last.to_state
"""


def find_differing(conn: Connection) -> list[Difference]:
    """Find steps of cases that differ from the ledger, and cases or parts that do not stand where their last step led.

    A step that somebody changed shows twice: its row is not in the ledger, and the entry (chain and number) is not in
    the table.
    """
    queries = (
        ("case_transition", _STEPS),
        ("subject_case", _STATES.format(table="subject_case", id="case_id", of_itself="and last.sub_case_id is null")),
        ("sub_case", _STATES.format(table="sub_case", id="sub_case_id", of_itself="")),
    )
    return [
        Difference(table, row["row"], tuple(row["columns"]))
        for table, query in queries
        for row in conn.execute(f"select * from ({query}) found order by row".encode())
    ]
