-- Lists of consent records (ISO/IEC TS 27560): from where, how many, and where they lie. Who said what is no matter of
-- this database: deleted rows linger in heap and WAL.
set role sluice_owner;

create table sluice.consent_run (
    run_id        uuid primary key,
    principal     text not null,
    source_sha256 text not null,
    dated_on      date not null,
    records       bigint not null,
    bucket        text not null,
    key           text not null,
    version_id    text not null,
    recorded_at   timestamptz not null,
    recorded_by   text not null,
    gone_at       timestamptz
);
comment on table sluice.consent_run is 'Consent records that came at once, from a file or by one word; they lie in S3, under keyed references.';
create index consent_run_live on sluice.consent_run (principal) where gone_at is null;

grant select, insert on sluice.consent_run to sluice_app;
grant update (version_id, records, gone_at) on sluice.consent_run to sluice_app;

reset role;
