"""The official OpenLineage schemas as a judge of events; used in place, never copied."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from support.stores import CHECKOUT

OUR_LATER = CHECKOUT / "include" / "sluice" / "lineage" / "facets" / "1-0-1"
"""What we publish ourselves beside the first version."""


def validator(schemas: Path) -> Callable[[str], int]:
    """Validates an event, the core at its schemaURL, each facet at its _schemaURL; the number of facets.

    An unknown URL fails, because only these files are known.
    """
    published = [schemas / folder for folder in ("openlineage", "openlineage/facets", "sluice/1-0-0")]
    documents = [
        json.loads(path.read_text()) for folder in (*published, OUR_LATER) for path in sorted(folder.glob("*.json"))
    ]
    registry: Registry[Any] = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in documents)
    at = partial(Draft202012Validator, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)

    def validate(event: str) -> int:
        document = json.loads(event)
        at({"$ref": document["schemaURL"]}).validate(document)
        facets = list(all_facets(document))
        for facet in facets:
            at({"$ref": facet["_schemaURL"]}).validate(facet)
        return len(facets)

    return validate


def all_facets(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every facet of an event, wherever it hangs."""
    for holder in (document["run"], document["job"], *document["inputs"], *document.get("outputs", [])):
        for name in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(name, {}).values()
