-- Answers to persons: packages sealed in the vault, the links that open them, and every try of a link.
-- Ids, hashes, counts and days only; who an answer is about stands in the request it answers, and nowhere here.
set role sluice_owner;

create table sluice.answer (
    answer_id    uuid primary key,
    case_id      uuid not null references sluice.subject_case,
    kind         text not null check (kind in ('access', 'portability')),
    sub_cases    uuid[] not null check (cardinality(sub_cases) > 0),
    principals   text[] not null,
    language     text not null check (language in ('nl', 'fr', 'en')),
    file_name    text not null,
    files        integer not null check (files > 0),
    rows         bigint not null,
    sha256       text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes   bigint not null,
    bucket       text not null,
    key          text not null,
    version_id   text not null,
    sealed_sha256 text not null check (sealed_sha256 ~ '^[0-9a-f]{64}$'),
    made_at      timestamptz not null,
    made_by      text not null,
    delete_after date not null,
    only_principal text,
    gone_at      timestamptz,
    gone_why     text check (gone_why in ('retention', 'erasure', 'replaced')),
    constraint answer_gone_whole check ((gone_at is null) = (gone_why is null))
);
comment on table sluice.answer is 'What a person is given: one sealed package per making; its line stays when the package is gone.';
comment on column sluice.answer.sha256 is 'Of the package as the person gets it; sealed_sha256: of the object in the vault.';
comment on column sluice.answer.principals is 'Principals whose data is in it, so that an erasure at one of them finds it.';
comment on column sluice.answer.only_principal is 'Made for what concerns one principal; such a package is not the answer to the person.';
create index answer_of_case on sluice.answer (case_id, made_at);
create index answer_due on sluice.answer (delete_after) where gone_at is null;

create table sluice.answer_link (
    link_id       uuid primary key,
    answer_id     uuid not null references sluice.answer,
    token_sha256  text not null unique check (token_sha256 ~ '^[0-9a-f]{64}$'),
    factor_sha256 text not null check (factor_sha256 ~ '^[0-9a-f]{64}$'),
    made_at       timestamptz not null,
    made_by       text not null,
    expires_at    timestamptz not null check (expires_at > made_at),
    most_uses     integer not null check (most_uses > 0),
    most_failures integer not null check (most_failures > 0),
    uses          integer not null default 0,
    failures      integer not null default 0,
    revoked_at    timestamptz,
    constraint answer_link_uses_counted check (uses <= most_uses),
    constraint answer_link_failures_counted check (failures <= most_failures)
);
comment on table sluice.answer_link is 'A link for one person: only the hash of its token is here; uses and wrong second words are counted.';
create index answer_link_of_answer on sluice.answer_link (answer_id);

create table sluice.answer_taken (
    taken_id  bigint generated always as identity primary key,
    answer_id uuid not null references sluice.answer,
    link_id   uuid references sluice.answer_link,
    taken_by  text not null,
    taken_at  timestamptz not null
);
comment on table sluice.answer_taken is
    'Every time a package left the vault: by its link, or by the desk into a folder; rows are added only.';
create index answer_taken_of_answer on sluice.answer_taken (answer_id);

grant select, insert on sluice.answer, sluice.answer_link, sluice.answer_taken to sluice_app;
grant update (gone_at, gone_why) on sluice.answer to sluice_app;
grant update (uses, failures, revoked_at) on sluice.answer_link to sluice_app;

-- An erasure removes answers too; they are copies of the person that are no exchange.
alter table sluice.erasure_outcome drop constraint erasure_outcome_exchange_id_fkey;
comment on column sluice.erasure_outcome.exchange_id is 'The exchange of the copy; of an answer to the person its own id.';

reset role;
