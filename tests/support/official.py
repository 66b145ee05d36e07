"""Official schemas and JSON-LD 1.1 as judges of what we publish; the schemas are used in place, never copied.

The JSON-LD reader is strict: whatever has no term is an error here, where the standard would drop it silently.
"""

import json
from collections.abc import Callable, Iterator, Mapping
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


KEYWORDS = ("@id", "@type", "@value", "@language", "@list")
Context = Mapping[str, Any]


class NoTerm(ValueError):
    """A key, a type or a reference that expands to no absolute IRI."""


def expand(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The nodes of a document: keys are absolute IRIs or keywords, values always lists. Raises NoTerm."""
    context: Context = document["@context"]
    found = _node({key: value for key, value in document.items() if key != "@context"}, context)
    graph: list[dict[str, Any]] = found.get("@graph", [found])
    return graph


def iris(nodes: Any) -> Iterator[str]:
    """Every property and every type anywhere in expanded nodes."""
    if isinstance(nodes, list):
        for each in nodes:
            yield from iris(each)
    elif isinstance(nodes, Mapping):
        yield from (key for key in nodes if not key.startswith("@"))
        yield from nodes.get("@type", []) if "@value" not in nodes else []
        for value in nodes.values():
            yield from iris(value)


def _node(node: Mapping[str, Any], context: Context) -> dict[str, Any]:
    expanded: dict[str, Any] = {}
    for key, value in node.items():
        term = context.get(key)
        name = term["@id"] if isinstance(term, Mapping) else term
        if key in KEYWORDS:
            expanded[key] = _keyword(key, value, context)
        elif "@graph" in (key, name):
            expanded["@graph"] = [_node(each, context) for each in value]
        else:
            coerced = term.get("@type") if isinstance(term, Mapping) else None
            many = value if isinstance(value, list) else [value]
            expanded[absolute(key, context)] = [_value(each, coerced, context) for each in many if each is not None]
    return expanded


def _keyword(key: str, value: Any, context: Context) -> Any:
    if key == "@id":
        return absolute(value, context)
    if key == "@type":
        return [absolute(each, context) for each in (value if isinstance(value, list) else [value])]
    return [_value(each, None, context) for each in value] if key == "@list" else value


def _value(value: Any, coerced: str | None, context: Context) -> Any:
    if isinstance(value, Mapping):
        return _node(value, context)
    if coerced == "@id":
        return {"@id": absolute(value, context)}
    return {"@value": value, **({"@type": [absolute(coerced, context)]} if coerced else {})}


def absolute(name: str, context: Context) -> str:
    """The IRI of a term, of ``prefix:name``, or of an IRI itself. Raises NoTerm."""
    term = context.get(name)
    if term is not None:
        said: str = term["@id"] if isinstance(term, Mapping) else term
        return said if said == name else absolute(said, context)
    prefix, colon, rest = name.partition(":")
    if colon and prefix in context and not rest.startswith("//"):
        return absolute(context[prefix], context) + rest
    if colon and (rest.startswith("//") or prefix in ("urn", "mailto")):
        return name
    raise NoTerm(name)
