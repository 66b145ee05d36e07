-- A run takes up so many erasures. One that is refused before it begins has no run, so when it was tried stands here.
set role sluice_owner;

alter table sluice.subject_case add column taken_up_at timestamptz;
comment on column sluice.subject_case.taken_up_at is 'When a run took its erasure up last.';
grant update (taken_up_at) on sluice.subject_case to sluice_app;

reset role;
