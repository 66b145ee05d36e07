-- When a run began was known of the case alone. A run at one principal made what waits at another look begun.
set role sluice_owner;

alter table sluice.erasure_run add column begun text[] not null default '{}';
comment on column sluice.erasure_run.begun is 'Principals at which the run has kept the persons out.';
grant update (begun) on sluice.erasure_run to sluice_app;
-- Runs at work are as far as whom they keep out.
update sluice.erasure_run r set begun = array(
    select distinct s.principal from sluice.suppression_run s where s.case_id = r.case_id and s.reason = 'erased')
where r.ended_at is null;

reset role;
