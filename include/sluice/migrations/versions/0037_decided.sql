-- Whether somebody has decided since was told by comparing two clocks, so a decision could be overlooked for ever.
set role sluice_owner;

alter table sluice.erasure_run add column decided jsonb not null default '{}';
comment on column sluice.erasure_run.decided is
    'Per principal where the last run left nothing to do before somebody decides: field groups and who decides of them.';
grant update (decided) on sluice.erasure_run to sluice_app;

reset role;
