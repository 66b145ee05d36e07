"""How an agent stands: the last of each step up to a moment, and soon not ready any more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sluice.staff.model import CodeVersion, Credential, Kind
from sluice.staff.standing import State, standing_of

START, MINIMUM = datetime(2026, 1, 5, 9, tzinfo=UTC), Decimal(90)
CODES = (CodeVersion("coc-1", START - timedelta(days=99)),)
END = START + timedelta(days=365)
EVENTS = (
    Credential(Kind.SIGNATURE, START + timedelta(days=2), "coc-1"),
    Credential(Kind.EXAM, START + timedelta(days=1), "c", score=Decimal(95), valid_until=END),
    Credential(Kind.COURSE, START, "c"),
)
"""In no order."""


def at(day: float) -> tuple[State, str]:
    moment = START + timedelta(days=day)
    standing = standing_of("ab" * 16, EVENTS, CODES, moment, MINIMUM)
    steps = "".join("x" if step else "-" for step in (standing.course, standing.exam, standing.signature))
    return standing.state(moment, timedelta(days=30)), steps


def test_steps_show_once_they_were_taken() -> None:
    assert [at(day) for day in (0, 1, 2)] == [
        (State.NOT_READY, "x--"), (State.NOT_READY, "xx-"), (State.READY, "xxx"),
    ]  # fmt: skip
    assert at(-1) == (State.NOT_READY, "---")


def test_the_last_thirty_days_are_soon_and_the_end_is_not_ready() -> None:
    assert [at(day)[0] for day in (334.9, 335, 364.9, 365)] == [
        State.READY, State.SOON, State.SOON, State.NOT_READY,
    ]  # fmt: skip


def test_the_last_exam_is_shown_even_if_it_failed() -> None:
    again = Credential(Kind.EXAM, START + timedelta(days=20), "c", score=Decimal(50), valid_until=END)
    standing = standing_of("ab" * 16, (*EVENTS, again), CODES, START + timedelta(days=30), MINIMUM)
    assert standing.exam == again and standing.readiness.ready, "an earlier pass still counts"
