"""What lineage reads of the database, besides the ledger. Nothing is written here."""

from collections.abc import Sequence

from sluice.db import Connection


def find_makers(conn: Connection, bucket: str, key: str, version_id: str | None) -> list[str]:
    """Ids of exchanges that an object came in by, or was made by; every version's when none is named."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
           union
           select exchange_id::text from copy
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
           order by 1""",
        {"bucket": bucket, "key": key, "version": version_id},
    ).fetchall()
    return [row["id"] for row in rows]


def find_users(conn: Connection, exchange_ids: Sequence[str]) -> list[str]:
    """Ids of returns that were opened on any of these exchanges."""
    rows = conn.execute(
        "select distinct exchange_id::text as id from return_input where input_id = any(%s::uuid[]) order by 1",
        (list(exchange_ids),),
    ).fetchall()
    return [row["id"] for row in rows]


def find_sources(conn: Connection, exchange_ids: Sequence[str]) -> list[str]:
    """Ids of the exchanges that these returns were opened on."""
    rows = conn.execute(
        "select distinct input_id::text as id from return_input where exchange_id = any(%s::uuid[]) order by 1",
        (list(exchange_ids),),
    ).fetchall()
    return [row["id"] for row in rows]
