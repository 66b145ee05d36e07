"""What a request file says: its persons, and why a file cannot be followed."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.rights.case.model import Right
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.request_file import (
    MOST_PERSONS,
    Asked,
    FileOutcome,
    RowFault,
    judge_rows,
    parse_request,
    why_unreadable,
)
from sluice.terms import SubjectKind


def test_a_json_names_persons_and_counts_rows_that_name_nobody() -> None:
    rows: list[object] = [
        {"phone": "0470 12 34 56"},
        {"phone": "not a phone"},
        {"customer": "n/a"},
        {"customer": "C-1", "email": None},
        {"phone": "+32 470 12 34 56"},
        [],
        {"customer": True},
        {"iban": "BE12 3456"},
    ]
    read = parse_request("x.json", json.dumps({"right": "erasure", "persons": rows}).encode())

    assert isinstance(read, Asked)
    assert [tuple(each.kind for each in person) for person in read.persons] == [
        (SubjectKind.PHONE,),
        (SubjectKind.PRINCIPAL_CUSTOMER_ID,),
    ]
    assert set(read.faults) == {
        RowFault("VALUE_INVALID_IDENTIFIER", "phone", 1, (2,)),
        RowFault("VALUE_INVALID_IDENTIFIER", "iban", 1, (8,)),
        RowFault("VALUE_NAMES_NOBODY", None, 3, (3, 6, 7)),
        RowFault("DUPLICATE_PERSON", None, 1, (5,)),
    }


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_a_csv_takes_its_right_from_its_name(delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(row) for row in (["customer", "Phone"], ["C-1", ""], ["C-2", "0470123456"]))
    read = parse_request("a/requests/direct_marketing-2026.csv", b"\xef\xbb\xbf" + text.encode())
    assert isinstance(read, Asked) and read.right is Right.DIRECT_MARKETING and len(read.persons) == 2


@pytest.mark.parametrize(
    ("name", "content", "outcome"),
    [
        ("x.json", b"", FileOutcome.UNREADABLE),
        ("x.json", b"\xff\xfe", FileOutcome.UNREADABLE),
        ("x.json", b"[" * 50_000, FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure"}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [{"customer": "C-\\ud800"}]}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [{"\\udfff": "C"}]}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": {}}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [], "note": "x"}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "oblivion", "persons": []}', FileOutcome.UNKNOWN_RIGHT),
        ("x.json", b'{"right": ["erasure"], "persons": []}', FileOutcome.UNKNOWN_RIGHT),
        ("x.json", b'{"right": "erasure", "persons": [{"shoe": "42"}]}', FileOutcome.UNKNOWN_COLUMN),
        ("x.json", b'{"right": "erasure", "received": "25/11/2026", "persons": []}', FileOutcome.BAD_DATE),
        ("x.json", b'{"right": "erasure", "language": "de", "persons": []}', FileOutcome.BAD_LANGUAGE),
        ("erasure-1.csv", b"", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"phone;phone\n1;2", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"phone;name\n1;2", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"name\nJan", FileOutcome.UNKNOWN_COLUMN),
        ("x.json", b'{"right": "erasure", "persons": [], "purposes": ["DirectMarketing"]}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "purposes": ["Fun"]}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "purposes": "DirectMarketing"}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "channel": "fax"}', FileOutcome.BAD_PURPOSE),
        ("erasure-1.csv", b'phone;email\n"x', FileOutcome.UNREADABLE),
        ("today.csv", b"phone;email\n0470123456;", FileOutcome.UNKNOWN_RIGHT),
        ("erasure-1.xlsx", b"PK", FileOutcome.UNREADABLE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_cannot_be_followed_says_why(name: str, content: bytes, outcome: FileOutcome) -> None:
    assert parse_request(name, content) is outcome


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.json", b"\n", ("FILE_EMPTY", None, None)),
        ("x.json", b"{\n\xff\xfe", ("NOT_UTF8", None, 2)),
        ("x.json", b'{"right": "erasure",\n"persons": [}', ("NOT_JSON", None, 2)),
        ("x.json", b"[" * 50_000, ("NESTED_TOO_DEEP", None, None)),
        ("x.json", b"[]", ("NO_OBJECT", None, None)),
        ("x.json", b'{"right": "erasure"}', ("MEMBER_MISSING", "persons", None)),
        ("x.json", b'{"right": "erasure", "persons": {}}', ("NO_LIST", "persons", None)),
        ("x.json", b'{"right": "erasure", "persons": [], "jan@x.be": "x"}', ("MEMBER_UNKNOWN", None, None)),
        ("x.json", b'{"right": "erasure", "persons": [{"customer": "C-\\ud800"}]}', ("HALF_A_CHARACTER", None, None)),
        ("erasure-1.csv", b'phone;email\n0470123456;\n"x', ("NOT_CSV", None, 3)),
        ("erasure-1.csv", b"phone;email\n\xe9;", ("NOT_UTF8", None, 2)),
        ("erasure-1.xlsx", b"PK", ("NAME_NOT_CSV_OR_JSON", None, None)),
    ],
)
def test_a_file_that_cannot_be_read_says_where_it_stopped_and_nothing_of_it(
    name: str, content: bytes, why: tuple[str, str | None, int | None]
) -> None:
    assert parse_request(name, content) is FileOutcome.UNREADABLE
    found = why_unreadable(name, content)
    assert (found.code, found.member, found.line) == why and found.__context__ is None


def test_a_file_names_purposes_and_a_channel() -> None:
    said = {"right": "consent_withdrawal", "persons": [{"phone": "0470123456"}], "purposes": ["DirectMarketing"]}
    read = parse_request("x.json", json.dumps(said | {"channel": "phone"}).encode())
    assert isinstance(read, Asked)
    assert (read.purposes, read.channel) == (("https://w3id.org/dpv#DirectMarketing",), "voice")


def test_a_file_of_a_name_and_a_birth_date_seeks_one_person() -> None:
    rows = [{"name": "Jan", "birth_date": "never"}, {"name": "Jan Peeters", "birth_date": "1980-04-03"}]
    more = {"name": "An Claes", "birth_date": "03/04/1981"}
    read = parse_request("x.json", json.dumps({"right": "erasure", "persons": [*rows, more]}).encode())
    assert isinstance(read, Asked) and read.sought is not None and read.persons == ()
    assert (read.sought.name, read.sought.birth_date) == ("Jan Peeters", "1980-04-03")
    assert {(fault.code, fault.rows) for fault in read.faults} == {
        ("VALUE_NAMES_NOBODY", (1,)), ("SHAPE_ONE_NAME_A_FILE", (3,)),
    }  # fmt: skip
    assert "Peeters" not in repr(read)


@pytest.mark.slow
def test_a_hundred_thousand_persons_are_read_and_one_more_is_not() -> None:
    lines = [f"C-{number};0470{number:06}" for number in range(MOST_PERSONS)]
    started = time.monotonic()
    read = parse_request("erasure-all.csv", "\n".join(["customer;phone", *lines]).encode())
    assert isinstance(read, Asked) and len(read.persons) == MOST_PERSONS and read.refused == 0
    assert time.monotonic() - started < 60
    assert parse_request("erasure-all.csv", "\n".join(["customer", *lines, "C"]).replace(";", "").encode()) is (
        FileOutcome.TOO_MANY_PERSONS
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from(["phone", "customer", "iban"]), st.text(max_size=12)), max_size=8))
def test_every_row_is_a_person_or_counted(rows: list[dict[str, str]]) -> None:
    found, faults = judge_rows(rows)
    assert len(found) + sum(fault.count for fault in faults) == len(rows)
    assert all(isinstance(each, Identifier) for person in found for each in person)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["x.json", "erasure-1.csv", "x"]), content=st.binary(max_size=80))
def test_whatever_lies_there_is_read_or_refused_and_never_fails(name: str, content: bytes) -> None:
    assert isinstance(parse_request(name, content), Asked | FileOutcome)
