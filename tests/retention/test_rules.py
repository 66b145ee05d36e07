"""Each copy has one last day; nothing goes before it is over, and nothing that is held."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sluice.retention.model import End, HoldReason, Kept, LegalHold, Why
from sluice.retention.rules import due_on
from sluice.terms import ExchangeId, Flow, Principal

DAY0 = date(2026, 11, 26)
DAYS = st.integers(0, 40).map(lambda n: DAY0 + timedelta(days=n))
COPIES = st.builds(
    Kept,
    exchange_id=st.sampled_from([ExchangeId("x1"), ExchangeId("x2")]),
    kind=st.just("lake"),
    principal=st.just(Principal("energy01")),
    flow=st.sampled_from([Flow("a"), Flow("b")]),
    chain=st.just("c"),
    sha256=st.just(""),
    rule=st.just("RET-01"),
    last_day=st.none() | DAYS,
    has_statute=st.booleans(),
    is_awaited=st.booleans(),
)
ENDS = st.none() | st.builds(
    End, on=DAYS, days=st.integers(0, 30), must_return=st.booleans(), returned_on=st.none() | DAYS
)
HOLDS = st.builds(
    LegalHold,
    hold_id=st.just("h1"),
    principal=st.sampled_from([Principal("energy01"), Principal("telecom01")]),
    flow=st.none() | st.just(Flow("a")),
    exchange_id=st.none() | st.just(ExchangeId("x1")),
    reason=st.sampled_from(HoldReason),
    reference=st.just("C-1"),
    until=DAYS,
    set_by=st.just("an"),
    set_at=st.just(datetime(2026, 11, 26, tzinfo=UTC)),
    lifted_at=st.none() | st.just(datetime(2026, 11, 27, tzinfo=UTC)),
)


@given(COPIES, ENDS, st.lists(HOLDS, max_size=3), DAYS)
def test_what_goes_on_a_day_is_what_the_rule_says_once_more(
    copy: Kept, end: End | None, holds: list[LegalHold], on: date
) -> None:
    [*found] = due_on([copy], end, holds, on)

    days = [copy.last_day] if copy.last_day else []
    ends_with_agreement = end is not None and not (copy.has_statute and days)
    if end is not None and ends_with_agreement:
        days.append(end.on + timedelta(days=max(end.days, 1) - 1))
    is_over = bool(days) and min(days) < on
    kept = [
        hold
        for hold in holds
        if hold.principal == "energy01"
        and hold.flow != ("b" if copy.flow == "a" else "a")
        and (hold.exchange_id is None or hold.exchange_id == copy.exchange_id)
        and hold.lifted_at is None
        and hold.until >= on
    ]
    assert bool(found) == is_over
    for due in found:
        assert due.last_day == min(days)
        assert (due.held_by is not None) == bool(kept)
        waits = copy.is_awaited
        waits |= bool(end and end.must_return and end.returned_on is None and due.why is Why.AGREEMENT_ENDED)
        assert due.waits == waits
        assert due.is_free == (not kept and not waits)


@given(COPIES, DAYS)
def test_nothing_without_a_last_day_goes_while_the_agreement_runs(copy: Kept, on: date) -> None:
    found = list(due_on([copy], None, [], on))

    assert bool(found) == (copy.last_day is not None and on > copy.last_day)
