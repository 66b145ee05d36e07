-- A role profile that could be contested is signed off for one version of an agreement, by one person or by two.
-- Names of our own people and codes; nobody in the data.
set role sluice_owner;

create table sluice.role_sign_off (
    agreement_id text not null,
    version      text not null,
    role_profile text not null,
    signed_by    text not null check (signed_by = btrim(signed_by) and signed_by <> ''),
    signed_at    timestamptz not null,
    reason       text not null
);
comment on table sluice.role_sign_off is 'Who signed which role profile off, of which version of an agreement, and when.';
comment on column sluice.role_sign_off.reason is 'A code, as in the ledger.';
create unique index role_sign_off_four_eyes
    on sluice.role_sign_off (agreement_id, version, role_profile, lower(signed_by));

grant select, insert on sluice.role_sign_off to sluice_app;

reset role;
