"""What a dial list rests on, and whose word counts in it: rules alone, on every basis that a paper can name."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.agreement.model import DataContract, FieldRole
from sluice.agreement.papers import Paper
from sluice.dial.facts import channel_rule
from sluice.dial.model import Channel
from sluice.dial.rules import (
    CONSENT,
    CONSENT_AT,
    CONSENT_UNTIL,
    REACHED,
    REF,
    REFS,
    ROW,
    Task,
    compose,
    task_of,
)
from sluice.dial.words import AGE, SAID, Reading, readings_of
from sluice.subject.scope import MARKETING, OBJECTIONABLE, Use, scope_of
from sluice.subject.suppression import Suppression

PAPERS = Path(__file__).resolve().parents[2] / "include" / "principals" / "energy01"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
IRIS = ("https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare")
TODAY = date(2026, 11, 26)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def task(iri: str = IRIS[0], letter: str = "f", channel: Channel = Channel.SMS) -> Task:
    """Renewal as the demo principal has it: by legitimate interest; over one more channel, or for another purpose."""
    agreement = load_agreement(PAPERS / "agreement-3.0.0.yaml")
    contract = load_contract(PAPERS / "renewal_campaign.inbound.odcs.yaml", agreement)
    purpose = replace(agreement.purposes[0], channels=("voice", "sms", "email"))
    fields = tuple(
        replace(each, consent_channel="sms") if each.consent_channel == "email" else each for each in contract.fields
    )
    paper = Paper(replace(agreement, purposes=(purpose,)), replace(contract, fields=fields))
    found = task_of(paper, "P-RENEW", channel_rule(channel, TODAY))
    assert isinstance(found, Task)
    return replace(found, purpose=replace(purpose, iri=iri, legal_basis=GDPR + letter))


def as_today(mine: Task) -> Reading:
    """Every file came under the contract that is in force."""
    return Reading(frozenset({0, 1}), {column.name: column for column in mine.consents})


@pytest.mark.parametrize("channel", list(Channel))
def test_a_withdrawal_stops_what_needs_a_yes_whatever_the_paper_calls_its_basis(channel: Channel) -> None:
    """GDPR Art. 7(3); CJEU C-129/21 (Proximus)."""
    for iri, letter in product(IRIS, "abcdef"):
        each = task(iri, letter, channel)
        needs_yes = letter == "a" or (iri in MARKETING and channel is not Channel.PHONE)
        for purposes, only in product((frozenset[str](), frozenset({iri})), (None, each.rule.word)):
            withdrawn = scope_of(Suppression.CONSENT_WITHDRAWN, purposes, only)
            assert withdrawn.stops(each.use) == needs_yes == each.needs_opt_in
            objected = scope_of(Suppression.OBJECTED, purposes, only)
            assert objected.stops(each.use) == (iri in MARKETING or GDPR + letter in OBJECTIONABLE)
        assert not scope_of(Suppression.CONSENT_WITHDRAWN, frozenset({IRIS[iri == IRIS[0]]})).stops(each.use)
    by_paper = Use(IRIS[0], GDPR + "f", "sms")
    assert not scope_of(Suppression.CONSENT_WITHDRAWN).stops(by_paper), "control: by its paper alone a text would go"


AGES = {"older": timedelta(days=-1), "of one moment": timedelta(0), "younger": timedelta(days=1)}


@pytest.mark.parametrize(
    ("word", "says", "age", "reason"),
    [
        *(("given", "Y", age, None) for age in AGES),
        ("given", "N", "older", None),
        ("given", "N", "of one moment", None),
        ("given", "N", "younger", "OPTED_OUT"),
        *(("no", says, age, "OPTED_OUT") for says in "YN" for age in AGES),  # CJEU C-129/21 (Proximus)
        ("expired", "Y", "older", "OPTED_OUT"),
        ("expired", "Y", "of one moment", "OPTED_OUT"),
        ("expired", "Y", "younger", None),
        *(("expired", "N", age, "OPTED_OUT") for age in AGES),
    ],
)
@pytest.mark.parametrize("channel", [Channel.PHONE, Channel.SMS])
def test_no_file_takes_back_a_no_that_is_on_record_and_else_the_younger_word_counts(
    word: str, says: str, age: str, reason: str | None, channel: Channel
) -> None:
    mine = task(channel=channel)
    [column] = mine.consents
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], mine.contact.name: ["+32470123456"],
           column.name: [says], CONSENT: [word], SAID: [NOON + AGES[age]], CONSENT_AT: [NOON],
           CONSENT_UNTIL: [None]}  # fmt: skip

    done = compose(pl.DataFrame(row), mine, [as_today(mine)], None, None, Counter())

    assert done.left_out == ({reason: 1} if reason else {})
    alone = pl.DataFrame(row).drop(CONSENT, SAID, CONSENT_AT, CONSENT_UNTIL)
    without = compose(alone, mine, [as_today(mine)], None, None, Counter())
    assert without.left_out == ({} if says == "Y" else {"OPTED_OUT": 1}), "control: the file alone"


@pytest.mark.parametrize(
    ("older", "newer", "reason"),
    [
        (("no", 0), (None, None), "OPTED_OUT"),
        (("no", 0), ("given", 1), None),
        (("no", 1), ("given", 0), "OPTED_OUT"),
        (("no", 0), ("given", 0), "OPTED_OUT"),
        (("given", 0), ("no", 1), "OPTED_OUT"),
        ((None, None), (None, None), None),  # control
    ],
)
def test_a_no_on_record_follows_the_person_to_the_next_number(
    older: tuple[str | None, int | None], newer: tuple[str | None, int | None], reason: str | None
) -> None:
    """Recorded under a telephone that the principal's next file has no more."""
    mine = task(channel=Channel.PHONE)
    [column] = mine.consents
    words, days = zip(older, newer, strict=True)
    rows = pl.DataFrame(
        {REF: ["r", "r"], ROW: [1, 1], AGE: [0, 1], REACHED: [True, True], f"{REFS}phone": ["a", "b"],
         mine.contact.name: ["+32470123456", "+32470123457"], column.name: ["Y", "Y"],
         SAID: [NOON, NOON + timedelta(days=9)], CONSENT: pl.Series(words, dtype=pl.String),
         CONSENT_AT: [None if day is None else NOON + timedelta(days=day) for day in days],
         CONSENT_UNTIL: pl.Series([None, None], dtype=pl.Date)},
        schema_overrides={CONSENT_AT: pl.Datetime("us", "UTC")},
    )  # fmt: skip

    done = compose(rows, mine, [as_today(mine)], None, None, Counter())

    assert done.left_out == {"OLDER_ROW": 1, **({reason: 1} if reason else {})}


DAYS = st.none() | st.integers(0, 9).map(lambda days: TODAY + timedelta(days=days))


@given(st.lists(st.tuples(st.sampled_from(["given", "expired", "no"]), st.sampled_from("YN"), DAYS), max_size=6))
def test_a_list_lasts_as_long_as_the_yes_that_ends_first_of_those_who_are_in_it(
    people: list[tuple[str, str, date | None]],
) -> None:
    mine = task(channel=Channel.PHONE)
    [column] = mine.consents
    count = len(people)
    rows = pl.DataFrame(
        {REF: [f"r{place}" for place in range(count)], ROW: list(range(count)), AGE: [0] * count,
         REACHED: [True] * count, mine.contact.name: ["+32470123456"] * count,
         column.name: [says for _, says, _ in people], SAID: [NOON - timedelta(days=1)] * count,
         CONSENT: [word for word, _, _ in people], CONSENT_AT: [NOON] * count,
         CONSENT_UNTIL: [until for *_, until in people]},
        schema={REF: pl.String, ROW: pl.UInt32, AGE: pl.UInt32, REACHED: pl.Boolean, mine.contact.name: pl.String,
                column.name: pl.String, SAID: pl.Datetime("us", "UTC"), CONSENT: pl.String,
                CONSENT_AT: pl.Datetime("us", "UTC"), CONSENT_UNTIL: pl.Date},
    )  # fmt: skip

    done = compose(rows, mine, [as_today(mine)], None, None, Counter())

    called = [until for word, _, until in people if word == "given"]
    assert done.rows.height == len(called)
    assert done.until == min((until for until in called if until), default=None)


SURVEY = "https://w3id.org/dpv#ServiceUsageAnalytics"
SAYS = {"yes": "Y", "no": "N", "nothing": ""}


def two_columns() -> tuple[Task, FieldRole, FieldRole]:
    """Two opt-ins over one channel: to marketing, which the list is for, and to a survey."""
    found = task()
    [marketing] = found.consents
    survey = replace(marketing, name="opt_in_survey", purpose_iris=(SURVEY,))
    return replace(found, consents=(survey, marketing)), marketing, survey


@pytest.mark.parametrize(("to_marketing", "to_survey"), list(product(SAYS, SAYS)))
def test_a_yes_to_another_purpose_is_none_and_a_no_over_the_channel_is_one(to_marketing: str, to_survey: str) -> None:
    """GDPR Art. 4(11), 6(1)(a)."""
    sms, marketing, survey = two_columns()
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], sms.contact.name: ["+32470123456"],
           marketing.name: [SAYS[to_marketing]], survey.name: [SAYS[to_survey]]}  # fmt: skip

    done = compose(pl.DataFrame(row), sms, [as_today(sms)], None, None, Counter())

    reason = "OPTED_OUT" if "no" in (to_marketing, to_survey) else None if to_marketing == "yes" else "NO_OPT_IN"
    assert done.left_out == ({reason: 1} if reason else {})


def test_a_yes_to_another_purpose_neither_makes_good_nor_hides_what_a_record_says() -> None:
    sms, marketing, survey = two_columns()
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], sms.contact.name: ["+32470123456"],
           marketing.name: [""], survey.name: ["Y"], SAID: [NOON + timedelta(days=1)], CONSENT_AT: [NOON],
           CONSENT_UNTIL: [None]}  # fmt: skip

    left = {
        word: compose(pl.DataFrame(row | {CONSENT: [word]}), sms, [as_today(sms)], None, None, Counter()).left_out
        for word in ("given", "no")
    }

    assert left == {"given": {}, "no": {"OPTED_OUT": 1}}


def contract(*columns: FieldRole, sha256: str) -> DataContract:
    """The demo contract with these consent columns alone, as a version of its own."""
    demo = load_contract(PAPERS / "renewal_campaign.inbound.odcs.yaml", load_agreement(PAPERS / "agreement-3.0.0.yaml"))
    others = tuple(field for field in demo.fields if not field.consent_channel)
    return replace(demo, fields=(*others, *columns), sha256=sha256)


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
