"""A design that looks and then writes, killed like ours: what it makes has a name of its own, and no key is unique.

A line of stdin is ``step key``; the answer as in ``crash.py``.
"""

from functools import partial
from uuid import uuid4

from sluice.db import transaction
from sluice.exchange.house import House
from support.crash import answer, dying_at

TABLE = "create table sluice.naive (key text, id text); grant select, insert on sluice.naive to public"


def keep(house: House, key: str) -> None:
    """Unless there is a record of the file: put its bytes into the lake, then record it."""
    with transaction(house.conn):
        if house.conn.execute("select from naive where key = %s", (key,)).fetchone():
            return
    made = uuid4().hex
    content = house.objects.read(house.settings.bucket_exchange, key)
    house.objects.put(house.settings.bucket_lake, f"naive/{made}", content, "text/csv")
    with transaction(house.conn):
        house.conn.execute("insert into naive values (%s, %s)", (key, made))


def run(line: str) -> str:
    """Keep one file, or die at the step that the line says."""
    step, key = line.split()
    return dying_at(int(step), partial(keep, key=key))


if __name__ == "__main__":
    answer(run)
