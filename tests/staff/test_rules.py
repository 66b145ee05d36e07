"""The rule of readiness, held against a second reading of it that was written here, minute by minute."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sluice.staff.facts import exam_valid_until
from sluice.staff.model import CodeVersion, Credential, Kind, Reason
from sluice.staff.rules import intervals_of, is_clear, readiness, timeline_of

MINIMUM = Decimal("90.0")
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CALENDAR = (
    CodeVersion("coc-1", datetime(2025, 1, 1, tzinfo=UTC)),
    CodeVersion("coc-2", datetime(2026, 6, 1, tzinfo=UTC)),
)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def course(at: datetime, whole: bool = True, version: str = "gdpr") -> Credential:
    return Credential(Kind.COURSE, at, version, whole)


def exam(at: datetime, score: str, whole: bool = True, until: datetime | None = None) -> Credential:
    return Credential(Kind.EXAM, at, "gdpr", whole, Decimal(score), until or exam_valid_until(at))


def signature(at: datetime, version: str = "coc-1") -> Credential:
    return Credential(Kind.SIGNATURE, at, version)


# --- the second reading: loops over every exam and signature, in the words of the rule --------------


def oracle(events: list[Credential], codes: tuple[CodeVersion, ...], at: datetime, minimum: Decimal) -> bool:
    done = [event for event in events if event.happened_at <= at]
    newest_first = sorted((code for code in codes if code.current_from <= at), key=lambda c: c.current_from)[::-1]
    counts = {code.version for code in newest_first[:1]}
    if len(newest_first) > 1 and newest_first[0].grace_until and at < newest_first[0].grace_until:
        counts.add(newest_first[1].version)
    for passed in done:
        if not (passed.kind == "exam" and passed.whole and passed.score is not None and passed.score >= minimum):
            continue
        if passed.valid_until is not None and passed.valid_until <= at:
            continue
        if not any(_is_prepared(begun, passed, done, minimum) for begun in done):
            continue
        for signed in done:
            if signed.kind == "signature" and signed.happened_at > passed.happened_at and signed.version in counts:
                return True
    return False


def _is_prepared(begun: Credential, passed: Credential, done: list[Credential], minimum: Decimal) -> bool:
    """Whether this is a whole course before the exam, and no exam was failed since."""
    if not (begun.kind == "course" and begun.whole and begun.version == passed.version):
        return False
    if not begun.happened_at < passed.happened_at:
        return False
    for other in done:
        is_failed = other.kind == "exam" and (not other.whole or other.score is None or other.score < minimum)
        if is_failed and begun.happened_at <= other.happened_at <= passed.happened_at:
            return False
    return True


# --- the acceptance row, line by line ----------------------------------------------------------------

NEXT, LAST = CALENDAR[1].current_from, exam_valid_until(day(1))
PASSED = "c0 e1:95 s2"
"""Course on day 0, exam of 95 % on day 1, signature on day 2; ``-``: not whole."""
STORIES: dict[str, tuple[str, datetime, tuple[Reason, ...]]] = {
    "90 % exactly": ("c0 e1:90 s2", day(3), ()),
    "90.0000 exactly": ("c0 e1:90.0000 s2", day(3), ()),
    "89.99 %": ("c0 e1:89.99 s2", day(3), (Reason.EXAM_BELOW_MINIMUM,)),
    "retake of the exam only": ("c0 e1:60 e2:99 s3", day(4), (Reason.RETAKE_WITHOUT_COURSE,)),
    "a second retake of the exam only": ("c0 e1:60 e2:99 e3:100 s4", day(5), (Reason.RETAKE_WITHOUT_COURSE,)),
    "retake of the whole course": ("c0 e1:60 c2 e3:90 s4", day(5), ()),
    "retake of a part of the course": ("c0 e1:60 c2- e3:95 s4", day(5), (Reason.RETAKE_WITHOUT_COURSE,)),
    "exam in parts": ("c0 e1:95- s2", day(3), (Reason.EXAM_NOT_WHOLE,)),
    "exam before the course": ("e0:95 c1 s2", day(3), (Reason.EXAM_BEFORE_COURSE,)),
    "exam at the moment of the course": ("c0 e0:95 s2", day(3), (Reason.EXAM_BEFORE_COURSE,)),
    "another course": ("c0:fire e1:95 s2", day(3), (Reason.EXAM_BEFORE_COURSE,)),
    "signature before the exam": ("c0 s1 e2:95", day(3), (Reason.SIGNATURE_BEFORE_EXAM,)),
    "signature at the moment of the exam": ("c0 e2:95 s2", day(3), (Reason.SIGNATURE_BEFORE_EXAM,)),
    "old code version": (PASSED, NEXT, (Reason.OLD_CODE_VERSION,)),
    "one second before the new code version": (PASSED, NEXT - SECOND, ()),
    "expired": ("c0 e1:95 s200:coc-2", LAST, (Reason.EXAM_EXPIRED,)),
    "one second before it expires": ("c0 e1:95 s200:coc-2", LAST - SECOND, ()),
    "a renewed exam, the code not signed again": (
        "c0 e1:95 s200:coc-2 c300 e301:95", LAST, (Reason.SIGNATURE_BEFORE_EXAM,),
    ),
    "contact one second before the signature": (PASSED, day(2) - SECOND, (Reason.NO_SIGNATURE,)),
    "contact at the second of the signature": (PASSED, day(2), ()),
    "an exam failed at the moment of the course": ("c0 e0:60 e1:95 s2", day(3), (Reason.RETAKE_WITHOUT_COURSE,)),
    "failed and passed at one moment": (
        "c0 e1:60 e1:95 s2", day(3), (Reason.EXAM_BELOW_MINIMUM, Reason.RETAKE_WITHOUT_COURSE),
    ),
    "nothing at all": ("", day(0), (Reason.NO_COURSE, Reason.NO_EXAM, Reason.NO_SIGNATURE)),
    "a code that nobody wrote": ("c0 e1:95 s2:coc-9", day(3), (Reason.UNKNOWN_CODE_VERSION,)),
    "a code of later": ("c0 e1:95 s2:coc-2", day(3), (Reason.CODE_NOT_YET_CURRENT,)),
    "a code of later, once it is current": ("c0 e1:95 s2:coc-2", NEXT, ()),
    "passed, and a later exam failed": (f"{PASSED} e3:50", day(4), ()),
}  # fmt: skip


def told(story: str) -> list[Credential]:
    """The events of a line of the acceptance row."""
    events = []
    for word in story.split():
        whole, (when, _, what) = not word.endswith("-"), word[1:].rstrip("-").partition(":")
        at = day(int(when))
        match word[0]:
            case "c":
                events.append(course(at, whole, what or "gdpr"))
            case "e":
                events.append(exam(at, what, whole))
            case _:
                events.append(signature(at, what or "coc-1"))
    return events


@pytest.mark.evidence
def test_every_line_of_the_acceptance_row_is_right(record_property: Callable[[str, object], None]) -> None:
    wrong = []
    for name, (story, at, reasons) in STORIES.items():
        events = told(story)
        answer = readiness(events, CALENDAR, at, MINIMUM)
        is_right = answer.reasons == reasons and answer.ready is (reasons == ())
        if not is_right or oracle(events, CALENDAR, at, MINIMUM) is not answer.ready:
            wrong.append(name)
    record_property(
        "staff: lines of the acceptance row that are right", f"{len(STORIES) - len(wrong)} of {len(STORIES)}"
    )
    assert wrong == []


def test_no_code_is_current_before_the_first_one() -> None:
    events = told(PASSED)
    assert readiness(events, (), day(3), MINIMUM).reasons == (Reason.NO_CODE_VERSION,)


def test_the_grace_of_a_new_code_keeps_the_one_before_it_and_no_older_one() -> None:
    codes = (
        CodeVersion("a", day(-90)),
        CodeVersion("b", day(10), grace_until=day(40)),
        CodeVersion("c", day(20), grace_until=day(30)),
    )
    of_a = [course(day(0)), exam(day(1), "95"), signature(day(2), "a")]
    of_b = [course(day(0)), exam(day(1), "95"), signature(day(12), "b")]
    assert [readiness(of_a, codes, day(n), MINIMUM).ready for n in (9, 10, 19, 20, 25)] == [True] * 3 + [False] * 2
    assert [readiness(of_b, codes, day(n), MINIMUM).ready for n in (12, 20, 29, 30)] == [True, True, True, False]


def test_readiness_ends_when_the_next_code_begins_unless_it_is_signed_already() -> None:
    events = told(PASSED)
    assert readiness(events, CALENDAR, day(3), MINIMUM).valid_until == CALENDAR[1].current_from
    both = [*events, signature(day(4), "coc-2")]
    assert readiness(both, CALENDAR, day(3), MINIMUM).valid_until == CALENDAR[1].current_from
    assert readiness(both, CALENDAR, day(5), MINIMUM).valid_until == exam_valid_until(day(1))


def test_an_exam_lasts_a_calendar_year_on_brussels_clocks() -> None:
    assert exam_valid_until(datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == datetime(2027, 3, 28, 23, 30, tzinfo=UTC)
    assert exam_valid_until(datetime(2024, 2, 29, 11, tzinfo=UTC)) == datetime(2025, 2, 28, 11, tzinfo=UTC)


def test_the_minimum_is_the_agreement_s_and_a_failed_exam_is_failed_under_it() -> None:
    events = [course(day(0)), exam(day(1), "85"), exam(day(2), "95"), signature(day(3))]
    assert readiness(events, CALENDAR, day(4), Decimal(80)).ready
    assert readiness(events, CALENDAR, day(4), Decimal(90)).reasons == (Reason.RETAKE_WITHOUT_COURSE,)


# --- properties --------------------------------------------------------------------------------------

HOURS = st.integers(0, 20).map(lambda hour: START + timedelta(hours=hour))
EVENTS = st.lists(
    st.one_of(
        st.builds(course, HOURS, st.booleans(), st.sampled_from(["gdpr", "gdpr", "fire"])),
        st.builds(
            lambda at, score, whole, lasts: exam(at, score, whole, at + timedelta(hours=lasts)),
            HOURS,
            st.sampled_from(["89.99", "90", "95"]),
            st.sampled_from([True, True, False]),
            st.integers(1, 20),
        ),
        st.builds(signature, HOURS, st.sampled_from(["a", "b", "c", "d"])),
    ),
    max_size=9,
)
CODES = st.lists(
    st.tuples(HOURS, st.one_of(st.none(), st.integers(1, 9))), max_size=3, unique_by=lambda each: each[0]
).map(
    lambda drawn: tuple(
        CodeVersion(version, at, grace_until=None if hours is None else at + timedelta(hours=hours))
        for version, (at, hours) in zip("abc", drawn, strict=False)
    )
)
MOMENTS = [START + timedelta(minutes=minutes) for minutes in range(-30, 42 * 60, 30)]


@given(EVENTS, CODES)
@settings(max_examples=100, deadline=None)
@example([course(day(0)), exam(day(1 / 24), "90"), signature(day(2 / 24), "a")], (CodeVersion("a", day(0)),))
def test_readiness_intervals_and_timeline_agree_with_the_second_reading(
    events: list[Credential], codes: tuple[CodeVersion, ...]
) -> None:
    intervals = intervals_of(events, codes, MINIMUM)
    spans = timeline_of(events, codes, MINIMUM)
    for at in MOMENTS:
        answer = readiness(events, codes, at, MINIMUM)
        in_interval = [each for each in intervals if each.start <= at and (each.end is None or at < each.end)]
        span = next(s for s in spans if (s.start is None or s.start <= at) and (s.end is None or at < s.end))
        assert answer.ready is oracle(events, codes, at, MINIMUM) is bool(in_interval)
        assert span.reasons == answer.reasons
        assert answer.ready is not bool(answer.reasons)


@given(EVENTS, CODES)
@settings(max_examples=50, deadline=None)
def test_intervals_are_sorted_and_apart_and_the_timeline_has_no_hole(
    events: list[Credential], codes: tuple[CodeVersion, ...]
) -> None:
    intervals, spans = intervals_of(events, codes, MINIMUM), timeline_of(events, codes, MINIMUM)
    assert all(one.end is not None and one.end < two.start for one, two in pairwise(intervals))
    assert spans[0].start is None and spans[-1].end is None
    assert all(one.end == two.start and one.reasons != two.reasons for one, two in pairwise(spans))


@given(EVENTS, CODES, st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_events_and_codes_does_not_matter(
    events: list[Credential], codes: tuple[CodeVersion, ...], dice: Random
) -> None:
    shuffled, turned = list(events), list(codes)
    dice.shuffle(shuffled)
    dice.shuffle(turned)
    assert timeline_of(shuffled, turned, MINIMUM) == timeline_of(events, codes, MINIMUM)


def test_the_oracle_can_say_no() -> None:
    events, at = told(STORIES["89.99 %"][0]), day(3)
    assert oracle(events, CALENDAR, at, Decimal("89.99")) and not oracle(events, CALENDAR, at, MINIMUM)


def test_a_calendar_with_two_codes_at_one_moment_is_not_clear() -> None:
    assert is_clear(CALENDAR)
    assert not is_clear((CodeVersion("a", day(0)), CodeVersion("b", day(0))))
    assert not is_clear((CodeVersion("a", day(0)), CodeVersion("a", day(1))))
