"""What a race has to leave behind: everybody else's rows, and of the erased person nothing, read from the bytes."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from rights.everywhere import age_opener
from rights.residue import Searcher, as_reference
from sluice.exchange.read import list_exchanges
from sluice.lake.s3.objects import StoredObject
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.terms import Direction, Principal
from support.night import RESULTS, Night

ENERGY = Principal("energy01")
Person = tuple[str, str]
"""Record id and phone, as the files write them."""
BEHIND = ("_suppressions/", "_cases/", "energy01/notices/", "energy01/requests/")
"""Where a person who is erased stays on purpose, or is told of until the case is over."""


@dataclass
class Ground:
    """The night, and what was put into it."""

    night: Night
    head: str
    lines: dict[str, str]
    """The line of each contact, by record id."""
    arrived: dict[str, frozenset[str]] = field(default_factory=dict)
    """Record ids in each file that came in, by key."""
    erased: set[str] = field(default_factory=set)
    read: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Versions that were read: one never changes."""

    def contacts(self, records: list[str]) -> str:
        """A file of these contacts."""
        return "\r\n".join([self.head, *(self.lines[each] for each in records)]) + "\r\n"

    def expect(self, key: str, records: list[str]) -> None:
        """A file with these contacts, or contacts' results, comes in under this key."""
        self.arrived[key] = frozenset(records)

    def lost(self) -> list[str]:
        """Rows of those who stay that are not where they were: in files as they came, in the lake, in returns."""
        found = []
        for key, records in self.arrived.items():
            for place, content in self._copies(key):
                there = records_in(content)
                found += [f"{place}: {each}" for each in sorted(records - self.erased - there)]
                found += [f"{place}: {each} came back" for each in sorted(there & self.erased)]
        called = frozenset().union(*(each for key, each in self.arrived.items() if "/internal/" in key))
        for content in self._returned():
            found += [f"return: {each}" for each in sorted(records_in(content) - called)]
        return found

    def _copies(self, key: str) -> Iterator[tuple[str, bytes]]:
        """The current bytes of a file as it came, and its rows in the lake."""
        settings = self.night.desk.settings
        bucket = settings.bucket_internal if "/internal/" in key else settings.bucket_exchange
        rows = self.night.desk.house.conn.execute(
            """select c.kind, c.bucket, case when c.kind = 'arrived' then e.key else c.key end as key, c.version_id
               from exchange e join copy c using (exchange_id)
               where (e.bucket, e.key) = (%s, %s) and c.kind in ('arrived', 'lake') and c.gone_at is null""",
            (bucket, key),
        ).fetchall()
        assert {row["kind"] for row in rows} == {"arrived", "lake"}, f"{key}: {rows}"
        for row in rows:
            yield f"{key} {row['kind']}", self.content(row["bucket"], row["key"], row["version_id"])

    def content(self, bucket: str, key: str, version_id: str) -> bytes:
        """The bytes of one version."""
        if (key, version_id) not in self.read:
            self.read[key, version_id] = self.night.desk.house.objects.read(bucket, key, version_id)
        return self.read[key, version_id]

    def _returned(self) -> Iterator[bytes]:
        for name, content in self.night.delivered().items():
            if name.endswith(".csv") and f"/{RESULTS}/" in name:
                yield content

    def last_return(self) -> frozenset[str]:
        """Record ids in the youngest return that was delivered."""
        every = list_exchanges(self.night.desk.house.conn, direction=Direction.OUTBOUND_RETURN, limit=10_000)
        line = next(each for each in every if each.decision in ("accepted", "partly_accepted"))
        return records_in(self.night.file(line))

    def back(self, person: Person, *, but_arrived: bool = False) -> list[str]:
        """Objects of any bucket, any version, that name the person; ``but_arrived``: files as they came not counted."""
        house = self.night.desk.house
        named = [parse_identifier(f"customer:{person[0]}", 1), parse_identifier(f"phone:{person[1]}", 2)]
        refs = refs_of(named, house.subject_key(ENERGY), ENERGY).values()
        values, keyed = Searcher([[*person]]), Searcher([list(refs)], as_reference)
        opener = age_opener(house.keyring, ENERGY)
        return [
            f"{item.bucket.split('-')[0]}/{item.key}"
            for item in self._versions()
            if not (but_arrived and ("/inbound/" in item.key or "/internal/" in item.key))
            and (content := self.content(item.bucket, item.key, item.version_id))
            and (values.search(content, opener) or keyed.search(content, opener))
        ]

    def _versions(self) -> Iterator[StoredObject]:
        named = self.night.desk.settings
        for bucket in (named.bucket_exchange, named.bucket_internal, named.bucket_lake, named.bucket_vault):
            for item in self.night.desk.house.objects.list_versions(bucket, ""):
                if not item.key.startswith(BEHIND):
                    yield item


def records_in(content: bytes) -> frozenset[str]:
    """Record ids in a file of contacts, of results, of a return, or in a lake object."""
    if content.startswith(b"PAR1"):
        frame = pl.read_parquet(io.BytesIO(content))
        return frozenset(frame["customer_number" if "customer_number" in frame.columns else "record_id"].to_list())
    text = content.decode()
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in text.partition("\n")[0] else ",")
    return frozenset(row.get("customer_number") or row.get("record_id") or "" for row in rows)


def ground_of(night: Night, people: list[Person]) -> Ground:
    """The ground of a night whose contacts have no line break in them."""
    head, *rest = night.contacts.read_text().splitlines()
    lines = {line.split(";")[0]: line for line in rest}
    ground = Ground(night, head, {record: lines[record] for record, _ in people})
    ground.expect("energy01/inbound/renewal_campaign/file.csv", [record for record, _ in people])
    return ground
