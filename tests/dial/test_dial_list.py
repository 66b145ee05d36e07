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
from sluice.dial.model import Channel, DialRefused, Request
from sluice.errors import NotFound
from sluice.ledger.opened import OpenedRecord
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event, start_event
from sluice.settings import Settings
from sluice.terms import Flow, Principal
from support.desk import ENERGY, Desk, open_desk
from support.night import Edit, with_papers


def test_only_who_said_yes_or_nothing_is_called_and_everybody_else_is_counted(desk: Desk) -> None:
    people = contacts(desk)
    sha256 = numbers(desk)

    done = ask(desk)

    yes = people.filter(pl.col("opt_in_phone") == "Y")
    assert sorted(listed(desk, done)["customer_number"]) == sorted(yes["customer_number"])
    assert (done.rows_in, done.rows, done.left_out) == (60, yes.height, {"OPTED_OUT": 60 - yes.height})
    assert done.dncm_sha256 == sha256


def test_a_list_is_an_exchange_with_six_answers_a_receipt_and_a_last_day(desk: Desk) -> None:
    contacts(desk)
    sha256 = numbers(desk)

    done = ask(desk)

    said = record(desk, done)
    assert [purpose.code for purpose in said.why.purposes] == ["P-RENEW"]
    assert said.who.recipients == ("center",) and said.who.sender == "center"
    assert {copy.kind: copy.delete_after for copy in said.how_long.copies} == dict.fromkeys(
        ("dial.kept", "index"), str(today() + timedelta(days=5))
    )
    assert said.how.dialect["dncm_sha256"] == sha256 and said.how.dialect["dncm_dated_on"] == str(today())
    assert [each.kind for each in said.what.inputs] == ["contacts"]
    receipts = desk.house.objects.list_versions(desk.settings.bucket_internal, "energy01/receipts/")
    assert {item.key.rpartition(".")[2] for item in receipts} >= {"json", "pdf"}
    assert desk.sql("select kind from copy where kind = 'dial'") == [{"kind": "dial"}]
    assert desk.sql("select 1 from outbox where done_at is null") == []


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_every_format_has_the_same_rows_and_only_columns_of_the_purpose(desk: Desk, form: str) -> None:
    people = contacts(desk)
    numbers(desk)

    rows = listed(desk, ask(desk, form=form))

    assert rows.columns == people.columns
    written = people.filter(pl.col("opt_in_phone") == "Y")["phone"]
    wanted = written.str.replace(r"^\+", "00") if form == "csv" else written  # "+" begins a formula in a spreadsheet
    assert rows["phone"].to_list() == wanted.to_list()


@pytest.mark.parametrize(
    ("purpose", "channel", "reason"),
    [
        ("P-NOTHING", "phone", "FORBIDDEN_PURPOSE"),
        ("P-CARE", "phone", "FORBIDDEN_PURPOSE"),
        ("P-RENEW", "email", "FORBIDDEN_CHANNEL"),
        ("P-RENEW", "sms", "FORBIDDEN_CHANNEL"),
    ],
)
def test_what_agreement_or_contract_do_not_name_is_refused_on_record(
    desk: Desk, purpose: str, channel: str, reason: str
) -> None:
    contacts(desk, 5)
    numbers(desk)

    with pytest.raises(DialRefused, match=reason):
        ask(desk, purpose, channel)

    [line] = [line for line in desk.lines() if line.direction == "internal"]
    assert (line.decision, line.reason_code) == ("refused", reason)
    assert not any(item.key.startswith("energy01/dial/") for item in desk.objects(desk.settings.bucket_internal))


@pytest.mark.parametrize(("principal", "flow"), [("peeters", "renewal_campaign"), ("energy01", "peeters")])
def test_a_principal_or_flow_that_nobody_has_is_not_recorded_as_it_was_typed(
    desk: Desk, principal: str, flow: str
) -> None:
    request = Request(str(uuid4()), Principal(principal), Flow(flow), "P-RENEW", Channel.PHONE, "csv", "anna")

    with pytest.raises(NotFound) as refused:
        make_dial_list(desk.house, request, now())

    assert "peeters" not in str(refused.value)
    assert desk.lines() == [] and desk.sql("select 1 from ledger.entry where body::text like '%dial%'") == []


def test_a_purpose_that_was_not_agreed_is_refused_and_not_kept_as_it_was_typed(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk)
    with pytest.raises(DialRefused):
        ask(desk, "jan peeters")
    ask(desk)

    kept = [row["purpose"] for row in desk.sql("select purpose from dial_list order by purpose")]
    assert kept == ["NOT_AGREED", "P-RENEW"]
    assert desk.sql("select 1 from ledger.entry where convert_from(body, 'UTF8') like '%peeters%'") == []


def test_the_newest_row_of_a_person_counts_also_when_it_says_no(desk: Desk) -> None:
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


def test_the_same_request_again_is_the_same_list(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk)
    name = str(uuid4())

    assert ask(desk, name=name) == ask(desk, name=name)
    assert ask(desk).exchange_id != ask(desk).exchange_id, "another request is another list, equal bytes or not"
    assert finish_left(desk.house, now()) == (0, 0)


def test_a_list_that_a_dead_worker_left_is_finished_once(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk)
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna")
    make._open(desk.house, request, now())
    desk.work()
    assert [line.decision for line in desk.lines() if line.direction == "internal"] == ["open"], "no slot takes it"

    assert [finish_left(desk.house, now()), finish_left(desk.house, now())] == [(1, 0), (0, 0)]
    assert [line.decision for line in desk.lines() if line.direction == "internal"] != ["open"]


def test_a_list_is_judged_at_the_moment_it_is_asked_for_and_one_that_was_left_when_it_is_finished(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk)
    later, past = now() + timedelta(days=6), now() + timedelta(days=120)
    asked, left, last = (
        Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna") for _ in range(3)
    )

    with pytest.raises(DialRefused, match="STALE_DNCM_LIST"):
        make_dial_list(desk.house, asked, later)
    make._open(desk.house, left, now())
    assert finish_left(desk.house, later) == (1, 0)
    assert [line.reason_code for line in desk.lines() if line.direction == "internal"] == ["STALE_DNCM_LIST"] * 2
    young = desk.folder / "young.txt"
    young.write_text("+32470999998")
    import_numbers(desk.house, young, past.date(), "anna", past)
    assert make_dial_list(desk.house, last, past).left_out == {"PAST_RETENTION": 5}


def test_engineers_get_it_as_a_table(desk: Desk) -> None:
    from sluice.dial.read import dial_list, lake_view

    people = contacts(desk)
    numbers(desk)

    table = dial_list("energy01", ENERGY[1], "P-RENEW", "phone", settings=desk.settings)

    assert table.to_pandas()["phone"].tolist() == people.filter(pl.col("opt_in_phone") == "Y")["phone"].to_list()
    assert lake_view("energy01", ENERGY[1], settings=desk.settings).num_rows == 60


def test_its_events_are_valid_and_trace_every_column_to_the_contacts(desk: Desk) -> None:
    contacts(desk, 12)
    numbers(desk)
    done = ask(desk)
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


def day(days_ago: int) -> str:
    return str(today() - timedelta(days=days_ago))


def test_the_file_that_says_how_it_was_last_counts_whenever_another_one_comes(desk: Desk) -> None:
    path, _ = desk.campaign(6)
    people = pl.read_csv(path, separator=";", infer_schema=False).with_columns(opt_in_phone=pl.lit("Y"))
    numbers(desk)
    for name, street, word in ((f"list_{day(2)}.csv", "Nieuw 1", "Y"), (f"list_{day(6)}.csv", "Oud 2", "N")):
        changed = people.with_columns(street=pl.lit(street), opt_in_phone=pl.lit(word))
        desk.drop(changed.write_csv(separator=";").encode(), name)
        desk.work()

    done = ask(desk)

    assert (done.left_out, Counter(listed(desk, done)["street"])) == ({"OLDER_ROW": 6}, {"Nieuw 1": 6})


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
