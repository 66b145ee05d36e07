"""Whose word counts in a dial list when the contract changed between its files: rules alone."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial.papers import IRIS, SURVEY, contract, task
from sluice.dial.model import Channel
from sluice.dial.rules import (
    REACHED,
    REF,
    REFS,
    ROW,
    Task,
    compose,
)
from sluice.dial.words import AGE, readings_of


@pytest.mark.parametrize(
    ("older", "newer", "reason"),
    [
        ("N", "", "OPTED_OUT"),
        ("N", "J", None),
        ("N", "N", "OPTED_OUT"),
        ("Y", "", None),
        ("Y", "N", "OPTED_OUT"),
        ("", "", "NO_OPT_IN"),
    ],
)
def test_a_word_is_read_by_the_contract_that_its_file_came_under(older: str, newer: str, reason: str | None) -> None:
    """Another name and another cell for yes, from one version of the contract to the next."""
    mine = task()
    [before] = mine.consents
    now = replace(before, name="opt_in_texts", consent_given=("J",))
    mine = replace(mine, consents=(now,))
    readings = readings_of([contract(before, sha256="1"), contract(now, sha256="2")], mine.consents, "sms")
    rows = pl.DataFrame(
        {REF: ["r", "r"], ROW: [1, 1], AGE: [0, 1], REACHED: [True, True], f"{REFS}phone": ["a", "a"],
         mine.contact.name: ["+32470123456"] * 2, before.name: [older, None], now.name: [None, newer]}
    )  # fmt: skip

    done = compose(rows, mine, readings, None, None, Counter())

    assert done.left_out == {"OLDER_ROW": 1, **({reason: 1} if reason else {})}


@pytest.mark.parametrize(
    ("change", "follows", "counts"),
    [
        ({}, True, True),
        ({"purpose_iris": (*IRIS, SURVEY)}, True, True),
        ({"purpose_iris": (SURVEY,)}, False, False),  # a yes to something else takes back no no
    ],
)
def test_a_column_is_followed_by_the_only_new_one_that_is_for_all_its_purposes(
    change: dict[str, tuple[str, ...]], follows: bool, counts: bool
) -> None:
    [before] = task().consents
    now = replace(before, name="opt_in_texts", **change)
    old, new = readings_of([contract(before, sha256="1"), contract(now, sha256="2")], [now], "sms")

    assert bool(old.columns[before.name].purpose_iris) is counts, "whether a yes in it still counts"
    assert (before.name in new.columns) is follows and new.columns[now.name] == now
    [other] = readings_of([contract(replace(before, consent_channel="voice"), sha256="1")], [before], "sms")
    assert other.columns == {}, "a word about another channel is none about this one"


@pytest.mark.parametrize("is_marked", [False, True], ids=["marked only since", "control: marked"])
@pytest.mark.parametrize("says", ["Y", "N", ""])
def test_only_a_no_counts_in_a_column_that_is_said_to_hold_consent_only_since(says: str, is_marked: bool) -> None:
    """Whoever gave the file did not say that the cell is a consent (GDPR Art. 4(11))."""
    mine = task()
    [column] = mine.consents
    before = column if is_marked else replace(column, consent_channel=None, consent_given=())
    readings = readings_of([contract(before, sha256="1")], mine.consents, "sms")
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], mine.contact.name: ["+32470123456"],
           column.name: [says]}  # fmt: skip

    left = compose(pl.DataFrame(row), mine, readings, None, None, Counter()).left_out

    assert mine.needs_opt_in
    assert left == ({"OPTED_OUT": 1} if says == "N" else {} if says and is_marked else {"NO_OPT_IN": 1})


@pytest.mark.parametrize("is_marked", [False, True], ids=["not marked", "control: marked"])
@pytest.mark.parametrize("first", ["N", ""])
def test_a_yes_takes_no_no_back_in_a_column_that_its_contract_does_not_mark(first: str, is_marked: bool) -> None:
    """A version forgot the mark; the one before and the one in force have it."""
    mine = task(channel=Channel.PHONE)
    [column] = mine.consents
    between = column if is_marked else replace(column, consent_channel=None, consent_given=())
    papers = [contract(column, sha256="1"), contract(between, sha256="2")]
    rows = pl.DataFrame(
        {REF: ["r", "r"], ROW: [1, 1], AGE: [0, 1], REACHED: [True, True], f"{REFS}phone": ["a", "a"],
         mine.contact.name: ["+32470123456"] * 2, column.name: [first, "Y"]}
    )  # fmt: skip

    left = compose(rows, mine, readings_of(papers, mine.consents, mine.rule.word), None, None, Counter()).left_out

    assert not mine.needs_opt_in
    assert left == {"OLDER_ROW": 1, **({"OPTED_OUT": 1} if first and not is_marked else {})}


Version = dict[str, tuple[str, ...]]
"""Consent columns of one version of a contract, with their purposes."""


def left_out_under(versions: list[Version], files: list[dict[str, str]], mine: Task) -> dict[str, int]:
    """Why the newest row of a person is left out, whose cells came in files of one version each; the last is in force.

    Nothing if it is not.
    """
    [demo] = mine.consents
    papers = [
        contract(*(replace(demo, name=name, purpose_iris=iris) for name, iris in each.items()), sha256=str(number))
        for number, each in enumerate(versions)
    ]
    consents = tuple(field for field in papers[-1].fields if field.consent_channel)
    names = sorted({name for each in versions for name in each})
    rows = pl.DataFrame(
        [{REF: "r", ROW: 1, AGE: age, REACHED: True, f"{REFS}phone": "a", mine.contact.name: "+32470123456",
          **{name: cells.get(name) for name in names}} for age, cells in enumerate(files)],
        schema_overrides=dict.fromkeys(names, pl.String), infer_schema_length=None,
    )  # fmt: skip
    mine = replace(mine, consents=consents)
    done = compose(rows, mine, readings_of(papers, consents, mine.rule.word), None, None, Counter())
    return {reason: count for reason, count in done.left_out.items() if reason != "OLDER_ROW"}


ONE, TWO, BOTH = (IRIS[0],), (IRIS[1],), IRIS


@pytest.mark.parametrize("iri", IRIS)
@pytest.mark.parametrize(
    ("versions", "files", "reason"),
    [
        ([{"A": ONE, "B": TWO}, {"N": BOTH}], [{"A": "N", "B": ""}, {"N": ""}], "OPTED_OUT"),
        ([{"A": ONE, "B": TWO}, {"N": BOTH}], [{"A": "", "B": "N"}, {"N": ""}], "OPTED_OUT"),
        ([{"A": ONE}, {"B": TWO}, {"N": BOTH}], [{"A": "N"}, {"B": "Y"}, {"N": ""}], "OPTED_OUT"),
        ([{"A": ONE}, {"B": TWO}, {"N": BOTH}], [{"A": "N"}, {"B": "Y"}, {"N": "Y"}], None),
        ([{"A": ONE}, {"B": ONE}, {"N": BOTH}], [{"A": "N"}, {"B": "Y"}, {"N": ""}], None),
    ],
    ids=["a no in the first of two", "in the second", "in two versions", "control: then a yes", "control: one by one"],
)
def test_a_no_is_not_lost_when_two_columns_become_one(
    versions: list[Version], files: list[dict[str, str]], reason: str | None, iri: str
) -> None:
    mine = task(iri, channel=Channel.PHONE)
    assert not mine.needs_opt_in

    assert left_out_under(versions, files, mine) == ({reason: 1} if reason else {})


PURPOSES = st.sampled_from([ONE, TWO, BOTH])
FILE = st.tuples(
    st.dictionaries(st.sampled_from("ABCD"), PURPOSES, min_size=1, max_size=3),
    st.fixed_dictionaries(dict.fromkeys("ABCD", st.sampled_from(["Y", "N", ""]))),
)


@given(st.lists(FILE, min_size=1, max_size=4), st.sampled_from(IRIS))
def test_no_change_of_names_loses_a_no_or_makes_a_yes(found: list[tuple[Version, dict[str, str]]], iri: str) -> None:
    """A no is taken back by a later yes in the column of its name or in one for all its purposes, by nothing else."""
    versions = [version for version, _ in found]
    files = [{name: cells[name] for name in version} for version, cells in found]
    said = [(age, name, set(versions[age][name]), cell) for age, cells in enumerate(files)
            for name, cell in cells.items() if cell]  # fmt: skip
    stays = any(
        word == "N"
        and not any(
            after > age and again == "Y" and (other == name or covers >= purposes)
            for after, other, covers, again in said
        )
        for age, name, purposes, word in said
    )
    agreed = any(word == "Y" and iri in purposes for _, _, purposes, word in said)

    left = left_out_under(versions, files, task(iri, "a"))

    assert left == {"OPTED_OUT": 1} or not stays
    assert left or agreed


@pytest.mark.parametrize(
    ("words", "reasons"),
    [
        ([(0, "N"), (0, "Y")], {"OPTED_OUT": 1}),
        ([(0, "Y"), (0, "N")], {"OPTED_OUT": 1}),
        ([(0, "N"), (1, "Y")], {}),
        ([(0, "Y"), (0, "")], {}),
    ],
    ids=["no, then yes", "yes, then no", "control: a younger file", "control: an empty cell"],
)
def test_of_two_words_of_a_person_in_one_file_the_no_counts(
    words: list[tuple[int, str]], reasons: dict[str, int]
) -> None:
    mine = task(IRIS[0], channel=Channel.PHONE)
    [column] = mine.consents
    rows = pl.DataFrame(
        [{REF: "r", ROW: row, AGE: age, REACHED: True, f"{REFS}phone": "a", mine.contact.name: "+32470123456",
          column.name: word} for row, (age, word) in enumerate(words)]
    )  # fmt: skip
    column = replace(column, purpose_iris=BOTH)
    paper = contract(column, sha256="1")
    readings = readings_of([paper, paper], [column], mine.rule.word)

    left = compose(rows, mine, readings, None, None, Counter()).left_out

    assert {reason: count for reason, count in left.items() if reason != "OLDER_ROW"} == reasons
