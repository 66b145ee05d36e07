-- A merge is noted once its last object was put, in the month of its runs: what a dead worker put is found by listing.
set role sluice_owner;

delete from sluice.index_merge;
alter table sluice.index_merge alter column bits set not null;
alter table sluice.index_merge add column month text not null;
alter table sluice.index_merge rename column begun_at to made_at;
comment on table sluice.index_merge is 'Noted once its last object was put; what lies beside its parts is no merge.';
comment on column sluice.index_merge.month is 'Of its exchanges, in Brussels, as 2026-11: one at a time makes or drops its merges.';

reset role;
