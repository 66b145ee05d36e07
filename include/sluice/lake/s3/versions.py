"""List every version in a bucket, with real names and across all pages.

This works around two defects of SeaweedFS. The first answer of a server that is known to be another one is trusted.

1. Names. XML 1.0 has no control characters, so servers can be asked to percent-encode names. SeaweedFS does so only
when it lists objects. When it lists versions it writes U+FFFD for such a character, both in keys and in the marker
that says where the next page begins. Pages are therefore requested by real names.

2. Order. SeaweedFS walks by the names of its own folders (``a.csv.versions`` for a.csv, ``a`` for a/), sorts what it
met for a page by key, and continues after the last key. Whatever sorts before that key and was not met yet is on no
page: a.csv is skipped when a page ends on a.csv.ok, and a-b/ when one ends on a/. A listing of more than one page is
therefore requested folder by folder, and after each page the names that may have been skipped are requested too.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from sluice.errors import Ref, StoreError

UNSAID = "\ufffd"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
VERSIONS = ".versions/"
"""A key with this suffix as prefix makes SeaweedFS list the versions of that key alone; other servers find nothing."""
IN_ORDER = ("AmazonS3", "MinIO", "Ceph")
"""Names (in the ``Server`` header) of servers that list versions in the order of keys, as S3 does."""
OF_NOTHING = hashlib.md5(b"", usedforsecurity=False).hexdigest()
BEFORE_SLASH = tuple(map(chr, range(0x20, ord("/"))))
Known = dict[tuple[str, str, str | None], str]
"""Bucket, listed name and version -> real key. The key of a version never changes."""
Page = dict[str, Any]
"""An answer of S3 to ListObjectVersions."""


class ListingCut(StoreError):
    """A listing cannot be continued after a page. ``Ref("rule", ...)``: NAME_UNSAID or TOO_MANY_VERSIONS."""

    code: ClassVar[str] = "SLU-206"
    summary: ClassVar[str] = "a listing of the store cannot be read to its end"
    cure: ClassVar[str] = (
        "remove older versions: of deleted files with control characters in their names, or of a key with over 1,000"
    )


def said_of(key: str) -> str:
    """The name under which a listing of versions shows a key."""
    return _NO_XML.sub(UNSAID, key)


def versions_of(s3: Any, bucket: str, key: str, size: int = 1000) -> set[str]:
    """All version ids of one key, delete markers too. size: of a page. Raises ListingCut and the errors of ``s3``."""
    names, found, marker = (key, said_of(key)), set[str](), dict[str, str]()
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=size, **marker)
        found |= {each["VersionId"] for each in _entries(page) if each["Key"] in names}
        if not page.get("IsTruncated"):
            return found
        if page["NextKeyMarker"] not in names:  # longer keys may hide versions of this one
            return found | {each["VersionId"] for each in _entries(_behind(s3, bucket, key, size))}
        marker = {"KeyMarker": key, "VersionIdMarker": page["NextVersionIdMarker"]}


def _entries(page: Page) -> list[dict[str, Any]]:
    return [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]


def _behind(s3: Any, bucket: str, key: str, size: int) -> Page:
    """The versions of one key, some of which longer keys may hide in a usual listing. Raises ListingCut."""
    names = (key, said_of(key))
    page: Page = s3.list_object_versions(Bucket=bucket, Prefix=key + VERSIONS, MaxKeys=size)
    if page.get("IsTruncated"):  # no marker continues this listing
        raise ListingCut(Ref("bucket", bucket), Ref("rule", "TOO_MANY_VERSIONS"))
    for kind in ("Versions", "DeleteMarkers"):
        page[kind] = [each | {"Key": key} for each in page.get(kind, ()) if each["Key"] in names]
    return page


class Listing:
    """One listing of a bucket, without folder marks. Raises the errors of ``s3``.

    A folder with names that XML cannot hold is asked for its real names once.
    """

    def __init__(self, s3: Any, bucket: str, known: Known, size: int = 1000) -> None:
        """known: real keys that need not be asked for; those found are added. size: of a page, at most 1,000."""
        self._s3, self._bucket, self._known, self._size = s3, bucket, known, size
        self._asked: set[str] = set()
        self._untold: set[str] = set()
        """Folders whose real name cannot be found, because only older versions are left in them."""

    def below(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every version below a prefix once, as S3 lists it, with its real key if that can be found.

        The real key of a deleted object, of which only older versions are left, cannot be found. Raises ListingCut.
        """
        waiting, met = [prefix], {prefix}
        told: set[tuple[str, str]] = set()
        while waiting:
            at = waiting.pop()
            first = self._page(at)
            is_whole = not first.get("IsTruncated") or _is_in_order(first)
            for page in self._pages(first, at) if is_whole else self.level(at):
                new = [each for each in page.get("Versions", ()) if (each["Key"], each["VersionId"]) not in told]
                told |= {(each["Key"], each["VersionId"]) for each in new}
                yield from new
                folders = {each["Prefix"] for each in page.get("CommonPrefixes", ())} - met
                if folders & self._untold:
                    raise ListingCut(Ref("bucket", self._bucket), Ref("rule", "NAME_UNSAID"))
                waiting += sorted(folders)
                met |= folders

    def level(self, prefix: str) -> Iterator[Page]:
        """Pages with what lies one level below a prefix; an entry may come twice. Raises ListingCut."""
        return self._pages(self._page(prefix, Delimiter="/"), prefix, Delimiter="/")

    def _pages(self, page: Page, prefix: str, **more: str) -> Iterator[Page]:
        """The given first page, and the pages after it. Raises ListingCut."""
        yield page
        while page.get("IsTruncated"):
            marker = self._marker(page["NextKeyMarker"], page.get("NextVersionIdMarker"))
            if not _is_in_order(page):
                yield from self._passed_over(prefix, marker["KeyMarker"])
            page = self._page(prefix, **more, **marker)
            yield page

    def _passed_over(self, prefix: str, marker: str) -> Iterator[Page]:
        """Pages with what the server may have skipped: entries of this level that sort before the end of a page."""
        name = marker.removesuffix("/")
        ends = range(max(name.rfind("/") + 2, len(prefix)), len(name) + 1)
        for passed in (name[:end] for end in ends if name[end : end + 1] <= "."):  # the whole name too
            if passed != marker:
                yield _behind(self._s3, self._bucket, passed, self._size)
            yield from self._folder(f"{passed}/")
        if name != marker and len(name) >= len(prefix):
            for sign in BEFORE_SLASH:
                yield from self.level(name + sign)

    def _folder(self, prefix: str) -> Iterator[Page]:
        found = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=1)
        if found.get("Versions") or found.get("DeleteMarkers"):
            yield {"CommonPrefixes": [{"Prefix": prefix}]}

    def _page(self, prefix: str, **more: str) -> Page:
        page: Page = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=self._size, **more)
        for entry in page.get("Versions", ()):
            entry["Key"] = self._real(entry["Key"], entry["VersionId"]) or entry["Key"]
        if versions := page.get("Versions"):
            page["Versions"] = [each for each in versions if not self._is_mark(each, is_told=_is_in_order(page))]
        if folders := page.get("CommonPrefixes"):
            page["CommonPrefixes"] = [{"Prefix": real} for each in folders for real in self._folders(each["Prefix"])]
        return page

    def _is_mark(self, entry: dict[str, Any], *, is_told: bool) -> bool:
        """Whether an entry is a folder mark: its key ends in a slash and it has no content.

        is_told: the listed size can be trusted. SeaweedFS lists size 0 for up to a KiB of content under such a key, and
        gives it to nobody. The hash that it shows in a listing of objects is that of the content.
        """
        if not entry["Key"].endswith("/") or entry["Size"]:
            return False
        if is_told:
            return True
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=entry["Key"], MaxKeys=1).get("Contents", ())
        return all(each["Key"] != entry["Key"] or each["ETag"].strip('"') == OF_NOTHING for each in found)

    def _folders(self, said: str) -> list[str]:
        """The real names of the folders that are listed under this name; the name itself when none can be found."""
        if UNSAID not in said:
            return [said]
        beside = said.partition(UNSAID)[0].rpartition("/")[0]
        keys = self._keys(f"{beside}/" if beside else "")
        found = sorted({key[: len(said)] for key in keys if said_of(key).startswith(said)})
        self._untold |= set() if found else {said}
        return found or [said]

    def _marker(self, said: str, version_id: str | None) -> dict[str, str]:
        key = self._real(said, version_id)
        if key is None and said.endswith("/"):
            key, *more = self._folders(said)
            key = None if more or key in self._untold else key
        if key is None:
            raise ListingCut(Ref("bucket", self._bucket), Ref("rule", "NAME_UNSAID"))
        return {"KeyMarker": key, **({"VersionIdMarker": version_id} if version_id else {})}

    def _real(self, said: str, version_id: str | None) -> str | None:
        if UNSAID not in said:
            return said
        name = self._bucket, said, version_id
        if name not in self._known:
            self._ask(said.partition(UNSAID)[0].rpartition("/")[0])
        return self._known.get(name)

    def _ask(self, folder: str) -> None:
        """Learn the versions of every key below a folder whose name XML cannot hold."""
        if folder in self._asked:
            return
        self._asked.add(folder)
        for key in self._keys(f"{folder}/" if folder else ""):
            if UNSAID in (said := said_of(key)):
                self._known |= {(self._bucket, said, each): key for each in versions_of(self._s3, self._bucket, key)}

    def _keys(self, prefix: str) -> Iterator[str]:
        """Keys of objects. The next page starts after the last key: a continuation token may contain such a name."""
        after: dict[str, str] = {}
        while True:
            page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **after)
            yield from (each["Key"] for each in page.get("Contents", ()))
            if not page.get("IsTruncated") or not page.get("Contents"):
                return
            after = {"StartAfter": page["Contents"][-1]["Key"]}


def _is_in_order(page: Page) -> bool:
    """Whether the server is known to list in the order of keys. Behind a proxy that names itself this is unknown."""
    return bool(page["ResponseMetadata"]["HTTPHeaders"].get("server", "").startswith(IN_ORDER))
