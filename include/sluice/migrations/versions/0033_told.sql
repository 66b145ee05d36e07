-- What the desk was not told of is known by a mark, set with the message. It was known by the latest closed_at told,
-- which a worker's clock sets: one that went ahead silenced all that came after, one behind lost its own.
set role sluice_owner;

alter table sluice.exchange add column is_told boolean not null default false;
comment on column sluice.exchange.is_told is 'Of one that is refused or undecided: whether the desk was told.';
drop index sluice.exchange_not_taken;
create index exchange_not_told on sluice.exchange (closed_at)
    where decision in ('refused', 'undecided') and not is_told;
drop index sluice.desk_alert_latest;

-- Neither owner may see the other's tables; who migrates is a member of both.
reset role;

-- 0028 took what was closed more than a day before itself for told. A worker may have died before it told of the last
-- one, and the installation stopped for days: what counts is the last two days before the last exchange that was closed
-- before 0028, by the clock of the database. What is in no message since then, and came later, is told now.
with early as (
    select max(e.appended_at) - interval '2 days' as until from ledger.entry e
    where e.kind = 'exchange.closed' and e.appended_at < (
        select a.at + interval '1 day' from sluice.desk_alert a where a.kind = 'REFUSED' and a.about = 'before 0028')
)
update sluice.exchange x set is_told = true
where x.decision in ('refused', 'undecided') and (
    exists (select from sluice.desk_alert a where a.kind = 'REFUSED' and a.about = x.exchange_id::text)
    or exists (select from ledger.entry e, early
        where e.exchange_id = x.exchange_id and e.kind = 'exchange.closed' and e.appended_at < early.until));

delete from sluice.desk_alert where kind = 'REFUSED' and about = 'before 0028';
