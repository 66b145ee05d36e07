"""Compare the tables of exchanges with the ledger, which they repeat so that lists and registers are fast.

Who can write to the database but not to the ledger could change a decision or a count there, and every page would show
that. Both are read in one query, so in one view of the database.
"""

from sluice.db import Connection
from sluice.ledger.model import Difference

_EXCHANGES = """
    with told as (
        select exchange_id, chain, encode(hash, 'hex') as hash, convert_from(body, 'UTF8')::jsonb as r,
               sluice.said_of(body) as said
        from ledger.entry where kind = 'exchange.closed' and exchange_id is not null
    )
    select coalesce(x.exchange_id, t.exchange_id)::text as row, array_remove(case
        when x.exchange_id is null then array['not in the table']
        when t.exchange_id is null then array['not in the ledger']
        else array[
            case when x.principal is distinct from r #>> '{who,principal}' then 'principal' end,
            case when x.direction is distinct from r ->> 'direction' then 'direction' end,
            case when x.flow is distinct from r ->> 'flow' then 'flow' end,
            case when x.bucket is distinct from r #>> '{what,bucket}' then 'bucket' end,
            case when x.version_id is distinct from r #>> '{what,version_id}' then 'version_id' end,
            case when x.chain is distinct from t.chain then 'chain' end,
            case when date_trunc('milliseconds', x.opened_at) is distinct from (r ->> 'opened_at')::timestamptz
                 then 'opened_at' end,
            case when x.closed_at is distinct from (r ->> 'closed_at')::timestamptz then 'closed_at' end,
            case when x.decision is distinct from r ->> 'decision' then 'decision' end,
            case when x.reason_code is distinct from r ->> 'reason_code' then 'reason_code' end,
            case when x.purposes is distinct from array(
                 select p ->> 'code' from jsonb_array_elements(r #> '{why,purposes}') with ordinality as p (p, n)
                 order by n) then 'purposes' end,
            case when x.sha256 is distinct from r #>> '{what,sha256}' then 'sha256' end,
            case when x.rows_in is distinct from (r #>> '{what,rows_in}')::bigint then 'rows_in' end,
            case when x.rows_accepted is distinct from (r #>> '{what,rows_accepted}')::bigint
                 then 'rows_accepted' end,
            case when x.rows_refused is distinct from (r #>> '{what,rows_refused}')::bigint then 'rows_refused' end,
            case when coalesce(x.rows_held, 0) is distinct from coalesce((r #>> '{what,rows_held}')::bigint, 0)
                 then 'rows_held' end,
            case when not (x.held_codes <@ codes and x.held_codes @> codes) then 'held_codes' end,
            case when x.entry_hash is distinct from t.hash then 'entry_hash' end,
            case when s.said is distinct from t.said then 'said_id' end]
        end, null) as columns
    from told t full join exchange x using (exchange_id) left join said s on s.said_id = x.said_id,
         lateral (select array(select jsonb_object_keys(r #> '{right_treatment,held_back}')) as codes) held
    where t.exchange_id is not null or x.decision <> 'open'
"""

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
