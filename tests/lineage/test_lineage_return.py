"""A return in events and graphs: every column leads back to the principal's file or to our staff."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl
import pytest
from jsonschema import ValidationError

from documents.return_samples import BEFORE, DELIVERED, HELD, MORE_RESULTS, RESULTS, a_return, some_results
from documents.samples import EXCHANGE
from returns.commands import at_terminal, sluice
from sluice.db import connect
from sluice.errors import NotFound
from sluice.ledger.model import EntryKind
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ExchangeRecord, ReasonLine
from sluice.ledger.store import find_entry
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event, start_event
from sluice.lineage.graph import trace_of
from sluice.lineage.model import ADDED, ECHOED, EventInvalid
from sluice.lineage.trace import trace_exchange, trace_object
from sluice.returns.release import release
from sluice.settings import Settings
from sluice.terms import Decision, Direction, ExchangeId
from sluice.times import BRUSSELS
from support.night import Call, Night, call_log, open_night
from support.official import validator

SETTINGS = Settings(environment="test")
ENTRY = "d1" * 32
REFUSED = (ReasonLine(code="STALE_NEWER_RETURN", rule="return.newest", column=None, count=1),)
RETURNS = {
    "correction with held rows": a_return,
    "first, nothing held": partial(a_return, Decision.ACCEPTED, held={}, supersedes=None),
    "refused": partial(a_return, Decision.REFUSED, held={}, rows=(0, 0, 0), reasons=REFUSED, inputs=(), columns=()),
    "results": some_results,
}


def opened() -> OpenedRecord:
    return OpenedRecord(
        exchange_id=EXCHANGE,
        principal="energy01",
        direction=Direction.OUTBOUND_RETURN,
        flow="renewal_results",
        bucket="exchange",
        key=DELIVERED,
        version_id="inputs-2f0753cae9b8932d96b8baf93a081d48",
        size_bytes=0,
        opened_at="2026-11-25T04:12:01.102Z",
        agreement_id="DPA-ENERGY01",
        agreement_version="3.0.0",
    )


def event_of(record: ExchangeRecord):
    return json.loads(closed_event(record, ENTRY, SETTINGS))


def file_of(event):
    """The delivered file of an event."""
    return next(output for output in event["outputs"] if output["name"].split("/")[1] == "outbound")


@pytest.mark.parametrize("name", RETURNS)
def test_an_event_of_a_return_is_valid_by_the_official_schemas(schemas, name):
    event = closed_event(RETURNS[name](), ENTRY, SETTINGS)

    assert validator(schemas)(event) >= 8
    check_event(event)


SUBJECTS = "sluice_subjectCount"
BREAKS = {
    "roles of a party nobody is": lambda event: file_of(event)["facets"]["sluice_roles"]["fieldGroups"][0].update(
        controller="somebody"
    ),
    "held rows where the schema has none": lambda event: file_of(event)["outputFacets"][SUBJECTS].update(
        heldBack={"Jan": 1}
    ),
    "a column without source fields": lambda event: file_of(event)["facets"]["columnLineage"]["fields"]["note"].pop(
        "inputFields"
    ),
    "an input without a name": lambda event: event["inputs"][0].pop("name"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_control_a_broken_event_of_a_return_fails_both_checks(schemas, name):
    event = event_of(a_return())
    BREAKS[name](event)

    with pytest.raises(ValidationError):
        validator(schemas)(json.dumps(event))
    with pytest.raises(EventInvalid, match="SLU-471"):
        check_event(json.dumps(event))


def test_the_start_of_a_return_knows_where_it_goes_and_not_yet_from_what(schemas):
    event = start_event(opened(), SETTINGS)

    assert validator(schemas)(event) >= 6
    check_event(event)
    document = json.loads(event)
    assert document.get("inputs", []) == []
    assert [(output["namespace"], output["name"]) for output in document["outputs"]] == [("s3://exchange", DELIVERED)]


def test_inputs_are_the_pinned_lake_objects():
    event = event_of(a_return())

    pinned = {(each["name"], each["facets"]["version"]["datasetVersion"]) for each in event["inputs"]}
    assert pinned == {(each.key, each.version_id) for each in a_return().what.inputs}


def test_every_column_comes_from_all_inputs_of_its_side():
    event = event_of(a_return())

    fields = file_of(event)["facets"]["columnLineage"]["fields"]
    assert [part["field"] for part in fields["phone"]["inputFields"]] == ["phone"]
    assert {part["name"].split("exchange=")[1][:8] for part in fields["contacted_at"]["inputFields"]} == {
        RESULTS[:8],
        MORE_RESULTS[:8],
    }
    said = {
        name: {
            (step["subtype"], step["description"], step["masking"])
            for part in field["inputFields"]
            for step in part["transformations"]
        }
        for name, field in fields.items()
    }
    assert said == {
        "customer_number": {("IDENTITY", ECHOED, False)},
        "phone": {("IDENTITY", ECHOED, False)},
        "contacted_at": {("IDENTITY", ADDED, False)},
        "attempts": {("AGGREGATION", f"{ADDED}: counted", False)},
        "disposition": {("IDENTITY", ADDED, False)},
        "note": {("IDENTITY", ADDED, False)},
        "recording_ref": {("IDENTITY", ADDED, False)},
        "agent": {("TRANSFORMATION", f"{ADDED}: keyed reference of the agent", True)},
        "talk_seconds": {("IDENTITY", ADDED, False)},
    }


def test_roles_content_and_counts_are_with_the_delivered_file():
    event = event_of(a_return())

    file = file_of(event)
    profiles = {row["fieldGroup"]: row["roleProfile"] for row in file["facets"]["sluice_roles"]["fieldGroups"]}
    assert (profiles["identity"], profiles["note_free_text"]) == ("PRINCIPAL_CONTROLLER", "SEED_OWNER")
    assert file["facets"]["version"]["datasetVersion"] == f"sha256:{'9f' * 32}"
    assert file["outputFacets"]["outputStatistics"]["rowCount"] == 4087
    assert all("sluice_roles" not in each["facets"] for each in event["inputs"])


def test_held_rows_and_the_return_before_are_tags_of_the_run():
    tags = {tag["key"]: tag["value"] for tag in event_of(a_return())["run"]["facets"]["tags"]["tags"]}

    held = {key.removeprefix("sluice.held."): int(value) for key, value in tags.items() if ".held." in key}
    assert held == HELD
    assert tags["sluice.supersedes"] == BEFORE
    assert tags["sluice.withheld.recording_ref"] == "31"


def test_rows_held_for_a_person_to_read_are_tags_and_those_of_a_right_are_not():
    record = some_results()
    held = record.right_treatment.held_back | {"erased": 2}
    treatment = record.right_treatment.model_copy(update={"held_back": held})

    tags = event_of(record.model_copy(update={"right_treatment": treatment}))["run"]["facets"]["tags"]["tags"]

    said = {tag["key"]: tag["value"] for tag in tags if "held" in tag["key"]}
    assert said == {"sluice.held.TEXT_HEALTH_REVIEW": "4", "sluice.held.TEXT_INSULT_REVIEW": "1"}


def test_a_return_that_was_refused_delivers_nothing():
    event = event_of(RETURNS["refused"]())

    assert event["eventType"] == "FAIL"
    assert not [output for output in event["outputs"] if "/outbound/" in output["name"]]


def test_a_platforms_columns_are_not_said_to_be_ours():
    lake = next(output for output in event_of(some_results())["outputs"] if output["namespace"] == "s3://lake")

    lineage = lake["facets"]["columnLineage"]
    assert set(lineage["fields"]) == {"sluice_ref_customer_number", "sluice_subject_ref"}
    assert {part["field"] for part in lineage["dataset"]} == {column.name for column in some_results().what.columns}


def test_a_return_leads_from_its_inputs_to_the_file_it_became():
    trace = trace_of([made_of_itself(a_return())])

    assert [[step.partition(":")[0] for step in path] for path in trace.paths] == [["object", "exchange", "object"]]
    assert trace.paths[0][-1] == f"object:s3://exchange/{DELIVERED}"
    assert {(each.column, each.origin) for each in trace.origins} >= {("phone", ECHOED), ("note", ADDED)}


def made_of_itself(record: ExchangeRecord) -> ExchangeRecord:
    """A return of one input whose exchange is the return itself, so that one record is a whole."""
    one = (record.what.inputs[0].model_copy(update={"exchange_id": record.exchange_id}),)
    return record.model_copy(update={"what": record.what.model_copy(update={"inputs": one})})


NOTE, ACCOUNT = "klant belt zelf terug", "agent01"


@pytest.fixture(scope="module")
def sent(module_settings, tmp_path_factory):
    """A night whose return was delivered, with lineage written to a file."""
    folder = tmp_path_factory.mktemp("sent")
    settings = module_settings.model_copy(update={"lineage_url": (folder / "events.ndjson").as_uri()})
    with open_night(settings, folder) as night:
        calls = [Call(f"c{n}", record, phone, note=NOTE) for n, (record, phone) in enumerate(night.people(4))]
        night.results(call_log([*calls, replace(calls[3], id="c9", record="NOBODY")]))
        night.make()
        release(night.desk.house, night.returns()[0].id, "bob", datetime.now(UTC))
        night.make()
        yield night


def closed(night: Night) -> ExchangeRecord:
    entry = find_entry(night.desk.house.conn, ExchangeId(night.returns()[0].id), EntryKind.EXCHANGE_CLOSED)
    assert entry is not None
    return ExchangeRecord.model_validate_json(entry.body)


@pytest.mark.stores
def test_a_real_night_traces_both_ways_and_its_events_hold_no_person(sent, schemas):
    house, record = sent.desk.house, closed(sent)
    contacts = next(each for each in record.what.inputs if each.kind == "contacts")
    results = next(each for each in record.what.inputs if each.kind == "results")

    back = trace_exchange(house.conn, record.exchange_id)
    file = trace_object(house.conn, f"s3://{record.what.bucket}/{record.what.key}")
    lake = trace_object(house.conn, f"s3://{contacts.bucket}/{contacts.key}?versionId={contacts.version_id}")
    forward = trace_exchange(house.conn, results.exchange_id)

    ways = {(path[0].split("/")[4], path[2].split("/")[4], path[-1].rpartition("/")[2]) for path in back.paths}
    name = record.what.key.rpartition("/")[2]
    assert ways == {("inbound", "renewal_campaign", name), ("internal", "renewal_results", name)}
    assert file == back
    assert [path[1] for path in lake.paths] == [f"exchange:{contacts.exchange_id}"]
    assert [(path[1], path[-1]) for path in forward.paths] == [
        (f"exchange:{results.exchange_id}", f"object:s3://{record.what.bucket}/{record.what.key}")
    ]
    assert {each.source for each in back.origins} == {str(column.source) for column in record.what.columns}

    events = (sent.desk.folder / "events.ndjson").read_text().splitlines()
    assert len(events) == 6
    assert min(map(validator(schemas), events)) >= 6
    for forbidden in (NOTE, ACCOUNT, *(text for person in sent.people(4) for text in person)):
        assert not [event for event in events if forbidden in event]
    assert_fields_exist(house, record, json.loads(events[-1]))


@pytest.mark.stores
def test_an_object_at_a_moment_is_what_was_closed_by_then(sent, monkeypatch):
    """The contacts came before the return was made of them: between the two nobody had heard of it."""
    record = closed(sent)
    contacts = next(each for each in record.what.inputs if each.kind == "contacts")
    uri = f"s3://{contacts.bucket}/{contacts.key}"
    when = {line.id: line.closed_at for line in sent.desk.lines()}
    came, made = when[contacts.exchange_id], when[record.exchange_id]
    assert came < made

    with at_terminal(sent.desk, monkeypatch):
        now, at, before = (
            sluice("lineage", "show", "--object", uri, *more)
            for more in ((), ("--at", came.isoformat()), ("--at", (came - timedelta(seconds=9)).isoformat()))
        )
        late = sluice("lineage", "show", "--object", uri, "--at", made.isoformat())
        wall = f"{came.astimezone(BRUSSELS):%Y-%m-%dT%H:%M:%S.%f}"
        assert sluice("lineage", "show", "--object", uri, "--at", wall).document == at.document, "as a clock there"
        wrong = [
            sluice("lineage", "show", "--object", uri, "--at", "yesterday").exit,
            sluice("lineage", "show", "--exchange", record.exchange_id, "--at", made.isoformat()).exit,
        ]

    assert now.document == late.document
    exchanges = [{node["id"] for node in each.document["nodes"] if node["kind"] == "exchange"} for each in (now, at)]
    assert exchanges[1] == {f"exchange:{contacts.exchange_id}"}
    assert exchanges[0] == exchanges[1] | {f"exchange:{record.exchange_id}"}
    assert (before.exit, before.error) == (1, "SLU-301")
    assert wrong == [2, 2]


def assert_fields_exist(house, record: ExchangeRecord, event) -> None:
    """Every field that a column is said to come from is a column of that lake object."""
    columns = {}
    for each in record.what.inputs:
        content = house.objects.read(each.bucket, each.key, each.version_id)
        columns[each.key] = set(pl.read_parquet_schema(content))
    fields = file_of(event)["facets"]["columnLineage"]["fields"]
    parts = [part for field in fields.values() for part in field["inputFields"]]
    assert len(parts) == len(record.what.columns)
    assert [part["field"] for part in parts if part["field"] not in columns[part["name"]]] == []


@pytest.mark.stores
def test_what_nobody_made_has_no_trace(module_settings):
    with connect(module_settings) as conn:
        for url in ("s3://exchange/energy01/outbound/nothing.csv", "https://exchange/energy01", "s3://exchange"):
            with pytest.raises(NotFound):
                trace_object(conn, url)
        for named in (EXCHANGE, "7"):
            with pytest.raises(NotFound):
                trace_exchange(conn, named)
