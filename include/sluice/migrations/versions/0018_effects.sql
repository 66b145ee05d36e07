-- What a suppression reaches; dial lists; the imported Do-Not-Call-Me list; corrections. No value and no reference
-- of a person is stored here.
set role sluice_owner;

alter table sluice.suppression_run
    drop constraint suppression_run_reason_check,
    add constraint suppression_run_reason_check
        check (reason in ('erased', 'objected', 'restricted', 'consent_withdrawn', 'soft_hold')),
    add column purposes text[] not null default '{}',
    add column bases text[] not null default '{}',
    add column channel text,
    add column entry_hash text;
comment on column sluice.suppression_run.purposes is 'DPV IRIs it stops; none: every purpose.';
comment on column sluice.suppression_run.bases is 'Legal bases it stops (GDPR Art. 6(1)), DPV IRIs; none: every basis.';
comment on column sluice.suppression_run.entry_hash is 'Of the ledger entry that says that it holds; null: older.';
comment on column sluice.suppression_run.channel is 'Channel of the agreement it stops; null: every channel.';

-- The same persons may be called again: a dial list is no arrival that comes twice.
drop index sluice.exchange_content_once;
create unique index exchange_content_once on sluice.exchange (principal, direction, flow, sha256)
    where decision in ('accepted', 'partly_accepted') and direction in ('inbound', 'internal')
        and split_part(key, '/', 2) <> 'dial';

create table sluice.dial_list (
    exchange_id uuid primary key references sluice.exchange,
    purpose     text not null,
    channel     text not null,
    format      text not null,
    asked_by    text not null,
    dncm_sha256 text
);
comment on table sluice.dial_list is 'What a dial list was asked for: a purpose, a channel, a format. Who is in it is in its file.';

alter table sluice.case_letter
    drop constraint case_letter_kind_check,
    add constraint case_letter_kind_check
        check (kind in ('receipt', 'extension', 'refusal', 'completion', 'lifting'));

create table sluice.dncm_list (
    sha256      text primary key,
    dated_on    date not null,
    numbers     bigint not null,
    refused     bigint not null,
    bucket      text not null,
    key         text not null,
    version_id  text not null,
    imported_at timestamptz not null,
    imported_by text not null
);
comment on table sluice.dncm_list is 'Imported Do-Not-Call-Me lists by the hash of their file; the numbers are keyed references in S3.';

create table sluice.correction (
    correction_id uuid primary key,
    case_id       uuid not null,
    principal     text not null,
    field         text not null,
    kind          text not null check (kind in ('value', 'statement')),
    as_of         timestamptz not null,
    bucket        text not null,
    key           text not null,
    sha256        text not null,
    made_at       timestamptz not null,
    entry_hash    text,
    gone_at       timestamptz
);
comment on table sluice.correction is 'Corrected fields of persons; whose, and what is right, lies sealed in the vault.';
create index correction_live on sluice.correction (principal) where gone_at is null;

grant select, insert on sluice.dial_list, sluice.dncm_list, sluice.correction to sluice_app;
grant update (dncm_sha256) on sluice.dial_list to sluice_app;
grant update (entry_hash) on sluice.suppression_run to sluice_app;
grant update (dated_on) on sluice.dncm_list to sluice_app;
grant update (entry_hash, gone_at) on sluice.correction to sluice_app;

reset role;
