-- A row that was refused (it had not happened yet, it contradicted one since taken back) could never come again by its file.
set role sluice_owner;

alter table sluice.staff_import drop constraint staff_import_once;
comment on table sluice.staff_import is
    'Every staff file ever read; again by the same content where a row counts that did not before. The ledger has each entry.';

reset role;
