-- A principal may take its word back after recipients were found, and decide otherwise: then they are found again.
set role sluice_owner;

alter table sluice.propagation add column decision integer not null default 0;
comment on column sluice.propagation.decision is 'How often the decision on the part had been taken back before this one.';
alter table sluice.notice add column decision integer not null default 0;
comment on column sluice.notice.decision is 'Which decision on the part it tells of, as propagation.decision.';

alter table sluice.notice
    drop constraint notice_sub_case_id_fkey,
    drop constraint notice_once;
alter table sluice.propagation
    drop constraint propagation_pkey,
    add primary key (sub_case_id, decision);
update sluice.propagation f set decision = (
    select count(*) from sluice.case_transition t join sluice.sub_case p using (sub_case_id)
    where p.sub_case_id = f.sub_case_id and t.from_state = 'INSTRUCTED'
        and t.to_state in ('ESCALATED', 'AWAITING_INSTRUCTION') and t.at <= f.found_at);
update sluice.notice n set decision = f.decision
    from sluice.propagation f where f.sub_case_id = n.sub_case_id and f.decision > 0;
alter table sluice.notice
    add constraint notice_of_decision foreign key (sub_case_id, decision) references sluice.propagation,
    add constraint notice_once unique (sub_case_id, decision, recipient, side);
comment on table sluice.propagation is
    'Decisions on parts of which it was found out who has to be told; once, also when it is nobody.';

reset role;
