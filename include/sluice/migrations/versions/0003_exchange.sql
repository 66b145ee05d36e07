-- Exchanges, the copies they made, and the effects still to do. Facts about files only:
-- no value and no reference of a person is ever stored here (deleted rows linger in heap and WAL).
set role sluice_owner;

create table sluice.exchange (
    exchange_id     uuid primary key default gen_random_uuid(),
    principal       text not null,
    direction       text not null,
    flow            text not null,
    bucket          text not null,
    key             text not null,
    version_id      text not null,
    size_bytes      bigint not null,
    chain           text not null,
    opened_at       timestamptz not null default now(),
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error      text,
    decision        text not null default 'open'
        check (decision in ('open', 'accepted', 'partly_accepted', 'refused', 'undecided')),
    reason_code     text,
    purposes        text[] not null default '{}',
    sha256          text,
    rows_in         bigint,
    rows_accepted   bigint,
    rows_refused    bigint,
    entry_hash      text,
    closed_at       timestamptz,
    receipt_at      timestamptz,
    constraint exchange_once unique (principal, direction, bucket, key, version_id),
    constraint exchange_closed_whole check ((decision = 'open') = (closed_at is null)),
    constraint exchange_rows_add_up check (rows_in = rows_accepted + rows_refused)
);
comment on table sluice.exchange is 'One crossing of one file version in one direction; opened before a byte is read.';
create index exchange_waiting on sluice.exchange (principal, direction, flow, next_attempt_at) where decision = 'open';
create index exchange_recent on sluice.exchange (opened_at desc);
create unique index exchange_content_once on sluice.exchange (principal, direction, flow, sha256)
    where decision in ('accepted', 'partly_accepted');

create table sluice.copy (
    exchange_id    uuid not null references sluice.exchange,
    kind           text not null,
    bucket         text not null,
    key            text not null,
    version_id     text not null,
    sha256         text not null,
    size_bytes     bigint not null,
    rows           bigint,
    retention_rule text,
    delete_after   date,
    primary key (exchange_id, kind)
);
comment on table sluice.copy is 'Every object that exists because of an exchange, with the day it must be gone.';

create table sluice.outbox (
    exchange_id     uuid not null references sluice.exchange,
    effect          text not null,
    rank            smallint not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error      text,
    done_at         timestamptz,
    primary key (exchange_id, effect)
);
comment on table sluice.outbox is 'Effects of a committed ledger entry, done at least once, in the order of their rank.';
create index outbox_waiting on sluice.outbox (next_attempt_at) where done_at is null;

-- The only way to accepted data: no receipt, no transfer.
create view sluice.accepted_data as
    select c.exchange_id, e.principal, e.direction, e.flow, c.bucket, c.key, c.version_id, c.sha256,
           c.size_bytes, c.rows, c.delete_after, e.closed_at
    from sluice.copy c
    join sluice.exchange e using (exchange_id)
    where c.kind = 'lake' and e.decision in ('accepted', 'partly_accepted') and e.receipt_at is not null;

grant select, insert on sluice.exchange, sluice.copy, sluice.outbox to sluice_app;
grant update on sluice.exchange, sluice.outbox to sluice_app;
grant select on sluice.accepted_data to sluice_app;

reset role;
