-- Returns: what they are made of, who prepared and released them, and whether the principal acknowledged.
set role sluice_owner;

alter table sluice.exchange
    add column rows_held bigint,
    add column day date,
    add column prepared_at timestamptz,
    add column prepared_by text,
    add column released_at timestamptz,
    add column released_by text,
    drop constraint exchange_rows_add_up,
    add constraint exchange_rows_add_up check (rows_in = rows_accepted + rows_refused + coalesce(rows_held, 0)),
    add constraint exchange_day_of_return check ((direction = 'outbound_return') = (day is not null)),
    add constraint exchange_four_eyes check (released_by is null or released_by <> prepared_by);
comment on column sluice.exchange.day is 'Of a return: the Brussels calendar day of the contacts in it.';
comment on column sluice.exchange.rows_held is 'Rows kept back for a reason that may pass; counted per reason in the record.';
create index exchange_returns on sluice.exchange (principal, flow, day, opened_at) where direction = 'outbound_return';

-- A return may hold again what was right before (a correction that was taken back), so only arrivals are once.
drop index sluice.exchange_content_once;
create unique index exchange_content_once on sluice.exchange (principal, direction, flow, sha256)
    where decision in ('accepted', 'partly_accepted') and direction in ('inbound', 'internal');

create table sluice.result_day (
    exchange_id uuid not null references sluice.exchange,
    day         date not null,
    rows        bigint not null,
    primary key (exchange_id, day)
);
comment on table sluice.result_day is 'Brussels calendar days of the contacts in one accepted results file.';
create index result_day_by_day on sluice.result_day (day);

create table sluice.return_input (
    exchange_id uuid not null references sluice.exchange,
    input_id    uuid not null references sluice.exchange,
    kind        text not null check (kind in ('contacts', 'results')),
    primary key (exchange_id, input_id)
);
comment on table sluice.return_input is 'The accepted exchanges a return is made of; fixed when it is opened.';

create table sluice.acknowledgement (
    exchange_id     uuid primary key references sluice.exchange,
    delivered_at    timestamptz not null,
    due_at          timestamptz not null,
    escalate_at     timestamptz not null,
    reminded_at     timestamptz,
    escalated_at    timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    via             text check (via in ('file', 'command')),
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
comment on table sluice.acknowledgement is 'Whether the principal said a return arrived; nothing closes by itself.';
create index acknowledgement_waiting on sluice.acknowledgement (due_at) where acknowledged_at is null;

create table sluice.ack_file (
    principal   text not null,
    bucket      text not null,
    key         text not null,
    version_id  text not null,
    exchange_id uuid,
    outcome     text not null,
    seen_at     timestamptz not null default now(),
    primary key (bucket, key, version_id)
);
comment on table sluice.ack_file is 'Every file a principal put under acks/, and what it did, once per version.';

grant select, insert on sluice.result_day, sluice.return_input, sluice.acknowledgement, sluice.ack_file to sluice_app;
grant update on sluice.acknowledgement to sluice_app;

reset role;
