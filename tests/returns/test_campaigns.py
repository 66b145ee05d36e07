"""Contacts of another campaign stay here, and hide none of ours."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.copies import Copies
from support.night import AT_ONCE, CALLED_AT, Call, Night, copied_night

pytestmark = pytest.mark.stores
LATER = CALLED_AT + timedelta(hours=4)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation whose returns are delivered without a second person."""
    with copied_night(copies, tmp_path, AT_ONCE) as opened:
        yield opened


def test_a_later_call_of_another_campaign_does_not_hide_ours(night: Night) -> None:
    mine, other = night.people(2)
    night.called(
        Call("c1", *mine, disposition="Sale"),
        Call("c2", *mine, disposition="Refused", campaign="WINBACK", at=LATER),
        Call("c3", *other, campaign="WINBACK"),
    )

    night.make()

    [line] = night.returns()
    record = night.record(line)
    assert (record.what.rows_in, record.what.rows_accepted) == (3, 1)
    assert record.right_treatment.held_back == {"RESULT_UNKNOWN_CAMPAIGN": 2}
    _, row = night.file(line).decode().splitlines()
    assert mine[0] in row and ";1;Sale;" in row, "and only ours are counted as attempts"


def test_a_call_that_a_later_delivery_moves_to_another_campaign_is_not_ours_any_more(night: Night) -> None:
    mine, other = night.people(2)
    night.called(Call("c1", *mine), Call("c2", *other))
    night.called(Call("c1", *mine, campaign="WINBACK", took="0:09:00"), name="late.csv")

    night.make()

    [line] = night.returns()
    assert mine[0] not in night.file(line).decode() and other[0] in night.file(line).decode()
    assert night.record(line).right_treatment.held_back == {"RESULT_UNKNOWN_CAMPAIGN": 1}
