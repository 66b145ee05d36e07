-- Agreements and contracts: bytes by hash, and two clocks.
--
-- Valid time (valid_from, valid_to: Brussels dates, both inclusive) says on which days a paper holds.
-- Known time (known_from, known_to: instants, the second exclusive) says when we held that for true.
-- Nothing is changed or removed: an activation is closed (known_to) and its remaining days are
-- opened again beside the new one. So any past answer can be given again.
set role sluice_owner;

create table sluice.document (
    sha256        text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    kind          text not null check (kind in ('agreement', 'contract')),
    document_id   text not null,
    version       text not null,
    principal     text not null check (principal ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    path          text not null,
    body          bytea not null check (octet_length(body) <= 1048576),
    agreement_id  text,
    agreement_version text,
    registered_at timestamptz not null,
    constraint document_names_its_agreement check ((kind = 'contract') = (agreement_id is not null)),
    constraint document_is_its_hash check (encode(sha256(body), 'hex') = sha256)
);
comment on table sluice.document is 'Every agreement and contract ever activated, byte for byte.';
create unique index document_agreement_version on sluice.document (document_id, version) where kind = 'agreement';
create index document_by_id on sluice.document (kind, document_id, version);

create table sluice.activation (
    activation_id bigint generated always as identity primary key,
    kind          text not null check (kind in ('agreement', 'contract')),
    document_id   text not null,
    sha256        text not null references sluice.document,
    state         text not null check (state in ('active', 'gap', 'retired')),
    valid_from    date not null,
    valid_to      date,
    known_from    timestamptz not null,
    known_to      timestamptz,
    activated_at  timestamptz not null,
    constraint activation_days check (valid_to is null or valid_from <= valid_to),
    constraint activation_known check (known_to is null or known_from <= known_to)
);
comment on table sluice.activation is 'Days on which a document holds, as known from one instant to another.';
comment on column sluice.activation.activated_at is 'When the document was activated; known_from is later where its days were cut.';
create index activation_known_now on sluice.activation (kind, document_id) where known_to is null;
create index activation_by_document on sluice.activation (kind, document_id, known_from);

-- The one change allowed: an open known_to is closed, once.
create function sluice.activation_close_once() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if old.known_to is not null or new.known_to is null
        or (to_jsonb(new) - 'known_to') <> (to_jsonb(old) - 'known_to') then
        raise check_violation using
            message = 'an activation is only ever closed', constraint = 'activation_close_once';
    end if;
    return new;
end
$$;
create trigger activation_close_once before update on sluice.activation
    for each row execute function sluice.activation_close_once();

revoke all on function sluice.activation_close_once() from public;
grant select, insert on sluice.document, sluice.activation to sluice_app;
grant update (known_to) on sluice.activation to sluice_app;

reset role;
