"""The page of what agreements and contracts may hold, from the tables that the linter reads."""

from collections.abc import Iterator, Mapping

from sluice.agreement.clauses.shape import AGREEMENT
from sluice.agreement.contract import shape as contract_shape
from sluice.agreement.contract.shape import Region
from sluice.agreement.shape import Day, Flag, Iri, Keys, Kind, Many, Number, Text, Word

HEAD = """# Fields of agreements and contracts

Made from the tables of the linter by each build of this site: a key that is not here is refused (`AGR-011`, `CON-011`).
`[]` stands for each entry of a list. An IRI is a term of DPV 2.3; the linter names the list. How to write both:
[add a principal](../how-to/add-a-principal.md). Suites: [expectations](expectations.md).
"""


def page() -> str:
    """Markdown."""
    parts = [HEAD, "\n## Agreement\n", *_table(_leaves(AGREEMENT, ""))]
    for title, properties in (
        ("Contract: custom properties of the whole", contract_shape.CONTRACT_PROPERTIES),
        ("Contract: custom properties of a column, or of all of them", contract_shape.COLUMN_PROPERTIES),
        ("Contract: custom properties of the server", contract_shape.SERVER_PROPERTIES),
        ("Contract: keys of the standard that have a list of their own", _standard()),
    ):
        parts += [f"\n## {title}\n", *_table(_each(properties, "", must=False))]
    parts += ["\n## Contract: operators and metrics of quality rules\n"]
    parts += [", ".join(f"`{word}`" for word in (*contract_shape.OPERATORS, *contract_shape.METRICS)) + "."]
    return "\n".join(parts) + "\n"


def _standard() -> dict[str, Kind]:
    return {
        "apiVersion": contract_shape.API_VERSION,
        "status": contract_shape.STATUS,
        "servers[].format": contract_shape.FORMAT,
        "servers[].delimiter": contract_shape.DELIMITER,
        "schema[].properties[].name": contract_shape.COLUMN_NAME,
        "schema[].properties[].logicalType": Word(contract_shape.LOGICAL_TYPES),
        "quality[].severity": contract_shape.SEVERITY,
        "quality[].unit": contract_shape.UNIT,
    }


def _leaves(keys: Keys, above: str) -> Iterator[tuple[str, str, str]]:
    yield from _each(keys.must, above, must=True)
    yield from _each(keys.may, above, must=False)


def _each(kinds: Mapping[str, Kind], above: str, *, must: bool) -> Iterator[tuple[str, str, str]]:
    for name, kind in kinds.items():
        where, inner = f"{above}{name}", kind
        while isinstance(inner, Many):
            where, inner = f"{where}[]", inner.of
        if isinstance(inner, Keys):
            yield where, "yes" if must else "", "keys" if where.endswith("[]") else "mapping"
            yield from _leaves(inner, f"{where}.")
        else:
            yield where, "yes" if must else "", _told(inner)


def _told(kind: Kind) -> str:
    match kind:
        case Text(means=means):
            return means or "text"
        case Day():
            return "day, YYYY-MM-DD"
        case Flag():
            return "true or false"
        case Region():
            return "ISO 3166 code of a region that has phone numbers, such as `BE`"
        case Number(low=low, high=high, whole=whole):
            return f"{'whole number' if whole else 'number'}, {low:g} to {high:g}"
        case Word(words=words):
            return ", ".join(f"`{word}`" for word in words)
        case Iri(means=means):
            return f"IRI: {means}"
    raise TypeError(type(kind).__name__)


def _table(rows: Iterator[tuple[str, str, str]]) -> Iterator[str]:
    yield "| key | must | holds |\n|---|---|---|"
    yield from (f"| `{key}` | {must} | {told.replace('|', '&#124;')} |" for key, must, told in rows)
