"""Compare what an installation holds with what is known, and name each bucket, prefix or table in no list.

The lists are ``rights/facts/places.csv`` and ``tables.csv``. They say which store of the erasure owns a place, or why
no person is named there. No erasure is certified while anything else is there (GDPR Art. 5(2), 17).
"""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

from sluice.db import Connection
from sluice.errors import StoreError
from sluice.exchange.naming import PRINCIPAL_NAME, WITHHELD, is_safe_name
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.erasure import census_store
from sluice.rights.person.sealed import NUMBER
from sluice.settings import Settings
from sluice.terms import Principal

PRINCIPAL, CASE = "{principal}", "{case}"
"""In a prefix, any principal's name, and any case's number."""


class Kind(StrEnum):
    """What can be missing from the lists."""

    BUCKET = "bucket"
    PREFIX = "prefix"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A place in no list. Parts of its name that could name a person are withheld."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A prefix of a bucket, which is named by its setting. ``store``: the store of the erasure that owns it.

    Where there is no store, ``reason`` says why nobody is looked for there.
    """

    bucket: str
    prefix: str
    store: str | None
    reason: str

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.prefix.rstrip("/").split("/"))

    def covers(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        """Whether a key with these segments lies below the prefix."""
        return len(segments) >= len(self.segments) and self._agrees(segments, principals)

    def lies_below(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        """Whether the prefix itself lies below these segments."""
        return len(segments) < len(self.segments) and self._agrees(segments, principals)

    def _agrees(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        pairs = zip(self.segments, segments, strict=False)
        return all(_is_meant(known, given, principals) for known, given in pairs)


def _is_meant(known: str, given: str, principals: Collection[str]) -> bool:
    if known == CASE:
        return NUMBER.fullmatch(given) is not None
    return given in principals if known == PRINCIPAL else given == known


@cache
def known_places() -> tuple[KnownPlace, ...]:
    """Return every prefix under which something is kept."""
    return tuple(
        KnownPlace(row["bucket"], row["prefix"], row["store"] or None, row["reason"]) for row in _rows("places")
    )


@cache
def known_tables() -> frozenset[str]:
    """Return every table that was checked and names no person."""
    return frozenset(row["table"] for row in _rows("tables"))


def buckets_by_role(settings: Settings) -> dict[str, str]:
    """Return the names of the buckets, by the word for each in places.csv."""
    return {
        "exchange": settings.bucket_exchange,
        "internal": settings.bucket_internal,
        "lake": settings.bucket_lake,
        "vault": settings.bucket_vault,
        "evidence": settings.bucket_evidence,
    }


def principals_of(settings: Settings, conn: Connection) -> frozenset[Principal]:
    """Return every principal whose name may be part of a key."""
    papers = settings.principals_dir.iterdir() if settings.principals_dir.is_dir() else ()
    named = {Principal(each.name) for each in papers if each.is_dir() and PRINCIPAL_NAME.fullmatch(each.name)}
    return census_store.find_principals(conn) | named


def find_unknown(settings: Settings, conn: Connection, objects: ObjectStore) -> tuple[Unknown, ...]:
    """Return the buckets, prefixes and tables that are in no list.

    Takes about ten requests, whatever the stores hold, and one for each thousand cases that are not removed yet.

    ``SLUICE_OTHER_BUCKETS`` lists other known buckets of the account. If the credential may not list buckets, none of
    them is reported. A bucket of ours that cannot be listed counts as unknown.
    """
    principals = principals_of(settings, conn)
    tables = [Unknown(Kind.TABLE, name) for name in census_store.find_tables(conn) if name not in known_tables()]
    found = [*_buckets(settings, objects), *tables]
    for role, bucket in buckets_by_role(settings).items():
        try:
            found += _prefixes(objects, role, bucket, "", principals)
        except StoreError:
            found.append(Unknown(Kind.BUCKET, bucket))
    return tuple(found)


def _buckets(settings: Settings, objects: ObjectStore) -> Iterator[Unknown]:
    ours = set(buckets_by_role(settings).values())
    others = [each.strip() for each in settings.other_buckets.split(",") if each.strip()]
    try:
        names = objects.list_buckets()
    except StoreError:
        return  # this credential sees only its own buckets
    for name in names:
        if name not in ours and not any(fnmatchcase(name, pattern) for pattern in others):
            yield Unknown(Kind.BUCKET, name)


def _prefixes(
    objects: ObjectStore, role: str, bucket: str, below: str, principals: Collection[str]
) -> Iterator[Unknown]:
    """Yield what lies below a prefix that is not a known place itself, but only leads to one."""
    places = [each for each in known_places() if each.bucket == role]
    level = objects.list_level(bucket, below)
    yield from (Unknown(Kind.PREFIX, _told(bucket, key)) for key in level.keys)
    for prefix in level.prefixes:
        segments = prefix.rstrip("/").split("/")
        if any(each.covers(segments, principals) for each in places):
            continue
        if any(each.lies_below(segments, principals) for each in places):
            yield from _prefixes(objects, role, bucket, prefix, principals)
        elif objects.has_versions(bucket, prefix):
            yield Unknown(Kind.PREFIX, _told(bucket, prefix))


def _told(bucket: str, key: str) -> str:
    parts = [part if not part or is_safe_name(part.lstrip("_")) else WITHHELD for part in key.split("/")]
    return "/".join([bucket, *parts])


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("sluice.rights") / "facts" / f"{name}.csv").read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
