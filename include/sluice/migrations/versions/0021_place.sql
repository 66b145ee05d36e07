-- Which copies and exchanges are of one object: retention and erasures ask it of every copy they remove.
set role sluice_owner;

create index copy_place on sluice.copy (bucket, key);
create index exchange_place on sluice.exchange (bucket, key);

reset role;
