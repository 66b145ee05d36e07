-- Who took a letter out of the vault, and when: a letter that nobody took out was sent to nobody.
set role sluice_owner;

create table sluice.case_letter_opened (
    opened_id bigint generated always as identity primary key,
    case_id   uuid not null,
    kind      text not null,
    scope     text not null,
    language  text not null,
    opened_by text not null,
    opened_at timestamptz not null,
    foreign key (case_id, kind, scope, language) references sluice.case_letter
);
comment on table sluice.case_letter_opened is 'Every time a letter was written into a file outside the vault; rows are added only.';
create index case_letter_opened_of_letter on sluice.case_letter_opened (case_id, kind, scope, language);
grant select, insert on sluice.case_letter_opened to sluice_app;

reset role;
