-- Notices to recipients (GDPR Art. 19): which exchanges held the persons of a case, who has a copy, how far each is.
-- Ids, field groups and states only; who a notice is about stands in its file and nowhere here.
set role sluice_owner;

create table sluice.case_holder (
    case_id       uuid not null references sluice.subject_case,
    principal     text not null,
    exchange_id   uuid not null references sluice.exchange,
    was_delivered boolean not null,
    noted_at      timestamptz not null default now(),
    primary key (case_id, exchange_id)
);
comment on table sluice.case_holder is
    'Exchanges that held persons of a case, noted before an erasure removes what says so.';
comment on column sluice.case_holder.was_delivered is 'Of a return: its principal got it with the persons in it.';

create table sluice.propagation (
    sub_case_id uuid primary key references sluice.sub_case,
    recipients  integer not null,
    found_at    timestamptz not null,
    entry_hash  text not null check (entry_hash ~ '^[0-9a-f]{64}$')
);
comment on table sluice.propagation is 'Parts of which it was found out who has to be told; once, also when it is nobody.';

create table sluice.notice (
    notice_id       uuid primary key,
    sub_case_id     uuid not null references sluice.propagation,
    case_id         uuid not null references sluice.subject_case,
    principal       text not null,
    recipient       text not null,
    name            text not null,
    side            text not null check (side in ('recipient', 'supplier')),
    channel         text not null check (channel in ('prefix', 'desk')),
    action          text not null,
    field_groups    text[] not null,
    exchanges       uuid[] not null,
    state           text not null
        check (state in ('OWED', 'SENT', 'ACKNOWLEDGED', 'OVERDUE', 'REMINDED', 'ESCALATED', 'DONE')),
    found_at        timestamptz not null,
    told_at         timestamptz,
    due_at          timestamptz,
    sha256          text,
    entry_hash      text,
    receipted_at    timestamptz,
    acknowledged_at timestamptz,
    done_at         timestamptz,
    was_late        boolean not null default false,
    reminders       integer not null default 0,
    reminded_at     timestamptz,
    escalated_at    timestamptz,
    dropped_at      timestamptz,
    constraint notice_once unique (sub_case_id, recipient, side),
    constraint notice_told check ((state = 'OWED') = (told_at is null)),
    constraint notice_done check ((state = 'DONE') = (done_at is not null))
);
comment on table sluice.notice is 'One recipient of one decided part, what it has of it, and how far it is. Sent is not done.';
comment on column sluice.notice.principal is 'Whose data it is; recipient: who got it.';
comment on column sluice.notice.sha256 is 'Of the notice file, which holds a keyed nonce and so cannot be guessed; or of the proof that it was told.';
create index notice_open on sluice.notice (state, due_at) where state <> 'DONE';
create index notice_of_case on sluice.notice (case_id);

create table sluice.notice_answer (
    principal  text not null,
    bucket     text not null,
    key        text not null,
    version_id text not null,
    notice_id  uuid,
    outcome    text not null,
    seen_at    timestamptz not null,
    primary key (bucket, key, version_id)
);
comment on table sluice.notice_answer is 'Every acks/notice-* file of a principal and what it did, once per version.';

grant select, insert on sluice.case_holder, sluice.propagation, sluice.notice, sluice.notice_answer to sluice_app;
grant update (was_delivered) on sluice.case_holder to sluice_app;
grant update (state, told_at, due_at, sha256, entry_hash, receipted_at, acknowledged_at, done_at, was_late, reminders,
    reminded_at, escalated_at, dropped_at) on sluice.notice to sluice_app;

reset role;
