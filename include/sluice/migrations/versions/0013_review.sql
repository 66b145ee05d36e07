-- Notes that a person reads: what was decided of which rows, and the file in which those that may go come back.
set role sluice_owner;

create table sluice.review (
    exchange_id uuid not null references sluice.exchange,
    number      integer not null,
    decision    text not null check (decision in ('send', 'mask', 'drop')),
    rows        integer[] not null check (cardinality(rows) > 0),
    decided_by  text not null,
    decided_at  timestamptz not null,
    bucket      text not null,
    key         text not null,
    sha256      text,
    put_at      timestamptz,
    primary key (exchange_id, number)
);
comment on table sluice.review is
    'Decisions of a person about rows held for their notes; sha256 of the file in which rows that may go come back.';
create unique index review_file on sluice.review (bucket, key);

grant select, insert on sluice.review to sluice_app;
grant update (sha256, put_at) on sluice.review to sluice_app;

reset role;
