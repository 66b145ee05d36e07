-- Mail about notices and about the clock: which was sent. Its content is made again from what it is about.
set role sluice_owner;

create table sluice.mail (
    number          uuid primary key,
    kind            text not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    sent_at         timestamptz,
    last_error      text
);
comment on table sluice.mail is
    'Mails that were tried, by the number in their Message-ID, which is a function of what they are about.';

grant select, insert on sluice.mail to sluice_app;
grant update (attempts, next_attempt_at, sent_at, last_error) on sluice.mail to sluice_app;

-- A case that waited for a candidate is about another sealed request from then on.
grant update (subject_key, subject_sha256, searched) on sluice.subject_case to sluice_app;

reset role;
