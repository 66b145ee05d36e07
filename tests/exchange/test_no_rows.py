"""A file without a row that can be accepted is taken to its end, and so is everything that reads it later."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from dial.lists import ask, listed, numbers
from rights.asking import asked
from sluice.exchange.catalogue import find_copies, get_copy
from sluice.exchange.effects.run import do_effects
from sluice.exchange.persons.merged import merge_index
from sluice.exchange.read import ExchangeLine
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.desk import ENERGY, Desk, open_desk
from support.night import AT_ONCE, Call, Edit, Night, call_log, open_night, with_papers

CONTRACT, RESULTS_CONTRACT = "renewal_campaign.inbound.odcs.yaml", "renewal_results.internal.odcs.yaml"
COUNTED = """    quality:
      - {id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error, dimension: completeness}
"""
NEED_NO_ROW = Edit(CONTRACT, COUNTED, "")
RESULTS_NEED_NO_ROW = Edit(RESULTS_CONTRACT, COUNTED, "")
ALL_MAY_BE_REFUSED = Edit(CONTRACT, "maxRefusedShare, value: 0.1", "maxRefusedShare, value: 1")


@pytest.fixture
def night(store_settings: Settings, tmp_path: Path) -> Iterator[Night]:
    papers = with_papers(store_settings, tmp_path, AT_ONCE, NEED_NO_ROW, RESULTS_NEED_NO_ROW, ALL_MAY_BE_REFUSED)
    with open_night(papers, tmp_path, contacts=5) as opened:
        yield opened


def lake_of(desk: Desk, line: ExchangeLine) -> pl.DataFrame:
    copy = get_copy(desk.house.conn, ExchangeId(line.id), "lake")
    return pl.read_parquet(io.BytesIO(desk.house.objects.read(copy.bucket, copy.key, copy.version_id)))


def kinds_of(desk: Desk, line: ExchangeLine) -> dict[str, int | None]:
    return {copy.kind: copy.rows for copy in find_copies(desk.house.conn, ExchangeId(line.id))}


def counts(line: ExchangeLine) -> tuple[str | None, int | None, int | None, int | None]:
    return line.decision, line.rows_in, line.rows_accepted, line.rows_refused


def refused_only(night: Night) -> bytes:
    """A file whose one row, of the second contact, has no customer number."""
    head, _, row, *_ = night.contacts.read_text(encoding="utf-8-sig").splitlines()
    return f"{head}\n;{row.partition(';')[2]}\n".encode()


def test_a_file_without_rows_is_accepted_and_nobody_who_reads_on_stumbles(night: Night) -> None:
    desk, head = night.desk, night.contacts.read_bytes().partition(b"\n")[0] + b"\n"

    dropped = desk.drop(head, "none.csv")
    desk.work()

    line = desk.line(dropped)
    assert counts(line) == ("accepted", 0, 0, 0) and line.receipt_at is not None
    assert kinds_of(desk, line).items() >= {"lake": 0, "index": None}.items()
    assert lake_of(desk, line).height == 0
    assert set(lake_of(desk, line).columns) > set(pl.read_csv(night.contacts, separator=";").columns)
    numbers(desk)
    assert listed(desk, ask(desk)).height, "a dial list is made of what the other file says"
    empty = night.results(call_log([]), "none.csv")
    assert counts(desk.line(empty)) == ("accepted", 0, 0, 0)
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    night.make()
    assert pl.read_csv(io.BytesIO(night.file(night.returns()[0])), separator=";").height == 3
    assert merge_index(desk.house, Principal(ENERGY[0]), datetime.now(UTC), fewest=2)[1] == 0
    report = run(desk.house, asked(night, *reversed(night.people(3)[2])).case_id, datetime.now(UTC))
    assert (report.residual, report.doubts) == (0, 0)
    do_effects(desk.house)  # lineage hears of what the erasure edited
    assert desk.sql("select 1 from outbox where done_at is null") == []

    # Rows that are all refused are kept apart, and an erasure finds who is in them.
    dropped = desk.drop(refused_only(night), "refused.csv")
    desk.work()

    line = desk.line(dropped)
    assert counts(line) == ("partly_accepted", 1, 0, 1) and line.receipt_at is not None
    assert kinds_of(desk, line).items() >= {"lake": 0, "quarantine.rows": 1, "index.rest": None}.items()
    assert "quarantine.file" not in kinds_of(desk, line)
    record, phone = night.people(2)[1]
    report = run(desk.house, asked(night, phone, record).case_id, datetime.now(UTC))
    assert (report.residual, report.doubts) == (0, 0)
    arrived = get_copy(desk.house.conn, ExchangeId(line.id), "arrived")
    left = desk.house.objects.read(arrived.bucket, arrived.key, arrived.version_id)
    assert (kinds_of(desk, line)["quarantine.rows"], left.count(b"\n")) == (0, 1)


def test_an_empty_list_of_json_is_a_file_without_rows(store_settings: Settings, tmp_path: Path) -> None:
    is_json = (Edit(CONTRACT, 'format: csv\n    delimiter: ";"', "format: json"), Edit(CONTRACT, "/*.csv", "/*.json"))
    with open_desk(with_papers(store_settings, tmp_path, NEED_NO_ROW, *is_json), tmp_path) as desk:
        dropped = desk.drop(b"[]", "none.json")
        desk.work()

        assert counts(desk.line(dropped)) == ("accepted", 0, 0, 0)
        assert lake_of(desk, desk.line(dropped)).height == 0
