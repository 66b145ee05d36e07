-- What dial lists and answers to controllers are made of stands beside them, as of returns: what was made of an
-- exchange is asked for on its page, without reading the record of every list of its flow.
set role sluice_owner;

alter table sluice.return_input
    drop constraint return_input_kind_check,
    add constraint return_input_kind_check check (kind in ('contacts', 'results', 'return'));
comment on table sluice.return_input is
    'The exchanges a return, a dial list or an answer to a controller is made of; of a return, fixed when it is opened.';

-- What was closed before. Neither owner may see the other's tables; who migrates is a member of both.
reset role;

insert into sluice.return_input (exchange_id, input_id, kind)
select e.exchange_id, i.exchange_id, part.value ->> 'kind'
from ledger.entry e
join sluice.exchange x on x.exchange_id = e.exchange_id and x.direction in ('internal', 'portability_access'),
    lateral json_array_elements(convert_from(e.body, 'UTF8')::json -> 'what' -> 'inputs') part
join sluice.exchange i on i.exchange_id = (part.value ->> 'exchange_id')::uuid
where e.kind = 'exchange.closed'
on conflict do nothing;
