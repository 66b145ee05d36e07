-- Pausing a flow's DAG in Airflow stops nothing: whatever is forgotten is swept up. A stop of ours holds wherever work is
-- taken up, in Airflow or not.
set role sluice_owner;

create table sluice.flow_stop (
    stop_id    bigint generated always as identity primary key,
    principal  text not null,
    flow       text not null,
    reason     text not null,
    stopped_at timestamptz not null,
    stopped_by text not null,
    resumed_at timestamptz,
    resumed_by text,
    constraint flow_stop_resumed check ((resumed_at is null) = (resumed_by is null))
);
comment on table sluice.flow_stop is 'Who stopped a flow of a principal, why, and who let it go on.';
create unique index flow_stop_one on sluice.flow_stop (principal, flow) where resumed_at is null;

grant select, insert on sluice.flow_stop to sluice_app;
grant update (resumed_at, resumed_by) on sluice.flow_stop to sluice_app;

reset role;
