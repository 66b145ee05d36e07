"""The bi-temporal rule against a list: what was in force at T as known at K."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sluice.agreement.timeline import Days, Held, lay

START = date(2026, 1, 1)

days = st.builds(
    lambda first, length: Days(START + timedelta(first), None if length is None else START + timedelta(first + length)),
    st.integers(0, 12),
    st.none() | st.integers(0, 8),
)


def replay(laid: list[tuple[Days, tuple[int, ...]]]) -> dict[int, tuple[int, Days]]:
    """The rows left after laying documents one by one: row id -> document number, days."""
    rows: dict[int, tuple[int, Days]] = {}
    for number, (span, rank) in enumerate(laid):
        held = [Held(row, days, laid[document][1]) for row, (document, days) in rows.items()]
        change = lay(held, span, rank)
        kept = [(rows[row][0], rest) for row, rest in change.keep]
        for row in change.close:
            del rows[row]
        for document, rest in (*kept, *((number, rest) for rest in change.open)):
            rows[max(rows, default=0) + 1] = (document, rest)
    return rows


def expected(laid: list[tuple[Days, tuple[int, ...]]], day: date) -> int | None:
    """Of the documents of the highest rank that began by a day the last that covers it: no lower one comes back."""
    highest = max((rank for span, rank in laid if span.first <= day), default=None)
    return max((number for number, (span, rank) in enumerate(laid) if rank == highest and day in span), default=None)


@given(st.lists(st.tuples(days, st.tuples(st.integers(0, 2))), max_size=8))
def test_each_day_belongs_to_the_highest_document_that_began_and_of_equals_to_the_last(laid):
    rows = replay(laid)
    for offset in range(30):
        day = START + timedelta(offset)
        holders = [document for document, span in rows.values() if day in span]
        wanted = expected(laid, day)
        assert holders == ([] if wanted is None else [wanted])


def test_a_version_that_ends_brings_none_before_it_back() -> None:
    laid = [(Days(START, None), (1, 0)), (Days(START + timedelta(5), START + timedelta(6)), (1, 1))]
    for order in (laid, laid[::-1]):
        held = {span.last for _, span in replay(order).values()}
        assert held == {START + timedelta(4), START + timedelta(6)}


def test_the_check_fails_on_a_rule_that_forgets_what_is_left() -> None:
    laid: list[tuple[Days, tuple[int, ...]]] = [
        (Days(START, None), ()),
        (Days(START + timedelta(5), START + timedelta(6)), ()),
    ]
    forgetful = {1: (1, laid[1][0])}  # the old row closed, its remaining days not opened again
    assert expected(laid, START) == 0
    assert [document for document, span in forgetful.values() if START in span] != [0]
    assert [document for document, span in replay(laid).values() if START in span] == [0]


def test_a_document_laid_twice_replaces_itself_and_what_does_not_touch_stays_untouched():
    span = Days(START, None)
    change = lay([Held(1, span, ())], span, ())
    assert (change.close, change.keep, change.open) == ((1,), (), (span,))
    change = lay([Held(1, Days(START, START), ())], Days(START + timedelta(1), None), ())
    assert change.close == ()
