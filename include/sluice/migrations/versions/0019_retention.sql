-- Retention: what went on its day, what a legal hold keeps, what was given back at the end of an agreement.
set role sluice_owner;

create table sluice.retention_outcome (
    exchange_id uuid not null references sluice.exchange,
    kind        text not null,
    last_day    date not null,
    why         text not null check (why in ('rule', 'agreement_ended')),
    deleted_at  timestamptz not null,
    primary key (exchange_id, kind)
);
comment on table sluice.retention_outcome is
    'Copies that went on their day; written once no version was found of them any more.';

create table sluice.retention_begun (
    exchange_id uuid not null references sluice.exchange,
    kind        text not null,
    last_day    date not null,
    why         text not null check (why in ('rule', 'agreement_ended')),
    primary key (exchange_id, kind)
);
comment on table sluice.retention_begun is 'Copies that retention began to delete, noted before; a rerun finishes them.';

create table sluice.legal_hold (
    hold_id     uuid primary key,
    principal   text not null,
    flow        text,
    exchange_id uuid references sluice.exchange,
    reason      text not null check (reason in ('A17LegalClaims', 'A17LegallyRequired')),
    reference   text not null check (reference ~ '^[A-Z0-9][A-Z0-9/._-]{0,39}$'),
    until       date not null,
    set_by      text not null,
    set_at      timestamptz not null,
    lifted_at   timestamptz,
    lifted_by   text,
    constraint lifted_whole check ((lifted_at is null) = (lifted_by is null))
);
comment on table sluice.legal_hold is 'Copies that must stay beyond their day: who said so, why, until when.';

create table sluice.end_return (
    principal         text not null,
    agreement_id      text not null,
    agreement_version text not null,
    reference         text not null check (reference ~ '^[A-Z0-9][A-Z0-9/._-]{0,39}$'),
    confirmed_by      text not null,
    confirmed_at      timestamptz not null,
    primary key (principal, agreement_id, agreement_version)
);
comment on table sluice.end_return is 'Data that an ended agreement wanted back, and was given back.';

create index copy_due on sluice.copy (delete_after) where gone_at is null;

grant select, insert on sluice.retention_begun, sluice.retention_outcome, sluice.legal_hold, sluice.end_return to sluice_app;
grant update (lifted_at, lifted_by) on sluice.legal_hold to sluice_app;

reset role;
