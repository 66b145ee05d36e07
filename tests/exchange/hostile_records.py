"""JSON that other readers of JSON do not survive, or read otherwise."""

import json
import random
from pathlib import Path

from exchange.hostile import FINE, kind
from exchange.hostile_cells import records

BAD_ROWS = ("LIMIT_REFUSED_SHARE",)


def _with(value: str) -> str:
    """Records as JSON, the note of one of them replaced by this text as it is."""
    found = records()
    found[3]["note"] = "\0here"
    return json.dumps(found).replace('"\\u0000here"', value)


@kind(
    "json",
    "x.json",
    "WRONG_FORMAT_NAME",
    "LIMIT_JSON_DEPTH",
    "UNREADABLE_JSON",
    "SHAPE_JSON_NOT_OBJECT",
    "HEADER_UNDECLARED_COLUMN",
    FINE,
)
def deep_nesting(rng: random.Random, path: Path) -> None:
    depth = rng.choice((33, 70, 2000, 100_000, 900_000))
    opened, closed = rng.choice((("[", "]"), ('{"a":', "}")))
    nested = opened * depth + "1" + closed * rng.choice((depth, depth, 0))
    path.write_text(rng.choice((nested, _with(nested))))


@kind("json", "x.json", *BAD_ROWS, "HEADER_UNDECLARED_COLUMN", FINE)
def keys_that_stand_twice(rng: random.Random, path: Path) -> None:
    twice = rng.choice(('"note": 1, "note": 2', '"\\u006eote": "b"', '"note.a": 1, "note": {"a": 2}', '"Note": 1'))
    path.write_text(json.dumps(records()).replace('"note": ', twice + ', "note": ', rng.choice((1, 40))))


@kind("json", "x.json", *BAD_ROWS, "LIMIT_CELL_SIZE", "UNREADABLE_JSON", FINE)
def numbers_of_any_size(rng: random.Random, path: Path) -> None:
    odd = (
        "1e400",
        "-1e-400",
        "9" * 200_000,
        "9" * 2_000_000,
        "0." + "1" * 100_000,
        "NaN",
        "-Infinity",
        "-0",
        "01",
        "1.",
    )
    path.write_text(_with(rng.choice(odd)))


@kind("json", "x.json", "UNREADABLE_JSON", "SHAPE_JSON_NOT_OBJECT", "UNREADABLE_EMPTY_FILE")
def cut_off_records(rng: random.Random, path: Path) -> None:
    content = json.dumps(records())
    path.write_text(content[: rng.randrange(12, len(content) - 1)] + rng.choice(("", "", "]", "}]")))


@kind("json", "x.json", *BAD_ROWS, "UNREADABLE_JSON", "ENCODING_INVALID_UTF8", FINE)
def halves_of_characters(rng: random.Random, path: Path) -> None:
    odd = (
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\udc00\\ud800"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'"\\x41"',
        b'"\n"',
        b'"\\u12"',
    )
    path.write_bytes(_with("@@").encode().replace(b"@@", rng.choice(odd)))


@kind("json", "x.json", "LIMIT_COLUMNS", "LIMIT_NAME", "HEADER_UNDECLARED_COLUMN", "LIMIT_CELL_SIZE")
def keys_without_end(rng: random.Random, path: Path) -> None:
    names = rng.choice(([f"k{n}" for n in range(100_000)], ["n" * 100_000], [f"k{n}" for n in range(1000)]))
    found = [{**each, **dict.fromkeys(names, 1)} for each in records()[: rng.choice((1, 3))]]
    path.write_text(json.dumps(found))


@kind(
    "json",
    "x.json",
    "SHAPE_JSON_NOT_OBJECT",
    "UNREADABLE_JSON",
    "LIMIT_CELL_SIZE",
    "WRONG_FORMAT_NOT_AS_AGREED",
    "WRONG_FORMAT_NAME",
    "ENCODING_JSON_BOM",
)
def no_records(rng: random.Random, path: Path) -> None:
    good = json.dumps(records())
    odd = (
        "[1, 2]", "[null]", "[[]]", '"text"', "true", good + "x", good + good, "[" * 3_000_000 + "]",
        "{" * 9_000_000 + "}",
        "[" + "{}," * 100 + "]", "[{},,{}]", "{'a': 1}", "[{a: 1}]", "\ufeff" + good, '[{"a": "' + "b" * 6_000_000,
    )  # fmt: skip
    path.write_text(rng.choice(odd))
