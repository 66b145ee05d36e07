"""Who is in records that are no rows, however they are delimited or escaped."""

import polars as pl
import pytest

from sluice.subject.cells import count_pieces, pieces_of, refs_of_columns, refs_of_pieces
from sluice.subject.columns import normalise_column
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

KEY = SubjectKey(b"k" * 32)
PERSON = {
    SubjectKind.PHONE: "+32 499 88 77 66",
    SubjectKind.EMAIL: "victim+x@example.be",
    SubjectKind.PRINCIPAL_CUSTOMER_ID: "A/12-4",
}
IN_JSON = r'{"phone":"\u002B32499887766","email":"victim\u002Bx@example.be","id":"A\/12-4","naam":"x","naam":"y"}'


def named(record: str, delimiters: str | None) -> set[SubjectKind]:
    """As what the person is found in a record."""
    found = refs_of_pieces(pl.Series([record]), delimiters, PERSON, "BE", KEY)
    wanted = {kind: _ref(kind, value) for kind, value in PERSON.items()}
    return {kind for kind, refs in found if wanted[kind] in refs.to_list()}


def _ref(kind: SubjectKind, value: str) -> str | None:
    return ref_column(normalise_column(pl.Series([value]), kind).values, kind, KEY)[0]


@pytest.mark.parametrize("delimiter", list(";,\t|~^#: !$%&*=?<>`()\x1f"))
def test_a_record_is_cut_at_the_delimiter_that_was_agreed(delimiter: str) -> None:
    phone = "0499887766" if delimiter == " " else "0499 88 77 66"
    assert named(delimiter.join((phone, "victim+x@example.be", "A/12-4", "more")), delimiter) == set(PERSON)
    quoted = (f'"{cell}"' for cell in ("0499 88 77 66", "victim+x@example.be", "A/12-4"))
    assert named(delimiter.join(quoted), delimiter) == set(PERSON)


@pytest.mark.parametrize("delimiter", ["-", ".", "/", "+", "@", "(", "["])
def test_a_delimiter_that_stands_inside_of_identifiers_too_leaves_those_in_quotes_whole(delimiter: str) -> None:
    assert named(delimiter.join(('"+32499887766"', '"victim+x@example.be"', '"A/12-4"')), delimiter) == set(PERSON)
    assert SubjectKind.PHONE in named(delimiter.join(("0499887766", "Jan", "Gent")), delimiter)


@pytest.mark.parametrize(
    "record",
    [
        IN_JSON,
        IN_JSON.replace(r"\u002B32499887766", r"\u0030499887766").replace(r"\/", r"\u002f"),
        IN_JSON.replace(r'"\u002B32499887766"', " 32499887766").replace(":", " : "),
        IN_JSON.replace("{", r'{"pad":"C:\\","half":"\ud83d",'),
        IN_JSON.replace(r'"\u002B', '"\t\\u002B'),
    ],
    ids=["escapes", "digits", "number", "others", "controls"],
)
def test_what_json_escapes_is_read_as_it_is_meant(record: str) -> None:
    assert named(record, None) == set(PERSON)


def test_what_only_looks_escaped_says_nothing_and_does_not_stop_the_others() -> None:
    raw = pl.Series([r'"C:\Users\0499887766";"x"', "a;b", None, r"\;\;", IN_JSON], dtype=pl.String)

    pieces = pieces_of(raw, ";")

    assert set(pieces["row"]) == {0, 1, 2, 3, 4}
    assert {"a", "b"} <= set(pieces.filter(pl.col("row") == 1)["piece"])
    assert "+32499887766" in set(pieces.filter(pl.col("row") == 4)["piece"])
    assert count_pieces(raw, ";") >= pieces["piece"].drop_nulls().len()


@pytest.mark.parametrize("delimiter", [";", "~"])
def test_pieces_are_never_more_than_was_counted(delimiter: str) -> None:
    raw = pl.Series([delimiter.join("abc"), IN_JSON, None])

    assert count_pieces(raw, delimiter) >= pieces_of(raw, delimiter)["piece"].drop_nulls().len() > 3


def test_a_number_without_a_country_is_one_of_the_region_that_was_agreed() -> None:
    frame = pl.DataFrame({"phone": ["06 12 34 56 78"], "note": ["x"]})

    found = dict(refs_of_columns(frame, {"phone": SubjectKind.PHONE, "gone": SubjectKind.EMAIL}, "FR", KEY))

    assert found.keys() == {SubjectKind.PHONE}
    assert found[SubjectKind.PHONE].to_list() == [_ref(SubjectKind.PHONE, "+33612345678")]
