"""The rules for when an agent is ready. Pure: from events, calendar, minimum and moment to an answer.

The rule of the center (agreement schedule USER_AUTHORISATION; GDPR Art. 28(3)(b), 29, 32(4)): an
exam with at least the minimum score, taken in one whole attempt after the whole course; then a
signature of the current code of conduct; both valid at the moment asked for.

Ties fail closed: *after* means strictly after, and a failed exam at the very moment of a passed one,
or of the course, counts against it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from sluice.staff.model import CodeVersion, Credential, Interval, Kind, Readiness, Reason, Span

_NOTHING = (Reason.NO_COURSE, Reason.NO_EXAM, Reason.NO_SIGNATURE)
"""The reasons for everybody before their first event."""

_ORDER = {reason: number for number, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The time in which a signature of ``version`` counts: from ``start`` to ``end``, exclusive or None if open."""

    version: str
    start: datetime
    end: datetime | None


def readiness(events: Sequence[Credential], codes: Sequence[CodeVersion], at: datetime, minimum: Decimal) -> Readiness:
    """Whether an agent with these events is ready at a moment, and until when, or why not.

    events: of one agent, in any order; those later than ``at`` are ignored. minimum: percent, inclusive.
    ``valid_until`` follows from the events up to ``at`` and the whole calendar.
    """
    known = [event for event in events if event.happened_at <= at]
    for interval in intervals_of(known, codes, minimum):
        if _is_in(at, interval.start, interval.end):
            return Readiness(True, (), interval.end)
    return Readiness(False, _reasons(known, codes, at, minimum), None)


def intervals_of(events: Sequence[Credential], codes: Sequence[CodeVersion], minimum: Decimal) -> tuple[Interval, ...]:
    """The times in which an agent with these events is ready: sorted, disjoint, none touching the next.

    They agree with :func:`readiness` at every moment, because later events never change an earlier answer.
    """
    accepted = accepted_times(codes)
    signatures = [event for event in events if event.kind is Kind.SIGNATURE]
    passed = [event for event in events if event.kind is Kind.EXAM and not _faults(event, events, minimum)]
    windows = (
        window
        for exam in passed
        for signature in signatures
        if signature.happened_at > exam.happened_at
        for code in accepted
        if code.version == signature.version
        for window in _window(exam, signature, code)
    )
    return _union(windows)


def timeline_of(events: Sequence[Credential], codes: Sequence[CodeVersion], minimum: Decimal) -> tuple[Span, ...]:
    """All of time, divided where the answer or its reasons change; the first span has no start, the last no end."""
    ready = intervals_of(events, codes, minimum)
    spans = [Span(None, None, _NOTHING)]
    for moment in _moments(events, codes):
        if any(_is_in(moment, interval.start, interval.end) for interval in ready):
            reasons: tuple[Reason, ...] = ()
        else:
            known = [event for event in events if event.happened_at <= moment]
            reasons = _reasons(known, codes, moment, minimum)
        if reasons != spans[-1].reasons:
            last = spans.pop()
            spans += [Span(last.start, moment, last.reasons), Span(moment, None, reasons)]
    return tuple(spans)


def accepted_times(codes: Iterable[CodeVersion]) -> tuple[Accepted, ...]:
    """When a signature of each version counts: while it is current, and in the grace period of the next version."""
    ordered = sorted(codes, key=lambda code: code.current_from)
    ends = [code.current_from for code in ordered[1:]] + [None]
    found = [Accepted(code.version, code.current_from, end) for code, end in zip(ordered, ends, strict=False)]
    for (before, code), end in zip(pairwise(ordered), ends[1:], strict=True):
        if code.grace_until and code.grace_until > code.current_from:
            found.append(Accepted(before.version, code.current_from, _sooner(code.grace_until, end)))
    return tuple(found)


def is_clear(codes: Iterable[CodeVersion]) -> bool:
    """Whether each version occurs once and no two become current at the same moment."""
    held = list(codes)
    return len({code.version for code in held}) == len({code.current_from for code in held}) == len(held)


def _moments(events: Iterable[Credential], codes: Iterable[CodeVersion]) -> list[datetime]:
    """All moments at which the answer can change."""
    of_events = (moment for event in events for moment in (event.happened_at, event.valid_until))
    of_codes = (moment for code in codes for moment in (code.current_from, code.grace_until))
    return sorted({moment for moment in (*of_events, *of_codes) if moment})


def _has_failed(exam: Credential, minimum: Decimal) -> bool:
    return not exam.whole or exam.score is None or exam.score < minimum


def _faults(exam: Credential, events: Iterable[Credential], minimum: Decimal) -> tuple[Reason, ...]:
    """Why an exam does not count, at any moment. An attempt in parts uses up its course, as a failed one does."""
    if _has_failed(exam, minimum):
        below = exam.score is None or exam.score < minimum
        parts = (Reason.EXAM_BELOW_MINIMUM, below), (Reason.EXAM_NOT_WHOLE, not exam.whole)
        return tuple(reason for reason, holds in parts if holds)
    earlier = [event for event in events if event.happened_at <= exam.happened_at]
    courses = [
        event.happened_at
        for event in earlier
        if event.kind is Kind.COURSE
        and event.whole
        and event.version == exam.version
        and event.happened_at < exam.happened_at
    ]
    if not courses:
        return (Reason.EXAM_BEFORE_COURSE,)
    failed = (
        event.happened_at >= max(courses)
        for event in earlier
        if event.kind is Kind.EXAM and _has_failed(event, minimum)
    )
    return (Reason.RETAKE_WITHOUT_COURSE,) if any(failed) else ()


def _window(exam: Credential, signature: Credential, code: Accepted) -> Iterator[Interval]:
    """The time in which this exam, this signature and this acceptance are all valid."""
    start = max(signature.happened_at, code.start)
    end = _sooner(_sooner(exam.valid_until, signature.valid_until), code.end)
    if end is None or start < end:
        yield Interval(start, end)


def _union(windows: Iterable[Interval]) -> tuple[Interval, ...]:
    joined: list[Interval] = []
    for window in sorted(windows, key=lambda each: each.start):
        last = joined[-1] if joined else None
        if last is None or (last.end is not None and window.start > last.end):
            joined.append(window)
        elif last.end is not None and (window.end is None or window.end > last.end):
            joined[-1] = Interval(last.start, window.end)
    return tuple(joined)


def _reasons(
    known: Sequence[Credential], codes: Sequence[CodeVersion], at: datetime, minimum: Decimal
) -> tuple[Reason, ...]:
    """Why an agent is not ready: steps never taken, and what is wrong with the last one taken."""
    of = {kind: [event for event in known if event.kind is kind] for kind in Kind}
    valid = [exam for exam in of[Kind.EXAM] if _is_valid(exam, at) and not _faults(exam, known, minimum)]
    found = [
        *_course_reasons(of[Kind.COURSE]),
        *(() if valid else _exam_reasons(of[Kind.EXAM], known, minimum)),
        *_signature_reasons(of[Kind.SIGNATURE], valid, codes, at),
    ]
    return tuple(sorted(set(found), key=_ORDER.__getitem__))


def _course_reasons(courses: Sequence[Credential]) -> Iterator[Reason]:
    if not courses:
        yield Reason.NO_COURSE
    elif not any(course.whole for course in courses):
        yield Reason.COURSE_NOT_WHOLE


def _exam_reasons(exams: Sequence[Credential], known: Sequence[Credential], minimum: Decimal) -> Iterator[Reason]:
    if not exams:
        yield Reason.NO_EXAM
    for exam in _latest(exams):
        yield from _faults(exam, known, minimum) or (Reason.EXAM_EXPIRED,)


def _signature_reasons(
    signatures: Sequence[Credential], valid: Sequence[Credential], codes: Sequence[CodeVersion], at: datetime
) -> Iterator[Reason]:
    if not signatures:
        yield Reason.NO_SIGNATURE
    elif valid:
        since = min(exam.happened_at for exam in valid)
        after = [signature for signature in signatures if signature.happened_at > since]
        if not after:
            yield Reason.SIGNATURE_BEFORE_EXAM
        for signature in _latest(after):
            yield _version_reason(signature, codes, at) if _is_valid(signature, at) else Reason.SIGNATURE_EXPIRED


def _version_reason(signature: Credential, codes: Sequence[CodeVersion], at: datetime) -> Reason:
    if not any(code.current_from <= at for code in codes):
        return Reason.NO_CODE_VERSION
    starts = [code.current_from for code in codes if code.version == signature.version]
    if not starts:
        return Reason.UNKNOWN_CODE_VERSION
    return Reason.OLD_CODE_VERSION if min(starts) <= at else Reason.CODE_NOT_YET_CURRENT


def _latest(events: Sequence[Credential]) -> list[Credential]:
    """All events at the latest moment: one, unless several were recorded for it."""
    last = max((event.happened_at for event in events), default=None)
    return [event for event in events if event.happened_at == last]


def _is_valid(event: Credential, at: datetime) -> bool:
    return event.valid_until is None or at < event.valid_until


def _is_in(at: datetime, start: datetime, end: datetime | None) -> bool:
    return start <= at and (end is None or at < end)


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None else other if one is None else min(one, other)
