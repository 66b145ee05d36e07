"""Both registers of an installation that really exchanged files: every exchange has its row, in every form."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from returns.commands import at_terminal, sluice
from rights.estate import Estate, open_estate
from sluice.agreement.in_force.activate import activate_principal
from sluice.ledger.record import ExchangeRecord
from sluice.registers.columns import IDENTIFICATION, REGISTER, columns_of
from sluice.registers.make import contract_reader, known_then, make_register
from sluice.registers.model import Article, FindingCode, Register, Sighting
from sluice.registers.rules import uses_of
from sluice.registers.store import find_sightings
from sluice.registers.write import FORMS, write_register
from sluice.settings import Settings
from support.desk import ENERGY

Record = Callable[[str, object], None]
TODAY = datetime.now(UTC).date()


def registers(estate: Estate, at: date | None = None, known_at: datetime | None = None) -> dict[Article, Register]:
    now = known_at or datetime.now(UTC)
    on = at or now.date() + timedelta(days=1)
    return {each: make_register(estate.house.conn, estate.settings, each, on, now) for each in Article}


def records(estate: Estate) -> list[ExchangeRecord]:
    """What the ledger says of every closed exchange, read without the room under test."""
    rows = estate.house.conn.execute("select body from ledger.entry where kind = 'exchange.closed'").fetchall()
    return [ExchangeRecord.model_validate_json(row["body"]) for row in rows]


def uncovered(found: dict[Article, Register], estate: Estate) -> list[str]:
    """Exchanges without a row, by counting: every use of every day is in one row, as often as it happened."""
    read = contract_reader(estate.house.conn)
    seen = find_sightings(estate.house.conn, TODAY + timedelta(days=1), datetime.now(UTC), ())
    rows = [(row.key, [*map(asdict, row.seen)]) for register in found.values() for row in register.rows]
    wrong = [
        f"{each.flow} {use.number}"
        for each in seen
        for use in uses_of(each, read(each.contract_sha256))
        if sum(key == use and asdict(each) in there for key, there in rows) != 1
    ]
    return wrong + ["closed"] * abs(len(records(estate)) - sum(each.count for each in seen))


@pytest.mark.evidence
def test_every_exchange_has_its_row_and_what_papers_do_not_say_is_found(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    with open_estate(store_settings, tmp_path, 4, 4, 2) as estate:
        before = datetime.now(UTC)
        found = registers(estate)

        assert uncovered(found, estate) == []
        pieces = {article: [row for row in each.rows if row.seen] for article, each in found.items()}
        without = {article: [*each.rows] for article, each in found.items()}
        broken = {Article.CONTROLLER: found[Article.CONTROLLER]}
        assert uncovered(broken, estate) != [], "the check can fail: without the second register"
        closed = len(records(estate))
        rows = sum(len(each) for each in without.values())
        in_second = sum(row.exchanges for row in pieces[Article.PROCESSOR])
        record_property(
            "registers: exchanges of an estate that are in exactly one row of 30(2)", f"{in_second} of {closed}"
        )
        record_property("registers: rows, and uses of exchanges in no row or two", f"{rows}, 0")
        assert in_second == closed
        told = {(each.code, each.what) for each in found[Article.PROCESSOR].findings}
        assert (FindingCode.NO_PURPOSE, "DPA-ENERGY01") in told, "the stray file"
        assert (FindingCode.DECLARED_NOT_SEEN, "P-CARE") in told
        assert FindingCode.PURPOSE_NOT_DECLARED not in {code for code, _ in told}, "the control of what follows"
        contestable = [each.what for each in found[Article.CONTROLLER].findings if each.number == "DPA-ENERGY01"]
        assert contestable == ["SEED_OWNER_NO_REVERSE_ART28", "SEED_OWNER_NO_SIGN_OFF"]
        _forms(found, tmp_path / "forms", estate)
        _without_the_purpose(estate, before)
        with at_terminal(estate.night.desk, monkeypatch):
            _command(estate, tmp_path / "out")
        _across_a_turn(estate)


def _forms(found: dict[Article, Register], folder: Path, estate: Estate) -> None:
    """The same cells in every form, labels of the authority, tagged PDFs, no formula, no value of a person."""
    for article, register in found.items():
        lines = write_register(register, folder)
        columns = columns_of(article, REGISTER)
        for language in ("nl", "fr", "en"):
            stem = folder / f"register-{article}-{register.at.isoformat()}"
            files = {form: Path(f"{stem}.{language}.{form}") for form in FORMS}
            assert set(files.values()) <= {each.path for each in lines}
            labels = [column.labels[language] for column in columns]
            table = list(csv.reader(io.StringIO(files["csv"].read_text("utf-8-sig"))))
            document = json.loads(files["json"].read_text())
            sheets = load_workbook(files["xlsx"])
            sheet = sheets[sheets.sheetnames[-3]]
            assert table[0] == labels == [cell.value for cell in next(sheet.iter_rows(max_row=1))]
            _marked(sheet, [column.is_mandatory for column in columns])
            if own := columns_of(article, IDENTIFICATION):
                _marked(sheets[sheets.sheetnames[0]], [column.is_mandatory for column in own])
            for sheet_of_ours in sheets.sheetnames[-2:]:
                _marked(sheets[sheet_of_ours], [False] * sheets[sheet_of_ours].max_column)
            assert len(table) - 1 == len(document["rows"]) == sheet.max_row - 1 == len(register.rows)
            assert list(document["rows"][0]) == [column.key for column in columns]
            assert [cell.data_type for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []
            pdf = pypdf.PdfReader(files["pdf"])
            assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"] and pdf.trailer["/Root"]["/Lang"].startswith(language)
            text = "".join(page.extract_text() for page in pdf.pages)
            assert "DPA-TELECOM01" in text and "[U+" not in text
            words = " ".join(text.split())
            assert all((f"{column.labels[language]} *" in words) == column.is_mandatory for column in columns)
        everything = b"".join(each.path.read_bytes() for each in lines if each.format in ("csv", "json"))
        values = [value for each in (*estate.people, *estate.others) for value in each.values]
        assert [value for value in values if value.encode() in everything] == []
        assert lines == write_register(register, folder), "the same register is the same bytes"


def _marked(sheet: Worksheet, wanted: list[bool]) -> None:
    """Whether the headers that the law asks for are red, and no other one is."""
    colours = [cell.font.color for cell in next(sheet.iter_rows(max_row=1))]
    assert [colour is not None and colour.rgb == "FFC00000" for colour in colours] == wanted


def _across_a_turn(estate: Estate) -> None:
    """What is alike on both sides of a day on which papers changed is two sightings, and nothing is counted twice."""
    conn, now, turn = estate.house.conn, datetime.now(UTC), TODAY - timedelta(days=10)
    conn.execute(
        """update exchange set opened_at = opened_at - interval '40 days'
           where ctid in (select min(ctid) from exchange group by said_id)"""
    )

    def seen(*turns: date) -> tuple[Sighting, ...]:
        return find_sightings(conn, TODAY + timedelta(days=1), now, turns)

    def spanning(found: tuple[Sighting, ...]) -> int:
        return sum(each.first < turn <= each.last for each in found)

    assert spanning(seen()) > 0, "control"
    assert spanning(seen(turn)) == 0
    assert sum(each.count for each in seen(turn)) == sum(each.count for each in seen()) == len(records(estate))


def _without_the_purpose(estate: Estate, before: datetime) -> None:
    """A later version of the agreement that holds from the same day never had the purpose of what agents add."""
    papers = estate.settings.principals_dir / ENERGY[0]
    text = (papers / "agreement-3.0.0.yaml").read_text(encoding="utf-8")
    start, end = text.index("    - code: P-RESULT"), text.index("  duration: while the service")
    newer = (text[:start] + text[end:]).replace("version: 3.0.0", "version: 3.1.0")
    (papers / "agreement-3.1.0.yaml").write_text(
        newer.replace("supersedes: 2.4.0", "supersedes: 3.0.0"), encoding="utf-8"
    )
    done = activate_principal(estate.house.conn, papers, datetime.now(UTC))
    assert "DPA-ENERGY01 3.1.0" in done.activated, done.problems

    now, then = registers(estate), registers(estate, known_at=before)

    def never(found: dict[Article, Register]) -> dict[str, int]:
        every = [each for register in found.values() for each in register.findings]
        return {each.what: each.exchanges for each in every if each.code is FindingCode.PURPOSE_NOT_DECLARED}

    assert never(then) == {}, "as it was known then"
    assert list(never(now)) == ["P-RESULT"] and never(now)["P-RESULT"] >= 5
    assert uncovered(now, estate) == []
    rows = [row for row in now[Article.CONTROLLER].rows if row.key.agreement_id == "DPA-ENERGY01"]
    assert {row.key.purpose for row in rows} == {"P-RESULT"} and not [row for row in rows if row.declared]


def _command(estate: Estate, folder: Path) -> None:
    done = sluice("register", "export", "--article", "30.2", "--lang", "nl", "--to", "json", "--folder", str(folder))
    assert done.exit == 0 and done.document["rows"] >= 5
    assert json.loads(Path(done.document["path"]).read_text())["language"] == "nl"
    assert "NO_PURPOSE" in {each["code"] for each in done.document["findings"]}
    past = sluice("register", "export", "--article", "30.1", "--at", "2026-01-31", "--folder", str(folder))
    assert (past.exit, past.document["rows"], past.document["exchanges"]) == (0, 0, 0), "nothing was known yet"
    for wrong in (("30.3", "nl", "csv"), ("30.1", "de", "csv"), ("30.1", "nl", "docx")):
        article, lang, form = wrong
        assert sluice("register", "export", "--article", article, "--lang", lang, "--to", form).exit == 2


def test_what_was_known_on_a_day_ends_with_that_day_in_brussels() -> None:
    now = datetime(2026, 7, 2, 12, tzinfo=UTC)

    assert known_then(date(2026, 7, 1), now) == datetime(2026, 7, 1, 21, 59, 59, 999999, tzinfo=UTC)
    assert known_then(date(2026, 7, 2), now) == now
