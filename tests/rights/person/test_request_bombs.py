"""A small request file of very many things is refused before it is read, and is answered once."""

import json
import tracemalloc

import pytest

from rights.prefix import put, sweep
from sluice.rights.person.request_file import LARGEST_BYTES, MOST_PERSONS, Asked, FileOutcome, parse_request
from support.desk import Desk

MIB = 1 << 20
PERSONS = b'{"right":"erasure","persons":['
BOMBS = {
    "persons without a word": ("a.json", PERSONS + b"{}," * MIB + b"{}]}"),
    "lists": ("a.json", PERSONS + b"[]," * MIB + b"[]]}"),
    "lists in lists": ("a.json", PERSONS + (b"[" * 500 + b"]" * 500 + b",") * 2000 + b"0]}"),
    "numbers": ("a.json", PERSONS + b"1234," * MIB + b"0]}"),
    "a person of many columns": ("a.json", PERSONS + b"{" + b'"":0,' * MIB + b'"phone":0}]}'),
    "a row of many cells": ("erasure-1.csv", b"phone;email\n" + b"ab;" * MIB),
    "many columns": ("erasure-1.csv", b"ab;" * MIB),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_it_takes_no_more_memory_than_the_file(bomb: str) -> None:
    name, content = BOMBS[bomb]
    tracemalloc.start()
    try:
        outcome = parse_request(name, content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (outcome, peak < 2 * len(content)) == (FileOutcome.TOO_MANY_PERSONS, True), peak


@pytest.mark.slow
def test_the_most_persons_with_everything_that_is_known_of_them_are_read() -> None:
    persons = [
        {
            "phone": f"+32 470 {number:06}",
            "email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{number}.example.be",
            "customer": f"C-{number:040}",
        }
        for number in range(MOST_PERSONS)
    ]
    content = json.dumps({"right": "erasure", "persons": persons}, indent=1).encode()
    assert len(content) <= LARGEST_BYTES
    asked = parse_request("x.json", content)
    assert isinstance(asked, Asked) and len(asked.persons) == MOST_PERSONS


def test_it_is_answered_and_does_not_come_again(desk: Desk) -> None:
    put(desk, *BOMBS["persons without a word"])
    assert [sweep(desk).requests for _ in range(2)] == [{"TOO_MANY_PERSONS": 1}, {}]
