"""The name of an error means one thing: no other class of the package is called the same."""

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "include" / "sluice"


def shared_names(sources: Iterable[str]) -> set[str]:
    """Return names of errors that more than one class has. An error is a class below SluiceError."""
    classes = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]
    errors = {"SluiceError"}
    while new := {node.name for node in classes if errors & set(map(ast.unparse, node.bases))} - errors:
        errors |= new
    counts = Counter(node.name for node in classes)
    return {name for name in errors if counts[name] > 1}


def test_no_other_class_has_the_name_of_an_error() -> None:
    assert shared_names(path.read_text() for path in SOURCE.rglob("*.py")) == set()


def test_a_shared_name_is_found() -> None:
    error, below = "class Refused(SluiceError): ...", "class KeyGone(Refused): ..."
    assert shared_names([error, below, "class Kept: ...", "class Kept: ..."]) == set()
    assert shared_names([error, below, "class KeyGone: ..."]) == {"KeyGone"}, "a ledger body of the same name"
    assert shared_names([error, error]) == {"Refused"}, "two errors"
