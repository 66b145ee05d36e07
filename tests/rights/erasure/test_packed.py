"""A file that came packed, or as Parquet: taken in like any other, and one person leaves it without a trace."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rights.asking import asked
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.model import Outcome
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from support.desk import Desk, open_desk
from support.forms import FORMS, Form, zipped
from support.night import Night, with_papers


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("campaign.csv")


def of_parquet(content: bytes) -> bytes:
    return pl.read_parquet(content).write_csv(separator=";").encode()


UNPACK = {"gzip": gzip.decompress, "zip": unzipped, "parquet": of_parquet}
"""What is in it, as CSV."""


@pytest.fixture(params=UNPACK)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def form(kind: str) -> Form:
    return FORMS[kind]


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path, form: Form) -> Iterator[Night]:
    with open_desk(with_papers(store_settings, tmp_path, *form.edits), tmp_path) as desk:
        yield Night(desk, desk.campaign(40)[0])


def content_of(desk: Desk, stored: StoredObject) -> bytes:
    return desk.house.objects.read(stored.bucket, stored.key)


def test_it_is_the_same_forty_rows_and_one_person_leaves_them(night: Night, form: Form, kind: str) -> None:
    unpack = UNPACK[kind]
    desk, plain = night.desk, night.contacts.read_bytes()
    stored = desk.drop(form.pack(plain), f"campaign.{form.ending}")
    desk.work()

    shown = desk.shown(stored)
    assert shown.record is not None and shown.record.how.dialect is not None
    assert (shown.line.decision, shown.line.rows_accepted) == ("accepted", 40)
    assert shown.record.how.dialect["container"] == {"csv.gz": "gzip", "zip": "zip"}.get(form.ending)
    record, phone = night.people(2)[1]
    assert phone.encode() in unpack(content_of(desk, stored)), "control: it was there"

    report = run(desk.house, asked(night, phone, record).case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    came = [line.outcome for line in report.lines if line.store == "files as they came"]
    assert came == [Outcome.ERASED], "edited, and not gone whole"
    before, after = (unpack(each).splitlines() for each in (form.pack(plain), content_of(desk, stored)))
    assert after == [line for line in before if phone.encode() not in line]
    assert len(after) == len(before) - 1


def test_a_file_in_two_wrappings_is_refused_and_says_so(night: Night, form: Form) -> None:
    stored = night.desk.drop(gzip.compress(zipped(night.contacts.read_bytes())), "twice.csv.gz")
    night.desk.work()
    line = night.desk.line(stored)
    assert (line.decision, line.reason_code) == ("refused", "ARCHIVE_NESTED")
