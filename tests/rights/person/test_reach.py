"""What a request stops: which purposes, by which channel."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sluice.rights.case.model import SYSTEM, CaseId, Protection, Right
from sluice.rights.opening import envelope_of
from sluice.rights.person.reach import scope_of_request
from sluice.subject.scope import MARKETING

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ADVERTS, CARE = "https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare"


@pytest.mark.parametrize(
    ("named", "reached"),
    [((), MARKETING), ((ADVERTS,), {ADVERTS}), ((ADVERTS, CARE), {ADVERTS}), ((CARE,), MARKETING)],
)
def test_an_objection_to_marketing_reaches_marketing_whatever_else_it_names(
    named: tuple[str, ...], reached: set[str]
) -> None:
    envelope = envelope_of(CaseId("c"), Right.DIRECT_MARKETING, None, ((),), NOW, NOW, SYSTEM)
    scope = scope_of_request(replace(envelope, purposes=named), Protection.OBJECTED)
    assert scope.purposes == reached


def test_another_objection_reaches_what_it_names() -> None:
    envelope = envelope_of(CaseId("c"), Right.OBJECTION, None, ((),), NOW, NOW, SYSTEM)
    assert scope_of_request(replace(envelope, purposes=(CARE,)), Protection.OBJECTED).purposes == {CARE}
