-- The package of a request that the person took back stayed to its last day, and its link opened it.
set role sluice_owner;

alter table sluice.answer
    drop constraint answer_gone_why_check,
    add constraint answer_gone_why_check check (gone_why in ('retention', 'erasure', 'replaced', 'withdrawn'));

reset role;
