"""SQL of the census: the tables of this database and the principals of this installation."""

from sluice.db import Connection
from sluice.terms import Principal


def find_tables(conn: Connection) -> list[str]:
    """Return everything that holds rows, as ``schema.name``, except the server's own and temporary schemas."""
    rows = conn.execute(
        """select n.nspname || '.' || c.relname as name
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'p', 'm', 'f') and n.nspname <> 'information_schema'
             and n.nspname !~ '^pg_(catalog|toast|temp_|toast_temp_)' order by 1"""
    ).fetchall()
    return [row["name"] for row in rows]


def find_principals(conn: Connection) -> frozenset[Principal]:
    """Return every principal with papers, exchanges or suppressed persons. An erasure searches the places of these."""
    rows = conn.execute(
        """select principal from document union select principal from exchange
           union select principal from suppression_run"""
    ).fetchall()
    return frozenset(Principal(row["principal"]) for row in rows)
