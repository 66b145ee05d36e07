"""A rule of months is only ever added to a date: 28 February and a month is 28 March; 31 March less a month is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreement.papers import PRINCIPALS
from gate.papers import a_contract, a_field, a_key
from sluice.agreement.folder.load import find_on_file
from sluice.agreement.model import RetentionRule
from sluice.agreement.papers import Paper
from sluice.exchange.last_days import shortest_retention
from sluice.exchange.model import Opened
from sluice.returns.keep import starts_of
from sluice.returns.paper import UTC_TEXT, columns_over, is_nothing_left, kept_from
from sluice.rights.case.clock import months_later
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal
from sluice.times import BRUSSELS

MONTHS = {"P1M": 1, "P3M": 3, "P1Y": 12}
FIRST, LAST = date(2026, 1, 1), date(2028, 12, 31)
DAYS = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
STARTS = ("call", "received", "delivered", "contract_end")
RECORDING = "recording_ref"
AGREEMENT, _ = find_on_file(PRINCIPALS, "DPA-ENERGY01", date(2026, 3, 31))
NOON = time(12)


def under(duration: str, start: str = "call", *, required: bool = False) -> Paper:
    """A paper of three columns: who, a recording and a note; the last two end by the rule in question."""
    rule = RetentionRule("RET-REC", start, duration, None)
    rules = (RetentionRule("RET-01", "received", "P10Y", None), rule)
    recording = a_field(RECORDING, group=FieldGroup.RECORDING_REF, retention_rule="RET-REC", required=required)
    note = a_field("note", group=FieldGroup.NOTE_FREE_TEXT, retention_rule="RET-REC")
    contract = replace(a_contract(a_key(), recording, note), direction=Direction.OUTBOUND_RETURN)
    return Paper(replace(AGREEMENT, valid_to=None, retention_rules=rules), contract)


def opened(day: date, at: datetime) -> Opened:
    """A return of the calls of a day."""
    names = ExchangeId("7b0d3f1e-0000-4000-8000-000000000000"), Principal("energy01")
    return Opened(
        *names, Direction.OUTBOUND_RETURN, Flow("renewal_results"), "exchange", "energy01/x/renewal_results/file",
        "v1", 10, "DPA", at.astimezone(UTC), 0, day,
    )  # fmt: skip


def at(day: date, clock: time = NOON) -> datetime:
    return datetime.combine(day, clock, BRUSSELS)


def goes(paper: Paper, call: datetime, made: datetime, column: str = RECORDING) -> bool:
    """Whether a cell of a call is in the return."""
    first = kept_from(paper, opened(call.astimezone(BRUSSELS).date(), made)).get(column)
    return first is None or call.astimezone(UTC).strftime(UTC_TEXT) >= first


def around(day: date, duration: str) -> Iterator[tuple[date, bool]]:
    """Days about the one on which a rule that began on a day ends, and whether it is over by then."""
    end = months_later(day, MONTHS[duration])
    return ((end + timedelta(days=n), n > 0) for n in (-3, -2, -1, 0, 1, 2, 3, 31))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("duration", MONTHS)
def test_a_recording_of_every_day_goes_to_the_day_that_its_duration_ends_and_not_after(
    duration: str, start: str
) -> None:
    """The other way of counting, which took the month off, gives another day at the end of every month."""
    paper, sent = under(duration, start), 0
    for day in DAYS:
        for on, is_over in around(day, duration):
            assert goes(paper, at(day), at(on)) is not is_over, (day, on)
            assert (RECORDING in columns_over(paper, opened(day, at(on)))) is is_over, (day, on)
            sent += not is_over
    assert sent == 4 * len(DAYS), "control: as many go as stay"


@pytest.mark.parametrize("duration", MONTHS)
def test_a_return_is_kept_to_the_day_on_which_its_recordings_end_whatever_their_rule_starts_at(duration: str) -> None:
    for day in DAYS:
        made = day + timedelta(days=2)
        for start in STARTS:
            paper = under(duration, start)
            found = shortest_retention(paper.agreement, paper.contract, starts_of(opened(day, at(made)), made))
            assert found == ("RET-REC", months_later(day, MONTHS[duration])), (day, start)


def test_a_call_of_the_last_of_february_is_over_by_the_end_of_march() -> None:
    made, call = datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC)
    for start in STARTS:
        assert not goes(under("P1M", start), call, made)
    assert goes(under("P1M"), call, datetime(2026, 3, 28, 12, tzinfo=UTC)), "control: its last day"


@given(
    st.sampled_from(DAYS), st.times(), st.times(), st.sampled_from([*MONTHS]), st.sampled_from([0, 1]),
)  # fmt: skip
def test_on_the_last_day_a_cell_ends_at_the_time_of_its_call(
    day: date, called: time, made: time, duration: str, fold: int
) -> None:
    end = months_later(day, MONTHS[duration])
    call = (
        at(day, called.replace(fold=fold)).astimezone(UTC).astimezone(BRUSSELS)
    )  # an hour that is left out is read on
    went = goes(under(duration), call, at(end, made))
    if call.date() == day and went:
        assert call.replace(tzinfo=None).time() >= made.replace(tzinfo=None), "never past its time"
    if not went and called.hour not in (2, 3):
        assert called < made, "nor kept back before it"


def test_an_hour_that_the_clocks_repeat_or_leave_out_is_read_so_that_nothing_goes_too_late() -> None:
    """25 October 2026, 02:30 comes twice: the second one counts. 29 March 2026 has none: 03:30 counts."""
    paper = under("P1M")
    for day, text in ((date(2026, 10, 25), "2026-10-25T01:30"), (date(2026, 3, 29), "2026-03-29T01:30")):
        first = kept_from(paper, opened(day, at(months_later(day, 1), time(2, 30))))[RECORDING]
        assert first == f"{text}:00.000000Z"


def test_a_required_recording_that_is_over_takes_the_return_with_it_whatever_its_rule_starts_at() -> None:
    day, made = date(2026, 2, 28), datetime(2026, 3, 31, 12, tzinfo=UTC)
    for start in STARTS:
        assert is_nothing_left(under("P1M", start, required=True), opened(day, made))
        assert not is_nothing_left(under("P1M", start), opened(day, made)), "control: it goes empty"


def test_a_rule_of_more_years_than_there_were_ends_nothing() -> None:
    """Taken off, it led before the first year there is."""
    assert goes(under("P999Y9999M"), at(date(2026, 3, 30)), at(date(2026, 3, 31)))


def test_other_columns_count_from_the_call_only_where_their_rule_says_so() -> None:
    call, late = at(date(2026, 2, 28)), at(date(2026, 3, 31))
    assert not goes(under("P1M"), call, late, "note")
    assert goes(under("P1M", "received"), call, late, "note")
