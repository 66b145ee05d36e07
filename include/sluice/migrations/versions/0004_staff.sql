-- Staff: what an agent completed, passed and signed; which code of conduct was current; whose account is whose.
--
-- Two clocks: ``happened_at``, ``current_from``, ``valid_from`` say since when it holds, ``recorded_at`` when we
-- learnt it. Nothing is changed or removed: a row that was wrong is taken back by the same row, withdrawn.
-- An agent is a keyed reference everywhere here, never a number, account or name.
set role sluice_owner;

create domain sluice.staff_ref as text check (value ~ '^[0-9a-f]{32}$');

create table sluice.staff_import (
    import_id     bigint generated always as identity primary key,
    file_sha256   text not null check (file_sha256 ~ '^[0-9a-f]{64}$'),
    source        text not null check (source in ('file', 'e_learning')),
    size_bytes    bigint not null,
    rows_in       bigint not null,
    rows_accepted bigint not null,
    rows_refused  bigint not null,
    recorded_at   timestamptz not null,
    constraint staff_import_once unique (file_sha256),
    constraint staff_import_rows_add_up check (rows_in = rows_accepted + rows_refused)
);
comment on table sluice.staff_import is 'Every staff file ever read, once by its content; the ledger has its entry.';

create table sluice.staff_credential (
    import_id   bigint not null references sluice.staff_import,
    row_number  bigint not null,
    agent_ref   sluice.staff_ref not null,
    kind        text not null check (kind in ('course', 'exam', 'signature')),
    happened_at timestamptz not null,
    version     text not null,
    whole       boolean not null,
    score       numeric(7, 4) check (score between 0 and 100),
    withdrawn   boolean not null,
    recorded_at timestamptz not null,
    constraint staff_credential_exam_has_score check ((kind = 'exam') = (score is not null)),
    constraint staff_credential_once
        unique nulls not distinct (agent_ref, kind, happened_at, version, whole, score, withdrawn)
);
comment on table sluice.staff_credential is 'Courses completed, exams taken, codes signed; and those taken back.';

create table sluice.staff_code_version (
    import_id    bigint not null references sluice.staff_import,
    row_number   bigint not null,
    version      text not null,
    current_from timestamptz not null,
    grace_until  timestamptz check (grace_until > current_from),
    withdrawn    boolean not null,
    recorded_at  timestamptz not null,
    constraint staff_code_version_once
        unique nulls not distinct (version, current_from, grace_until, withdrawn)
);
comment on table sluice.staff_code_version is 'When a code of conduct became the current one; the one before it counts until grace_until.';

create table sluice.staff_account (
    import_id   bigint not null references sluice.staff_import,
    row_number  bigint not null,
    platform    text not null,
    account_ref sluice.staff_ref not null,
    agent_ref   sluice.staff_ref not null,
    valid_from  timestamptz,
    withdrawn   boolean not null,
    recorded_at timestamptz not null,
    constraint staff_account_once
        unique nulls not distinct (platform, account_ref, agent_ref, valid_from, withdrawn)
);
comment on table sluice.staff_account is 'Who uses an account of a platform, from a moment on; null since ever.';

grant select, insert on sluice.staff_import, sluice.staff_credential, sluice.staff_code_version,
    sluice.staff_account to sluice_app;

reset role;
