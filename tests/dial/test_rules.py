"""What a dial list rests on, and whose word counts in it: rules alone, on every basis that a paper can name."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dial.papers import GDPR, IRIS, SURVEY, TODAY, as_today, task
from sluice.agreement.model import FieldRole
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
)
from sluice.dial.words import AGE, SAID
from sluice.subject.scope import MARKETING, OBJECTIONABLE, Use, scope_of
from sluice.subject.suppression import Suppression

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


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
