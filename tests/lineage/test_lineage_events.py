"""Every event is valid against the official schemas and says no more than it may."""

import json
from functools import partial

import pytest
from jsonschema import ValidationError

from documents.samples import EXCHANGE, GDPR, NO_PAPER, PURPOSE, a_record, a_refusal_without_paper, many_reasons
from sluice.ledger.copy_kinds import ARRIVED, LAKE, REFUSED_FILE
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ColumnLine, ReasonLine
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event, start_event
from sluice.lineage.facets import SUBJECT_FLOOR
from sluice.lineage.model import EventInvalid
from sluice.settings import Settings
from sluice.terms import Decision, Direction, RoleProfile
from support.official import all_facets, validator
from support.stores import CHECKOUT

SETTINGS = Settings(environment="test")
ENTRY = "d1" * 32
AIRFLOW = {
    "dag_id": "inbound_energy01_renewal",
    "task_id": "drain",
    "lineage_namespace": "airflow-test",
    "lineage_run_id": "019ab947-2c00-7e51-9d44-1f0c5f3a7b10",
    "lineage_root_run_id": "019ab93c-3080-7a10-8d1e-6f4b0d2a9c01",
}


def opened(agreement: str | None = "DPA-ENERGY01") -> OpenedRecord:
    return OpenedRecord(
        exchange_id=EXCHANGE,
        principal="energy01",
        direction=Direction.INBOUND,
        flow="renewal",
        bucket="exchange",
        key="energy01/inbound/renewal/2026-11-25.csv",
        version_id="v1",
        size_bytes=583898,
        opened_at="2026-11-25T04:12:01.102Z",
        agreement_id=agreement,
        agreement_version=agreement and "3.0.0",
    )


def under_profile(profile: RoleProfile):
    """A record whose roles are of one profile, in the words of the agreement's table."""
    from sluice.agreement.roles.profiles import PROFILES

    row, record = PROFILES[profile], a_record()
    roles = tuple(
        role.model_copy(
            update={
                "role_profile": profile.value,
                "controller": row.controller,
                "processor": row.processor,
                "owner_label": row.owner_label,
                "basis_holder": row.basis_holder,
            }
        )
        for role in record.who.roles
    )
    return record.model_copy(update={"who": record.who.model_copy(update={"roles": roles})})


RECORDS = {
    "partly": a_record,
    "accepted": partial(a_record, Decision.ACCEPTED, rows=(10, 10, 0), reasons=()),
    "accepted, one person": partial(a_record, Decision.ACCEPTED, rows=(1, 1, 0), reasons=(), subjects=1),
    "refused": partial(a_record, Decision.REFUSED, rows=(10, 0, 10)),
    "undecided": partial(a_record, Decision.UNDECIDED, rows=(0, 0, 0), subjects=None),
    "without paper": a_refusal_without_paper,
    "held back": partial(a_record, held={"erased": 2, "objected": 12}),
    "in airflow": partial(a_record, airflow=AIRFLOW),
    "many reasons": partial(a_record, Decision.REFUSED, rows=(10, 0, 10), reasons=many_reasons(200)),
    **{f"profile {profile}": partial(under_profile, profile) for profile in RoleProfile},
}


@pytest.fixture(scope="session")
def official(schemas):
    """Validates an event by the official schemas."""
    return validator(schemas)


@pytest.mark.parametrize("name", RECORDS)
def test_a_closed_exchange_gives_an_event_valid_by_the_official_schemas(official, name):
    event = closed_event(RECORDS[name](), ENTRY, SETTINGS)

    assert official(event) >= 8
    check_event(event)


@pytest.mark.parametrize("agreement", ["DPA-ENERGY01", None])
def test_an_opened_exchange_gives_a_valid_start(official, agreement):
    event = start_event(opened(agreement), SETTINGS)

    assert official(event) >= 8
    check_event(event)
    document = json.loads(event)
    assert (document["eventType"], document["run"]["runId"]) == ("START", EXCHANGE)
    assert document["eventTime"] == "2026-11-25T04:12:01.102Z"


BREAKS = {
    "run id": lambda event: event["run"].update(runId="7"),
    "time": lambda event: event.update(eventTime="yesterday"),
    "event type": lambda event: event.update(eventType="DONE"),
    "no job name": lambda event: event["job"].pop("name"),
    "unknown facet schema": lambda event: event["run"]["facets"]["tags"].update(
        _schemaURL="https://sluice.example/spec/facets/9-9-9/TagsRunFacet.json#/$defs/TagsRunFacet"
    ),
    "text in a closed facet": lambda event: event["run"]["facets"]["sluice_exchange"].update(note="a person called"),
    "a free text as code": lambda event: event["run"]["facets"]["sluice_exchange"].update(ruleId="Jan belde"),
    "no purpose": lambda event: event["run"]["facets"]["sluice_exchange"].update(purposeIris=[]),
    "a number as text": lambda event: event["inputs"][0]["inputFacets"]["inputStatistics"].update(rowCount="many"),
    "an assertion without outcome": lambda event: event["inputs"][0]["inputFacets"]["dataQualityAssertions"][
        "assertions"
    ][0].pop("success"),
    "a facet without producer": lambda event: event["job"]["facets"]["jobType"].pop("_producer"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_control_a_broken_event_fails_both_checks(official, name):
    from referencing.exceptions import Unresolvable

    from sluice.lineage.model import EventInvalid

    document = json.loads(closed_event(a_record(), ENTRY, SETTINGS))
    BREAKS[name](document)
    broken = json.dumps(document)

    with pytest.raises((ValidationError, Unresolvable)):
        official(broken)
    with pytest.raises(EventInvalid, match="SLU-471"):
        check_event(broken)


def test_the_same_record_gives_the_same_text():
    assert closed_event(a_record(), ENTRY, SETTINGS) == closed_event(a_record(), ENTRY, SETTINGS)


@pytest.mark.parametrize(
    ("decision", "event_type"),
    [("accepted", "COMPLETE"), ("partly_accepted", "COMPLETE"), ("refused", "FAIL"), ("undecided", "FAIL")],
)
def test_the_decision_is_the_event_type(decision, event_type):
    event = json.loads(closed_event(a_record(Decision(decision)), ENTRY, SETTINGS))

    assert event["eventType"] == event_type
    assert event["run"]["facets"]["sluice_exchange"]["decision"] == decision
    assert event["run"]["facets"]["sluice_exchange"]["ledgerEntryHash"] == ENTRY


def test_start_and_end_are_of_one_run_and_one_job():
    start = json.loads(start_event(opened(), SETTINGS))
    end = json.loads(closed_event(a_record(), ENTRY, SETTINGS))

    assert start["run"]["runId"] == end["run"]["runId"]
    assert start["job"] == end["job"]
    assert (end["job"]["namespace"], end["job"]["name"]) == ("sluice-test", "energy01.inbound.renewal")


@pytest.mark.parametrize("subjects", range(SUBJECT_FLOOR + 2))
def test_fewer_persons_than_the_floor_are_not_counted(subjects):
    event = json.loads(closed_event(a_record(subjects=subjects), ENTRY, SETTINGS))

    distinct = event["inputs"][0]["inputFacets"]["sluice_subjectCount"]["distinctSubjects"]
    below = subjects < SUBJECT_FLOOR
    assert distinct == {"count": None if below else subjects, "floor": SUBJECT_FLOOR, "belowFloor": below}


def test_a_refusal_without_paper_names_no_purpose_but_its_decision():
    facets = json.loads(closed_event(a_refusal_without_paper(), ENTRY, SETTINGS))["run"]["facets"]

    assert "sluice_exchange" not in facets
    tags = {tag["key"]: tag["value"] for tag in facets["tags"]["tags"]}
    assert tags == {
        "sluice.principal": "energy01",
        "sluice.direction": "inbound",
        "sluice.decision": "refused",
        "sluice.reason": NO_PAPER[0].code,
    }


CARE = PURPOSE.model_copy(
    update={"code": "P-CARE", "iri": "https://w3id.org/dpv#CustomerCare", "legal_basis": f"{GDPR}A6-1-b"}
)


def under_two_bases():
    """A record in which the contract's data is for care of the customer, and everything else for renewal."""
    of = {"contract": CARE}
    columns = tuple(
        line.model_copy(update={"purposes": (purpose.code,), "legal_basis": purpose.legal_basis})
        for line in a_record().what.columns
        for purpose in (of.get(line.field_group, PURPOSE),)
    )
    record = a_record(columns=columns)
    return record.model_copy(update={"why": record.why.model_copy(update={"purposes": (PURPOSE, CARE)})})


def roles_in(event):
    lake = next(output for output in event["outputs"] if output["namespace"] == "s3://lake")
    return [
        {
            (group["fieldGroup"], group["legalBasis"].removeprefix(GDPR), *map(short, group["purposeIris"]))
            for group in dataset["facets"]["sluice_roles"]["fieldGroups"]
        }
        for dataset in (event["inputs"][0], lake)
    ]


def short(iri):
    return iri.rpartition("#")[2]


def test_each_field_group_has_the_basis_and_the_purposes_of_its_own_columns(official):
    event = closed_event(under_two_bases(), ENTRY, SETTINGS)

    assert official(event) >= 8
    told = {
        ("identity", "A6-1-f", "DirectMarketing"),
        ("contact_point", "A6-1-f", "DirectMarketing"),
        ("contract", "A6-1-b", "CustomerCare"),
    }
    assert roles_in(json.loads(event)) == [told, told]


def test_a_field_group_whose_columns_differ_is_told_once_for_each_basis():
    record = under_two_bases()
    columns = tuple(line.model_copy(update={"field_group": "identity"}) for line in record.what.columns)
    record = record.model_copy(update={"what": record.what.model_copy(update={"columns": columns})})

    told, _ = roles_in(json.loads(closed_event(record, ENTRY, SETTINGS)))

    assert {("identity", "A6-1-f", "DirectMarketing"), ("identity", "A6-1-b", "CustomerCare")} <= told


def test_a_record_that_says_nothing_of_its_columns_has_the_purposes_of_the_file():
    told, _ = roles_in(json.loads(closed_event(a_record(), ENTRY, SETTINGS)))

    assert told == {(group, "A6-1-f", "DirectMarketing") for group in ("identity", "contact_point", "contract")}


@pytest.mark.parametrize("kind", [ARRIVED, REFUSED_FILE])
def test_the_file_as_it_came_and_the_lake_each_have_their_own_last_day(official, kind):
    record = a_record()
    lake = next(copy for copy in record.how_long.copies if copy.kind == LAKE)
    came = lake.model_copy(update={"kind": kind, "bucket": "exchange", "delete_after": "2026-12-25"})
    copies = (came, lake.model_copy(update={"delete_after": "2027-02-25"}))
    record = record.model_copy(update={"how_long": record.how_long.model_copy(update={"copies": copies})})

    event = closed_event(record, ENTRY, SETTINGS)

    assert official(event) >= 8
    document = json.loads(event)
    made = next(output for output in document["outputs"] if output["namespace"] == "s3://lake")
    last = [each["facets"]["sluice_safeguards"]["deleteAfter"] for each in (document["inputs"][0], made)]
    assert last == ["2026-12-25", "2027-02-25"]
    assert [field["name"] for field in made["facets"]["schema"]["fields"]] == [c.name for c in record.what.columns]


def test_the_keyed_reference_is_marked_as_masked():
    event = json.loads(closed_event(a_record(), ENTRY, SETTINGS))

    lake = next(output for output in event["outputs"] if output["namespace"] == "s3://lake")
    fields = lake["facets"]["columnLineage"]["fields"]
    masking = {
        name: {step["masking"] for source in field["inputFields"] for step in source["transformations"]}
        for name, field in fields.items()
    }
    assert masking == {
        "vendor_lead_code": {False},
        "phone_number": {False},
        "contract_end": {False},
        "sluice_subject_ref": {True},
        "sluice_ref_vendor_lead_code": {True},
        "sluice_ref_phone_number": {True},
    }


def test_the_task_and_dag_run_are_parents_when_airflow_gave_ids():
    within = json.loads(closed_event(a_record(airflow=AIRFLOW), ENTRY, SETTINGS))["run"]["facets"]
    without = json.loads(closed_event(a_record(), ENTRY, SETTINGS))["run"]["facets"]

    assert within["parent"]["run"]["runId"] == AIRFLOW["lineage_run_id"]
    assert within["parent"]["job"] == {"namespace": "airflow-test", "name": "inbound_energy01_renewal.drain"}
    assert within["parent"]["root"]["run"]["runId"] == AIRFLOW["lineage_root_run_id"]
    assert "parent" not in without


def test_a_header_that_no_contract_names_stays_out():
    """A file without its header line has a person's data where the column names should be."""
    stray = ColumnLine(
        name="Janssens", field_group=None, category=None, origin=None, role_profile=None, retention_rule=None
    )
    reason = ReasonLine(code="HEADER_UNDECLARED_COLUMN", rule="columns.declared", column="Janssens", count=1)
    record = a_record(Decision.REFUSED, reasons=(reason,), columns=(*a_record().what.columns, stray))

    event = closed_event(record, ENTRY, SETTINGS)

    assert "phone_number" in event
    assert "Janssens" not in event


def urls_of(event: str) -> dict[str, str]:
    """The version of the schema of each of our facets in an event."""
    urls = [facet["_schemaURL"] for facet in all_facets(json.loads(event))]
    return {url.rsplit("/", 1)[-1]: url.split("/")[-4] for url in urls if "sluice.example" in url}


def test_small_letters_in_an_agreement_and_its_rules_are_told_under_a_later_schema(official):
    record = a_record()
    why = record.why.model_copy(update={"agreement_id": "DPA-energy01"})
    columns = tuple(each.model_copy(update={"retention_rule": "ret-01"}) for each in record.what.columns)
    what = record.what.model_copy(update={"columns": columns})
    how_long = record.how_long.model_copy(update={"copies": ()})  # the code of a copy's rule is told in capitals
    small = record.model_copy(update={"why": why, "what": what, "how_long": how_long})

    event, before = closed_event(small, ENTRY, SETTINGS), closed_event(record, ENTRY, SETTINGS)

    for each in (event, before, start_event(opened("DPA-energy01"), SETTINGS)):
        official(each)
        check_event(each)
    later = {"SluiceExchangeRunFacet", "SluiceRolesDatasetFacet", "SluiceSafeguardsDatasetFacet"}
    assert {name for name, version in urls_of(event).items() if version == "1-0-1"} == later
    assert set(urls_of(before).values()) == {"1-0-0"}, "whoever knows the first version alone gets what they got"
    said_first = event.replace("sluice.example/spec/facets/1-0-1", "sluice.example/spec/facets/1-0-0")
    with pytest.raises(ValidationError):
        official(said_first)
    with pytest.raises(EventInvalid):
        check_event(said_first)


def test_the_later_schemas_differ_in_small_letters_alone():
    folder = CHECKOUT / "include" / "sluice" / "lineage" / "facets"
    later = sorted((folder / "1-0-1").glob("*.json"))
    assert len(later) == 3
    for path in later:
        said = path.read_text().replace("^[A-Za-z0-9][A-Za-z0-9_.-]", "^[A-Z0-9][A-Z0-9_.-]").replace("1-0-1", "1-0-0")
        assert said == (folder / "1-0-0" / path.name).read_text()
