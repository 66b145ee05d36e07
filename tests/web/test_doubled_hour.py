"""An hour that a clock change repeats is two moments: of a window the first and the last, of a deadline the first."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from sluice.web.asked import Beginning
from sluice.web.errors import RequestInvalid
from sluice.web.pages.asked import on_clock
from sluice.web.pages.breach import _asked

FORM = Path(__file__).parents[2] / "include/sluice/web/pages/templates/breach.html"
REPEATED, SKIPPED = datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)
AT_HALF_PAST = {"agent": "a" * 64}


@pytest.mark.parametrize(
    ("said", "ends", "hour"),
    [(REPEATED, False, 0), (REPEATED, True, 1), (SKIPPED, False, 0), (SKIPPED, True, 1)],
)
def test_the_earlier_moment_counts_and_of_an_end_the_later(said: datetime, ends: bool, hour: int) -> None:
    found = on_clock(said, ends=ends)
    assert found is not None and found.astimezone(UTC) == said.replace(hour=hour, tzinfo=UTC)
    plain = datetime(2026, 6, 1, 2, 30)
    assert on_clock(plain) == on_clock(plain, ends=True) == datetime(2026, 6, 1, 0, 30, tzinfo=UTC), "the control"
    assert on_clock(plain.replace(tzinfo=UTC), ends=True) == plain.replace(tzinfo=UTC), "the control"


def test_a_window_of_a_breach_that_ends_in_the_doubled_hour_leaves_none_of_it_out() -> None:
    asked = _asked(**AT_HALF_PAST, since=REPEATED, until=REPEATED, aware=REPEATED)
    assert asked.until is not None and asked.until.astimezone(UTC).hour == 1
    assert asked.aware.astimezone(UTC).hour == 0, "72 hours from the earlier one"
    with pytest.raises(RequestInvalid):
        _asked(**AT_HALF_PAST, since=datetime(2026, 6, 1), until=datetime(2026, 6, 1))


def test_the_number_of_an_exchange_is_taken_as_somebody_copied_it() -> None:
    number = TypeAdapter(Beginning)
    assert number.validate_python(" 7B0D3F1E-00 ab\n") == "7b0d3f1e-00ab"
    for wrong in ("", "0470 12 34 5x", "a" * 37):
        with pytest.raises(ValidationError):
            number.validate_python(wrong)


def test_the_form_of_a_breach_lets_such_a_number_through() -> None:
    [pattern] = re.findall(r'name="exchange".* pattern="([^"]+)"', FORM.read_text())
    assert re.fullmatch(pattern, " 7B0D3F1E-00ab ")
    assert not re.fullmatch(pattern, "energy01"), "the control"
