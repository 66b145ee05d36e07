-- Who got an exchange has to know whom to erase of it (GDPR Art. 19), and nobody else of the same request.
set role sluice_owner;

alter table sluice.case_holder add column identifiers integer[];
comment on column sluice.case_holder.identifiers is
    'Places in the sealed list of the identifiers that its index named; null: nobody asked, or it knew none.';
grant update (identifiers) on sluice.case_holder to sluice_app;

reset role;
