"""An erasure finds the person in records that are no rows, whatever stands between their cells."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rights.asking import asked
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import ExchangeId
from support.desk import open_desk
from support.night import Edit, Night, with_papers

CONTRACT, AS_AGREED = "renewal_campaign.inbound.odcs.yaml", 'format: csv\n    delimiter: ";"'
FEW_REFUSED = Edit(CONTRACT, "maxRefusedShare, value: 0.1", "maxRefusedShare, value: 0.5")


def in_lines(people: pl.DataFrame, broken: int | None) -> bytes:
    """Cells between ``~``; of one record there is one cell too many."""
    rows = [list(people.columns), *([cell or "" for cell in row] for row in people.rows())]
    if broken is not None:
        rows[broken + 1].append("more")
    return "\n".join("~".join(cell.replace("~", " ") for cell in row) for row in rows).encode() + b"\n"


def in_json(people: pl.DataFrame, broken: int | None) -> bytes:
    """Objects; in one of them a key stands twice, and every character of the others is escaped."""
    rows = [json.dumps(row) for row in people.rows(named=True)]
    if broken is not None:
        cells = [f'"{name}": "{escaped(cell or "")}"' for name, cell in people.row(broken, named=True).items()]
        rows[broken] = "{" + ", ".join([*cells, cells[0]]) + "}"
    return f"[{', '.join(rows)}]".encode()


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(one):04x}" for one in text)


@pytest.mark.parametrize(
    ("written", "ending", "form"),
    [(in_lines, "csv", 'format: csv\n    delimiter: "~"'), (in_json, "json", "format: json")],
    ids=["agreed delimiter", "escapes"],
)
def test_who_is_in_a_record_that_is_no_row_is_erased_from_it(
    store_settings: Settings, tmp_path: Path, written: object, ending: str, form: str
) -> None:
    assert callable(written)
    edits = (FEW_REFUSED, Edit(CONTRACT, AS_AGREED, form), Edit(CONTRACT, "/*.csv", f"/*.{ending}"))
    with open_desk(with_papers(store_settings, tmp_path, *edits), tmp_path) as desk:
        path, _ = desk.campaign(5)
        people = pl.read_csv(path, separator=";", infer_schema=False)
        first = desk.drop(written(people, None), f"first.{ending}")
        second = desk.drop(written(people, 1), f"second.{ending}")
        desk.work()
        assert (desk.line(first).decision, desk.line(second).decision) == ("accepted", "partly_accepted")
        night, line = Night(desk, path), desk.line(second)
        record, phone = night.people(2)[1]

        report = run(desk.house, asked(night, phone, record).case_id, datetime.now(UTC))

        assert (report.residual, report.doubts) == (0, 0)
        copies = {copy.kind: copy.rows for copy in find_copies(desk.house.conn, ExchangeId(line.id))}
        assert (copies["lake"], copies["quarantine.records"]) == (4, 0)
        arrived = get_copy(desk.house.conn, ExchangeId(line.id), "arrived")
        left = desk.house.objects.read(arrived.bucket, arrived.key, arrived.version_id)
        gone = (phone, record, escaped(phone), escaped(record))
        assert not any(value.encode() in left for value in gone) and night.people(1)[0][0].encode() in left
