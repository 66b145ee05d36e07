-- Which returns are due was found out by reading every record of every day, at each look.
set role sluice_owner;

alter table sluice.exchange
    add column held_codes text[] not null default '{}',
    add column inputs_seen text;
comment on column sluice.exchange.held_codes is 'Codes of the rows that stayed, as its record says; of a prepared return too.';
comment on column sluice.exchange.inputs_seen is
    'Of a return: which contacts and results are known to make no other of its day; empty where nobody has looked.';

-- What was closed or prepared before. Neither owner may see the other's tables; who migrates is a member of both.
reset role;

update sluice.exchange x set held_codes = said.codes
from (
    select distinct on (e.exchange_id) e.exchange_id, array(select json_object_keys(t.held)) as codes
    from ledger.entry e,
        lateral (select convert_from(e.body, 'UTF8')::json as body) b,
        lateral (select coalesce(b.body -> 'record', b.body) -> 'right_treatment' -> 'held_back' as held) t
    where e.kind in ('exchange.closed', 'return.prepared')
    order by e.exchange_id, e.kind
) said
where x.exchange_id = said.exchange_id and said.codes <> '{}';
