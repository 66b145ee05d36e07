"""Notes that a person has to see: they wait, are read, decided once, and come back as an exchange of their own."""

import base64
import csv
import io
import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from exchange.conftest import lent_night
from sluice.agreement.in_force.activate import activate_all
from sluice.cli.whole import app
from sluice.exchange.effects.run import do_effects
from sluice.exchange.given_back import paper_under
from sluice.exchange.persons.suppressed import keep_out, lift
from sluice.exchange.read import ExchangeLine, show_exchange
from sluice.exchange.review import RowsNotWaiting, back_key, decide, list_waiting, note_rows, put_reviewed, read_notes
from sluice.exchange.review_model import Choice
from sluice.exchange.store import get_opened
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.screen.sample import sampled as draw
from sluice.settings import Settings, get_settings
from sluice.subject.suppression import Suppression
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.desk import Desk, environment
from support.night import AGREEMENT, Call, Edit, Night, change, copied_night, open_night, with_papers

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
BELIEF = "Klant is moslim, liever na vrijdag bellen"
UNION = "=1+1 is lid van de vakbond, café"
PLAIN = "wil een offerte"


def held_notes(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Fills an installation: three calls came in; the notes of two of them wait for a person."""
    with open_night(with_papers(settings, folder, *edits), folder) as night:
        people = night.people(3)
        notes = (BELIEF, PLAIN, UNION)
        night.called(
            *(Call(f"c{n}", *person, note=note) for n, (person, note) in enumerate(zip(people, notes, strict=True)))
        )


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path) as opened:
        yield opened


@pytest.fixture
def noted(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with lent_night(copies, tmp_path, fill=held_notes) as opened:
        yield opened


@pytest.fixture
def held(noted: Night) -> ExchangeLine:
    return next(line for line in noted.desk.lines() if line.flow == "renewal_results")


def now() -> datetime:
    return datetime.now(UTC)


def out(night: Night, place: int, why: Suppression) -> str:
    """Keep one of the people out from now on; gives the id of the run."""
    house, phone = night.desk.house, night.people(place + 1)[place][1]
    refs = refs_of((parse_identifier(f"phone:{phone}", 1),), house.subject_key(ENERGY), ENERGY)
    return keep_out(house, ENERGY, frozenset(refs.values()), why, cause=f"{place} {why}", case_id=None, now=now())


def come_back(night: Night) -> list[ExchangeLine]:
    """What the outbox puts is taken up like any arrival."""
    do_effects(night.desk.house)
    before = {line.id for line in night.desk.lines()}
    night.desk.work()
    return [line for line in night.desk.lines() if line.id not in before]


def notes_sent(night: Night) -> dict[str, str]:
    """Note per record id in the released return of the night."""
    night.make()
    [line, *_] = night.returns()
    night.release(line)
    rows = csv.DictReader(io.StringIO(night.file(night.returns()[0]).decode()), delimiter=";")
    return {row["customer_number"]: row["note"] for row in rows}


def rows_found(night: Night, back: ExchangeLine) -> int:
    """How many rows of a file that came back name the first of the people, whose number they asked by is no cell."""
    house = night.desk.house
    person = (parse_identifier(f"phone:{night.people(1)[0][1]}", 1),)
    key = house.subject_key(ENERGY)
    target = Target(ENERGY, key, frozenset(refs_of(person, key, ENERGY).values()), ("0032 470 99 99 99",), frozenset())
    with open_bench(house, target) as bench:
        copies = find_copies(house.conn, ENERGY, among=[ExchangeId(back.id)])
        return sum(store_of(copy).find(bench, copy) for copy in copies if copy.kind == "arrived")


def test_held_notes_are_listed_by_number_and_shown_to_who_reads_them(noted: Night, held: ExchangeLine) -> None:
    [waiting] = list_waiting(noted.desk.house.conn, None)
    rows = note_rows(noted.desk.house, ExchangeId(held.id))

    assert (waiting.exchange_id, waiting.open) == (held.id, 2)
    assert [(each.row, each.codes, each.review) for each in rows] == [
        (1, ("TEXT_BELIEF_REVIEW",), None),
        (3, ("TEXT_UNION_REVIEW",), None),
    ]
    assert list_waiting(noted.desk.house.conn, Principal("telecom01")) == []

    # Reading gives them, and leaves an entry but no file.
    notes = read_notes(noted.desk.house, ExchangeId(held.id), "an.peeters", now(), sample=False)

    rows = list(csv.reader(io.StringIO(notes.content.decode())))
    assert notes.rows == 2 and not list(noted.desk.settings.var.rglob("notes.csv"))
    assert rows == [
        ["sluice_row", "codes", "note"],
        ["1", "TEXT_BELIEF_REVIEW", BELIEF],
        ["3", "TEXT_UNION_REVIEW", f"'{UNION}"],
    ]
    [entry] = noted.desk.sql("select convert_from(body, 'utf8') as body from ledger.entry where kind = 'notes.read'")
    body = json.loads(str(entry["body"]))
    assert (body["read_by"], body["rows"], body["why"]) == ("an.peeters", 2, "review")
    assert "moslim" not in str(entry["body"])


def test_what_may_only_be_kept_is_not_given_out_to_be_read(noted: Night, held: ExchangeLine) -> None:
    def given_out() -> str:
        return read_notes(noted.desk.house, ExchangeId(held.id), "an", now(), sample=False).content.decode()

    out(noted, 0, Suppression.OBJECTED)
    assert BELIEF in given_out(), "who only objected to advertising has notes that are read"
    for why in (Suppression.SOFT_HOLD, Suppression.RESTRICTED):
        run_id = out(noted, 0, why)
        assert BELIEF not in given_out() and UNION in given_out(), "and what is about others is"
        assert [each.row for each in note_rows(noted.desk.house, ExchangeId(held.id))] == [1, 3], "it waits on"
        lift(noted.desk.house, run_id, now())


def test_notes_that_may_go_come_back_and_go_into_the_return_as_they_were(noted: Night, held: ExchangeLine) -> None:
    decide(noted.desk.house, ExchangeId(held.id), [1, 3], Choice.SEND, "an.peeters", now())

    [back] = come_back(noted)

    assert (back.decision, back.rows_in, back.rows_accepted) == ("accepted", 2, 2)
    record = show_exchange(noted.desk.house.conn, back.id).record
    assert record is not None and record.how.screening is not None
    assert record.how.screening.found == {"belief": 1, "union": 1}, "what the person let go is still said"
    assert rows_found(noted, back) == 1, "by rows, though the flow's own files are no NDJSON"
    people = [number for number, _ in noted.people(3)]
    assert notes_sent(noted) == dict(zip(people, (BELIEF, PLAIN, f"'{UNION}"), strict=True))


def test_masked_notes_go_without_what_was_found(noted: Night, held: ExchangeLine) -> None:
    decide(noted.desk.house, ExchangeId(held.id), [1], Choice.MASK, "an.peeters", now())
    decide(noted.desk.house, ExchangeId(held.id), [3], Choice.DROP, "an.peeters", now())

    [back] = come_back(noted)

    assert back.rows_accepted == 1
    first, second, third = (number for number, _ in noted.people(3))
    sent = notes_sent(noted)
    assert sent[first] == BELIEF.replace("moslim", "[belief]")
    assert sent[second] == PLAIN
    assert third not in sent


def test_a_row_is_decided_once_and_only_if_it_waits(noted: Night, held: ExchangeLine) -> None:
    house, exchange = noted.desk.house, ExchangeId(held.id)
    decide(house, exchange, [1], Choice.DROP, "an.peeters", now())

    for rows in ([1], [1, 3], [2], [99], []):
        with pytest.raises(RowsNotWaiting):
            decide(house, exchange, rows, Choice.SEND, "bob", now())
    assert [each.row for each in note_rows(house, exchange) if each.review is None] == [3]
    assert list_waiting(house.conn, None)[0].open == 1
    assert come_back(noted) == [], "a row that stays comes back nowhere"


def test_what_was_decided_but_not_put_is_put_by_the_next_reconcile_once(noted: Night, held: ExchangeLine) -> None:
    house, exchange = noted.desk.house, ExchangeId(held.id)
    review = decide(house, exchange, [1], Choice.SEND, "an.peeters", now())
    put_reviewed(house, exchange)
    house.conn.execute("update review set put_at = null where exchange_id = %s", (exchange,))  # died before noting it

    assert len(come_back(noted)) == 1
    put_reviewed(house, exchange)
    there = [item for item in noted.desk.objects(review.bucket) if item.key == review.key]
    assert len(there) == 1


def test_somebody_who_must_stay_out_does_not_come_back(noted: Night, held: ExchangeLine) -> None:
    house = noted.desk.house
    out(noted, 0, Suppression.SOFT_HOLD)
    decide(house, ExchangeId(held.id), [1, 3], Choice.SEND, "an.peeters", now())

    [back] = come_back(noted)

    assert (back.decision, back.rows_in, back.rows_accepted) == ("partly_accepted", 2, 1)
    assert noted.record(back).right_treatment.held_back == {"soft_hold": 1}


def test_a_file_that_only_has_the_name_of_a_review_is_refused(noted: Night, held: ExchangeLine) -> None:
    """The control: without the comparison of bytes anybody who can write there lets held notes go."""
    house, opened = noted.desk.house, get_opened(noted.desk.house.conn, held.id)
    decide(house, ExchangeId(held.id), [3], Choice.SEND, "an.peeters", now())
    key = back_key(opened, 1)
    forged: StoredObject = house.objects.put(
        opened.bucket, key, json.dumps({"note": BELIEF}).encode(), "application/x-ndjson"
    )

    noted.desk.work()
    assert (noted.desk.line(forged).decision, noted.desk.line(forged).reason_code) == ("refused", "NAME_NOT_AS_AGREED")


def test_the_command_lists_reads_and_decides(
    noted: Night, held: ExchangeLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(noted.desk.settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()

    def sluice(*words: str, code: int = 0) -> dict[str, object]:
        done = CliRunner().invoke(app, [*words, "--format", "json"])
        assert done.exit_code == code, done.output
        return dict(json.loads(done.stdout)) if not code else {}

    start = held.id[:8]
    assert sluice("review", "list")["more"] is False
    assert sluice("review", "list", "--limit", "1")["exchanges"] == [
        {
            "exchange_id": held.id,
            "principal": "energy01",
            "flow": "renewal_results",
            "codes": {"TEXT_BELIEF_REVIEW": 1, "TEXT_UNION_REVIEW": 1},
            "open": 2,
        }
    ]
    assert sluice("review", "read", start, "--to", str(tmp_path / "n.csv"))["rows"] == 2
    assert stat.S_IMODE((tmp_path / "n.csv").stat().st_mode) == 0o600 and BELIEF in (tmp_path / "n.csv").read_text()
    assert sluice("review", "decide", start, "mask", "--rows", "1-1", "--by", "an")["rows"] == [1]
    assert sluice("review", "decide", start, "send")["rows"] == [3]
    rows = sluice("review", "show", start)["rows"]
    assert isinstance(rows, list)
    assert (rows[0]["row"], rows[0]["decision"], rows[0]["decided_by"]) == (1, "mask", "an")
    assert sorted(line.rows_accepted or 0 for line in come_back(noted)) == [1, 1]
    get_settings.cache_clear()


def test_notes_without_a_finding_that_were_drawn_can_be_read_and_no_others(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = with_papers(store_settings, tmp_path, Edit(AGREEMENT, "sampleShare: 0.01", "sampleShare: 0.5"))
    with open_night(settings, tmp_path) as night:
        calls = [Call(f"s{n}", *person, note=f"{PLAIN} {n}") for n, person in enumerate(night.people(30))]
        sampled = night.desk.line(night.called(*calls))
        screening = night.record(sampled).how.screening

        notes = read_notes(night.desk.house, ExchangeId(sampled.id), "an", now(), sample=True)

        assert screening is not None and 0 < screening.sampled < 30
        assert notes.rows == screening.sampled == notes.content.decode().count(PLAIN)
        said = pl.Series([call.note for call in calls])
        key = base64.b64encode(night.desk.house.keyring.sample_key(ENERGY)).decode()
        drawn = said.filter(draw(said, pl.DataFrame(schema={"row": pl.Int64}), 0.5, key))
        assert {row["note"] for row in csv.DictReader(io.StringIO(notes.content.decode()))} == set(drawn)
        with pytest.raises(RowsNotWaiting):
            read_notes(night.desk.house, ExchangeId(sampled.id), "an", now(), sample=False)
        first = min(int(note.rpartition(" ")[2]) for note in drawn)
        out(night, first, Suppression.RESTRICTED)
        left = read_notes(night.desk.house, ExchangeId(sampled.id), "an", now(), sample=True)
        said_of = {row["note"] for row in csv.DictReader(io.StringIO(left.content.decode()))}
        assert said_of == set(drawn) - {f"{PLAIN} {first}"}, "by the references of the lake"


CAMPAIGN, ROWS = "renewal_campaign.inbound.odcs.yaml", 20


def with_a_note_to_read(desk: Desk) -> StoredObject:
    """A file whose first row waits for a person."""
    head, first, *rows = desk.campaign(ROWS)[0].read_text(encoding="utf-8-sig").splitlines()
    cells = first.split(";")
    cells[head.split(";").index("note")] = BELIEF
    dropped = desk.drop("\n".join([head, ";".join(cells), *rows, ""]).encode(), "leads.csv")
    desk.work()
    assert desk.line(dropped).rows_held == 1
    return dropped


def next_version(desk: Desk) -> None:
    """The contract in its next version: one column has another name."""
    path = desk.settings.principals_dir / ENERGY / CAMPAIGN
    change(path, "- name: campaign_code", "- name: campaign")
    change(path, "version: 1.0.0", "version: 1.1.0")
    for done in activate_all(desk.house.conn, desk.settings.principals_dir, now()):
        assert not done.is_refused, done.problems


def test_a_row_that_may_go_comes_back_under_the_contract_it_was_held_by_after_a_column_got_another_name(
    desk: Desk,
) -> None:
    held = with_a_note_to_read(desk)
    next_version(desk)
    held_id, house = ExchangeId(desk.line(held).id), desk.house

    decide(house, held_id, [row.row for row in note_rows(house, held_id)], Choice.SEND, "an", now())
    do_effects(house)
    desk.work()

    [back] = [line for line in desk.lines() if line.id != held_id]
    assert (back.decision, back.rows_accepted) == ("accepted", 1)
    contract = paper_under(house.conn, get_opened(house.conn, held_id)).contract
    copies = find_copies(house.conn, ENERGY, among=[ExchangeId(back.id)])
    assert contract is not None and contract.version == "1.0.0"
    assert {each.contract.version for each in copies if each.contract} == {"1.0.0"}, "an erasure reads it so, too"

    unread = desk.drop(desk.campaign(ROWS, 2)[0], "later.csv")
    desk.work()
    assert desk.line(unread).reason_code == "HEADER_UNDECLARED_COLUMN", "control: any other file is under the new one"
