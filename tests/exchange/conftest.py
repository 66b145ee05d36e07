"""Desks of this room: each test has a database of its own; the object store is shared, and swept after each test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sluice.exchange.house import open_house
from sluice.settings import Settings
from support.copies import Copies, Fill
from support.desk import Desk, open_desk
from support.night import Edit, Night, contacts_in, with_papers
from support.stores import client_of

BUCKETS = ("bucket_exchange", "bucket_internal", "bucket_lake", "bucket_vault", "bucket_evidence")
Version = tuple[str, str, str]


def papers_in(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Fills an installation: papers are in force, nothing has come yet."""
    with open_desk(with_papers(settings, folder, *edits), folder):
        pass


@contextmanager
def lent_desk(copies: Copies, folder: Path, *edits: object, fill: Fill = papers_in) -> Iterator[Desk]:
    """A desk as ``fill`` left it; what a test puts is taken away afterwards. It must delete nothing that was there."""
    with copies.lend(fill, folder, *edits) as settings, open_house(settings) as house:
        before = _versions(settings)
        try:
            yield Desk(house, folder)
        finally:
            client = client_of(settings)
            for bucket, key, version in _versions(settings) - before:
                client.delete_object(Bucket=bucket, Key=key, VersionId=version)


def _versions(settings: Settings) -> set[Version]:
    client, found = client_of(settings), set[Version]()
    for bucket in (getattr(settings, name) for name in BUCKETS):
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            found |= {(bucket, each["Key"], each["VersionId"]) for each in listed}
    return found


@contextmanager
def lent_night(copies: Copies, folder: Path, *edits: Edit, fill: Fill = contacts_in) -> Iterator[Night]:
    """A night in such an installation."""
    with lent_desk(copies, folder, *edits, fill=fill) as desk:
        [path] = folder.glob("campaign-1-*.csv")
        yield Night(desk, path)


@pytest.fixture
def desk(copies: Copies, tmp_path: Path) -> Iterator[Desk]:
    """Papers of its own, those of the checkout, are in force."""
    with lent_desk(copies, tmp_path) as opened:
        yield opened
