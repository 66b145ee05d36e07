-- Exchanges that an erasure opens whatever the index says of them.
set role sluice_owner;

create table sluice.erasure_lead (
    case_id     uuid not null references sluice.subject_case,
    principal   text not null,
    exchange_id uuid not null,
    found_by    text not null check (found_by in ('index', 'scan')),
    noted_at    timestamptz not null,
    primary key (case_id, principal, exchange_id)
);
comment on table sluice.erasure_lead is
    'Exchanges that the index named before a case edited it, or in which its second scan found a residue.';

grant select, insert on sluice.erasure_lead to sluice_app;

reset role;
