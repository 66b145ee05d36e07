-- Answers that go to a controller: to the next one, because the person asked (GDPR Art. 20(2)), or to the principal
-- that asked for them. Numbers, codes and days only; who an answer is about stands in the request it answers.
set role sluice_owner;

create table sluice.handover_wish (
    case_id    uuid not null references sluice.subject_case,
    controller text not null check (controller ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    reference  text not null check (reference ~ '^[A-Z0-9][A-Z0-9/._-]{0,39}$'),
    noted_by   text not null,
    noted_at   timestamptz not null,
    primary key (case_id, controller)
);
comment on table sluice.handover_wish is 'A person asked to have their data sent to a controller; reference: of the letter that says so.';

create table sluice.handover (
    exchange_id uuid primary key references sluice.exchange,
    case_id     uuid not null references sluice.subject_case,
    kind        text not null check (kind in ('access', 'portability')),
    receiver    text not null check (receiver ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name        text not null,
    sub_cases   uuid[] not null default '{}',
    sha256      text check (sha256 ~ '^[0-9a-f]{64}$')
);
comment on table sluice.handover is 'An exchange that carries an answer to a controller.';
comment on column sluice.handover.receiver is 'Code of the next controller, or of the principal of the exchange itself.';
comment on column sluice.handover.sub_cases is 'Parts of the case that the package answers; sha256: of the package before it was encrypted.';
create index handover_of_case on sluice.handover (case_id);

grant select, insert on sluice.handover_wish, sluice.handover to sluice_app;
grant update (sub_cases, sha256) on sluice.handover to sluice_app;

reset role;
