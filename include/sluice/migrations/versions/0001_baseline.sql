-- The tables of Sluice: one ledger that nobody may change, and what is at work beside it, room by room.
--
-- Every object belongs to a role that nobody can log in as. The application (sluice_app) gets what it needs, table by
-- table and column by column, and owns nothing.
--
-- No identifier and no reference of a person is stored here, not even a keyed one: deleted rows linger in heap, indexes
-- and WAL. Only staff have keyed references here, and files are known by ids, counts, codes, hashes and days.

-- Ledger: append-only by rights, not by promise.
--
-- Every object belongs to sluice_ledger. The application may read, and may call two functions that only ever add. It is
-- no member of the owner, so UPDATE, DELETE, TRUNCATE, ALTER and DROP are refused by the server itself.

create schema ledger authorization sluice_ledger;

set role sluice_ledger;

-- One row per chain: where the next entry goes. fillfactor leaves room for HOT updates.
create table ledger.chain (
    name text collate "C" primary key check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    head_seq bigint not null check (head_seq >= 0),
    head_hash bytea not null check (octet_length(head_hash) = 32)
) with (fillfactor = 50);

create table ledger.entry (
    chain text collate "C" not null,
    seq bigint not null check (seq > 0),
    kind text not null check (kind ~ '^[a-z][a-z_]*([.][a-z][a-z_]*)+$'),
    exchange_id uuid,
    body bytea not null,
    prev_hash bytea not null check (octet_length(prev_hash) = 32),
    hash bytea not null check (octet_length(hash) = 32),
    appended_at timestamptz not null,
    primary key (chain, seq)
);

-- What makes an exchange exactly once: whoever comes second finds the first.
create unique index entry_exchange_kind on ledger.entry (exchange_id, kind) where exchange_id is not null;

create table ledger.checkpoint (
    seq bigint primary key check (seq > 0),
    body bytea not null,
    jws text not null,
    made_at timestamptz not null
);

-- The hash of an entry: SHA-256 over eight parts, each preceded by its length in bytes as an
-- unsigned 32-bit big-endian integer, so that no two different entries give the same input:
--   1 the text 'sluice-ledger-entry-v1'   5 exchange_id, 16 bytes, or empty when null
--   2 chain, UTF-8                        6 prev_hash, 32 bytes (zeros for seq 1)
--   3 seq, 64-bit big-endian              7 body, as stored
--   4 kind, UTF-8                         8 appended_at, 64-bit big-endian, microseconds
--                                           since 2000-01-01T00:00:00Z
-- sluice/ledger/hashing.py is the other, independent implementation.
create function ledger.entry_hash(
    chain text, seq bigint, kind text, exchange_id uuid, prev_hash bytea, body bytea, appended_at timestamptz
) returns bytea
language sql immutable
return sha256(
    int4send(22) || convert_to('sluice-ledger-entry-v1', 'UTF8')
    || int4send(octet_length(convert_to(chain, 'UTF8'))) || convert_to(chain, 'UTF8')
    || int4send(8) || int8send(seq)
    || int4send(octet_length(convert_to(kind, 'UTF8'))) || convert_to(kind, 'UTF8')
    || case when exchange_id is null then int4send(0) else int4send(16) || uuid_send(exchange_id) end
    || int4send(octet_length(prev_hash)) || prev_hash
    || int4send(octet_length(body)) || body
    || int4send(8) || timestamptz_send(appended_at)
);

-- Add one entry and return it. The lock on the head row makes the chain gapless and lasts until the
-- caller's transaction ends. The same exchange, kind, chain and bytes again: the entry that is
-- there, is_new = false. Anything else under that exchange and kind: unique violation.
create function ledger.append(p_chain text, p_kind text, p_exchange_id uuid, p_body bytea)
returns table (seq bigint, hash bytea, prev_hash bytea, appended_at timestamptz, is_new boolean)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    head ledger.chain;
    earlier ledger.entry;
begin
    loop
        select * into head from ledger.chain c where c.name = p_chain for no key update;
        exit when found;
        insert into ledger.chain (name, head_seq, head_hash)
        values (p_chain, 0, decode(repeat('00', 32), 'hex')) on conflict do nothing;
    end loop;

    select * into earlier from ledger.entry e where e.exchange_id = p_exchange_id and e.kind = p_kind;
    if found then
        if earlier.chain <> p_chain or earlier.body <> p_body then
            raise unique_violation using
                message = 'this exchange already has another entry of this kind',
                constraint = 'entry_exchange_kind';
        end if;
        return query select earlier.seq, earlier.hash, earlier.prev_hash, earlier.appended_at, false;
        return;
    end if;

    seq := head.head_seq + 1;
    prev_hash := head.head_hash;
    appended_at := clock_timestamp();
    is_new := true;
    hash := ledger.entry_hash(
        p_chain, append.seq, p_kind, p_exchange_id, append.prev_hash, p_body, append.appended_at
    );
    insert into ledger.entry (chain, seq, kind, exchange_id, body, prev_hash, hash, appended_at)
    values (p_chain, append.seq, p_kind, p_exchange_id, p_body, append.prev_hash, append.hash, append.appended_at);
    update ledger.chain c set head_seq = append.seq, head_hash = append.hash where c.name = p_chain;
    return next;
end
$$;

-- Add the next checkpoint. A number that is not the next one: unique violation.
create function ledger.add_checkpoint(p_seq bigint, p_body bytea, p_jws text, p_made_at timestamptz)
returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    lock table ledger.checkpoint in share row exclusive mode;
    if p_seq <> (select coalesce(max(c.seq), 0) + 1 from ledger.checkpoint c) then
        raise unique_violation using
            message = 'another checkpoint was made meanwhile',
            constraint = 'checkpoint_pkey';
    end if;
    insert into ledger.checkpoint (seq, body, jws, made_at) values (p_seq, p_body, p_jws, p_made_at);
end
$$;

-- The second scans of a case are asked for every five minutes: found without reading all of the ledger.
create function ledger.case_of(body bytea) returns text
language sql immutable
return convert_from(body, 'UTF8')::json ->> 'case_id';
comment on function ledger.case_of is 'The case that the body of an entry names. Bodies are JSON in UTF-8 for ever.';
create index entry_scan_of_case on ledger.entry (ledger.case_of(body)) where kind = 'erasure.done';

revoke all on all tables in schema ledger from public;
revoke all on all functions in schema ledger from public;
revoke all on schema ledger from public;

grant usage on schema ledger to sluice_app;
grant select on ledger.chain, ledger.entry, ledger.checkpoint to sluice_app;
grant execute on function ledger.append(text, text, uuid, bytea) to sluice_app;
grant execute on function ledger.add_checkpoint(bigint, bytea, text, timestamptz) to sluice_app;
grant execute on function ledger.case_of(bytea) to sluice_app;

reset role;

set role sluice_owner;

-- Agreements and contracts: bytes by hash, and two clocks.
--
-- Valid time (valid_from, valid_to: Brussels dates, both inclusive) says on which days a paper holds.
-- Known time (known_from, known_to: instants, the second exclusive) says when we held that for true.
-- Nothing is changed or removed: an activation is closed (known_to) and its remaining days are
-- opened again beside the new one. So any past answer can be given again.
create table sluice.document (
    sha256        text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
    kind          text not null check (kind in ('agreement', 'contract')),
    document_id   text not null,
    version       text not null,
    principal     text not null check (principal ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    path          text not null,
    body          bytea not null check (octet_length(body) <= 1048576),
    agreement_id  text,
    agreement_version text,
    registered_at timestamptz not null,
    constraint document_names_its_agreement check ((kind = 'contract') = (agreement_id is not null)),
    constraint document_is_its_hash check (encode(sha256(body), 'hex') = sha256)
);
comment on table sluice.document is 'Every agreement and contract ever activated, byte for byte.';
create unique index document_agreement_version on sluice.document (document_id, version) where kind = 'agreement';
create index document_by_id on sluice.document (kind, document_id, version);

create table sluice.activation (
    activation_id bigint generated always as identity primary key,
    kind          text not null check (kind in ('agreement', 'contract')),
    document_id   text not null,
    sha256        text not null references sluice.document,
    state         text not null check (state in ('active', 'gap', 'retired')),
    valid_from    date not null,
    valid_to      date,
    known_from    timestamptz not null,
    known_to      timestamptz,
    activated_at  timestamptz not null,
    constraint activation_days check (valid_to is null or valid_from <= valid_to),
    constraint activation_known check (known_to is null or known_from <= known_to)
);
comment on table sluice.activation is 'Days on which a document holds, as known from one instant to another.';
comment on column sluice.activation.activated_at is 'When the document was activated; known_from is later where its days were cut.';
create index activation_known_now on sluice.activation (kind, document_id) where known_to is null;
create index activation_by_document on sluice.activation (kind, document_id, known_from);

-- The one change allowed: an open known_to is closed, once.
create function sluice.activation_close_once() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if old.known_to is not null or new.known_to is null
        or (to_jsonb(new) - 'known_to') <> (to_jsonb(old) - 'known_to') then
        raise check_violation using
            message = 'an activation is only ever closed', constraint = 'activation_close_once';
    end if;
    return new;
end
$$;
create trigger activation_close_once before update on sluice.activation
    for each row execute function sluice.activation_close_once();

revoke all on function sluice.activation_close_once() from public;
grant select, insert on sluice.document, sluice.activation to sluice_app;
grant update (known_to) on sluice.activation to sluice_app;

create table sluice.role_sign_off (
    agreement_id text not null,
    version      text not null,
    role_profile text not null,
    signed_by    text not null check (signed_by = btrim(signed_by) and signed_by <> ''),
    signed_at    timestamptz not null,
    reason       text not null
);
comment on table sluice.role_sign_off is 'Who signed which role profile off, of which version of an agreement, and when.';
comment on column sluice.role_sign_off.reason is 'A code, as in the ledger.';
create unique index role_sign_off_four_eyes
    on sluice.role_sign_off (agreement_id, version, role_profile, lower(signed_by));

grant select, insert on sluice.role_sign_off to sluice_app;

-- Exchanges, the copies they made, and the effects still to do. Facts about files only.

-- What a register reads of an exchange is noted when it is closed. Few of them differ, so each is kept once.
create table sluice.said (
    said_id bigint generated always as identity primary key,
    said    jsonb not null,
    constraint said_once exclude using hash (said with =)
);
comment on table sluice.said is
    'What a closed exchange says to a register: why, who, columns by group and category, contract, DAG.';

create function sluice.said_of(body bytea) returns jsonb
language sql immutable
return (
    select jsonb_build_object(
        'why', r -> 'why', 'who', r -> 'who', 'contract', r #> '{how,contract_sha256}',
        'dag', r #> '{how,airflow,dag_id}', 'special', r #> '{what,special_categories}',
        'columns', (
            select jsonb_agg(distinct jsonb_build_array(
                c -> 'field_group', c -> 'category', c -> 'origin', c -> 'controller'))
            from jsonb_array_elements(r #> '{what,columns}') c))
    from (select convert_from(body, 'UTF8')::jsonb as r) as record
);

create function sluice.said_id_of(body bytea) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    found bigint;
    told  jsonb := sluice.said_of(body);
begin
    loop
        select s.said_id into found from sluice.said s where s.said = told;
        if found is not null then
            return found;
        end if;
        insert into sluice.said (said) values (told) on conflict do nothing returning said_id into found;
        if found is not null then
            return found;
        end if;
    end loop;
end
$$;

grant select, insert on sluice.said to sluice_app;

create table sluice.exchange (
    exchange_id      uuid primary key default gen_random_uuid(),
    principal        text not null,
    direction        text not null,
    flow             text not null,
    bucket           text not null,
    key              text not null,
    version_id       text not null,
    size_bytes       bigint not null,
    chain            text not null,
    opened_at        timestamptz not null default now(),
    attempts         integer not null default 0,
    next_attempt_at  timestamptz not null default now(),
    last_error       text,
    decision         text not null default 'open'
        check (decision in ('open', 'accepted', 'partly_accepted', 'refused', 'undecided')),
    reason_code      text,
    purposes         text[] not null default '{}',
    sha256           text,
    rows_in          bigint,
    rows_accepted    bigint,
    rows_refused     bigint,
    entry_hash       text,
    closed_at        timestamptz,
    receipt_at       timestamptz,
    rows_held        bigint,
    day              date,
    prepared_at      timestamptz,
    prepared_by      text,
    released_at      timestamptz,
    released_by      text,
    rows_to_review   bigint not null default 0 check (rows_to_review >= 0),
    said_id          bigint references sluice.said,
    is_told          boolean not null default false,
    staff_seen       text,
    held_codes       text[] not null default '{}',
    inputs_seen      text,
    is_held_up       boolean not null default false,
    arrived_at       timestamptz,
    said_again_after uuid references sluice.exchange,
    constraint exchange_once unique (principal, direction, bucket, key, version_id),
    constraint exchange_closed_whole check ((decision = 'open') = (closed_at is null)),
    constraint exchange_closed_said check (decision = 'open' or said_id is not null),
    constraint exchange_rows_add_up check (rows_in = rows_accepted + rows_refused + coalesce(rows_held, 0)),
    constraint exchange_day_of_return check ((direction = 'outbound_return') = (day is not null)),
    constraint exchange_four_eyes check (released_by is null or released_by <> prepared_by)
);
comment on table sluice.exchange is 'One crossing of one file version in one direction; opened before a byte is read.';
comment on column sluice.exchange.rows_held is 'Rows kept back for a reason that may pass; counted per reason in the record.';
comment on column sluice.exchange.day is 'Of a return: the Brussels calendar day of the contacts in it.';
comment on column sluice.exchange.rows_to_review is 'Held rows whose notes nobody has decided of yet.';
comment on column sluice.exchange.said_id is 'Derived from the entry in the ledger, which is what counts.';
comment on column sluice.exchange.is_told is 'Of one that is refused or undecided: whether the desk was told.';
comment on column sluice.exchange.staff_seen is
    'Of a return: last staff import, and minimum score, of which it is known that they are not about its agents.';
comment on column sluice.exchange.held_codes is 'Codes of the rows that stayed, as its record says; of a prepared return too.';
comment on column sluice.exchange.inputs_seen is
    'Of a return: which contacts and results are known to make no other of its day; empty where nobody has looked.';
comment on column sluice.exchange.is_held_up is
    'Whether its last attempt ended in a fault of ours, so that it did not count; its code is last_error.';
comment on column sluice.exchange.arrived_at is
    'When the store took the file, by the clock of the store (whole seconds); null where none arrived. It decides '
    'which of two files is the younger.';
comment on column sluice.exchange.said_again_after is
    'The accepted exchange whose very bytes a file says again, for a later day and after another file came in between; '
    'null: its bytes were new when they were judged, or it is a duplicate.';

-- Only arrivals are once: a return may hold again what was right before, and a dial list the same persons. Content may
-- come again, once after each exchange that brought it.
create unique index exchange_content_once on sluice.exchange
    (principal, direction, flow, sha256, coalesce(said_again_after, '00000000-0000-0000-0000-000000000000'))
    where decision in ('accepted', 'partly_accepted') and direction in ('inbound', 'internal')
        and split_part(key, '/', 2) <> 'dial';
create index exchange_waiting on sluice.exchange (principal, direction, flow, next_attempt_at) where decision = 'open';
create index exchange_returns on sluice.exchange (principal, flow, day, opened_at) where direction = 'outbound_return';
create index exchange_place on sluice.exchange (bucket, key);
create index exchange_closed on sluice.exchange (closed_at);
create index exchange_to_review on sluice.exchange (opened_at, exchange_id) where rows_to_review > 0;
create index exchange_not_told on sluice.exchange (closed_at)
    where decision in ('refused', 'undecided') and not is_told;
-- Lists, narrowed to one principal, one way or one decision: none reads the whole past.
create index exchange_recent on sluice.exchange (opened_at desc, exchange_id desc);
create index exchange_of_principal on sluice.exchange (principal, opened_at desc, exchange_id desc);
create index exchange_of_decision on sluice.exchange (decision, opened_at desc, exchange_id desc)
    where decision <> 'accepted';
create index exchange_of_way on sluice.exchange (direction, opened_at desc, exchange_id desc)
    where direction <> 'inbound';

-- A register counts every exchange there ever was: they are counted when they are closed, not when somebody looks.
create table sluice.exchange_tally (
    closed_day date not null,
    opened_day date not null,
    principal  text not null,
    direction  text not null,
    flow       text not null,
    said_id    bigint not null references sluice.said,
    n          bigint not null,
    accepted   bigint not null,
    primary key (closed_day, principal, direction, flow, said_id, opened_day)
);
comment on table sluice.exchange_tally is
    'Closed exchanges, alike ones of a day together. Derived from sluice.exchange by its own trigger; days are of Brussels.';
comment on column sluice.exchange_tally.accepted is 'Of them, wholly or partly accepted.';

create function sluice.tally_exchange(seen sluice.exchange, turn integer) returns void
language sql
set search_path = pg_catalog, pg_temp
begin atomic
    insert into sluice.exchange_tally as t (closed_day, opened_day, principal, direction, flow, said_id, n, accepted)
    select (seen.closed_at at time zone 'Europe/Brussels')::date, (seen.opened_at at time zone 'Europe/Brussels')::date,
           seen.principal, seen.direction, seen.flow, seen.said_id, turn,
           case when seen.decision in ('accepted', 'partly_accepted') then turn else 0 end
    where seen.closed_at is not null
    on conflict (closed_day, principal, direction, flow, said_id, opened_day)
    do update set n = t.n + excluded.n, accepted = t.accepted + excluded.accepted;
end;

-- As its owner: the application counts by closing, and in no other way.
create function sluice.count_exchange() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op <> 'INSERT' then
        perform sluice.tally_exchange(old, -1);
    end if;
    if tg_op <> 'DELETE' then
        perform sluice.tally_exchange(new, 1);
    end if;
    return null;
end
$$;
revoke all on function sluice.count_exchange(), sluice.tally_exchange(sluice.exchange, integer) from public;

create trigger exchange_counted
    after insert or delete or update of principal, direction, flow, opened_at, closed_at, decision, said_id
    on sluice.exchange for each row execute function sluice.count_exchange();

create table sluice.copy (
    exchange_id    uuid not null references sluice.exchange,
    kind           text not null,
    bucket         text not null,
    key            text not null,
    version_id     text not null,
    sha256         text not null,
    size_bytes     bigint not null,
    rows           bigint,
    retention_rule text,
    delete_after   date,
    gone_at        timestamptz,
    primary key (exchange_id, kind)
);
comment on table sluice.copy is 'Every object that exists because of an exchange, with the day it must be gone.';
comment on column sluice.copy.gone_at is 'When the object was removed for good; its line stays as evidence that it was.';
create index copy_place on sluice.copy (bucket, key);
create index copy_due on sluice.copy (delete_after) where gone_at is null;

create table sluice.outbox (
    exchange_id     uuid not null references sluice.exchange,
    effect          text not null,
    rank            smallint not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    last_error      text,
    done_at         timestamptz,
    primary key (exchange_id, effect)
);
comment on table sluice.outbox is 'Effects of a committed ledger entry, done at least once, in the order of their rank.';
create index outbox_waiting on sluice.outbox (next_attempt_at) where done_at is null;

-- The only way to accepted data: no receipt, no transfer; and what was removed is no accepted data.
create view sluice.accepted_data as
    select c.exchange_id, e.principal, e.direction, e.flow, c.bucket, c.key, c.version_id, c.sha256,
           c.size_bytes, c.rows, c.delete_after, e.closed_at
    from sluice.copy c
    join sluice.exchange e using (exchange_id)
    where c.kind = 'lake' and e.decision in ('accepted', 'partly_accepted') and e.receipt_at is not null
      and c.gone_at is null;

create table sluice.return_input (
    exchange_id uuid not null references sluice.exchange,
    input_id    uuid not null references sluice.exchange,
    kind        text not null check (kind in ('contacts', 'results', 'return', 'review')),
    primary key (exchange_id, input_id)
);
comment on table sluice.return_input is
    'The exchanges that one is made of: a return (fixed when it is opened), a dial list, an answer to a controller; '
    'and of held rows that came back the exchange that held them.';
create index return_input_of on sluice.return_input (input_id);

create table sluice.review (
    exchange_id uuid not null references sluice.exchange,
    number      integer not null,
    decision    text not null check (decision in ('send', 'mask', 'drop')),
    rows        integer[] not null check (cardinality(rows) > 0),
    decided_by  text not null,
    decided_at  timestamptz not null,
    bucket      text not null,
    key         text not null,
    sha256      text,
    put_at      timestamptz,
    primary key (exchange_id, number)
);
comment on table sluice.review is
    'Decisions of a person about rows held for their notes; sha256 of the file in which rows that may go come back.';
create unique index review_file on sluice.review (bucket, key);

-- A stop of ours holds wherever work is taken up, in Airflow or not.
create table sluice.flow_stop (
    stop_id    bigint generated always as identity primary key,
    principal  text not null,
    flow       text not null,
    reason     text not null,
    stopped_at timestamptz not null,
    stopped_by text not null,
    resumed_at timestamptz,
    resumed_by text,
    constraint flow_stop_resumed check ((resumed_at is null) = (resumed_by is null))
);
comment on table sluice.flow_stop is 'Who stopped a flow of a principal, why, and who let it go on.';
create unique index flow_stop_one on sluice.flow_stop (principal, flow) where resumed_at is null;
create index flow_stop_resumed_at on sluice.flow_stop (principal, flow, resumed_at);

grant select, insert on sluice.exchange, sluice.copy, sluice.outbox, sluice.return_input, sluice.review,
    sluice.flow_stop to sluice_app;
grant select on sluice.accepted_data, sluice.exchange_tally to sluice_app;
grant update on sluice.exchange, sluice.outbox to sluice_app;
grant update (version_id, sha256, size_bytes, rows, gone_at) on sluice.copy to sluice_app;
grant update (sha256, put_at) on sluice.review to sluice_app;
grant update (resumed_at, resumed_by) on sluice.flow_stop to sluice_app;

-- Merges of index runs, each split into parts by the leading bits of the references. They are made of the runs and can
-- be made again, so their rows go with them. A part is known by its number.
create table sluice.index_merge (
    merge_id  uuid primary key,
    principal text not null,
    bits      smallint not null check (bits between 0 and 12),
    made_at   timestamptz not null,
    month     text not null
);
create index index_merge_principal on sluice.index_merge (principal);
comment on table sluice.index_merge is 'Noted once its last object was put; what lies beside its parts is no merge.';
comment on column sluice.index_merge.month is 'Of its exchanges, in Brussels, as 2026-11: one at a time makes or drops its merges.';

create table sluice.index_merge_part (
    merge_id   uuid not null references sluice.index_merge on delete cascade,
    part       smallint not null,
    key        text not null,
    version_id text not null,
    sha256     text not null,
    primary key (merge_id, part)
);
comment on table sluice.index_merge_part is 'The objects of a merge, in the lake bucket.';

create table sluice.index_merge_run (
    merge_id    uuid not null references sluice.index_merge on delete cascade,
    number      integer not null,
    exchange_id uuid not null,
    kind        text not null,
    version_id  text not null,
    is_whole    boolean not null,
    primary key (merge_id, number),
    foreign key (exchange_id, kind) references sluice.copy
);
create index index_merge_run_copy on sluice.index_merge_run (exchange_id, kind);
comment on table sluice.index_merge_run is 'The versions of runs that a merge answers for, numbered as in its parts.';

grant select, insert, update, delete on sluice.index_merge to sluice_app;
grant select, insert on sluice.index_merge_part, sluice.index_merge_run to sluice_app;

-- Staff: what an agent completed, passed and signed; which code of conduct was current; whose account is whose.
--
-- Two clocks: ``happened_at``, ``current_from``, ``valid_from`` say since when it holds, ``recorded_at`` when we
-- learnt it. Nothing is changed or removed: a row that was wrong is taken back by the same row, withdrawn.
-- An agent is a keyed reference everywhere here, never a number, account or name.
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
    constraint staff_import_rows_add_up check (rows_in = rows_accepted + rows_refused)
);
comment on table sluice.staff_import is
    'Every staff file ever read; again by the same content where a row counts that did not before. The ledger has each entry.';

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

-- Results and returns: whose days a results file is of, and whether the principal acknowledged a return.
create table sluice.result_day (
    exchange_id uuid not null references sluice.exchange,
    day         date not null,
    rows        bigint not null,
    primary key (exchange_id, day)
);
comment on table sluice.result_day is 'Brussels calendar days of the contacts in one accepted results file.';
create index result_day_by_day on sluice.result_day (day);

create table sluice.acknowledgement (
    exchange_id     uuid primary key references sluice.exchange,
    delivered_at    timestamptz not null,
    due_at          timestamptz not null,
    escalate_at     timestamptz not null,
    reminded_at     timestamptz,
    escalated_at    timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    via             text check (via in ('file', 'command')),
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
comment on table sluice.acknowledgement is 'Whether the principal said a return arrived; nothing closes by itself.';
create index acknowledgement_waiting on sluice.acknowledgement (due_at) where acknowledged_at is null;

create table sluice.ack_file (
    principal   text not null,
    bucket      text not null,
    key         text not null,
    version_id  text not null,
    exchange_id uuid,
    outcome     text not null,
    seen_at     timestamptz not null default now(),
    primary key (bucket, key, version_id)
);
comment on table sluice.ack_file is 'Every file a principal put under acks/, and what it did, once per version.';

grant select, insert on sluice.result_day, sluice.acknowledgement, sluice.ack_file to sluice_app;
grant update on sluice.acknowledgement to sluice_app;

-- Requests of persons: cases, their parts, every step they took, and the files that asked for it. Who a case is about
-- lies sealed in the vault; the row names that object.
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
    taken_up_at         timestamptz,
    constraint subject_case_due_in_order check (received <= nominal_due and nominal_due <= legal_due)
);
comment on table sluice.subject_case is 'One request of a person, or one request file of a principal; its clock and its state.';
comment on column sluice.subject_case.principal is 'Who was addressed; none: every principal that knows the person.';
comment on column sluice.subject_case.subject_sha256 is 'Of the sealed object, never of an identifier.';
comment on column sluice.subject_case.taken_up_at is 'When a run took its erasure up last.';
create index subject_case_open on sluice.subject_case (legal_due) where state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT');
create index subject_case_recent on sluice.subject_case (opened_at desc, case_id);

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

create table sluice.instruction_key (
    principal text primary key,
    noted_at  timestamptz not null default now()
);
comment on table sluice.instruction_key is 'Principals that had a key for their instructions: from then on each is signed.';

grant select, insert on sluice.subject_case, sluice.sub_case, sluice.case_transition, sluice.request_file,
    sluice.instruction, sluice.instruction_key to sluice_app;
grant update (state, has_failed_identity, is_breached, has_complaint, taken_up_at) on sluice.subject_case to sluice_app;
-- A case that waited for a candidate is about another sealed request from then on.
grant update (subject_key, subject_sha256, searched) on sluice.subject_case to sluice_app;
grant update (state, forwarded_at, reminders, told_at, extended_at, answered_at, action, action_fields)
    on sluice.sub_case to sluice_app;

-- Letters to the person of a case: what was written, in which language, and where it lies sealed. A letter names a
-- case, never a person.
create table sluice.case_letter (
    letter_id           bigint generated always as identity unique,
    case_id             uuid not null references sluice.subject_case,
    kind                text not null check (kind in ('receipt', 'extension', 'refusal', 'completion', 'lifting')),
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

-- A letter that nobody took out of the vault was sent to nobody.
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

-- The catalogue of suppression runs, and corrected fields: who they are about lies in S3, under keyed references.
create table sluice.suppression_run (
    run_id     uuid primary key,
    principal  text not null,
    reason     text not null
        check (reason in ('erased', 'objected', 'restricted', 'consent_withdrawn', 'soft_hold')),
    bucket     text not null,
    key        text not null,
    version_id text not null,
    sha256     text not null,
    refs       bigint not null,
    case_id    uuid,
    made_at    timestamptz not null,
    lifted_at  timestamptz,
    purposes   text[] not null default '{}',
    bases      text[] not null default '{}',
    channel    text,
    entry_hash text
);
comment on table sluice.suppression_run is 'Who must stay out, as runs of keyed references in S3; lifted ones count no more.';
comment on column sluice.suppression_run.purposes is 'DPV IRIs it stops; none: every purpose.';
comment on column sluice.suppression_run.bases is 'Legal bases it stops (GDPR Art. 6(1)), DPV IRIs; none: every basis.';
comment on column sluice.suppression_run.channel is 'Channel of the agreement it stops; null: every channel.';
comment on column sluice.suppression_run.entry_hash is 'Of the ledger entry that says that it holds.';
create index suppression_run_live on sluice.suppression_run (principal) where lifted_at is null;

create table sluice.correction (
    correction_id uuid primary key,
    case_id       uuid not null,
    principal     text not null,
    field         text not null,
    kind          text not null check (kind in ('value', 'statement')),
    as_of         timestamptz not null,
    bucket        text not null,
    key           text not null,
    sha256        text not null,
    made_at       timestamptz not null,
    entry_hash    text,
    gone_at       timestamptz
);
comment on table sluice.correction is 'Corrected fields of persons; whose, and what is right, lies sealed in the vault.';
create index correction_live on sluice.correction (principal) where gone_at is null;

grant select, insert on sluice.suppression_run, sluice.correction to sluice_app;
grant update (lifted_at, entry_hash) on sluice.suppression_run to sluice_app;
grant update (entry_hash, gone_at) on sluice.correction to sluice_app;

-- Who may be called: dial lists, the imported Do-Not-Call-Me list, and consent records (ISO/IEC TS 27560).
create table sluice.dial_list (
    exchange_id uuid primary key references sluice.exchange,
    purpose     text not null,
    channel     text not null,
    format      text not null,
    asked_by    text not null,
    dncm_sha256 text
);
comment on table sluice.dial_list is 'What a dial list was asked for: a purpose, a channel, a format. Who is in it is in its file.';

create table sluice.dncm_list (
    sha256      text primary key,
    dated_on    date not null,
    numbers     bigint not null,
    refused     bigint not null,
    bucket      text not null,
    key         text not null,
    version_id  text not null,
    imported_at timestamptz not null,
    imported_by text not null
);
comment on table sluice.dncm_list is 'Imported Do-Not-Call-Me lists by the hash of their file; the numbers are keyed references in S3.';

create table sluice.consent_run (
    run_id        uuid primary key,
    principal     text not null,
    source_sha256 text not null,
    dated_on      date not null,
    records       bigint not null,
    bucket        text not null,
    key           text not null,
    version_id    text not null,
    recorded_at   timestamptz not null,
    recorded_by   text not null,
    gone_at       timestamptz
);
comment on table sluice.consent_run is 'Consent records that came at once, from a file or by one word; they lie in S3, under keyed references.';
create index consent_run_live on sluice.consent_run (principal) where gone_at is null;

grant select, insert on sluice.dial_list, sluice.dncm_list, sluice.consent_run to sluice_app;
grant update (dncm_sha256) on sluice.dial_list to sluice_app;
grant update (dated_on, imported_at, imported_by) on sluice.dncm_list to sluice_app;
grant update (version_id, records, gone_at) on sluice.consent_run to sluice_app;

-- Erasures: their plans and who released them, runs, stops, writes of our own that are no arrivals, and what was done.
create table sluice.erasure_plan (
    plan_id     uuid primary key,
    case_id     uuid not null references sluice.subject_case,
    principal   text not null,
    content     bytea not null,
    sha256      text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    made_at     timestamptz not null,
    made_by     text not null,
    released_at timestamptz,
    released_by text,
    ended_at    timestamptz,
    ended_as    text check (ended_as in ('superseded', 'outdated')),
    constraint erasure_plan_four_eyes check (lower(btrim(released_by)) <> lower(btrim(made_by))),
    constraint erasure_plan_released check ((released_at is null) = (released_by is null)),
    constraint erasure_plan_ended check ((ended_at is null) = (ended_as is null))
);
comment on table sluice.erasure_plan is 'What an erasure may do at one principal: copies, counts, decisions; its release.';
comment on column sluice.erasure_plan.content is 'Canonical JSON (RFC 8785); sha256 is that of these bytes.';
create unique index erasure_plan_one on sluice.erasure_plan (case_id, principal) where ended_at is null;

create table sluice.erasure_run (
    case_id  uuid primary key references sluice.subject_case,
    begun_at timestamptz not null,
    seen_at  timestamptz not null,
    waiting  integer not null default 0,
    ended_at timestamptz,
    outcome  text check (outcome in
        ('clean', 'waiting', 'undecided', 'residue', 'doubts', 'failed', 'stopped', 'outdated')),
    error    text,
    decided  jsonb not null default '{}',
    begun    text[] not null default '{}',
    constraint erasure_run_ended check ((ended_at is null) = (outcome is null))
);
comment on table sluice.erasure_run is 'The last run of each case: when it was last seen at work, and how it ended.';
comment on column sluice.erasure_run.decided is
    'Per principal where the last run left nothing to do before somebody decides: field groups and who decides of them.';
comment on column sluice.erasure_run.begun is 'Principals at which the run has kept the persons out.';

create table sluice.erasure_stop (
    stop_id    bigint generated always as identity primary key,
    case_id    uuid references sluice.subject_case,
    reason     text not null,
    stopped_at timestamptz not null,
    stopped_by text not null,
    resumed_at timestamptz,
    resumed_by text
);
comment on table sluice.erasure_stop is 'Who stopped one erasure, or all of them, and who let it go on.';
create unique index erasure_stop_one on sluice.erasure_stop (case_id) nulls not distinct where resumed_at is null;

create table sluice.own_write (
    bucket     text not null,
    key        text not null,
    sha256     text not null,
    version_id text,
    made_at    timestamptz not null,
    primary key (bucket, key, sha256)
);
comment on table sluice.own_write is
    'Edited versions that erasure puts where files arrive, noted before they are put, so that no poll takes one for an arrival; once put, only that version.';
comment on column sluice.own_write.sha256 is 'Of its bytes, as the object says it.';

create table sluice.erasure_outcome (
    case_id     uuid not null,
    principal   text not null,
    store       text not null,
    exchange_id uuid not null,
    kind        text not null,
    outcome     text not null check (outcome in ('erased', 'removed', 'kept')),
    ground      text,
    rows_before bigint not null,
    rows_after  bigint not null,
    done_at     timestamptz not null,
    primary key (case_id, exchange_id, kind)
);
comment on table sluice.erasure_outcome is 'What an erasure did to each copy: counts and words, nobody in it.';
comment on column sluice.erasure_outcome.exchange_id is 'The exchange of the copy; of an answer to the person its own id.';

create table sluice.erasure_lead (
    case_id     uuid not null references sluice.subject_case,
    principal   text not null,
    exchange_id uuid not null,
    found_by    text not null check (found_by in ('index', 'scan')),
    noted_at    timestamptz not null,
    primary key (case_id, principal, exchange_id)
);
comment on table sluice.erasure_lead is
    'Exchanges that the index named before a case edited it, or in which its second scan found a residue.';

grant select, insert on sluice.erasure_plan, sluice.erasure_run, sluice.erasure_stop, sluice.own_write,
    sluice.erasure_outcome, sluice.erasure_lead to sluice_app;
grant update (released_at, released_by, ended_at, ended_as) on sluice.erasure_plan to sluice_app;
grant update (begun_at, seen_at, waiting, ended_at, outcome, error, decided, begun) on sluice.erasure_run to sluice_app;
grant update (resumed_at, resumed_by) on sluice.erasure_stop to sluice_app;
grant update (version_id) on sluice.own_write to sluice_app;
grant update (store, outcome, ground, rows_before, rows_after, done_at) on sluice.erasure_outcome to sluice_app;

-- Notices to recipients (GDPR Art. 19): which exchanges held the persons of a case, who has a copy, how far each is.
-- Who a notice is about stands in its file and nowhere here.
create table sluice.case_holder (
    case_id       uuid not null references sluice.subject_case,
    principal     text not null,
    exchange_id   uuid not null references sluice.exchange,
    was_delivered boolean not null,
    noted_at      timestamptz not null default now(),
    identifiers   integer[],
    primary key (case_id, exchange_id)
);
comment on table sluice.case_holder is
    'Exchanges that held persons of a case, noted before an erasure removes what says so.';
comment on column sluice.case_holder.was_delivered is 'Of a return: its principal got it with the persons in it.';
comment on column sluice.case_holder.identifiers is
    'Places in the sealed list of the identifiers that its index named; null: nobody asked, or it knew none.';

create table sluice.propagation (
    sub_case_id uuid not null references sluice.sub_case,
    recipients  integer not null,
    found_at    timestamptz not null,
    entry_hash  text not null check (entry_hash ~ '^[0-9a-f]{64}$'),
    decision    integer not null default 0,
    primary key (sub_case_id, decision)
);
comment on table sluice.propagation is
    'Decisions on parts of which it was found out who has to be told; once, also when it is nobody.';
comment on column sluice.propagation.decision is 'How often the decision on the part had been taken back before this one.';

create table sluice.notice (
    notice_id       uuid primary key,
    sub_case_id     uuid not null,
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
    decision        integer not null default 0,
    constraint notice_of_decision foreign key (sub_case_id, decision) references sluice.propagation,
    constraint notice_once unique (sub_case_id, decision, recipient, side),
    constraint notice_told check ((state = 'OWED') = (told_at is null)),
    constraint notice_done check ((state = 'DONE') = (done_at is not null))
);
comment on table sluice.notice is 'One recipient of one decided part, what it has of it, and how far it is. Sent is not done.';
comment on column sluice.notice.principal is 'Whose data it is; recipient: who got it.';
comment on column sluice.notice.sha256 is 'Of the notice file, which holds a keyed nonce and so cannot be guessed; or of the proof that it was told.';
comment on column sluice.notice.decision is 'Which decision on the part it tells of, as propagation.decision.';
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
grant update (was_delivered, identifiers) on sluice.case_holder to sluice_app;
grant update (state, told_at, due_at, sha256, entry_hash, receipted_at, acknowledged_at, done_at, was_late, reminders,
    reminded_at, escalated_at, dropped_at) on sluice.notice to sluice_app;

-- Answers to persons: packages sealed in the vault, the links that open them, and every try of a link. Who an answer is
-- about stands in the request it answers, and nowhere here.
create table sluice.answer (
    answer_id      uuid primary key,
    case_id        uuid not null references sluice.subject_case,
    kind           text not null check (kind in ('access', 'portability')),
    sub_cases      uuid[] not null check (cardinality(sub_cases) > 0),
    principals     text[] not null,
    language       text not null check (language in ('nl', 'fr', 'en')),
    file_name      text not null,
    files          integer not null check (files > 0),
    rows           bigint not null,
    sha256         text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes     bigint not null,
    bucket         text not null,
    key            text not null,
    version_id     text not null,
    sealed_sha256  text not null check (sealed_sha256 ~ '^[0-9a-f]{64}$'),
    made_at        timestamptz not null,
    made_by        text not null,
    delete_after   date not null,
    only_principal text,
    gone_at        timestamptz,
    gone_why       text check (gone_why in ('retention', 'erasure', 'replaced', 'withdrawn')),
    given          text[] not null,
    constraint answer_gone_whole check ((gone_at is null) = (gone_why is null))
);
comment on table sluice.answer is 'What a person is given: one sealed package per making; its line stays when the package is gone.';
comment on column sluice.answer.sha256 is 'Of the package as the person gets it; sealed_sha256: of the object in the vault.';
comment on column sluice.answer.principals is 'Principals whose data is in it, so that an erasure at one of them finds it.';
comment on column sluice.answer.only_principal is 'Made for what concerns one principal; such a package is not the answer to the person.';
create index answer_of_case on sluice.answer (case_id, made_at);
create index answer_due on sluice.answer (delete_after) where gone_at is null;
comment on column sluice.answer.given is 'Part and field group of everything in it, as part/group.';

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

-- Answers that go to a controller: to the next one, because the person asked (GDPR Art. 20(2)), or to the principal
-- that asked for them.
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

-- Retention: what went on its day, what a legal hold keeps, what was given back at the end of an agreement.
create table sluice.retention_outcome (
    exchange_id uuid not null references sluice.exchange,
    kind        text not null,
    last_day    date not null,
    why         text not null check (why in ('rule', 'agreement_ended')),
    deleted_at  timestamptz not null,
    primary key (exchange_id, kind)
);
comment on table sluice.retention_outcome is
    'Copies that went on their day; written once no version was found of them any more.';

create table sluice.retention_begun (
    exchange_id uuid not null references sluice.exchange,
    kind        text not null,
    last_day    date not null,
    why         text not null check (why in ('rule', 'agreement_ended')),
    primary key (exchange_id, kind)
);
comment on table sluice.retention_begun is 'Copies that retention began to delete, noted before; a rerun finishes them.';

create table sluice.legal_hold (
    hold_id     uuid primary key,
    principal   text not null,
    flow        text,
    exchange_id uuid references sluice.exchange,
    reason      text not null check (reason in ('A17LegalClaims', 'A17LegallyRequired')),
    reference   text not null check (reference ~ '^[A-Z0-9][A-Z0-9/._-]{0,39}$'),
    until       date not null,
    set_by      text not null,
    set_at      timestamptz not null,
    lifted_at   timestamptz,
    lifted_by   text,
    constraint lifted_whole check ((lifted_at is null) = (lifted_by is null))
);
comment on table sluice.legal_hold is 'Copies that must stay beyond their day: who said so, why, until when.';

create table sluice.end_return (
    principal         text not null,
    agreement_id      text not null,
    agreement_version text not null,
    reference         text not null check (reference ~ '^[A-Z0-9][A-Z0-9/._-]{0,39}$'),
    confirmed_by      text not null,
    confirmed_at      timestamptz not null,
    primary key (principal, agreement_id, agreement_version)
);
comment on table sluice.end_return is 'Data that an ended agreement wanted back, and was given back.';

grant select, insert on sluice.retention_begun, sluice.retention_outcome, sluice.legal_hold, sluice.end_return to sluice_app;
grant update (lifted_at, lifted_by) on sluice.legal_hold to sluice_app;

-- Removals that take more than one step: what was begun is noted first, so that a rerun finishes it.
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

-- What the desk has to hear is stored whole before it is sent, and what was taken into it is taken once. The content of
-- other mail is made again from what it is about.
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
comment on table sluice.desk_alert is 'What the desk was told of, in which message; at: when that came to be.';

-- One row for each way of each message; what is about a notice or a case goes by mail only.
create table sluice.mail (
    number          uuid not null,
    kind            text not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    sent_at         timestamptz,
    last_error      text,
    way             text not null default 'mail',
    primary key (number, way)
);
comment on table sluice.mail is
    'What was tried, by way and by the number in its Message-ID, which is a function of what it is about.';
create index mail_unsent on sluice.mail (way, next_attempt_at) where sent_at is null;

grant select, insert on sluice.desk_message, sluice.desk_alert, sluice.mail to sluice_app;
grant update (attempts, next_attempt_at, sent_at, last_error) on sluice.mail to sluice_app;

reset role;
