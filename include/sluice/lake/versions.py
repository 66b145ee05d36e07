"""Every version in a bucket under the name it really has, and every page of them.

XML 1.0 has no control characters. A server that is asked to percent-encode names says them all the same; SeaweedFS does
so where it lists objects only. Where it lists versions it writes U+FFFD for such a character, in keys and in the marker
that says where the next page begins, and what sorts before U+FFFD would be left out of that page. So pages are asked
for by real names here.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from sluice.errors import Ref, StoreError

UNSAID = "\ufffd"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Known = dict[tuple[str, str, str | None], str]
"""Real keys by bucket, what they are called, and version: a version never gets another name."""


class NameUnsaid(StoreError):
    """Nobody can tell what comes after a page that ends on such a name."""

    code: ClassVar[str] = "SLU-206"
    summary: ClassVar[str] = "a page of a listing ends on a name that the store cannot say"
    cure: ClassVar[str] = "remove the older versions of deleted files with control characters in their names"


def said_of(key: str) -> str:
    """What a listing of versions calls a key."""
    return _NO_XML.sub(UNSAID, key)


def versions_of(s3: Any, bucket: str, key: str) -> Iterator[str]:
    """Every version of one key, delete markers too. Raises as ``s3`` does."""
    names = (key, said_of(key))
    marker: dict[str, str] = {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=key, **marker)
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if entry["Key"] in names:
                yield entry["VersionId"]
        if not page.get("IsTruncated") or page["NextKeyMarker"] not in names:
            return  # what is longer comes after it
        marker = {"KeyMarker": key, "VersionIdMarker": page["NextVersionIdMarker"]}


class Listing:
    """One listing of a bucket: each folder with names that cannot be said is asked once. Raises as ``s3`` does."""

    def __init__(self, s3: Any, bucket: str, known: Known) -> None:
        """known: what is found is added, and not asked for again."""
        self._s3, self._bucket, self._known = s3, bucket, known
        self._asked: set[str] = set()

    def pages(self, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        """Pages as S3 gives them, with real keys as far as they can be told. Raises NameUnsaid.

        A key cannot be told where it is deleted and only older versions are left.
        """
        marker: dict[str, str] = {}
        while True:
            page = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, **more, **marker)
            for entry in page.get("Versions", ()):
                entry["Key"] = self._real(entry["Key"], entry["VersionId"]) or entry["Key"]
            yield page
            if not page.get("IsTruncated"):
                return
            marker = self._marker(page["NextKeyMarker"], page.get("NextVersionIdMarker"))

    def _marker(self, said: str, version_id: str | None) -> dict[str, str]:
        key = self._real(said, version_id)
        if key is None:
            raise NameUnsaid(Ref("bucket", self._bucket))
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
