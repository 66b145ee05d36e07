"""A whole installation of its own: embedded PostgreSQL, S3 and Airflow, up for the whole session."""

from collections.abc import Iterator

import pytest

from support.installation import Stack, installed


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with installed() as started:
        yield started
