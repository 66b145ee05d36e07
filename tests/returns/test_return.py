"""Results meet contacts and go back: what leaves, what stays, and that both are said."""

import pytest

from night import Call, Night, call_log

pytestmark = pytest.mark.stores


def test_a_prepared_return_waits_for_somebody_else(night: Night) -> None:
    people = night.people(3)
    night.results(call_log([Call(f"c{n}", record, phone) for n, (record, phone) in enumerate(people)]))

    night.make()

    [line] = night.returns()
    assert (line.decision, night.delivered()) == ("open", {})
