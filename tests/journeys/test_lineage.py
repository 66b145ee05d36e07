"""What left as lineage after the journeys: valid by the official schemas, without a person in it."""

import json
from pathlib import Path

import polars as pl
import pytest

from support.installation import Record, Stack
from support.official import validator

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(300)]
PERSONAL = ("last_name", "email", "phone", "customer_number", "street")


def test_every_event_is_valid_and_none_holds_a_value(stack: Stack, schemas: Path, record_property: Record) -> None:
    path = stack.campaigns(1, rows=500)[0]
    (line,) = stack.wait([stack.put(path)]).values()
    events = (stack.var / "lineage" / "events.ndjson").read_text().splitlines()
    validate = validator(schemas)
    facets = sum(map(validate, events))
    mine = [event for event in events if json.loads(event)["run"]["runId"] == line.id]
    sent = pl.read_csv(path, separator=";", infer_schema=False)
    values = {value for name in PERSONAL for value in sent[name].drop_nulls() if len(value) > 4}
    assert [json.loads(event)["eventType"] for event in mine] == ["START", "COMPLETE"]
    assert [value for value in values if any(value in event for event in events)] == []
    assert any(value in path.read_text() for value in values)  # the control: they can be found
    record_property(
        "OpenLineage events valid by the official schemas", f"{len(events)} of {len(events)}, {facets} facets"
    )
