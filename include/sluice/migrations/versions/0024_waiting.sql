-- What waits for a person, found without looking at every exchange and every case.
set role sluice_owner;

alter table sluice.exchange add column rows_to_review bigint not null default 0 check (rows_to_review >= 0);
comment on column sluice.exchange.rows_to_review is 'Held rows whose notes nobody has decided of yet.';
create index exchange_to_review on sluice.exchange (opened_at, exchange_id) where rows_to_review > 0;
create index subject_case_recent on sluice.subject_case (opened_at desc, case_id);

-- What was closed before. Neither owner may see the other's tables; who migrates is a member of both.
reset role;

update sluice.exchange x set rows_to_review = greatest(0, held.n - coalesce(decided.n, 0))
from (
    select e.exchange_id, sum(h.value::bigint) as n
    from ledger.entry e,
        lateral json_each_text(convert_from(e.body, 'UTF8')::json -> 'right_treatment' -> 'held_back') h
    where e.kind = 'exchange.closed' and starts_with(h.key, 'TEXT_') and right(h.key, 7) = '_REVIEW'
    group by e.exchange_id
) held
left join (select exchange_id, sum(cardinality(rows)) as n from sluice.review group by exchange_id) decided
    using (exchange_id)
where x.exchange_id = held.exchange_id and x.rows_held > 0 and x.direction in ('inbound', 'internal');
