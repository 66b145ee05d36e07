-- Letters to the person of a case: what was written, in which language, and where it lies sealed.
--
-- Hashes, numbers and codes; a letter names a case, never a person.
set role sluice_owner;

create table sluice.case_letter (
    letter_id           bigint generated always as identity unique,
    case_id             uuid not null references sluice.subject_case,
    kind                text not null check (kind in ('receipt', 'extension', 'refusal', 'completion')),
    scope               text not null,
    language            text not null check (language in ('nl', 'fr', 'en')),
    sub_cases           uuid[] not null,
    sha256              text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    document_sha256     text not null check (document_sha256 ~ '^[0-9a-f]{64}$'),
    template            text not null,
    written_at          timestamptz not null,
    bucket              text not null,
    key                 text not null,
    version_id          text not null,
    document_key        text not null,
    document_version_id text not null,
    primary key (case_id, kind, scope, language)
);
comment on table sluice.case_letter is 'Every letter to a person that was logged; rows are added, never changed or removed.';
comment on column sluice.case_letter.scope is
    '`case`, or the first part a later letter of its kind is about: the middle of its name in the vault.';
comment on column sluice.case_letter.sub_cases is 'The parts it is about; none: the whole request.';
comment on column sluice.case_letter.sha256 is 'Of the PDF as the person reads it, not of the sealed object.';
grant select, insert on sluice.case_letter to sluice_app;

-- The last door: a refusal counts as answered only by the letter that told it.
create function sluice.check_refusal_was_told() returns trigger language plpgsql as $$
begin
    if new.from_state = 'REFUSED' and new.to_state = 'ANSWERED' and not exists (
        select from sluice.case_letter l
        where l.case_id = new.case_id and l.kind = 'refusal' and new.sub_case_id = any(l.sub_cases)
          and l.sha256 = new.evidence_sha256)
    then
        raise exception 'a refusal was not told' using errcode = 'check_violation',
            constraint = 'case_transition_refusal_was_told';
    end if;
    return new;
end $$;
create trigger case_transition_refusal_was_told before insert on sluice.case_transition
    for each row execute function sluice.check_refusal_was_told();

reset role;
