-- Merges of index runs, each split into parts by the leading bits of the references. They are made of the runs and can
-- be made again, so their rows go with them. No reference of a person is here: a part is known by its number.
set role sluice_owner;

create table sluice.index_merge (
    merge_id   uuid primary key,
    principal  text not null,
    bits       smallint check (bits between 0 and 12),
    begun_at   timestamptz not null
);
create index index_merge_principal on sluice.index_merge (principal);
comment on table sluice.index_merge is 'Noted before its first object is put; without bits until the last one was.';

create table sluice.index_merge_part (
    merge_id   uuid not null references sluice.index_merge on delete cascade,
    part       smallint not null,
    key        text not null,
    version_id text not null,
    sha256     text not null,
    primary key (merge_id, part)
);
comment on table sluice.index_merge_part is 'The objects of a merge, in the lake bucket.';

create table sluice.index_merge_run (
    merge_id    uuid not null references sluice.index_merge on delete cascade,
    number      integer not null,
    exchange_id uuid not null,
    kind        text not null,
    version_id  text not null,
    is_whole    boolean not null,
    primary key (merge_id, number),
    foreign key (exchange_id, kind) references sluice.copy
);
create index index_merge_run_copy on sluice.index_merge_run (exchange_id, kind);
comment on table sluice.index_merge_run is 'The versions of runs that a merge answers for, numbered as in its parts.';

grant select, insert, update, delete on sluice.index_merge to sluice_app;
grant select, insert on sluice.index_merge_part, sluice.index_merge_run to sluice_app;

reset role;
