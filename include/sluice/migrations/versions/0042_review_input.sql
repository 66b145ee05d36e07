-- Rows that waited for a person come back as an exchange of their own: nothing said which one they are of.
set role sluice_owner;

alter table sluice.return_input
    drop constraint return_input_kind_check,
    add constraint return_input_kind_check check (kind in ('contacts', 'results', 'return', 'review'));
comment on table sluice.return_input is
    'The exchanges that one is made of: a return (fixed when it is opened), a dial list, an answer to a controller; '
    'and of held rows that came back the exchange that held them.';

-- What came back before: only the bytes that a decision names are its rows.
insert into sluice.return_input (exchange_id, input_id, kind)
select x.exchange_id, v.exchange_id, 'review'
from sluice.review v
join sluice.exchange x on x.bucket = v.bucket and x.key = v.key and x.sha256 = v.sha256
where x.decision <> 'open'
on conflict do nothing;

reset role;
