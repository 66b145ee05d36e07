-- No error: what somebody else has still to decide was told as a residue, so that no other erasure began.
set role sluice_owner;

alter table sluice.erasure_run drop constraint erasure_run_outcome_check;
alter table sluice.erasure_run add constraint erasure_run_outcome_check check (outcome in
    ('clean', 'waiting', 'undecided', 'residue', 'doubts', 'failed', 'stopped', 'outdated'));

reset role;
