"""A file that came packed, or as Parquet: taken in like any other, and one person leaves it without a trace."""

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from desk import Desk, open_desk
from night import Edit, Night, with_papers
from rights.asking import asked
from sluice.lake.objects import StoredObject
from sluice.rights.erase import run
from sluice.rights.erase_model import Outcome
from sluice.settings import Settings

CAMPAIGN = "renewal_campaign.inbound.odcs.yaml"
ANY_NAME = Edit(CAMPAIGN, "renewal_campaign/*.csv", "renewal_campaign/*")


@dataclass(frozen=True)
class Form:
    """How a campaign is sent: its name, how it is made of CSV and read back to CSV, and what the contract says."""

    name: str
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]
    edits: tuple[Edit, ...] = ()


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("campaign.csv", content)
    return out.getvalue()


def unzipped(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("campaign.csv")


def to_parquet(content: bytes) -> bytes:
    out = io.BytesIO()
    pl.read_csv(content, separator=";", infer_schema=False).write_parquet(out)
    return out.getvalue()


def of_parquet(content: bytes) -> bytes:
    return pl.read_parquet(content).write_csv(separator=";").encode()


FORMS = {
    "gzip": Form("campaign.csv.gz", gzip.compress, gzip.decompress),
    "zip": Form("campaign.zip", zipped, unzipped),
    "parquet": Form("campaign.parquet", to_parquet, of_parquet, (Edit(CAMPAIGN, "format: csv", "format: parquet"),)),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path, form: Form) -> Iterator[Night]:
    with open_desk(with_papers(store_settings, tmp_path, ANY_NAME, *form.edits), tmp_path) as desk:
        yield Night(desk, desk.campaign(40)[0])


def content_of(desk: Desk, stored: StoredObject) -> bytes:
    return desk.house.objects.read(stored.bucket, stored.key)


def test_it_is_the_same_forty_rows_and_one_person_leaves_them(night: Night, form: Form) -> None:
    desk, plain = night.desk, night.contacts.read_bytes()
    stored = desk.drop(form.pack(plain), form.name)
    desk.work()

    shown = desk.shown(stored)
    assert shown.record is not None and shown.record.how.dialect is not None
    assert (shown.line.decision, shown.line.rows_accepted) == ("accepted", 40)
    assert shown.record.how.dialect["container"] == {"csv.gz": "gzip", "zip": "zip"}.get(form.name.partition(".")[2])
    record, phone = night.people(2)[1]
    assert phone.encode() in form.unpack(content_of(desk, stored)), "control: it was there"

    report = run(desk.house, asked(night, phone, record).case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0)
    came = [line.outcome for line in report.lines if line.store == "files as they came"]
    assert came == [Outcome.ERASED], "edited, and not gone whole"
    before, after = (form.unpack(each).splitlines() for each in (form.pack(plain), content_of(desk, stored)))
    assert after == [line for line in before if phone.encode() not in line]
    assert len(after) == len(before) - 1


def test_a_file_in_two_wrappings_is_refused_and_says_so(night: Night, form: Form) -> None:
    stored = night.desk.drop(gzip.compress(zipped(night.contacts.read_bytes())), "twice.csv.gz")
    night.desk.work()
    line = night.desk.line(stored)
    assert (line.decision, line.reason_code) == ("refused", "ARCHIVE_NESTED")
