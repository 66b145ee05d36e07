"""Every door that writes who did it into the ledger takes names that cannot be a second person."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from sluice.errors import UsageError
from sluice.exchange.house import House
from sluice.exchange.review import decide, read_notes
from sluice.exchange.review_model import Choice
from sluice.retention.give_back import give_back
from sluice.returns.drain import drain_returns
from sluice.returns.release import deliver_again
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.control import resume, stop
from sluice.terms import ExchangeId, Flow, Principal

NOBODY = cast(House, None)
EXCHANGE, CASE = ExchangeId("0190a947-2c00-7e51-9d44-1f0c5f3a7b10"), CaseId("0190a947-2c00-7e51-9d44-1f0c5f3a7b11")
NOW = datetime(2026, 11, 27, tzinfo=UTC)
NAMES = ["An\u200bna", "\u0410\u043d\u043d\u0430", "Anna \udc80", ""]
DOORS: list[Callable[[str], Any]] = [
    lambda by: drain_returns(NOBODY, Principal("energy01"), Flow("renewal_results"), NOW, {}, by),
    lambda by: deliver_again(NOBODY, EXCHANGE, by, NOW),
    lambda by: give_back(NOBODY, Principal("energy01"), NOW, by),
    lambda by: read_notes(NOBODY, EXCHANGE, by, NOW, sample=False),
    lambda by: decide(NOBODY, EXCHANGE, [1], Choice.DROP, by, NOW),
    lambda by: stop(cast(Any, None), CASE, "CODE", by, NOW),
    lambda by: resume(cast(Any, None), CASE, by, NOW),
]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_nobody_has_is_refused_before_anything_is_done(door: Callable[[str], Any], name: str) -> None:
    with pytest.raises(UsageError, match="--by"):
        door(name)
