"""Every version in a bucket under the name it really has, and every page of them.

Two ways of SeaweedFS are met here; of servers that are known to be others the first answer is believed.

XML 1.0 has no control characters. A server that is asked to percent-encode names says them all the same; SeaweedFS does
so where it lists objects only. Where it lists versions it writes U+FFFD for such a character, in keys and in the marker
that says where the next page begins. So pages are asked for by real names.

It walks by the names of its folders (``a.csv.versions`` for a.csv, ``a`` for a/), sorts what it met for a page by key,
and goes on after the last key: what sorts before that and was not met yet is in no page. a.csv is passed over where a
page ends on a.csv.ok, and a-b/ where one ends on a/. So what has more than one page is asked for folder by folder, and
after each page by the names that can have been passed over.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from sluice.errors import Ref, StoreError

UNSAID = "\ufffd"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
VERSIONS = ".versions/"
"""Asked for by this ending, SeaweedFS lists the versions of one key and nothing that is longer; others know none."""
IN_ORDER = ("AmazonS3", "MinIO", "Ceph")
"""What servers call themselves that list versions as S3 does."""
OF_NOTHING = hashlib.md5(b"", usedforsecurity=False).hexdigest()
BEFORE_SLASH = tuple(map(chr, range(0x20, ord("/"))))
Known = dict[tuple[str, str, str | None], str]
"""Real keys by bucket, what they are called, and version: a version never gets another name."""
Page = dict[str, Any]
"""As S3 answers ListObjectVersions."""


class ListingCut(StoreError):
    """Nobody can tell what comes after a page. Words of ``Ref("rule", ...)``: NAME_UNSAID, TOO_MANY_VERSIONS."""

    code: ClassVar[str] = "SLU-206"
    summary: ClassVar[str] = "a listing of the store cannot be read to its end"
    cure: ClassVar[str] = (
        "remove older versions: of deleted files with control characters in their names, or of a key with over 1,000"
    )


def said_of(key: str) -> str:
    """What a listing of versions calls a key."""
    return _NO_XML.sub(UNSAID, key)


def versions_of(s3: Any, bucket: str, key: str, size: int = 1000) -> set[str]:
    """Every version of one key, delete markers too. Raises ListingCut, and as ``s3`` does. size: of a page."""
    names, found, marker = (key, said_of(key)), set[str](), dict[str, str]()
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=size, **marker)
        found |= {each["VersionId"] for each in _entries(page) if each["Key"] in names}
        if not page.get("IsTruncated"):
            return found
        if page["NextKeyMarker"] not in names:  # what is longer may hide it
            return found | {each["VersionId"] for each in _entries(_behind(s3, bucket, key, size))}
        marker = {"KeyMarker": key, "VersionIdMarker": page["NextVersionIdMarker"]}


def _entries(page: Page) -> list[dict[str, Any]]:
    return [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]


def _behind(s3: Any, bucket: str, key: str, size: int) -> Page:
    """The versions of one key that longer names hide. Raises ListingCut."""
    names = (key, said_of(key))
    page: Page = s3.list_object_versions(Bucket=bucket, Prefix=key + VERSIONS, MaxKeys=size)
    if page.get("IsTruncated"):  # it goes on after no marker
        raise ListingCut(Ref("bucket", bucket), Ref("rule", "TOO_MANY_VERSIONS"))
    for kind in ("Versions", "DeleteMarkers"):
        page[kind] = [each | {"Key": key} for each in page.get(kind, ()) if each["Key"] in names]
    return page


class Listing:
    """One listing of a bucket, folder marks left out: each folder with names that cannot be said is asked once.

    Raises as ``s3`` does.
    """

    def __init__(self, s3: Any, bucket: str, known: Known, size: int = 1000) -> None:
        """known: what is found is added, and not asked for again. size: of a page, 1,000 at most."""
        self._s3, self._bucket, self._known, self._size = s3, bucket, known, size
        self._asked: set[str] = set()
        self._untold: set[str] = set()
        """Folders whose name cannot be told: nothing in them is there any more but older versions."""

    def below(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every version below a prefix once, as S3 tells it, with real keys as far as they can be told.

        A key cannot be told where it is deleted and only older versions are left. Raises ListingCut.
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
        """Pages with what lies one level below a prefix; some of it may come twice. Raises ListingCut."""
        return self._pages(self._page(prefix, Delimiter="/"), prefix, Delimiter="/")

    def _pages(self, page: Page, prefix: str, **more: str) -> Iterator[Page]:
        """A first page, and those after it."""
        yield page
        while page.get("IsTruncated"):
            marker = self._marker(page["NextKeyMarker"], page.get("NextVersionIdMarker"))
            if not _is_in_order(page):
                yield from self._passed_over(prefix, marker["KeyMarker"])
            page = self._page(prefix, **more, **marker)
            yield page

    def _passed_over(self, prefix: str, marker: str) -> Iterator[Page]:
        """What sorts before the end of a page and was not met, or is not met any more: at this level."""
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
        """Whether it is the name of a folder without content, which is nothing.

        is_told: the size says so. SeaweedFS says 0 of up to a KiB there, and gives it to nobody; the hash it lists with
        objects is that of the content.
        """
        if not entry["Key"].endswith("/") or entry["Size"]:
            return False
        if is_told:
            return True
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=entry["Key"], MaxKeys=1).get("Contents", ())
        return all(each["Key"] != entry["Key"] or each["ETag"].strip('"') == OF_NOTHING for each in found)

    def _folders(self, said: str) -> list[str]:
        """The folders that are called so; itself where none can be told."""
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
        """Learn the versions of every name below a folder that cannot be said."""
        if folder in self._asked:
            return
        self._asked.add(folder)
        for key in self._keys(f"{folder}/" if folder else ""):
            if UNSAID in (said := said_of(key)):
                self._known |= {(self._bucket, said, each): key for each in versions_of(self._s3, self._bucket, key)}

    def _keys(self, prefix: str) -> Iterator[str]:
        """Keys of objects; a page goes on after the last key, because its token may have such a name in it."""
        after: dict[str, str] = {}
        while True:
            page = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **after)
            yield from (each["Key"] for each in page.get("Contents", ()))
            if not page.get("IsTruncated") or not page.get("Contents"):
                return
            after = {"StartAfter": page["Contents"][-1]["Key"]}


def _is_in_order(page: Page) -> bool:
    """Whether the server is known to list in the order of keys; what a proxy says for it is not known."""
    return bool(page["ResponseMetadata"]["HTTPHeaders"].get("server", "").startswith(IN_ORDER))
