-- What a register reads of an exchange is noted when it is closed: to read every record again took minutes for a page.
-- Few of them differ, so each is kept once.
set role sluice_owner;

create table sluice.said (
    said_id bigint generated always as identity primary key,
    said    jsonb not null,
    constraint said_once exclude using hash (said with =)
);
comment on table sluice.said is
    'What a closed exchange says to a register: why, who, columns by group and category, contract, DAG.';

alter table sluice.exchange add column said_id bigint references sluice.said;
comment on column sluice.exchange.said_id is 'Derived from the entry in the ledger, which is what counts.';

create function sluice.said_of(body bytea) returns jsonb
language sql immutable
return (
    select jsonb_build_object(
        'why', r -> 'why', 'who', r -> 'who', 'contract', r #> '{how,contract_sha256}',
        'dag', r #> '{how,airflow,dag_id}', 'special', r #> '{what,special_categories}',
        'columns', (
            select jsonb_agg(distinct jsonb_build_array(
                c -> 'field_group', c -> 'category', c -> 'origin', c -> 'controller'))
            from jsonb_array_elements(r #> '{what,columns}') c))
    from (select convert_from(body, 'UTF8')::jsonb as r) as record
);

create function sluice.said_id_of(body bytea) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    found bigint;
    told  jsonb := sluice.said_of(body);
begin
    loop
        select s.said_id into found from sluice.said s where s.said = told;
        if found is not null then
            return found;
        end if;
        insert into sluice.said (said) values (told) on conflict do nothing returning said_id into found;
        if found is not null then
            return found;
        end if;
    end loop;
end
$$;

grant select, insert on sluice.said to sluice_app;

-- What was closed before. Neither owner may see the other's tables; who migrates is a member of both.
reset role;

create temporary table past on commit drop as
select e.exchange_id, sluice.said_of(e.body) as told from ledger.entry e where e.kind = 'exchange.closed';
insert into sluice.said (said) select distinct told from past on conflict do nothing;
update sluice.exchange x set said_id = s.said_id
from past join sluice.said s on s.said = past.told where past.exchange_id = x.exchange_id;

alter table sluice.exchange add constraint exchange_closed_said check (decision = 'open' or said_id is not null);
