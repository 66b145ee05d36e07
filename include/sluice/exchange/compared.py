"""Compare the tables of exchanges with the ledger, which they repeat so that lists and registers are fast.

Who can write to the database but not to the ledger could change a decision or a count there, and every page would show
that. Both are read in one query, so in one view of the database.
"""

from sluice.db import Connection
from sluice.ledger.model import Difference

_EXCHANGES = """
    with told as materialized (
        select exchange_id, chain, encode(hash, 'hex') as entry_hash, r #>> '{who,principal}' as principal,
               r ->> 'direction' as direction, r ->> 'flow' as flow, r #>> '{what,bucket}' as bucket,
               r #>> '{what,version_id}' as version_id, (r ->> 'opened_at')::timestamptz as opened_at,
               (r ->> 'closed_at')::timestamptz as closed_at, r ->> 'decision' as decision,
               r ->> 'reason_code' as reason_code, r #>> '{what,sha256}' as sha256,
               (r #>> '{what,rows_in}')::bigint as rows_in, (r #>> '{what,rows_accepted}')::bigint as rows_accepted,
               (r #>> '{what,rows_refused}')::bigint as rows_refused,
               coalesce((r #>> '{what,rows_held}')::bigint, 0) as rows_held,
               array(select jsonb_object_keys(r #> '{right_treatment,held_back}')) as held_codes,
               array(select p ->> 'code' from jsonb_array_elements(r #> '{why,purposes}') with ordinality as p (p, n)
                     order by n) as purposes,
               md5(jsonb_build_array(r -> 'why', r -> 'who', r #> '{how,contract_sha256}', r #> '{how,airflow,dag_id}',
                   r #> '{what,special_categories}', r #> '{what,columns}')::text) as form
        from ledger.entry, lateral (select convert_from(body, 'UTF8')::jsonb as r offset 0) record
        where kind = 'exchange.closed' and exchange_id is not null
    ), meant as (
        select form, sluice.said_of(body) as said
        from (select distinct on (form) form, exchange_id from told) one join ledger.entry using (exchange_id)
        where kind = 'exchange.closed'
    )
    select coalesce(x.exchange_id, t.exchange_id)::text as row, array_remove(case
        when x.exchange_id is null then array['not in the table']
        when t.exchange_id is null then array['not in the ledger']
        else array[
            case when x.principal is distinct from t.principal then 'principal' end,
            case when x.direction is distinct from t.direction then 'direction' end,
            case when x.flow is distinct from t.flow then 'flow' end,
            case when x.bucket is distinct from t.bucket then 'bucket' end,
            case when x.version_id is distinct from t.version_id then 'version_id' end,
            case when x.chain is distinct from t.chain then 'chain' end,
            case when date_trunc('milliseconds', x.opened_at) is distinct from t.opened_at then 'opened_at' end,
            case when x.closed_at is distinct from t.closed_at then 'closed_at' end,
            case when x.decision is distinct from t.decision then 'decision' end,
            case when x.reason_code is distinct from t.reason_code then 'reason_code' end,
            case when x.purposes is distinct from t.purposes then 'purposes' end,
            case when x.sha256 is distinct from t.sha256 then 'sha256' end,
            case when x.rows_in is distinct from t.rows_in then 'rows_in' end,
            case when x.rows_accepted is distinct from t.rows_accepted then 'rows_accepted' end,
            case when x.rows_refused is distinct from t.rows_refused then 'rows_refused' end,
            case when coalesce(x.rows_held, 0) is distinct from t.rows_held then 'rows_held' end,
            case when not (x.held_codes <@ t.held_codes and x.held_codes @> t.held_codes) then 'held_codes' end,
            case when x.entry_hash is distinct from t.entry_hash then 'entry_hash' end,
            case when s.said is distinct from m.said then 'said_id' end]
        end, null) as columns
    from told t full join exchange x using (exchange_id)
    left join said s on s.said_id = x.said_id left join meant m using (form)
    where t.exchange_id is not null or x.decision <> 'open'
"""
"""``form``: of what registers read. There are few, so that is made of one entry of each: of every entry it would take
five times as long."""

_TALLIES = """
    with counted as (
        select (closed_at at time zone 'Europe/Brussels')::date as closed_day,
               (opened_at at time zone 'Europe/Brussels')::date as opened_day,
               principal, direction, flow, said_id, count(*) as n,
               count(*) filter (where decision in ('accepted', 'partly_accepted')) as accepted
        from exchange where closed_at is not null and said_id is not null group by 1, 2, 3, 4, 5, 6
    )
    select concat_ws('/', closed_day, opened_day, principal, direction, said_id) as row, array_remove(array[
        case when coalesce(t.n, 0) <> coalesce(c.n, 0) then 'n' end,
        case when coalesce(t.accepted, 0) <> coalesce(c.accepted, 0) then 'accepted' end], null) as columns
    from exchange_tally t
    full join counted c using (closed_day, opened_day, principal, direction, flow, said_id)
"""


def find_differing(conn: Connection) -> list[Difference]:
    """Find rows of exchanges, of what they say to registers, and of their counts, that differ from the ledger.

    The counts are derived from the table of exchanges, so they are compared with that. A tally is named by its days,
    principal, direction and what was said: its flow could name a person. Names of objects are not compared: the ledger
    withholds some.
    """
    return [
        Difference(table, row["row"], tuple(row["columns"]))
        for table, query in (("exchange", _EXCHANGES), ("exchange_tally", _TALLIES))
        for row in conn.execute(f"select * from ({query}) found where cardinality(columns) > 0 order by row".encode())
    ]
