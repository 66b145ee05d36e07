"""The name of one version of one object."""

from typing import NamedTuple, Protocol


class InStore(Protocol):
    """Whatever tells where one version of an object lies."""

    @property
    def bucket(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def version_id(self) -> str: ...


class ObjectVersion(NamedTuple):
    """Bucket, key and version: a version id alone does not say which key it belongs to."""

    bucket: str
    key: str
    version_id: str

    @classmethod
    def of(cls, item: InStore) -> "ObjectVersion":
        return cls(item.bucket, item.key, item.version_id)
