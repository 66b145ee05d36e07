-- What stands around an erasure: its plan and who released it, how its last run ended, what was stopped.
-- Ids, counts, hashes and names of our own people; nobody a case is about.
set role sluice_owner;

create table sluice.erasure_plan (
    plan_id     uuid primary key,
    case_id     uuid not null references sluice.subject_case,
    principal   text not null,
    content     bytea not null,
    sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    made_at     timestamptz not null,
    made_by     text not null,
    released_at timestamptz,
    released_by text,
    ended_at    timestamptz,
    ended_as    text check (ended_as in ('superseded', 'outdated')),
    constraint erasure_plan_four_eyes check (lower(btrim(released_by)) <> lower(btrim(made_by))),
    constraint erasure_plan_released check ((released_at is null) = (released_by is null)),
    constraint erasure_plan_ended check ((ended_at is null) = (ended_as is null))
);
comment on table sluice.erasure_plan is 'What an erasure may do at one principal: copies, counts, decisions; its release.';
comment on column sluice.erasure_plan.content is 'Canonical JSON (RFC 8785); sha256 is that of these bytes.';
create unique index erasure_plan_one on sluice.erasure_plan (case_id, principal) where ended_at is null;

create table sluice.erasure_run (
    case_id  uuid primary key references sluice.subject_case,
    begun_at timestamptz not null,
    seen_at  timestamptz not null,
    waiting  integer not null default 0,
    ended_at timestamptz,
    outcome  text check (outcome in ('clean', 'waiting', 'residue', 'doubts', 'failed', 'stopped', 'outdated')),
    error    text,
    constraint erasure_run_ended check ((ended_at is null) = (outcome is null))
);
comment on table sluice.erasure_run is 'The last run of each case: when it was last seen at work, and how it ended.';

create table sluice.erasure_stop (
    stop_id    bigint generated always as identity primary key,
    case_id    uuid references sluice.subject_case,
    reason     text not null,
    stopped_at timestamptz not null,
    stopped_by text not null,
    resumed_at timestamptz,
    resumed_by text
);
comment on table sluice.erasure_stop is 'Who stopped one erasure, or all of them, and who let it go on.';
create unique index erasure_stop_one on sluice.erasure_stop (case_id) nulls not distinct where resumed_at is null;

grant select, insert on sluice.erasure_plan, sluice.erasure_run, sluice.erasure_stop to sluice_app;
grant update (released_at, released_by, ended_at, ended_as) on sluice.erasure_plan to sluice_app;
grant update (begun_at, seen_at, waiting, ended_at, outcome, error) on sluice.erasure_run to sluice_app;
grant update (resumed_at, resumed_by) on sluice.erasure_stop to sluice_app;

reset role;
