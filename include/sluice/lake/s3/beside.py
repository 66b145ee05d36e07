"""What whoever puts an object writes beside its bytes, as the store's answers tell it. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

SHA_METADATA = "sha256"
"""The name of the metadata in which we write the hash of what we put."""
HASH = re.compile("[0-9a-f]{64}")
HEADERS = (
    *("ContentType", "ContentDisposition", "ContentEncoding", "ContentLanguage"),
    *("CacheControl", "ExpiresString", "WebsiteRedirectLocation"),
)
"""Headers that whoever puts an object chooses, and that the store gives back."""
BARE_TYPE = re.compile(r"[a-z.+-]+/[a-z.+-]+(; ?charset=[a-z0-9-]+)?")
"""A media type in which no identifier of a person has room."""


def words_of(answer: Mapping[str, Any]) -> Iterator[str]:
    """Names and values of the metadata of an object, without a hash as ours, and its headers. answer: to a GET.

    A usual media type is left out.
    """
    for name, value in answer["Metadata"].items():
        if name != SHA_METADATA or not HASH.fullmatch(value):
            yield from (name, value)
    yield from (word for name in HEADERS if (word := answer.get(name)) and not BARE_TYPE.fullmatch(word))


def tags_of(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Names and values of the tags of an object. answer: of GetObjectTagging."""
    return tuple(word for tag in answer["TagSet"] for word in (tag["Key"], tag["Value"]))
