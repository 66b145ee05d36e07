"""Check contracts against the JSON schema of the Open Data Contract Standard 3.1.0 (its imports take a second)."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache, lru_cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.shape import nearly
from sluice.agreement.written import (
    instead_of_flag,
    instead_of_keys,
    instead_of_list,
    instead_of_number,
    instead_of_text,
)

if TYPE_CHECKING:
    from jsonschema import Draft201909Validator, ValidationError

_NUMBERS = {"type": "012", "enum": "013", "const": "013", "pattern": "017"}
_TYPES: Mapping[str, tuple[str, Callable[[object], str]]] = {
    "boolean": ("true or false", instead_of_flag),
    "number": ("a number", instead_of_number),
    "integer": ("a whole number", partial(instead_of_number, whole=True)),
    "string": ("a text", instead_of_text),
    "array": ("a list", instead_of_list),
    "object": ("a mapping of keys", instead_of_keys),
}
"""Types of the standard's schema: in words, and what to say of another that stands there."""
_UNKNOWN = ("additionalProperties", "unevaluatedProperties")


@cache
def _validator() -> "Draft201909Validator":
    from jsonschema import Draft201909Validator

    text = files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return Draft201909Validator(json.loads(text))


@cache
def _vocabulary() -> frozenset[str]:
    """Every key that the standard defines anywhere."""

    def keys(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part.get("properties", {})
            yield from (key for value in part.values() for key in keys(value))
        elif isinstance(part, list):
            yield from (key for value in part for key in keys(value))

    return frozenset(keys(_validator().schema))


def check_odcs(document: Document) -> Iterator[Found]:
    """Findings on what the standard itself does not allow, each at its own line."""
    errors = _errors(json.dumps(_plain(document.root.value)))
    # If a branch of the schema fails, all its keys count as not evaluated: report only keys the standard lacks.
    failed = {tuple(error.absolute_path) for error in errors if error.validator not in _UNKNOWN}
    for error in errors:
        for found in _findings(document.root, error):
            path = tuple(error.absolute_path)
            is_echo = error.validator in _UNKNOWN and any(other[: len(path)] == path for other in failed)
            if not (is_echo and found.spot.where.rpartition(".")[2] in _vocabulary()):
                yield found


@lru_cache(maxsize=64)
def _errors(text: str) -> tuple["ValidationError", ...]:
    """Errors of a contract, cached by its content: linting and activating both ask, and it takes 0.1 seconds."""
    return tuple(_validator().iter_errors(json.loads(text)))


def _plain(value: Any) -> Any:
    """The value with dates as texts, since JSON has no dates."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def _findings(root: Spot, error: "ValidationError") -> Iterator[Found]:
    spot = root
    for step in error.absolute_path:
        spot = spot.entries[step] if isinstance(step, int) else spot[step]
    if error.validator in _UNKNOWN:
        yield from (Found(spot[key], "011", nearly(key, _vocabulary())) for key in _unknown(error))
    elif error.validator == "required":
        wanted = error.validator_value if isinstance(error.validator_value, list) else []
        yield from (Found(spot[key], "010") for key in wanted if not spot[key].exists)
    elif error.validator in ("oneOf", "anyOf"):
        yield from _branches(root, spot, error)
    elif error.validator == "type" and error.validator_value in _TYPES:
        type_of, instead = _TYPES[str(error.validator_value)]
        yield Found(spot, "012", f"{type_of}; {instead(spot.value)}")
    elif error.validator in _NUMBERS:
        yield Found(spot, _NUMBERS[str(error.validator)], f"{error.validator} {error.validator_value}"[:120])
    else:
        yield Found(spot, "008", str(error.validator))


def _branches(root: Spot, spot: Spot, error: "ValidationError") -> Iterator[Found]:
    """Findings of the branches that have the right type, which explain more than the choice between branches."""
    inner = [branch for branch in error.context or () if branch.validator not in ("type", "required")]
    if not inner:
        yield Found(spot, "008", str(error.validator))
    for branch in inner:
        yield from _findings(root, branch)


def _unknown(error: "ValidationError") -> tuple[str, ...]:
    """Unexpected keys, which jsonschema names only in its message: ``(..., 'x' was unexpected)``. Never a value."""
    if not isinstance(error.instance, dict):
        return ()
    return tuple(key for key in error.instance if f"'{key}'" in error.message.partition("(")[2])
