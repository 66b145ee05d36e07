"""SQL of the census: tables of this database, principals of this installation."""

from sluice.db import Connection
from sluice.terms import Principal


def find_tables(conn: Connection) -> list[str]:
    """Everything that holds rows, as ``schema.name``, in every schema but the server's own and temporary ones."""
    rows = conn.execute(
        """select n.nspname || '.' || c.relname as name
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'p', 'm', 'f') and n.nspname <> 'information_schema'
             and n.nspname !~ '^pg_(catalog|toast|temp_|toast_temp_)' order by 1"""
    ).fetchall()
    return [row["name"] for row in rows]


def find_principals(conn: Connection) -> frozenset[Principal]:
    """Everybody with papers, exchanges or persons who are kept out: whose places an erasure looks through."""
    rows = conn.execute(
        """select principal from document union select principal from exchange
           union select principal from suppression_run"""
    ).fetchall()
    return frozenset(Principal(row["principal"]) for row in rows)
