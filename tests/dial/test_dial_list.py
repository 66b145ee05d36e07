"""A dial list has exactly who may be called, is an exchange of its own, and is refused where no paper carries it."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from dial.lists import CAMPAIGN, CONTRACT, ENERGY01, ask, contacts, listed, now, numbers, record, today
from sluice.dial import make
from sluice.dial.dncm import import_numbers
from sluice.dial.make import finish_left, make_dial_list
from sluice.dial.model import Channel, Dialled, DialRefused, Request
from sluice.errors import NotFound
from sluice.ledger.opened import OpenedRecord
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event, start_event
from sluice.settings import Settings
from sluice.terms import Flow, Principal
from support.desk import ENERGY, Desk, open_desk
from support.night import Edit, with_papers


@pytest.fixture(scope="module")
def called(module_desk: Desk) -> tuple[Desk, pl.DataFrame, str]:
    """A desk with contacts and a list of numbers, the contacts, and the hash of the numbers."""
    return module_desk, contacts(module_desk), numbers(module_desk)


Called = tuple[Desk, pl.DataFrame, str]


def asked(name: str = "", principal: str = ENERGY01, flow: str = CAMPAIGN) -> Request:
    return Request(name or str(uuid4()), Principal(principal), Flow(flow), "P-RENEW", Channel.PHONE, "csv", "anna")


def test_a_list_has_who_said_yes_or_nothing_and_is_an_exchange_with_six_answers_a_receipt_and_a_last_day(
    called: Called,
) -> None:
    desk, people, sha256 = called

    done = ask(desk)

    yes = people.filter(pl.col("opt_in_phone") == "Y")
    assert sorted(listed(desk, done)["customer_number"]) == sorted(yes["customer_number"])
    assert (done.rows_in, done.rows, done.left_out) == (60, yes.height, {"OPTED_OUT": 60 - yes.height})
    assert done.dncm_sha256 == sha256
    said = record(desk, done)
    assert [purpose.code for purpose in said.why.purposes] == ["P-RENEW"]
    assert said.who.recipients == ("center",) and said.who.sender == "center"
    assert {copy.kind: copy.delete_after for copy in said.how_long.copies} == dict.fromkeys(
        ("dial.kept", "index"), str(today() + timedelta(days=5))
    )
    assert said.how.dialect["dncm_sha256"] == sha256 and said.how.dialect["dncm_dated_on"] == str(today())
    assert [each.kind for each in said.what.inputs] == ["contacts"]
    receipts = desk.house.objects.list_versions(desk.settings.bucket_internal, "energy01/receipts/")
    assert {item.key.rpartition(".")[2] for item in receipts if done.exchange_id in item.key} >= {"json", "pdf"}
    assert len(desk.sql(f"select from copy where kind = 'dial' and exchange_id = '{done.exchange_id}'")) == 1
    assert desk.sql("select 1 from outbox where done_at is null") == []
    check_events(desk, done)


def check_events(desk: Desk, done: Dialled) -> None:
    """Its events are valid, and trace every column to the contacts."""
    said = record(desk, done)
    [opened] = desk.sql(
        f"""select convert_from(body, 'UTF8') as body from ledger.entry
            where kind = 'exchange.opened' and exchange_id = '{done.exchange_id}'"""
    )
    start = start_event(OpenedRecord.model_validate_json(str(opened["body"])), desk.settings)
    closed = closed_event(said, "ab" * 32, desk.settings)
    for event in (start, closed):
        check_event(event)
    whole = json.loads(closed)
    assert [each["name"] for each in whole["inputs"]] == [each.key for each in said.what.inputs]
    fields = whole["outputs"][0]["facets"]["columnLineage"]["fields"]
    assert {name: field["inputFields"][0]["field"] for name, field in fields.items()} == {name: name for name in fields}
    assert whole["outputs"][0]["name"] == done.key and len(fields) == len(said.what.columns)
    assert json.loads(start)["outputs"][0]["name"] == done.key


def test_every_format_has_the_same_rows_and_only_columns_of_the_purpose(called: Called) -> None:
    from sluice.dial.read import dial_list, lake_view

    desk, people, _ = called
    written = people.filter(pl.col("opt_in_phone") == "Y")["phone"]
    for form in ("csv", "xlsx", "parquet"):
        rows = listed(desk, ask(desk, form=form))
        assert rows.columns == people.columns
        wanted = written.str.replace(r"^\+", "00") if form == "csv" else written  # "+" begins a formula there
        assert rows["phone"].to_list() == wanted.to_list()

    table = dial_list("energy01", ENERGY[1], "P-RENEW", "phone", settings=desk.settings)
    assert table.to_pandas()["phone"].tolist() == written.to_list(), "engineers get it as a table"
    assert lake_view("energy01", ENERGY[1], settings=desk.settings).num_rows == 60


def test_what_agreement_or_contract_do_not_name_is_refused_on_record_and_not_as_it_was_typed(called: Called) -> None:
    desk, *_ = called
    before = {item.key for item in desk.objects(desk.settings.bucket_internal) if "/dial/" in item.key}
    for purpose, channel, reason in (
        ("P-NOTHING", "phone", "FORBIDDEN_PURPOSE"),
        ("P-CARE", "phone", "FORBIDDEN_PURPOSE"),
        ("jan peeters", "phone", "FORBIDDEN_PURPOSE"),
        ("P-RENEW", "email", "FORBIDDEN_CHANNEL"),
        ("P-RENEW", "sms", "FORBIDDEN_CHANNEL"),
    ):
        with pytest.raises(DialRefused, match=reason):
            ask(desk, purpose, channel)
        line = next(line for line in desk.lines() if line.direction == "internal")
        assert (line.decision, line.reason_code) == ("refused", reason)
    assert {item.key for item in desk.objects(desk.settings.bucket_internal) if "/dial/" in item.key} == before

    lines = desk.lines()
    for principal, flow in (("peeters", "renewal_campaign"), ("energy01", "peeters")):
        with pytest.raises(NotFound) as refused:
            make_dial_list(desk.house, asked(principal=principal, flow=flow), now())
        assert "peeters" not in str(refused.value)
    assert desk.lines() == lines
    assert {row["purpose"] for row in desk.sql("select purpose from dial_list")} <= {"NOT_AGREED", "P-CARE", "P-RENEW"}
    assert desk.sql("select 1 from dial_list where purpose = 'NOT_AGREED'")
    assert desk.sql("select 1 from ledger.entry where convert_from(body, 'UTF8') like '%peeters%'") == []


def test_the_same_request_again_is_the_same_list_and_one_that_a_dead_worker_left_is_finished_once(
    called: Called,
) -> None:
    desk, *_ = called
    name = str(uuid4())
    assert ask(desk, name=name) == ask(desk, name=name)
    assert ask(desk).exchange_id != ask(desk).exchange_id, "another request is another list, equal bytes or not"
    assert finish_left(desk.house, now()) == (0, 0)

    left = make._open(desk.house, asked(), now())
    desk.work()
    assert "open" in {line.decision for line in desk.lines() if line.id == left.exchange_id}, "no slot takes it"
    assert [finish_left(desk.house, now()), finish_left(desk.house, now())] == [(1, 0), (0, 0)]
    assert "open" not in {line.decision for line in desk.lines()}


def test_a_list_is_judged_at_the_moment_it_is_asked_for_and_one_that_was_left_when_it_is_finished(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk)
    later, past = now() + timedelta(days=6), now() + timedelta(days=120)
    first, left, last = (asked() for _ in range(3))

    with pytest.raises(DialRefused, match="STALE_DNCM_LIST"):
        make_dial_list(desk.house, first, later)
    make._open(desk.house, left, now())
    assert finish_left(desk.house, later) == (1, 0)
    assert [line.reason_code for line in desk.lines() if line.direction == "internal"] == ["STALE_DNCM_LIST"] * 2
    young = desk.folder / "young.txt"
    young.write_text("+32470999998")
    import_numbers(desk.house, young, past.date(), "anna", past)
    assert make_dial_list(desk.house, last, past).left_out == {"PAST_RETENTION": 5}


def day(days_ago: int) -> str:
    return str(today() - timedelta(days=days_ago))


def test_the_newest_row_of_a_person_counts_also_when_it_says_no_and_whenever_an_older_one_comes(desk: Desk) -> None:
    people = contacts(desk, 10)
    numbers(desk)
    changed = people.with_columns(
        opt_in_phone=pl.when(pl.int_range(10) < 4).then(pl.lit("N")).otherwise(pl.lit("Y")),
        street=pl.lit("Nieuwstraat 1"),
    )
    desk.drop(changed.write_csv(separator=";").encode(), "later.csv")
    desk.work()

    done = ask(desk)
    assert done.left_out == {"OLDER_ROW": 10, "OPTED_OUT": 4}
    assert Counter(listed(desk, done)["street"]) == {"Nieuwstraat 1": 6}

    others = pl.read_csv(desk.campaign(6, 2)[0], separator=";", infer_schema=False)
    for name, street, word in ((f"list_{day(2)}.csv", "Nieuw 1", "Y"), (f"list_{day(6)}.csv", "Oud 2", "N")):
        changed = others.with_columns(street=pl.lit(street), opt_in_phone=pl.lit(word))
        desk.drop(changed.write_csv(separator=";").encode(), name)
        desk.work()

    done = ask(desk)
    assert done.left_out == {"OLDER_ROW": 16, "OPTED_OUT": 4}
    assert Counter(listed(desk, done)["street"]) == {"Nieuwstraat 1": 6, "Nieuw 1": 6}, "as its name says it was last"


def test_an_empty_cell_takes_back_no_word_that_was_said(store_settings: Settings, tmp_path: Path) -> None:
    column = "name: opt_in_phone\n        logicalType: string\n        required: "
    settings = with_papers(store_settings, tmp_path, Edit(CONTRACT, f"{column}true", f"{column}false"))
    with open_desk(settings, tmp_path) as desk:
        path, _ = desk.campaign(6)
        people = pl.read_csv(path, separator=";", infer_schema=False)
        numbers(desk)
        said = {"first.csv": ["N", "N", "Y", "Y", "Y", ""], "second.csv": ["", "Y", "", "Y", "N", ""]}
        for name, words in said.items():
            changed = people.with_columns(pl.Series("opt_in_phone", words), street=pl.lit(name))
            desk.drop(changed.write_csv(separator=";").encode(), name)
            desk.work()

        done = ask(desk)

        assert done.left_out == {"OLDER_ROW": 6, "OPTED_OUT": 2}
        called = listed(desk, done)["customer_number"].to_list()
        assert called == [people["customer_number"][row] for row in (1, 2, 3, 5)]
