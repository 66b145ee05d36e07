-- A register counts every exchange there ever was: they are counted when they are closed, not when somebody looks.
set role sluice_owner;

create table sluice.exchange_tally (
    closed_day date not null,
    opened_day date not null,
    principal  text not null,
    direction  text not null,
    flow       text not null,
    said_id    bigint not null references sluice.said,
    n          bigint not null,
    accepted   bigint not null,
    primary key (closed_day, principal, direction, flow, said_id, opened_day)
);
comment on table sluice.exchange_tally is
    'Closed exchanges, alike ones of a day together. Derived from sluice.exchange by its own trigger; days are of Brussels.';
comment on column sluice.exchange_tally.accepted is 'Of them, wholly or partly accepted.';

create function sluice.tally_exchange(seen sluice.exchange, turn integer) returns void
language sql
set search_path = pg_catalog, pg_temp
begin atomic
    insert into sluice.exchange_tally as t (closed_day, opened_day, principal, direction, flow, said_id, n, accepted)
    select (seen.closed_at at time zone 'Europe/Brussels')::date, (seen.opened_at at time zone 'Europe/Brussels')::date,
           seen.principal, seen.direction, seen.flow, seen.said_id, turn,
           case when seen.decision in ('accepted', 'partly_accepted') then turn else 0 end
    where seen.closed_at is not null
    on conflict (closed_day, principal, direction, flow, said_id, opened_day)
    do update set n = t.n + excluded.n, accepted = t.accepted + excluded.accepted;
end;

-- As its owner: the application counts by closing, and in no other way.
create function sluice.count_exchange() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op <> 'INSERT' then
        perform sluice.tally_exchange(old, -1);
    end if;
    if tg_op <> 'DELETE' then
        perform sluice.tally_exchange(new, 1);
    end if;
    return null;
end
$$;
revoke all on function sluice.count_exchange(), sluice.tally_exchange(sluice.exchange, integer) from public;

-- What a worker closes just now is counted here, or by the trigger: without the lock by neither.
lock table sluice.exchange in share row exclusive mode;

insert into sluice.exchange_tally (closed_day, opened_day, principal, direction, flow, said_id, n, accepted)
select (closed_at at time zone 'Europe/Brussels')::date, (opened_at at time zone 'Europe/Brussels')::date,
       principal, direction, flow, said_id, count(*),
       count(*) filter (where decision in ('accepted', 'partly_accepted'))
from sluice.exchange where closed_at is not null group by 1, 2, 3, 4, 5, 6;

create trigger exchange_counted
    after insert or delete or update of principal, direction, flow, opened_at, closed_at, decision, said_id
    on sluice.exchange for each row execute function sluice.count_exchange();

create index exchange_closed on sluice.exchange (closed_at);
grant select on sluice.exchange_tally to sluice_app;

reset role;
