-- A file can be forgotten where papers are copied. Without this, whoever writes under the prefix instructs unsigned.
set role sluice_owner;

create table sluice.instruction_key (
    principal text primary key,
    noted_at  timestamptz not null default now()
);
comment on table sluice.instruction_key is 'Principals that had a key for their instructions: from then on each is signed.';
grant select, insert on sluice.instruction_key to sluice_app;

reset role;
