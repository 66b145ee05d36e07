-- Who said no, then yes, then no again in the words of the first no was called: the last file was refused as the first
-- one sent twice. Content may now come again, once after each exchange that brought it.
set role sluice_owner;

alter table sluice.exchange add column said_again_after uuid references sluice.exchange;
comment on column sluice.exchange.said_again_after is
    'The accepted exchange whose very bytes a file says again, for a later day and after another file came in between; '
    'null: its bytes were new when they were judged, or it is a duplicate.';

drop index sluice.exchange_content_once;
create unique index exchange_content_once on sluice.exchange
    (principal, direction, flow, sha256, coalesce(said_again_after, '00000000-0000-0000-0000-000000000000'))
    where decision in ('accepted', 'partly_accepted') and direction in ('inbound', 'internal')
        and split_part(key, '/', 2) <> 'dial';

reset role;
