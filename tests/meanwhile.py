"""What somebody else does between two steps of a use case."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from sluice.lake.objects import ObjectStore


@dataclass(frozen=True)
class Meanwhile:
    """The store, and what happens as soon as an object lies under a key that is meant."""

    store: ObjectStore
    is_meant: Callable[[str], bool]
    then: Callable[[], object]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if name not in ("put_once", "put_converging"):
            return found

        @wraps(found)
        def put(bucket: str, key: str, *more: Any) -> Any:
            stored = found(bucket, key, *more)
            if self.is_meant(key):
                self.then()
            return stored

        return put
