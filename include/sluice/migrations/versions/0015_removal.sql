-- Removals that take more than one step: what was begun is noted first, so that a rerun finishes it.
set role sluice_owner;

create table sluice.case_tidied (
    case_id    uuid primary key references sluice.subject_case,
    objects    integer not null check (objects >= 0),
    asked_by   text not null,
    begun_at   timestamptz not null,
    removed_at timestamptz,
    constraint case_tidied_in_order check (removed_at >= begun_at)
);
comment on table sluice.case_tidied is
    'Closed cases of which the sealed material (request, letters, what to look for) is removed, or being removed.';
comment on column sluice.case_tidied.objects is 'Versions that lay in the vault when it began.';

create table sluice.key_destruction (
    principal      text primary key,
    asked_by       text not null,
    asked_at       timestamptz not null,
    confirmed_by   text,
    confirmed_at   timestamptz,
    fingerprints   jsonb,
    destroyed_at   timestamptz,
    constraint key_destruction_four_eyes check (lower(btrim(confirmed_by)) <> lower(btrim(asked_by))),
    constraint key_destruction_confirmed
        check (num_nulls(confirmed_by, confirmed_at, fingerprints) in (0, 3)),
    constraint key_destruction_in_order check (destroyed_at is null or confirmed_at is not null)
);
comment on table sluice.key_destruction is
    'Who asked that the keys of a principal are destroyed, who confirmed it, and when they were gone.';
comment on column sluice.key_destruction.fingerprints is
    'By purpose, what names a key without giving it: HMAC-SHA256 of fixed words under the key.';

grant select, insert on sluice.case_tidied, sluice.key_destruction to sluice_app;
grant update (removed_at) on sluice.case_tidied to sluice_app;
grant update (asked_by, asked_at, confirmed_by, confirmed_at, fingerprints, destroyed_at)
    on sluice.key_destruction to sluice_app;

-- What two persons said stays as they said it.
create function sluice.key_destruction_stays() returns trigger language plpgsql as $$
begin
    if old.confirmed_at is not null and (old.asked_by, old.asked_at, old.confirmed_by, old.confirmed_at, old.fingerprints)
            is distinct from (new.asked_by, new.asked_at, new.confirmed_by, new.confirmed_at, new.fingerprints)
            or old.destroyed_at is not null then
        raise exception 'a confirmed destruction of keys is not changed' using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger key_destruction_stays before update on sluice.key_destruction
    for each row execute function sluice.key_destruction_stays();

reset role;
