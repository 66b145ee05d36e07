"""As of when the papers of a file are asked is found without reading every stop there was."""

import pytest

from sluice.db import connect_to
from sluice.exchange.stop_store import ASKED_AT
from support.stores import Database

pytestmark = pytest.mark.stores
INDEX = "flow_stop_resumed_at"


def test_the_stops_of_a_flow_that_are_over_are_found_by_their_index(database: Database) -> None:
    """It is asked of every copy of a principal."""
    asked = f"explain select {ASKED_AT} from exchange"
    with connect_to(database.app_url) as conn, conn.transaction(force_rollback=True):
        conn.execute("set local enable_seqscan = off")
        found = "\n".join(line["QUERY PLAN"] for line in conn.execute(asked.encode()).fetchall())
        other = conn.execute(b"explain select max(resumed_at) from flow_stop where reason = 'x'").fetchall()

    assert INDEX in found and "Seq Scan on flow_stop" not in found
    assert INDEX not in str(other), "the control: a question about no flow does not use it"
