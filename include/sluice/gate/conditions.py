"""Which rows a rule is about: a small grammar of conditions on other columns, in the words of Great Expectations.

    condition = {"type": "or", "conditions": [and or one, ...]} | and | one
    and       = {"type": "and", "conditions": [one, ...]}
    one       = {"type": "comparison", "column": {"name": NAME}, "operator": "==" or "!=", "parameter": TEXT}
              | {"type": "comparison", "column": {"name": NAME}, "operator": "IN" or "NOT_IN", "parameter": [TEXT, ...]}
              | {"type": "nullity", "column": {"name": NAME}, "is_null": true or false}

A suite with such conditions also runs in stock Great Expectations. A condition as text that an engine would run
(``col("a") == 1``) is code, and not part of this grammar. Cells are compared as they are written; an empty cell equals
nothing, so ``!=`` and ``NOT_IN`` hold for it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST = 100
"""The most comparisons in one condition; the limit is Great Expectations' own."""
_OPERATORS: Mapping[str, tuple[bool, bool | None]] = {
    "==": (True, False),
    "!=": (False, False),
    "IN": (True, True),
    "NOT_IN": (False, True),
}
"""Per operator: whether the cell must be one of the texts, and whether a list of texts is given."""


@dataclass(frozen=True, slots=True)
class Term:
    """A statement about one cell of a row: that it is one of ``texts``, or, if that is None, that it is empty.

    ``holds`` is False if the condition wants the opposite.
    """

    column: str
    texts: tuple[str, ...] | None
    holds: bool


Condition = tuple[tuple[Term, ...], ...]
"""Groups of terms: the condition is met if every term of at least one group is true."""


def read_condition(said: object) -> str:
    """Turn a condition of a suite or contract into canonical JSON. Raises ValueError if it does not fit the grammar."""
    groups = _groups(said)
    if not groups or not all(groups) or sum(map(len, groups)) > MOST:
        raise ValueError
    whole = [_one_or_more("and", [_said(term) for term in group]) for group in groups]
    return json.dumps(_one_or_more("or", whole), ensure_ascii=False, sort_keys=True)


def parse_condition(text: str) -> Condition:
    """Parse the canonical JSON that :func:`read_condition` wrote."""
    return _groups(json.loads(text))


def columns_of(text: str) -> tuple[str, ...]:
    """The columns that a condition reads."""
    return tuple(dict.fromkeys(term.column for group in parse_condition(text) for term in group))


def _groups(said: object) -> Condition:
    parts = list(_parts(said)) if _type(said) == "or" else [said]
    return tuple(tuple(map(_term, _parts(part))) if _type(part) == "and" else (_term(part),) for part in parts)


def _term(said: object) -> Term:
    """Read one term. Raises ValueError if it does not fit the grammar."""
    if _type(said) == "nullity":
        one = _exactly(said, "column", "is_null")
        if isinstance(one["is_null"], bool):
            return Term(_name(one["column"]), None, one["is_null"])
    if _type(said) == "comparison":
        one = _exactly(said, "column", "operator", "parameter")
        holds, is_list = _OPERATORS.get(str(one["operator"]), (False, None))
        texts = one["parameter"] if is_list else [one["parameter"]]
        if is_list is not None and isinstance(texts, list | tuple) and all(isinstance(text, str) for text in texts):
            return Term(_name(one["column"]), tuple(sorted(set(texts))), holds)
    raise ValueError


def _said(term: Term) -> dict[str, Any]:
    column = {"name": term.column}
    if term.texts is None:
        return {"type": "nullity", "column": column, "is_null": term.holds}
    is_list = len(term.texts) != 1
    operator = next(word for word, means in _OPERATORS.items() if means == (term.holds, is_list))
    parameter = list(term.texts) if is_list else term.texts[0]
    return {"type": "comparison", "column": column, "operator": operator, "parameter": parameter}


def _one_or_more(kind: str, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return conditions[0] if len(conditions) == 1 else {"type": kind, "conditions": conditions}


def _type(said: object) -> object:
    return said.get("type") if isinstance(said, dict) else None


def _parts(said: object) -> Iterator[object]:
    listed = _exactly(said, "conditions")["conditions"]
    if not isinstance(listed, list | tuple):
        raise ValueError
    return iter(listed)


def _exactly(said: object, *keys: str) -> Mapping[str, Any]:
    if not isinstance(said, dict) or set(said) != {"type", *keys}:
        raise ValueError
    return said


def _name(column: object) -> str:
    name = column["name"] if isinstance(column, dict) and set(column) == {"name"} else None
    if not isinstance(name, str) or not name:
        raise ValueError
    return name
