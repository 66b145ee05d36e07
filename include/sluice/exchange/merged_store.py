"""The SQL of merged index runs: where the parts of a merge lie and which runs it answers for, never whose they are."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.db import Connection, transaction
from sluice.terms import Direction, ExchangeId, Principal


@dataclass(frozen=True, slots=True)
class Run:
    """One version of an index run. ``merge_id``: the merge that answers for it, if there is one."""

    exchange_id: ExchangeId
    kind: str
    bucket: str
    key: str
    version_id: str
    sha256: str
    size_bytes: int
    direction: Direction
    opened_at: datetime
    merge_id: str | None

    @property
    def name(self) -> tuple[str, str, str]:
        """What a merge knows it by."""
        return self.exchange_id, self.kind, self.version_id


@dataclass(frozen=True, slots=True)
class Member:
    """A run in a merge: its number there, and whether it knows every row of its file."""

    number: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge and the runs that it answers for, by exchange, kind and version."""

    merge_id: str
    bits: int
    members: Mapping[tuple[str, str, str], Member]


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a merge."""

    number: int
    key: str
    version_id: str
    sha256: str


def find_runs(conn: Connection, principal: Principal, kinds: Collection[str]) -> list[Run]:
    """Runs of a principal that are there, the oldest exchange first."""
    rows = conn.execute(
        """select c.exchange_id::text as exchange_id, c.kind, c.bucket, c.key, c.version_id, c.sha256, c.size_bytes,
               e.direction, e.opened_at, r.merge_id::text as merge_id
           from copy c join exchange e using (exchange_id)
           left join index_merge_run r
               on (r.exchange_id, r.kind, r.version_id) = (c.exchange_id, c.kind, c.version_id)
           where e.principal = %s and c.kind = any(%s) and c.gone_at is null
           order by e.opened_at, c.exchange_id, c.kind""",
        (principal, list(kinds)),
    ).fetchall()
    return [_run(row) for row in rows]


def _run(row: dict[str, Any]) -> Run:
    return Run(**{**row, "exchange_id": ExchangeId(row["exchange_id"]), "direction": Direction(row["direction"])})


def find_principals(conn: Connection, kinds: Collection[str]) -> list[Principal]:
    """Principals that have runs, or merges of them."""
    rows = conn.execute(
        """select e.principal from copy c join exchange e using (exchange_id)
           where c.kind = any(%s) and c.gone_at is null
           union select principal from index_merge order by 1""",
        (list(kinds),),
    ).fetchall()
    return [Principal(row["principal"]) for row in rows]


def find_merges(conn: Connection, principal: Principal) -> list[Merge]:
    """Merges of a principal that can be asked."""
    rows = conn.execute(
        """select m.merge_id::text as merge_id, m.bits, r.exchange_id::text as exchange_id, r.kind, r.version_id,
               r.number, r.is_whole
           from index_merge m join index_merge_run r using (merge_id)
           where m.principal = %s and m.bits is not null order by m.begun_at, m.merge_id""",
        (principal,),
    ).fetchall()
    members: dict[tuple[str, int], dict[tuple[str, str, str], Member]] = defaultdict(dict)
    for row in rows:
        name = (row["exchange_id"], row["kind"], row["version_id"])
        members[row["merge_id"], row["bits"]][name] = Member(row["number"], row["is_whole"])
    return [Merge(merge_id, bits, mine) for (merge_id, bits), mine in members.items()]


def find_parts(conn: Connection, merge_id: str, numbers: Sequence[int]) -> list[Part]:
    """Some parts of a merge; those of one that was removed meanwhile are missing."""
    rows = conn.execute(
        """select part as number, key, version_id, sha256 from index_merge_part
           where merge_id = %s and part = any(%s) order by part""",
        (merge_id, list(numbers)),
    ).fetchall()
    return [Part(**row) for row in rows]


def find_outdated(conn: Connection, principal: Principal) -> list[str]:
    """Merges with a run that was edited or removed since, and those that nobody ended. Call under their lock."""
    rows = conn.execute(
        """select m.merge_id::text as merge_id from index_merge m
           where m.principal = %s and (m.bits is null or exists (
               select from index_merge_run r where r.merge_id = m.merge_id and not exists (
                   select from copy c where (c.exchange_id, c.kind, c.version_id)
                       = (r.exchange_id, r.kind, r.version_id) and c.gone_at is null)))""",
        (principal,),
    ).fetchall()
    return [row["merge_id"] for row in rows]


def find_ids(conn: Connection, principal: Principal) -> frozenset[str]:
    """Every merge of a principal."""
    rows = conn.execute(
        "select merge_id::text as merge_id from index_merge where principal = %s", (principal,)
    ).fetchall()
    return frozenset(row["merge_id"] for row in rows)


def note_begun(conn: Connection, merge_id: str, principal: Principal, now: datetime) -> None:
    """Say where objects will lie, before the first is put: whoever comes after a dead worker removes them."""
    conn.execute(
        "insert into index_merge (merge_id, principal, begun_at) values (%s, %s, %s)", (merge_id, principal, now)
    )


def note_made(
    conn: Connection, merge_id: str, bits: int, parts: Sequence[Part], runs: Sequence[tuple[Run, Member]]
) -> None:
    """From now on it is asked instead of its runs."""
    with transaction(conn), conn.cursor() as cursor:
        cursor.execute("update index_merge set bits = %s where merge_id = %s", (bits, merge_id))
        cursor.executemany(
            "insert into index_merge_part (merge_id, part, key, version_id, sha256) values (%s, %s, %s, %s, %s)",
            [(merge_id, part.number, part.key, part.version_id, part.sha256) for part in parts],
        )
        cursor.executemany(
            """insert into index_merge_run (merge_id, number, exchange_id, kind, version_id, is_whole)
               values (%s, %s, %s, %s, %s, %s)""",
            [
                (merge_id, member.number, run.exchange_id, run.kind, run.version_id, member.is_whole)
                for run, member in runs
            ],
        )


def drop(conn: Connection, merge_id: str) -> None:
    """Forget a merge whose objects are gone."""
    conn.execute("delete from index_merge where merge_id = %s", (merge_id,))
