"""Names that a listing of versions cannot say, and what they are.

XML 1.0 has no control characters. A server that is asked to percent-encode names says them all the same; SeaweedFS does
so where it lists objects, and writes U+FFFD for such a character where it lists versions.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

UNSAID = "\ufffd"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def said_of(key: str) -> str:
    """What a listing of versions calls a key."""
    return _NO_XML.sub(UNSAID, key)


class RealNames:
    """For one listing of a bucket: each folder with such names is asked once. Raises as ``s3`` does.

    known: keys by bucket, what they are called, and version; what is found is added, and not asked for again.
    """

    def __init__(self, s3: Any, bucket: str, known: dict[tuple[str, str, str], str]) -> None:
        self._s3, self._bucket, self._known = s3, bucket, known
        self._folders: dict[str, Mapping[str, Sequence[str]]] = {}

    def find(self, said: str, version_id: str) -> str:
        """The key of a version that is listed as ``said``, with UNSAID in it; that itself, where none can be told.

        One that is deleted, and of which only older versions are left, cannot be told.
        """
        name = self._bucket, said, version_id
        if name not in self._known:
            real = next((key for key in self._said_so(said) if self._has(key, version_id)), None)
            if real is None:
                return said
            self._known[name] = real
        return self._known[name]

    def _said_so(self, said: str) -> Sequence[str]:
        folder = said.partition(UNSAID)[0].rpartition("/")[0]
        if folder not in self._folders:
            keys: dict[str, list[str]] = defaultdict(list)
            pages = self._s3.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{folder}/" if folder else ""):
                for entry in page.get("Contents", ()):
                    keys[said_of(entry["Key"])].append(entry["Key"])
            self._folders[folder] = {name: real for name, real in keys.items() if UNSAID in name}
        return self._folders[folder].get(said, ())

    def _has(self, key: str, version_id: str) -> bool:
        try:
            self._s3.head_object(Bucket=self._bucket, Key=key, VersionId=version_id)
        except self._s3.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True
