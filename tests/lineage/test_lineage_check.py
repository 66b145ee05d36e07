"""What may leave is a closed list: parts, keys, facets, schema URLs."""

import json
from pathlib import Path

import pytest

import sluice.lineage
from documents.samples import a_record
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event
from sluice.lineage.model import EventInvalid
from sluice.settings import Settings

EVENT = closed_event(a_record(held={"erased": 1}), "d1" * 32, Settings(environment="test"))

TAMPERS = {
    "an unknown key at the top": lambda event: event.update(note="x"),
    "an unknown key of a dataset": lambda event: event["inputs"][0].update(rows=[1]),
    "an unknown key of a standard facet": lambda event: event["run"]["facets"]["nominalTime"].update(note="x"),
    "an unknown key deep inside": lambda event: event["inputs"][0]["facets"]["schema"]["fields"][0].update(sample="x"),
    "a facet we do not send": lambda event: event["run"]["facets"].update(
        errorMessage={
            "_producer": "https://x.example",
            "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
            "message": "x",
            "programmingLanguage": "Python",
        }
    ),
    "a facet in the wrong place": lambda event: event["job"]["facets"].update(tags=event["run"]["facets"]["tags"]),
    "another version of a facet": lambda event: event["inputs"][0]["facets"]["schema"].update(
        _schemaURL="https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet"
    ),
    "another core": lambda event: event.update(schemaURL="https://openlineage.io/spec/1-0-0/OpenLineage.json"),
    "a list for an object": lambda event: event.update(job=[]),
    "null": lambda event: event["job"].update(name=None),
    "a boolean for a number": lambda event: event["inputs"][0]["inputFacets"]["inputStatistics"].update(rowCount=True),
    "an unknown reason for holding back": lambda event: event["inputs"][0]["inputFacets"]["sluice_subjectCount"][
        "heldBack"
    ].update(jan=1),
}


def test_what_we_make_may_leave():
    check_event(EVENT)


@pytest.mark.parametrize("name", TAMPERS)
def test_anything_else_is_stopped_and_not_quoted(name):
    document = json.loads(EVENT)
    TAMPERS[name](document)

    with pytest.raises(EventInvalid, match="SLU-471") as stopped:
        check_event(json.dumps(document))

    assert "jan" not in str(stopped.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "{}", '"x"'])
def test_what_is_no_event_is_stopped(text):
    with pytest.raises(EventInvalid):
        check_event(text)


def test_our_schemas_are_the_published_ones(schemas):
    ours = Path(sluice.lineage.__path__[0]) / "facets" / "1-0-0"
    published = schemas / "sluice" / "1-0-0"

    assert {path.name: path.read_bytes() for path in ours.glob("*.json")} == {
        path.name: path.read_bytes() for path in published.glob("*.json")
    }
