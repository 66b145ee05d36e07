"""Which record of consent counts, and what it lifts: against the rule written once more, record by record."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.consent import SCHEMA, WORD, ConsentState, given_since, last_words, still_needed, word_of_rows
from sluice.subject.scope import CONSENT, Scope, Use, scope_of, sift
from sluice.subject.suppression import Suppression, suppress

DAY0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
PURPOSES, CHANNELS, REFS = ("p1", "p2"), ("voice", "sms"), ("r1", "r2")
USES = [Use(purpose, CONSENT, channel) for purpose in PURPOSES for channel in (*CHANNELS, None)]
Record = dict[str, object]
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "ref": st.sampled_from(REFS),
            "purpose": st.sampled_from(PURPOSES),
            "channel": st.sampled_from(CHANNELS),
            "state": st.sampled_from([each.value for each in ConsentState]),
            "at": st.integers(0, 6).map(lambda n: DAY0 + timedelta(days=n)),
            "until": st.none() | st.integers(0, 9).map(lambda n: DAY0.date() + timedelta(days=n)),
        }
    ),
    max_size=12,
)
DAYS = st.integers(0, 10).map(lambda n: DAY0.date() + timedelta(days=n))


def frame(records: list[Record]) -> pl.DataFrame:
    told = [
        {**each, "method": "m", "notice": "n", "collected_by": "c", "record_id": f"{number:03}"}
        for number, each in enumerate(records)
    ]
    return pl.DataFrame(told, schema=SCHEMA)


def last(records: list[Record], about: tuple[str, str, str], on: date) -> tuple[str, object] | None:
    """State and moment that count, by the rule once more: the youngest, of one moment a no, a yes to its last day."""
    mine = [each for each in records if (each["ref"], each["purpose"], each["channel"]) == about]
    mine.sort(key=lambda each: (each["at"], each["state"] != "given"))  # of one moment as they were written down
    counts: Record | None = None
    for each in mine:
        if each["state"] != "expired" or counts is None or counts["state"] in ("given", "expired"):
            counts = each
    if counts is None:
        return None
    until = counts["until"] if counts["state"] == "given" else None
    has_ended = until is not None and until < on  # type: ignore[operator]
    return ("given" if counts["state"] == "given" and not has_ended else "no"), counts["at"]


@given(RECORDS, DAYS)
def test_the_last_word_counts_and_of_two_of_one_moment_the_no(records: list[Record], on: date) -> None:
    words = last_words(frame(records), on)

    for purpose in PURPOSES:
        for channel in CHANNELS:
            for ref in REFS:
                mine = words.filter(ref=ref, purpose=purpose, channel=channel)
                found = [("given" if row["state"] == "given" else "no", row["at"]) for row in mine.to_dicts()]
                expected = last(records, (ref, purpose, channel), on)
                assert found == ([expected] if expected else [])


@pytest.mark.slow
@given(RECORDS, st.sets(st.sampled_from(PURPOSES)), st.sampled_from([*CHANNELS, None]), st.integers(-1, 6), DAYS)
def test_consent_given_after_a_withdrawal_lifts_it_for_its_purpose_and_channel_only(
    records: list[Record], purposes: set[str], channel: str | None, day: int, on: date
) -> None:
    withdrawn_at, scope = (
        DAY0 + timedelta(days=day),
        scope_of(Suppression.CONSENT_WITHDRAWN, frozenset(purposes), channel),
    )
    again = given_since(last_words(frame(records), on), withdrawn_at)
    run = suppress(REFS, Suppression.CONSENT_WITHDRAWN)

    for use in USES:
        out = set(sift([(run, scope)], [frozenset({use})], {0: again})["ref"])
        for ref in REFS:
            word = last(records, (ref, use.purpose, use.channel or ""), on) if use.channel else None
            is_given_since = word is not None and word[0] == "given" and word[1] > withdrawn_at  # type: ignore[operator]
            assert (ref in out) == (scope.stops(use) and not is_given_since)


def test_a_rule_that_forgets_when_it_was_withdrawn_lifts_too_much() -> None:
    """The control: the same record, older than the withdrawal."""
    said: Record = {"ref": "r1", "purpose": "p1", "channel": "sms", "state": "given", "at": DAY0, "until": None}
    words = last_words(frame([said]), DAY0.date())

    assert given_since(words, DAY0 + timedelta(days=1)).is_empty() and given_since(words, DAY0).is_empty()
    assert given_since(words, datetime.min.replace(tzinfo=UTC)).height == 1


@given(RECORDS, DAYS)
def test_nothing_but_a_withdrawal_is_lifted(records: list[Record], on: date) -> None:
    again = given_since(last_words(frame(records), on), DAY0 - timedelta(days=1))
    withdrawn, objected = suppress(REFS, Suppression.CONSENT_WITHDRAWN), suppress(REFS, Suppression.ERASED)
    needs = [frozenset({USES[0]})]

    found = sift([(withdrawn, Scope()), (objected, Scope())], needs, {0: again})

    assert set(found["ref"]) == set(REFS)
    assert set(found["reason"]) == {"erased"}


@pytest.mark.parametrize(
    ("state", "until", "is_needed"),
    [
        ("given", None, True),
        ("given", date(2026, 11, 1), False),
        ("given", date(2026, 11, 25), True),
        ("refused", None, False),
    ],
)
def test_a_record_goes_some_days_after_it_ended(state: str, until: date | None, is_needed: bool) -> None:
    said: Record = {
        "ref": "r", "purpose": "p", "channel": "c", "state": state, "at": DAY0 - timedelta(days=20), "until": until,
    }  # fmt: skip

    assert still_needed(frame([said]), DAY0.date(), 10).height == int(is_needed)
    assert still_needed(frame([said]), DAY0.date(), 400).height == 1


@given(RECORDS, DAYS, st.integers(0, 9))
def test_no_record_outlives_the_one_that_took_it_back(records: list[Record], on: date, days: int) -> None:
    """Whatever goes, a word that is left is the word that counted."""
    before = last_words(frame(records), on)
    kept = still_needed(frame(records), on, days)

    assert kept.join(before, on="record_id", how="semi").height == kept.select(WORD).unique().height
    assert last_words(kept, on).join(before, on=list(SCHEMA), how="anti", nulls_equal=True).is_empty()


@pytest.mark.parametrize(("first", "counts"), [("withdrawn", "no"), ("refused", "no"), ("given", "expired")])
def test_that_a_consent_ran_out_takes_back_no_no(first: str, counts: str) -> None:
    said: Record = {"ref": "r1", "purpose": "p1", "channel": "sms", "state": first, "at": DAY0, "until": None}
    ran_out = {**said, "state": "expired", "at": DAY0 + timedelta(days=1)}
    words = last_words(frame([said, ran_out, {**ran_out, "at": DAY0 + timedelta(days=2)}]), DAY0.date())

    assert word_of_rows([pl.Series("phone", ["r1"])], words, "p1", "sms")["consent"].to_list() == [counts]


def test_a_yes_without_end_goes_with_the_no_that_took_it_back() -> None:
    said: Record = {"ref": "r", "purpose": "p", "channel": "c", "state": "given", "at": DAY0 - timedelta(days=90),
                    "until": None}  # fmt: skip
    taken_back = {**said, "state": "withdrawn", "at": DAY0 - timedelta(days=20)}

    assert still_needed(frame([said, taken_back]), DAY0.date(), 30).height == 2
    assert still_needed(frame([said, taken_back]), DAY0.date(), 10).is_empty()
    assert still_needed(frame([said]), DAY0.date(), 10).height == 1, "control: alone it stays"


@given(st.integers(0, 400), st.integers(0, 400))
def test_what_ran_out_is_as_old_as_the_end_of_its_last_day(since: int, more: int) -> None:
    at = DAY0 - timedelta(days=since)
    until = at.date() + timedelta(days=more)
    said: Record = {"ref": "r1", "purpose": "p1", "channel": "sms", "state": "given", "at": at, "until": until}

    def word(on: date) -> tuple[object, ...]:
        found = word_of_rows([pl.Series("phone", ["r1"])], last_words(frame([said]), on), "p1", "sms")
        return found.row(0)

    assert word(until) == ("given", at, until)
    end = datetime.combine(until, time.max, ZoneInfo("Europe/Brussels"))
    assert word(until + timedelta(days=1)) == ("expired", end.astimezone(UTC), None)


def test_a_yes_by_another_reference_counts_though_an_older_one_ran_out_after_it() -> None:
    day = timedelta(days=1)
    first: Record = {"ref": "r1", "purpose": "p1", "channel": "sms", "state": "given", "at": DAY0,
                     "until": (DAY0 + 5 * day).date()}  # fmt: skip
    again = {**first, "ref": "r2", "at": DAY0 + 3 * day, "until": None}
    words = last_words(frame([first, again]), (DAY0 + 9 * day).date())
    columns = [pl.Series("phone", ["r1", "r1"]), pl.Series("email", [None, "r2"])]

    assert word_of_rows(columns, words, "p1", "sms")["consent"].to_list() == ["expired", "given"]


def test_a_row_has_the_last_word_of_any_of_its_references() -> None:
    said: Record = {"ref": "r1", "purpose": "p1", "channel": "sms", "state": "given", "at": DAY0, "until": None}
    later = {**said, "ref": "r2", "state": "withdrawn", "at": DAY0 + timedelta(days=1)}
    words = last_words(frame([said, later]), DAY0.date())
    columns = [pl.Series("phone", ["r1", "r1", None, "x"]), pl.Series("email", [None, "r2", "r2", None])]

    assert word_of_rows(columns, words, "p1", "sms")["consent"].to_list() == ["given", "no", "no", None]
    assert word_of_rows(columns, words, "p1", "voice")["consent"].to_list() == [None] * 4
