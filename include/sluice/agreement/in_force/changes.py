"""When the known papers of a principal changed; between two such instants they are the same."""

from datetime import datetime

from sluice.db import Connection
from sluice.terms import Principal


def list_changes(conn: Connection, principal: Principal) -> list[datetime]:
    """Instants at which what is known about a principal's agreements and contracts changed, oldest first."""
    rows = conn.execute(
        """select distinct change.at from sluice.activation a join sluice.document d using (sha256),
               lateral (values (a.known_from), (a.known_to)) as change (at)
           where d.principal = %s and change.at is not null order by 1""",
        (principal,),
    ).fetchall()
    return [row["at"] for row in rows]
