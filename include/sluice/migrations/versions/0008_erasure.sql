-- What erasing needs: copies that change, writes of our own that are no arrivals, and what was done.
set role sluice_owner;

alter table sluice.copy add column gone_at timestamptz;
comment on column sluice.copy.gone_at is 'When the object was removed for good; its line stays as evidence that it was.';
grant update (version_id, sha256, size_bytes, rows, gone_at) on sluice.copy to sluice_app;

create table sluice.own_write (
    bucket     text not null,
    key        text not null,
    etag       text not null,
    version_id text,
    made_at    timestamptz not null,
    primary key (bucket, key, etag)
);
comment on table sluice.own_write is
    'Edited versions that erasure puts where files arrive, noted before they are put, so that no poll takes one for an arrival; once put, only that version.';

create table sluice.erasure_outcome (
    case_id     uuid not null,
    principal   text not null,
    store       text not null,
    exchange_id uuid not null references sluice.exchange,
    kind        text not null,
    outcome     text not null check (outcome in ('erased', 'removed', 'kept')),
    ground      text,
    rows_before bigint not null,
    rows_after  bigint not null,
    done_at     timestamptz not null,
    primary key (case_id, exchange_id, kind)
);
comment on table sluice.erasure_outcome is 'What an erasure did to each copy: counts and words, nobody in it.';

grant select, insert on sluice.own_write, sluice.erasure_outcome to sluice_app;
grant update (version_id) on sluice.own_write to sluice_app;

-- Removed data is no longer accepted data.
create or replace view sluice.accepted_data as
    select c.exchange_id, e.principal, e.direction, e.flow, c.bucket, c.key, c.version_id, c.sha256,
           c.size_bytes, c.rows, c.delete_after, e.closed_at
    from sluice.copy c
    join sluice.exchange e using (exchange_id)
    where c.kind = 'lake' and e.decision in ('accepted', 'partly_accepted') and e.receipt_at is not null
      and c.gone_at is null;

reset role;
