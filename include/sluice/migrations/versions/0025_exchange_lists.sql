-- Lists of exchanges, narrowed to one principal, one way or one decision: also where few or none match, no list reads
-- the whole past.
set role sluice_owner;

create index exchange_of_principal on sluice.exchange (principal, opened_at desc, exchange_id desc);
create index exchange_of_decision on sluice.exchange (decision, opened_at desc, exchange_id desc)
    where decision <> 'accepted';
create index exchange_of_way on sluice.exchange (direction, opened_at desc, exchange_id desc)
    where direction <> 'inbound';
drop index sluice.exchange_recent;
create index exchange_recent on sluice.exchange (opened_at desc, exchange_id desc);

reset role;
