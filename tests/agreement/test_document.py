"""Papers are parsed once in a process; what is large is not kept, and what would take for ever is refused."""

import pytest

from sluice.agreement.document import KEPT_BYTES, Fault, parse_yaml


def test_the_same_bytes_are_parsed_once_and_other_bytes_anew() -> None:
    assert parse_yaml(b"kind: one\n") is parse_yaml(b"kind: one\n")
    assert parse_yaml(b"kind: two\n")["kind"].value == "two"


def test_what_is_large_is_not_kept() -> None:
    large = b"kind: one\n" + b"#" * KEPT_BYTES
    assert parse_yaml(large) is not parse_yaml(large)
    assert parse_yaml(large)["kind"].value == "one"


def test_a_fault_is_told_each_time() -> None:
    for _ in range(2):
        with pytest.raises(Fault):
            parse_yaml(b"- a list\n")


@pytest.mark.parametrize("number", ["1:" * 200 + "1", "9" * 401, "1:" * 200 + "1.5"])
def test_a_number_of_hundreds_of_digits_is_refused_before_it_is_computed(number: str) -> None:
    """In base 60 half a megabyte of them took ten seconds, by the square of its length."""
    with pytest.raises(Fault, match="018"):
        parse_yaml(f"a: {number}\n".encode())
    assert parse_yaml(b"a: " + b"9" * 400 + b"\n")["a"].value == int("9" * 400), "the control"
