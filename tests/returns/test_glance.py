"""Which days are due is found without reading what was made of them, and is what reading it all would find."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from returns.past import CONTACTS, CUT_OFF, DAYS, EARLY, ENERGY, LATE, LATER, OTHERS, Past
from sluice.db import Connection
from sluice.returns.due import cut_off_of, open_due
from support.copies import Copies
from support.effort import effort
from support.night import DUE_DAY, RESULTS, copied_night, three_returned

pytestmark = pytest.mark.stores
BETWEEN = tuple(cut_off_of(day, LATER) - timedelta(minutes=5) for day in DAYS)
MOMENTS = (EARLY, *(cut_off_of(day, CUT_OFF) - timedelta(minutes=5) for day in DAYS), *BETWEEN, LATE)
"""When a file is closed: before all cut-offs, right before one of them, before a later one of the day, after all."""
HELD = ("RESULT_UNKNOWN_RECORD", "restricted", "erased", "AGENT_UNKNOWN", "RESULT_OTHER_PERSON")
FLOWS, PLACES = st.sampled_from([CONTACTS, OTHERS, RESULTS]), st.integers(0, 2)
OUTCOMES = st.sampled_from(["prepared", "delivered", "DUPLICATE_CONTENT", "STALE_INPUT_GONE", "FORBIDDEN_COUNTRY"])
STEPS = st.one_of(
    st.tuples(st.just("look")),
    st.tuples(st.just("look")),
    st.tuples(st.sampled_from(["contacts", "others"]), st.sampled_from(MOMENTS), st.booleans()),
    st.tuples(st.just("agree_on"), st.sampled_from([CONTACTS, OTHERS]), st.sampled_from([CUT_OFF, LATER])),
    st.tuples(st.just("results"), st.sampled_from(MOMENTS), st.lists(st.sampled_from(DAYS), min_size=1, unique=True)),
    st.tuples(st.just("end"), PLACES, OUTCOMES, st.none() | st.sampled_from(HELD)),
    st.tuples(st.just("end"), PLACES, OUTCOMES, st.just(HELD[0])),
    st.tuples(st.just("lose"), FLOWS, PLACES),
    st.tuples(st.sampled_from(["receipt", "lift", "agree_anew"])),
    st.tuples(st.just("lift"), st.just("erased")),
)
OPENED: list[tuple[Any, ...]] = [("results", EARLY, [DAYS[0]]), ("look",)]
UNKNOWN = [("end", 0, "delivered", "RESULT_UNKNOWN_RECORD"), ("look",)]
RETURNED_UNKNOWN = [*OPENED, *UNKNOWN, *UNKNOWN]
"""The second one has the contacts that came after the cut-off."""
RETURNED_ERASED = [*OPENED, ("end", 0, "delivered", "erased"), ("look",)]
RETURNED_RESTRICTED = [*OPENED, ("end", 0, "delivered", "restricted"), ("look",)]


def take(past: Past, step: tuple[Any, ...]) -> None:
    name, *given = step
    if name in ("contacts", "others"):
        past.arrive(CONTACTS if name == "contacts" else OTHERS, given[0], is_receipted=given[1])
    elif name == "results":
        past.arrive(RESULTS, given[0], *given[1])
    else:
        getattr(past, name)(*given)


@contextmanager
def rolled_back(conn: Connection) -> Iterator[None]:
    with conn.transaction(force_rollback=True):
        yield


@pytest.fixture
def returned(copies: Copies, tmp_path: Path) -> Iterator[Past]:
    """An installation in which three persons were called and returned."""
    with copied_night(copies, tmp_path, fill=three_returned) as night:
        [line] = night.returns()
        yield Past(night, night.record(line))


@settings(
    max_examples=effort(15, 60),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
@given(steps=st.lists(STEPS, min_size=4, max_size=25))
@example(steps=[*RETURNED_UNKNOWN, ("contacts", LATE, True)])
@example(steps=[*RETURNED_UNKNOWN, ("contacts", LATE, False), ("look",), ("receipt",)])
@example(steps=[*RETURNED_UNKNOWN, ("lose", RESULTS, 0), ("contacts", LATE, True), ("look",), ("lose", CONTACTS, 0)])
@example(steps=[*RETURNED_RESTRICTED, ("lift",), ("look",), ("lift",)])
@example(steps=[*RETURNED_ERASED, ("lift",), ("look",), ("lift", "erased")])
@example(steps=[*RETURNED_RESTRICTED, ("contacts", EARLY, False), ("contacts", LATE, True), ("look",), ("receipt",)])
@example(steps=[*RETURNED_RESTRICTED, ("results", LATE, [DAYS[0]]), ("look",), ("contacts", EARLY, True)])
@example(steps=[*RETURNED_RESTRICTED, ("results", EARLY, [DAYS[0]]), ("look",), ("contacts", EARLY, True)])
@example(steps=[*OPENED, ("end", 0, "FORBIDDEN_COUNTRY", None), ("look",), ("agree_anew",)])
@example(steps=[*OPENED, ("lose", CONTACTS, 0), ("look",), ("end", 0, "STALE_INPUT_GONE", None)])
@example(
    steps=[
        ("contacts", EARLY, True),
        *OPENED,
        ("end", 0, "prepared", HELD[0]),
        ("lose", CONTACTS, 0),
        ("look",),
        ("end", 0, "DUPLICATE_CONTENT", HELD[0]),
    ]
)
@example(steps=[*OPENED, ("end", 0, "prepared", HELD[0]), ("look",), ("contacts", LATE, True)])
@example(steps=[*OPENED, ("contacts", LATE, True), ("look",), ("end", 0, "delivered", HELD[0])])
@example(
    steps=[
        ("contacts", EARLY, True),
        ("others", EARLY, True),
        *RETURNED_RESTRICTED,
        ("agree_on", OTHERS, CUT_OFF),
    ]
)
@example(
    steps=[
        *(("contacts", at, True) for at in (EARLY, BETWEEN[0])),
        *OPENED,
        ("end", 0, "delivered", "RESULT_UNKNOWN_RECORD"),
        ("lose", CONTACTS, 0),
        ("look",),
        ("agree_on", CONTACTS, LATER),
    ]
)
def test_a_look_finds_the_days_that_reading_everything_finds(returned: Past, steps: list[tuple[Any, ...]]) -> None:
    past = replace(returned)
    with rolled_back(past.conn):
        for step in [*steps, ("look",), ("look",)]:
            take(past, step)


class Counted(psycopg.Cursor[Any]):
    """Counts what is asked, and the entries of the ledger among the answers."""

    statements, entries = 0, 0

    def execute(self, query: Any, *given: Any, **kwargs: Any) -> Any:
        Counted.statements += 1
        done = super().execute(query, *given, **kwargs)
        Counted.entries += self.rowcount if "ledger.entry" in str(query) else 0
        return done


YEAR = effort(40, 365)


def year_returned(past: Past) -> None:
    """So many days, each with two files of contacts and one of results, and a return of all that was there by then."""
    for back in reversed(range(YEAR)):
        day = DUE_DAY - timedelta(days=back)
        closed_at = cut_off_of(day, CUT_OFF) - timedelta(hours=1)
        for _ in range(2):
            past.arrive(CONTACTS, closed_at)
        past.arrive(RESULTS, closed_at, day)
    assert len(open_due(past.night.desk.house, ENERGY, RESULTS, next(past.clock))) == YEAR
    past.conn.execute(
        """update exchange set decision = 'accepted', closed_at = opened_at, held_codes = '{RESULT_OTHER_PERSON}',
               said_id = (select max(said_id) from exchange)
           where direction = 'outbound_return' and decision = 'open'"""
    )
    past.look()


def test_a_look_at_a_year_of_which_nothing_is_due_asks_as_much_as_one_at_a_day(
    returned: Past, record_property: Callable[[str, object], None]
) -> None:
    def asked() -> tuple[int, int]:
        Counted.statements, Counted.entries = 0, 0
        returned.conn.cursor_factory = Counted
        assert open_due(returned.night.desk.house, ENERGY, RESULTS, next(returned.clock)) == []
        returned.conn.cursor_factory = psycopg.Cursor
        return Counted.statements, Counted.entries

    with rolled_back(returned.conn):
        returned.look()
        of_a_day = asked()
        year_returned(returned)
        of_a_year = asked()
    assert of_a_year == of_a_day == (of_a_day[0], 0)
    assert of_a_day[0] < 20
    said = f"{of_a_year[0]}, {of_a_year[1]} entries of the ledger read"
    record_property(f"returns: statements of a look at {YEAR} days of which none is due", said)
