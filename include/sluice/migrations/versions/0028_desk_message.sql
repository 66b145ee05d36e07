-- What the desk has to hear is stored whole before it is sent, and what was taken into it is taken once. Ids, codes and
-- dates only.
set role sluice_owner;

create table sluice.desk_message (
    number    uuid primary key,
    kind      text not null,
    lines     text[] not null,
    stored_at timestamptz not null
);
comment on table sluice.desk_message is 'Messages to the desk; the number is a function of what was taken into one.';

create table sluice.desk_alert (
    kind   text not null,
    about  text not null,
    at     timestamptz not null,
    number uuid references sluice.desk_message,
    primary key (kind, about)
);
create index desk_alert_latest on sluice.desk_alert (kind, at desc);
comment on table sluice.desk_alert is 'What the desk was told of, in which message; at: when that came to be.';

-- One row for each way of each message; what is about a notice or a case goes by mail only.
alter table sluice.mail add column way text not null default 'mail';
alter table sluice.mail drop constraint mail_pkey;
alter table sluice.mail add primary key (number, way);
create index mail_unsent on sluice.mail (way, next_attempt_at) where sent_at is null;
comment on table sluice.mail is
    'What was tried, by way and by the number in its Message-ID, which is a function of what it is about.';

create index exchange_not_taken on sluice.exchange (closed_at) where decision in ('refused', 'undecided');

-- Refusals of before were told without being stored: those of the last two days are told once more, none is lost.
insert into sluice.desk_alert (kind, about, at) values ('REFUSED', 'before 0028', now() - interval '1 day');

grant select, insert on sluice.desk_message, sluice.desk_alert to sluice_app;

reset role;
