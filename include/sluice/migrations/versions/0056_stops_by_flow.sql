-- As of when the papers of a file are asked depends on the stops of its flow that are over, and that is asked of every
-- copy of a principal. Only stops that hold had an index, so each copy read the whole table.
set role sluice_owner;

create index flow_stop_resumed_at on sluice.flow_stop (principal, flow, resumed_at);

reset role;
