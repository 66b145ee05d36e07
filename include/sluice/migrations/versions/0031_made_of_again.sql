-- What version 0029 linked, once more: workers of the version before it may have closed dial lists and answers to
-- controllers after it ran, and knew nothing of these lines. Neither owner may see the other's tables; who migrates is a
-- member of both.
insert into sluice.return_input (exchange_id, input_id, kind)
select e.exchange_id, i.exchange_id, part.value ->> 'kind'
from ledger.entry e
join sluice.exchange x on x.exchange_id = e.exchange_id and x.direction in ('internal', 'portability_access'),
    lateral json_array_elements(convert_from(e.body, 'UTF8')::json -> 'what' -> 'inputs') part
join sluice.exchange i on i.exchange_id = (part.value ->> 'exchange_id')::uuid
where e.kind = 'exchange.closed'
on conflict do nothing;
