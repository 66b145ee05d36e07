-- The ledger: append-only by rights, not by promise.
--
-- Every object belongs to sluice_ledger, a role nobody can log in as. The application (sluice_app)
-- may read, and may call two functions that only ever add. It owns nothing here and is no member of
-- the owner, so UPDATE, DELETE, TRUNCATE, ALTER and DROP are refused by the server itself.

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

revoke all on all tables in schema ledger from public;
revoke all on all functions in schema ledger from public;
revoke all on schema ledger from public;

grant usage on schema ledger to sluice_app;
grant select on ledger.chain, ledger.entry, ledger.checkpoint to sluice_app;
grant execute on function ledger.append(text, text, uuid, bytea) to sluice_app;
grant execute on function ledger.add_checkpoint(bigint, bytea, text, timestamptz) to sluice_app;

reset role;
