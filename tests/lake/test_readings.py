"""Where a file can be read in two ways both are named, up to the record: nobody has to guess what could not be told."""

import ast
from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of
from sluice.exchange.judging.child import _unreadable
from sluice.lake.read import reader
from sluice.lake.table import FormatHints

TELLS_NOTHING = {"UNREADABLE_PARSER_DISAGREES", "ARCHIVE_PGP_SEALED"}
"""What could not be told without there being two readings."""


def undecided_calls() -> list[tuple[str, ast.Call]]:
    found = []
    for path in sorted(Path(reader.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
            said = words.get("undecided")
            if isinstance(node, ast.Call) and isinstance(said, ast.Constant) and said.value is True:
                found.append((f"{path.name}:{node.lineno}", node))
    return found


def test_every_refusal_that_decides_nothing_names_its_readings() -> None:
    calls = undecided_calls()
    code = {place: node.args[0].value for place, node in calls if isinstance(node.args[0], ast.Constant)}
    without = {place for place, node in calls if "readings" not in {word.arg for word in node.keywords}}

    assert len(calls) >= 15, "control: they are found"
    assert {code[place] for place in without} == TELLS_NOTHING


@pytest.mark.parametrize(
    ("content", "readings", "hints"),
    [
        (b"a;b,c\n1;2,3\n4;5,6\n", (";", ","), FormatHints(delimiter=";")),
        ("naam;stad\nJos\u00e9;Li\u00e8ge\n".encode("cp850"), ("cp1252", "cp850"), FormatHints(encoding="cp850")),
        (
            "naam;prijs\nAn;5 \u20ac\n".encode("iso8859-15"),
            ("cp1252", "iso8859-15"),
            FormatHints(encoding="iso8859-15"),
        ),
    ],
    ids=["delimiter", "DOS", "euro"],
)
def test_two_readings_are_named_unless_the_contract_decides(
    tmp_path: Path, content: bytes, readings: tuple[str, ...], hints: FormatHints
) -> None:
    refusal = refusal_of(read_bytes(tmp_path, content))
    assert (refusal.undecided, refusal.readings) == (True, readings)
    assert _unreadable(refusal).reasons[0].readings == readings, "and they leave the child"

    assert not hasattr(read_bytes(tmp_path, content, hints=hints), "undecided"), "the contract decides"
