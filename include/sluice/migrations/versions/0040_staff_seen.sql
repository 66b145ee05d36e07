-- Staff news that is about nobody of a return was found out anew every five minutes, by reading all results of its day.
set role sluice_owner;

alter table sluice.exchange add column staff_seen text;
comment on column sluice.exchange.staff_seen is
    'Of a return: last staff import, and minimum score, of which it is known that they are not about its agents.';

reset role;
