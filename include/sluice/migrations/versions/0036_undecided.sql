-- Neither is an error: what somebody else has still to decide, or decided to keep, was told as a residue, and a request
-- that was taken back while its erasure was at work stayed one for ever, so that no other erasure began.
set role sluice_owner;

alter table sluice.erasure_run drop constraint erasure_run_outcome_check;
alter table sluice.erasure_run add constraint erasure_run_outcome_check check (outcome in
    ('clean', 'waiting', 'undecided', 'residue', 'doubts', 'failed', 'stopped', 'outdated', 'withdrawn'));

update sluice.erasure_run set outcome = 'withdrawn', error = null, ended_at = coalesce(ended_at, now())
where outcome is distinct from 'clean'
  and case_id in (select case_id from sluice.subject_case where state = 'WITHDRAWN_BY_SUBJECT');

reset role;
