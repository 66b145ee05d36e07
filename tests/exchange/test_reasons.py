"""Whatever is not accepted says why: in the row of the exchange, in its record and in the receipt that is signed."""

import io
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from documents.test_receipt import payload_of
from sluice.exchange.early_refusal import finding, not_judged, refused
from sluice.settings import Settings
from sluice.terms import Verdict
from support.desk import Desk, open_desk
from support.night import Edit, with_papers

CONTRACT = "renewal_campaign.inbound.odcs.yaml"
ANY_NAME = Edit(CONTRACT, "renewal_campaign/*.csv", "renewal_campaign/*")
AS_PARQUET = Edit(CONTRACT, 'format: csv\n    delimiter: ";"', "format: parquet")


def zip_of_nothing() -> bytes:
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    return target.getvalue()


def table_of_nothing() -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table({}), target)
    return target.getvalue()


def reasons_in_receipt(desk: Desk, exchange_id: str) -> list[str]:
    """The codes that the receipt of an exchange gives."""
    key = f"energy01/receipts/renewal_campaign/{exchange_id}.json"
    said = payload_of(desk.house.objects.read(desk.settings.bucket_exchange, key))
    return [each["code"] for each in said["reasons"]]


@pytest.mark.stores
@pytest.mark.parametrize(
    ("edits", "name", "content", "code"),
    [
        ((ANY_NAME,), "leads.csv.zip", zip_of_nothing(), "ARCHIVE_MEMBERS"),
        ((ANY_NAME, AS_PARQUET), "leads.parquet", table_of_nothing(), "UNREADABLE_EMPTY_FILE"),
    ],
    ids=["zip", "parquet"],
)
def test_a_container_of_nothing_is_refused_with_its_reason(
    store_settings: Settings, tmp_path: Path, edits: tuple[Edit, ...], name: str, content: bytes, code: str
) -> None:
    with open_desk(with_papers(store_settings, tmp_path, *edits), tmp_path) as desk:
        dropped = desk.drop(content, name)
        desk.work()

        line, record = desk.line(dropped), desk.shown(dropped).record
        assert record is not None
        assert (line.decision, line.reason_code) == ("refused", code)
        assert [(each.code, each.count) for each in record.reasons] == [(code, 1)]
        assert reasons_in_receipt(desk, line.id) == [code]


def test_nobody_can_refuse_without_a_reason() -> None:
    for verdict in (Verdict.REFUSED, Verdict.UNDECIDED):
        with pytest.raises(ValueError):
            refused((), verdict)
        assert refused((finding("NAME_UNSAFE", "name.safe"),), verdict).verdict is verdict
    assert not_judged().reasons == (), "the control: what is not judged yet needs none"
