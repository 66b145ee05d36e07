"""The one way to contacts: which rows are in a dial list, and why every other one is not."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from desk import ENERGY, Desk, open_desk
from sluice.dial.dncm import import_numbers
from sluice.dial.make import finish_left, make_dial_list
from sluice.dial.model import Channel, Dialled, DialRefused, Request
from sluice.dial.recall import recall_lists
from sluice.exchange.naming import BRUSSELS
from sluice.exchange.read import show_exchange
from sluice.exchange.suppressed import keep_out
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event, start_event
from sluice.settings import Settings
from sluice.subject.columns import normalise_column
from sluice.subject.refs import refer
from sluice.subject.scope import MARKETING, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import Flow, Principal, SubjectKind

ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def today():
    return now().astimezone(BRUSSELS).date()


def contacts(desk: Desk, rows: int = 60) -> pl.DataFrame:
    """A file of contacts, accepted."""
    path, _ = desk.campaign(rows)
    desk.drop(path)
    desk.work()
    return pl.read_csv(path, separator=";", infer_schema=False)


def numbers(desk: Desk, *phones: str, days_ago: int = 0) -> str:
    """A Do-Not-Call-Me list with these numbers, downloaded some days ago; its hash."""
    path = desk.folder / f"dncm-{days_ago}-{len(phones)}.txt"
    path.write_text("\n".join(("+32470999999", *phones)))
    return import_numbers(desk.house, path, today() - timedelta(days=days_ago), "anna", now()).found.sha256


def ask(desk: Desk, purpose: str = "P-RENEW", channel: str = "phone", form: str = "csv", name: str = "") -> Dialled:
    request = Request(name or str(uuid4()), ENERGY01, CAMPAIGN, purpose, Channel(channel), form, "anna")
    return make_dial_list(desk.house, request, now())


def listed(desk: Desk, done: Dialled) -> pl.DataFrame:
    """What agents read."""
    content = desk.house.objects.read(done.bucket, done.key)
    match done.key.rpartition(".")[2]:
        case "parquet":
            return pl.read_parquet(io.BytesIO(content))
        case "xlsx":
            return pl.read_excel(io.BytesIO(content), engine="openpyxl", infer_schema_length=0)
    return pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False)


def record(desk: Desk, done: Dialled) -> ExchangeRecord:
    found = show_exchange(desk.house.conn, done.exchange_id).record
    assert found is not None
    return found


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


@pytest.mark.parametrize(("days", "is_made"), [(None, False), (6, False), (5, True), (0, True)])
def test_phone_marketing_needs_a_number_list_of_five_days_at_most(desk: Desk, days: int | None, is_made: bool) -> None:
    contacts(desk, 5)
    if days is not None:
        numbers(desk, days_ago=days)

    if is_made:
        assert ask(desk).rows_in == 5
    else:
        with pytest.raises(DialRefused, match="STALE_DNCM_LIST"):
            ask(desk)


def test_a_number_on_the_list_is_not_called_in_any_spelling_and_the_list_holds_no_number(desk: Desk) -> None:
    people = contacts(desk)
    yes = people.filter(pl.col("opt_in_phone") == "Y")
    digits = normalise_column(yes["phone"], SubjectKind.PHONE).values.str.strip_prefix("+32")
    numbers(desk, *(f"0032{number}" for number in digits.head(7)))

    done = ask(desk)

    assert done.left_out["do_not_call_me"] == 7
    assert listed(desk, done)["customer_number"].to_list() == yes["customer_number"].slice(7).to_list()
    stored = b"".join(
        desk.house.objects.read(item.bucket, item.key)
        for item in desk.objects(desk.settings.bucket_lake)
        if item.key.startswith("_dncm/")
    )
    assert not [number for number in digits.head(7) if number.encode() in stored]


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
    assert finish_left(desk.house) == 0


def test_a_list_that_a_dead_worker_left_is_finished_once(desk: Desk) -> None:
    from sluice.dial import make

    contacts(desk, 5)
    numbers(desk)
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna")
    make._open(desk.house, request, now())
    desk.work()
    assert [line.decision for line in desk.lines() if line.direction == "internal"] == ["open"], "no slot takes it"

    assert (finish_left(desk.house), finish_left(desk.house)) == (1, 0)
    assert [line.decision for line in desk.lines() if line.direction == "internal"] != ["open"]


def test_engineers_get_it_as_a_table(desk: Desk) -> None:
    from sluice.dial.read import dial_list, lake_view

    people = contacts(desk)
    numbers(desk)

    table = dial_list("energy01", ENERGY[1], "P-RENEW", "phone", settings=desk.settings)

    assert table.to_pandas()["phone"].tolist() == people.filter(pl.col("opt_in_phone") == "Y")["phone"].to_list()
    assert lake_view("energy01", ENERGY[1], settings=desk.settings).num_rows == 60


def test_lists_that_name_who_objected_since_are_taken_back(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    done = ask(desk)
    again = ask(desk)
    assert recall_lists(desk.house, now()) == 0
    key, [person] = desk.house.subject_key(ENERGY01), people.filter(pl.col("opt_in_phone") == "Y").head(1).to_dicts()
    ref = refer(key, SubjectKind.PRINCIPAL_CUSTOMER_ID, person["customer_number"]).ref
    text_only = scope_of(Suppression.OBJECTED, MARKETING, "sms")
    for scope, gone in ((text_only, 0), (scope_of(Suppression.OBJECTED, MARKETING), 2)):
        keep_out(
            desk.house, ENERGY01, frozenset({ref or ""}), Suppression.OBJECTED, cause=repr(scope), case_id=None,
            now=now(), scope=scope,
        )  # fmt: skip
        assert recall_lists(desk.house, now()) == gone

    for each in (done, again):
        assert desk.house.objects.head(each.bucket, each.key) is None
    assert recall_lists(desk.house, now()) == 0
    assert person["customer_number"] not in listed(desk, ask(desk))["customer_number"].to_list()
    assert len(desk.sql("select 1 from ledger.entry where kind = 'dial.recalled'")) == 2


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
