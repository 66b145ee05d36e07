"""What an installation holds, against what is known: a bucket, prefix or table that stands in no list is named.

The lists are ``rights/facts/places.csv`` and ``tables.csv``: which store of the erasure owns a place, or why
nobody is named there. An erasure is not certified while something else is there (GDPR Art. 5(2), 17).
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
from sluice.settings import Settings
from sluice.terms import Principal

PRINCIPAL = "{principal}"


class Kind(StrEnum):
    """What can stand in no list."""

    BUCKET = "bucket"
    PREFIX = "prefix"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Unknown:
    """A place in no list. What could name a person in its own name is withheld."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A prefix of a bucket, by the bucket's setting. ``store``: of the erasure; none: why nobody is looked for."""

    bucket: str
    prefix: str
    store: str | None
    reason: str

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.prefix.rstrip("/").split("/"))

    def covers(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        """Whether a key of these segments lies below the prefix."""
        return len(segments) >= len(self.segments) and self._agrees(segments, principals)

    def lies_below(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        """Whether the prefix itself lies below these segments."""
        return len(segments) < len(self.segments) and self._agrees(segments, principals)

    def _agrees(self, segments: Sequence[str], principals: Collection[str]) -> bool:
        pairs = zip(self.segments, segments, strict=False)
        return all(given in principals if known == PRINCIPAL else given == known for known, given in pairs)


@cache
def known_places() -> tuple[KnownPlace, ...]:
    """Every prefix that something is kept under."""
    return tuple(
        KnownPlace(row["bucket"], row["prefix"], row["store"] or None, row["reason"]) for row in _rows("places")
    )


@cache
def known_tables() -> frozenset[str]:
    """Every table that was looked through and names no person."""
    return frozenset(row["table"] for row in _rows("tables"))


def owner_of(bucket: str, key: str, principals: Collection[str]) -> KnownPlace | None:
    """The narrowest known place of a key; ``bucket``: its name in the settings, without ``bucket_``. Pure."""
    segments = key.split("/")[:-1]
    mine = [each for each in known_places() if each.bucket == bucket and each.covers(segments, principals)]
    return max(mine, key=lambda each: len(each.segments), default=None)


def buckets_by_role(settings: Settings) -> dict[str, str]:
    """Names of the buckets, by the word that places.csv has for each."""
    return {
        "exchange": settings.bucket_exchange,
        "internal": settings.bucket_internal,
        "lake": settings.bucket_lake,
        "vault": settings.bucket_vault,
        "evidence": settings.bucket_evidence,
    }


def principals_of(settings: Settings, conn: Connection) -> frozenset[Principal]:
    """Everybody whose name may stand in a key."""
    papers = settings.principals_dir.iterdir() if settings.principals_dir.is_dir() else ()
    named = {Principal(each.name) for each in papers if each.is_dir() and PRINCIPAL_NAME.fullmatch(each.name)}
    return census_store.find_principals(conn) | named


def find_unknown(settings: Settings, conn: Connection, objects: ObjectStore) -> tuple[Unknown, ...]:
    """Buckets, prefixes and tables that stand in no list; about ten requests, whatever lies there.

    Other buckets of the account are known by ``SLUICE_OTHER_BUCKETS``; where the credential may list none,
    none are named. A bucket of ours that cannot be listed is unknown.
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
        return  # a credential that sees its own buckets only
    for name in names:
        if name not in ours and not any(fnmatchcase(name, pattern) for pattern in others):
            yield Unknown(Kind.BUCKET, name)


def _prefixes(
    objects: ObjectStore, role: str, bucket: str, below: str, principals: Collection[str]
) -> Iterator[Unknown]:
    """What lies below a prefix that is no known place itself, only on the way to one."""
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
