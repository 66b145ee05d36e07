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
from night import Edit, with_papers
from sluice.dial import make
from sluice.dial.dncm import import_numbers
from sluice.dial.make import finish_left, make_dial_list
from sluice.dial.model import Channel, Dialled, DialRefused, Request
from sluice.dial.recall import recall_lists
from sluice.errors import NotFound
from sluice.exchange.catalogue import get_copy
from sluice.exchange.effects.run import do_effects
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.read import show_exchange
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
from sluice.times import BRUSSELS

CONTRACT = "renewal_campaign.inbound.odcs.yaml"
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


def test_lists_that_name_who_objected_since_are_taken_back(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    name = str(uuid4())
    done = ask(desk, name=name)
    again = ask(desk)
    assert recall_lists(desk.house, now()) == (0, 0)
    assert ask(desk, name=name) == done, "control"
    key, [person] = desk.house.subject_key(ENERGY01), people.filter(pl.col("opt_in_phone") == "Y").head(1).to_dicts()
    ref = refer(key, SubjectKind.PRINCIPAL_CUSTOMER_ID, person["customer_number"]).ref
    text_only = scope_of(Suppression.OBJECTED, MARKETING, "sms")
    for scope, gone in ((text_only, 0), (scope_of(Suppression.OBJECTED, MARKETING), 2)):
        keep_out(
            desk.house, ENERGY01, frozenset({ref or ""}), Suppression.OBJECTED, cause=repr(scope), case_id=None,
            now=now(), scope=scope,
        )  # fmt: skip
        assert recall_lists(desk.house, now()) == (gone, 0)

    for each in (done, again):
        assert desk.house.objects.head(each.bucket, each.key) is None
    with pytest.raises(DialRefused, match="taken back"):
        ask(desk, name=name)
    assert recall_lists(desk.house, now()) == (0, 0)
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


def test_a_list_goes_once_the_number_list_it_was_compared_with_is_too_old(desk: Desk) -> None:
    contacts(desk, 5)
    numbers(desk, days_ago=3)
    done = ask(desk)
    last = {copy.kind: copy.delete_after for copy in record(desk, done).how_long.copies}
    assert last == dict.fromkeys(("dial.kept", "index"), str(today() + timedelta(days=2)))


def test_the_same_number_list_downloaded_later_is_as_young_as_that_and_never_older(desk: Desk) -> None:
    contacts(desk, 5)
    path = desk.folder / "dncm.txt"
    path.write_text("+32470999999\n")
    dates = [
        import_numbers(desk.house, path, today() - timedelta(days=days), "anna", now()).found.dated_on
        for days in (9, 1, 4, 1)
    ]
    assert dates == [today() - timedelta(days=days) for days in (9, 1, 1, 1)]
    assert len(desk.sql("select 1 from ledger.entry where kind = 'dncm.imported'")) == 2, "each that is younger"
    assert ask(desk).rows_in == 5


def object_to_calls(desk: Desk, person: dict[str, str]) -> None:
    ref = refer(desk.house.subject_key(ENERGY01), SubjectKind.PRINCIPAL_CUSTOMER_ID, person["customer_number"]).ref
    keep_out(
        desk.house, ENERGY01, frozenset({ref or ""}), Suppression.OBJECTED, cause=str(ref), case_id=None, now=now(),
        scope=scope_of(Suppression.OBJECTED, MARKETING),
    )  # fmt: skip


def test_a_list_is_not_handed_out_once_somebody_in_it_objected_and_goes_with_the_recall(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel.PHONE, "csv", "anna")
    opened = make._open(desk.house, request, now())
    make._close(desk.house, opened, request, now(), {})  # the worker died before it was handed out
    object_to_calls(desk, people.filter(pl.col("opt_in_phone") == "Y").to_dicts()[0])

    do_effects(desk.house, opened.exchange_id)
    assert desk.house.objects.head(opened.bucket, opened.key) is None
    assert desk.sql("select last_error from outbox where effect = 'dial'") == [{"last_error": "SLU-419"}]
    with pytest.raises(NotFound):
        get_copy(desk.house.conn, opened.exchange_id, "dial")

    assert recall_lists(desk.house, now()) == (1, 0)
    desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
    do_effects(desk.house, opened.exchange_id)
    assert desk.sql("select 1 from outbox where effect = 'dial' and done_at is null") == []
    assert desk.house.objects.head(opened.bucket, opened.key) is None
    assert recall_lists(desk.house, now()) == (0, 0)


def test_one_list_that_cannot_be_looked_at_keeps_no_other_from_being_taken_back(desk: Desk) -> None:
    people = contacts(desk)
    numbers(desk)
    broken, sound = ask(desk), ask(desk)
    index = get_copy(desk.house.conn, broken.exchange_id, "index")
    desk.house.objects.delete_version(index.bucket, index.key, index.version_id)
    object_to_calls(desk, people.filter(pl.col("opt_in_phone") == "Y").to_dicts()[0])

    assert recall_lists(desk.house, now()) == (1, 1)
    assert desk.house.objects.head(sound.bucket, sound.key) is None


def test_every_telephone_number_of_a_row_is_looked_up(store_settings: Settings, tmp_path: Path) -> None:
    column = "      - name: email\n"
    second = """      - name: mobile
        logicalType: string
        required: false
        classification: confidential
        customProperties:
          - {property: fieldGroup, value: contact_point}
          - {property: dataCategory, value: "https://w3id.org/dpv/pd#TelephoneNumber"}
          - {property: subjectKey, value: phone_e164}
"""
    settings = with_papers(store_settings, tmp_path, Edit(CONTRACT, column, second + column))
    with open_desk(settings, tmp_path) as desk:
        path, _ = desk.campaign(6)
        people = pl.read_csv(path, separator=";", infer_schema=False)
        mobiles = [f"0471 00 00 0{number}" for number in range(6)]
        place = people.columns.index("email")
        wider = people.with_columns(opt_in_phone=pl.lit("Y")).insert_column(place, pl.Series("mobile", mobiles))
        desk.drop(wider.write_csv(separator=";").encode())
        desk.work()
        numbers(desk, "+32471000002")

        done = ask(desk)

        assert done.left_out == {"do_not_call_me": 1}
        assert people["customer_number"][2] not in listed(desk, done)["customer_number"].to_list()
