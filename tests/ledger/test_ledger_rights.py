"""S-08: the application role cannot change, remove or forge an entry; the database refuses it."""

import psycopg
import pytest

from sluice.db import connect_to, transaction
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind

REFUSED = [
    "insert into ledger.entry select * from ledger.entry",
    "insert into ledger.entry select * from ledger.entry on conflict do nothing",
    "insert into ledger.entry select * from ledger.entry on conflict (chain, seq) do update set body = ''",
    "insert into ledger.chain values ('DPA-X', 0, decode(repeat('00', 32), 'hex'))",
    "insert into ledger.checkpoint values (1, '', '', now())",
    "update ledger.entry set body = ''",
    "update ledger.chain set head_seq = 0",
    "update ledger.checkpoint set jws = ''",
    "delete from ledger.entry",
    "delete from ledger.chain",
    "delete from ledger.checkpoint",
    "truncate ledger.entry",
    "truncate ledger.entry, ledger.chain, ledger.checkpoint cascade",
    "merge into ledger.entry e using ledger.entry s on e.seq = s.seq when matched then delete",
    "select * from ledger.entry for update",
    "select * from ledger.chain for no key update",
    "do $$ begin lock table ledger.entry in access exclusive mode; end $$",
    "copy ledger.entry from stdin",
    "drop table ledger.entry",
    "drop schema ledger cascade",
    "drop function ledger.append(text, text, uuid, bytea)",
    "drop index ledger.entry_exchange_kind",
    "drop owned by sluice_ledger",
    "alter table ledger.entry disable trigger all",
    "alter table ledger.entry add column x int",
    "alter table ledger.entry owner to current_user",
    "alter table ledger.entry disable row level security",
    "alter table ledger.entry set (fillfactor = 10)",
    "alter schema ledger rename to other",
    "alter function ledger.append(text, text, uuid, bytea) security invoker",
    "create or replace function ledger.append(text, text, uuid, bytea) returns void language sql as 'select 1'",
    "create table ledger.other (x int)",
    "create trigger t before insert on ledger.entry for each row execute function suppress_redundant_updates_trigger()",
    "create rule r as on insert to ledger.entry do instead nothing",
    "grant all on ledger.entry to current_user; update ledger.entry set body = ''",
    "grant sluice_ledger to current_user",
    "reassign owned by sluice_ledger to current_user",
    "set role sluice_ledger",
    "set session authorization sluice_ledger",
    "set session_replication_role = replica",
    "select ledger.entry_hash('DPA-A', 1, 'a.b', null, '', '', now())",
    "create function pg_temp.f() returns void language sql security definer as 'delete from ledger.entry'; "
    "select pg_temp.f()",
    "do $$ begin update ledger.entry set body = ''; end $$",
    "with gone as (delete from ledger.entry returning 1) select * from gone",
    "create temp view v as select * from ledger.entry; update v set body = ''",
    "cluster ledger.entry using entry_pkey",
    "reindex table ledger.entry",
]

AS_OWNER = ["update ledger.entry set body = ''", "delete from ledger.entry", "drop table ledger.entry"]


@pytest.fixture
def written(database, make_opened):
    """A database whose ledger has one entry."""
    with connect_to(database.app_url) as conn, transaction(conn):
        append(conn, chain="DPA-A", kind=EntryKind.EXCHANGE_OPENED, exchange_id=None, body=make_opened())
    return database


def refusal(conn, statement):
    """The SQLSTATE with which the database refuses a statement; 42501 is insufficient privilege."""
    try:
        conn.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return "not refused"


@pytest.mark.evidence
def test_the_application_role_can_only_add(written, record_property):
    with connect_to(written.app_url) as conn:
        before = conn.execute("select * from ledger.entry").fetchall()
        for statement in REFUSED:
            assert refusal(conn, statement) == "42501", statement
        after = conn.execute("select * from ledger.entry").fetchall()
    assert before == after
    record_property(
        "S-08 statements of the application role against the ledger, refused", f"{len(REFUSED)} of {len(REFUSED)}"
    )


@pytest.mark.parametrize("statement", AS_OWNER)
def test_control_the_owner_could(written, statement):
    with psycopg.connect(written.admin_url) as conn:
        conn.execute("set role sluice_ledger")
        conn.execute(statement)
        conn.rollback()


def test_a_function_of_the_same_name_elsewhere_is_not_called(written, make_opened):
    """The definer functions look names up in pg_catalog first, whatever search_path the caller sets."""
    with connect_to(written.admin_url) as conn:
        conn.execute("create function pg_temp.sha256(bytea) returns bytea language sql as $$ select '\\x00'::bytea $$")
        conn.execute("set search_path = pg_temp, public, pg_catalog")
        with transaction(conn):
            entry = append(conn, chain="DPA-A", kind=EntryKind.EXCHANGE_OPENED, exchange_id=None, body=make_opened())
    assert len(entry.hash) == 32


def test_nobody_else_has_any_right(written):
    with connect_to(written.admin_url) as conn:
        acl = conn.execute(
            """
            select count(*) as n from (
                select unnest(coalesce(relacl, acldefault('r', relowner)))::text as a
                from pg_class where relnamespace = 'ledger'::regnamespace and relkind = 'r'
                union all
                select unnest(coalesce(proacl, acldefault('f', proowner)))::text
                from pg_proc where pronamespace = 'ledger'::regnamespace
                union all select unnest(coalesce(nspacl, acldefault('n', nspowner)))::text
                from pg_namespace where nspname = 'ledger'
            ) rights where a !~ '^sluice_(ledger|app)='
            """
        ).fetchone()
        member = conn.execute("select pg_has_role('sluice_app', 'sluice_ledger', 'member') as is_member").fetchone()
    assert acl == {"n": 0}
    assert member == {"is_member": False}
