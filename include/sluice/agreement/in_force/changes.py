"""When what is known of a principal's papers changed: between two such instants it is one and the same."""

from datetime import datetime

from sluice.db import Connection
from sluice.terms import Principal


def list_changes(conn: Connection, principal: Principal) -> list[datetime]:
    """Instants from which something else is known of a principal's agreements and contracts, the oldest first."""
    rows = conn.execute(
        """select distinct change.at from sluice.activation a join sluice.document d using (sha256),
               lateral (values (a.known_from), (a.known_to)) as change (at)
           where d.principal = %s and change.at is not null order by 1""",
        (principal,),
    ).fetchall()
    return [row["at"] for row in rows]
