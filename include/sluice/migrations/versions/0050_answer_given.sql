-- The field groups of an agreement are not what is in a package: somebody who was never called has no call.
set role sluice_owner;

alter table sluice.answer add column given text[];
comment on column sluice.answer.given is
    'Part and field group of everything in it, as part/group; null: made before that was noted.';

reset role;
