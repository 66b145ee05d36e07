-- The catalogue of suppression runs. References of persons are never stored here: a deleted row lingers
-- in heap, index and log, an object version does not.
set role sluice_owner;

create table sluice.suppression_run (
    run_id     uuid primary key,
    principal  text not null,
    reason     text not null check (reason in ('erased', 'objected', 'restricted', 'soft_hold')),
    bucket     text not null,
    key        text not null,
    version_id text not null,
    sha256     text not null,
    refs       bigint not null,
    case_id    uuid,
    made_at    timestamptz not null,
    lifted_at  timestamptz
);
comment on table sluice.suppression_run is 'Who must stay out, as runs of keyed references in S3; lifted ones count no more.';
create index suppression_run_live on sluice.suppression_run (principal) where lifted_at is null;

grant select, insert on sluice.suppression_run to sluice_app;
grant update (lifted_at) on sluice.suppression_run to sluice_app;

reset role;
