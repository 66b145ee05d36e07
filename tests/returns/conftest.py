"""A night at the desk: contacts accepted, staff known, nobody called yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from returns.evenings import Evening, Evenings
from sluice.services.model import SeaweedServer
from support.night import AT_ONCE
from support.stores import Databases


@pytest.fixture(scope="session")
def evenings(
    databases: Databases, s3_server: SeaweedServer, service_var: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Evenings]:
    made = Evenings(databases, s3_server, service_var, tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def night(evenings: Evenings) -> Evening:
    """An evening of one test; somebody has to release a return."""
    return evenings.next()


@pytest.fixture
def at_once(evenings: Evenings) -> Evening:
    """An evening of one test whose returns go without a second person."""
    return evenings.next(AT_ONCE)
