-- Requests of persons: cases, their parts, every step they took, and the files that asked for it.
--
-- No identifier and no reference of a person is here, not even a keyed one: deleted rows linger in heap,
-- indexes and WAL. Who a case is about lies sealed in the vault; the row names that object.
set role sluice_owner;

create table sluice.subject_case (
    case_id             uuid primary key,
    "right"             text not null,
    state               text not null,
    persons             integer not null check (persons > 0),
    principal           text,
    channel             text not null,
    language            text not null,
    country             text not null,
    opened_at           timestamptz not null,
    received            date not null,
    nominal_due         date not null,
    legal_due           date not null,
    extended_due        date not null,
    subject_bucket      text not null,
    subject_key         text not null,
    subject_sha256      text not null,
    searched            text[] not null,
    has_failed_identity boolean not null default false,
    is_breached         boolean not null default false,
    has_complaint       boolean not null default false,
    constraint subject_case_due_in_order check (received <= nominal_due and nominal_due <= legal_due)
);
comment on table sluice.subject_case is 'One request of a person, or one request file of a principal; its clock and its state.';
comment on column sluice.subject_case.principal is 'Who was addressed; none: every principal that knows the person.';
comment on column sluice.subject_case.subject_sha256 is 'Of the sealed object, never of an identifier.';
create index subject_case_open on sluice.subject_case (legal_due) where state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT');

create table sluice.sub_case (
    sub_case_id       uuid primary key,
    case_id           uuid not null references sluice.subject_case,
    principal         text not null,
    agreement_id      text,
    agreement_version text,
    controller        text not null check (controller in ('principal', 'center', 'joint')),
    track             text not null check (track in ('processor', 'controller')),
    field_groups      text[] not null,
    chain             text not null,
    state             text not null,
    may_answer        boolean not null,
    forward_due_at    timestamptz,
    forwarded_at      timestamptz,
    reminders         integer not null default 0,
    told_at           timestamptz,
    extended_at       timestamptz,
    answered_at       timestamptz,
    action            text,
    action_fields     text[] not null default '{}',
    identifiers       integer[],
    has_hit           boolean not null,
    constraint sub_case_once unique nulls not distinct (case_id, agreement_id, controller),
    constraint sub_case_of_a_processor_is_forwarded check ((track = 'processor') = (forward_due_at is not null)),
    constraint sub_case_answered_as_agreed
        check (state <> 'ANSWERED' or track = 'controller' or may_answer)
);
comment on table sluice.sub_case is 'The part of a case that one controller decides under one agreement.';
comment on column sluice.sub_case.identifiers is 'Places in the sealed list that this principal knows; none: all.';
create index sub_case_open on sluice.sub_case (state, forward_due_at)
    where state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT');

create table sluice.case_transition (
    transition_id     bigint generated always as identity primary key,
    case_id           uuid not null references sluice.subject_case,
    sub_case_id       uuid references sluice.sub_case,
    from_state        text,
    to_state          text not null,
    actor_role        text not null check (actor_role in ('desk', 'principal', 'subject', 'system')),
    actor             text not null,
    at                timestamptz not null,
    reason_code       text not null,
    evidence_sha256   text not null check (evidence_sha256 ~ '^[0-9a-f]{64}$'),
    reasons           jsonb not null default '{}',
    remedies_ref      text,
    remedies_language text,
    constraint case_transition_refusal_has_reasons
        check (to_state not in ('REFUSED', 'PARTIAL') or (reasons <> '{}' and remedies_ref is not null))
);
comment on table sluice.case_transition is 'Every step a case or a part took; rows are added, never changed or removed.';
create index case_transition_of_case on sluice.case_transition (case_id, transition_id);
create unique index case_transition_extended_once on sluice.case_transition (sub_case_id) where to_state = 'EXTENDED';

create table sluice.request_file (
    principal  text not null,
    version_id text not null,
    outcome    text not null,
    case_id    uuid references sluice.subject_case,
    persons    integer not null default 0,
    refused    jsonb not null default '[]',
    sha256     text,
    seen_at    timestamptz not null,
    primary key (principal, version_id)
);
comment on table sluice.request_file is
    'Every version a principal put under requests/, once; without its name, which could name a person.';

create table sluice.instruction (
    principal   text not null,
    version_id  text not null,
    sub_case_id uuid references sluice.sub_case,
    outcome     text not null,
    action      text,
    sha256      text,
    seen_at     timestamptz not null,
    primary key (principal, version_id)
);
comment on table sluice.instruction is 'Every instruction file of a principal and what it did, once per version.';
create index instruction_by_content on sluice.instruction (principal, sha256);

grant select, insert on sluice.subject_case, sluice.sub_case, sluice.case_transition, sluice.request_file,
    sluice.instruction to sluice_app;
grant update (state, has_failed_identity, is_breached, has_complaint) on sluice.subject_case to sluice_app;
grant update (state, forwarded_at, reminders, told_at, extended_at, answered_at, action, action_fields)
    on sluice.sub_case to sluice_app;

reset role;
