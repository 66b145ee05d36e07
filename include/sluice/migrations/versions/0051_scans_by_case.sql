-- The schedule asks for the second scans of every case that erases, every five minutes. Without this, each answer read
-- all second scans of the ledger.
set role sluice_ledger;

create function ledger.case_of(body bytea) returns text
language sql immutable
return convert_from(body, 'UTF8')::json ->> 'case_id';
comment on function ledger.case_of is 'The case that the body of an entry names. Bodies are JSON in UTF-8 for ever.';
revoke all on function ledger.case_of(bytea) from public;
grant execute on function ledger.case_of(bytea) to sluice_app;

create index entry_scan_of_case on ledger.entry (ledger.case_of(body)) where kind = 'erasure.done';

reset role;
