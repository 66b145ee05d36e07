-- Whether an exchange waits for us was told by the code of its last fault. What is a fault of ours, only whoever gave it
-- back knows: of a code that the asking process never loaded, nobody heard.
set role sluice_owner;

alter table sluice.exchange add column is_held_up boolean not null default false;
comment on column sluice.exchange.is_held_up is
    'Whether its last attempt ended in a fault of ours, so that it did not count; its code is last_error.';

reset role;
