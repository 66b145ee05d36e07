"""What is asked of PostgreSQL meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest


@contextmanager
def heard() -> Iterator[list[str]]:
    """Every statement that is sent, whatever connection sends it."""
    said: list[str] = []
    execute = psycopg.Connection.execute

    def hear(self: Any, query: Any, *more: Any, **named: Any) -> Any:
        said.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", hear)
        yield said
