"""What may be taken along: every combination of basis, origin and mode, against a table written down here."""

from collections.abc import Callable
from itertools import product

import pytest

from sluice.agreement import dpv
from sluice.agreement.contract.eligibility import NotPortable, Traits, why_not
from sluice.terms import DataOrigin, FieldGroup

CONSENT, CONTRACT = (f"{dpv.GDPR}A6-1-{letter}" for letter in "ab")
NAME = f"{dpv.PD}Name"
MAY_GO = {(basis, origin, True) for basis in (CONSENT, CONTRACT) for origin in ("provided", "observed")}
"""GDPR Art. 20(1) and rights.md: consent or contract, provided or observed, by automated means; nothing else."""


@pytest.mark.evidence
def test_every_combination_of_basis_origin_and_mode(record_property: Callable[[str, object], None]) -> None:
    every = list(product(sorted(dpv.LEGAL_BASES), [each.value for each in DataOrigin], (True, False)))

    right = [
        combination
        for combination in every
        if (why_not(Traits(NAME, *combination, portable=True)) is None) == (combination in MAY_GO)
    ]

    assert len(every) == 48 and len(MAY_GO) == 4
    assert right == every
    restricted = [why_not(Traits(NAME, *combination, portable=False)) for combination in every]
    assert None not in restricted and restricted.count(NotPortable.RESTRICTED) == len(MAY_GO)
    record_property(
        "portability: eligibility right over basis x origin x automated", f"{len(right)} of {len(every)} combinations"
    )


def test_the_reason_is_the_first_that_holds() -> None:
    assert why_not(Traits(dpv.NON_PERSONAL, CONSENT, "provided", True, True)) is NotPortable.NO_PERSONAL_DATA
    assert why_not(Traits(NAME, f"{dpv.GDPR}A6-1-f", "derived", False, False)) is NotPortable.BASIS
    assert why_not(Traits(NAME, CONSENT, "agent_made", False, False)) is NotPortable.ORIGIN
    assert why_not(Traits(NAME, CONSENT, "provided", False, False)) is NotPortable.BY_HAND


def test_what_agents_make_or_is_derived_stays_whatever_origin_the_contract_gives_to_all_columns() -> None:
    """rights.md: not portable are disposition, QA, score and agent references."""
    theirs = {
        group
        for group in FieldGroup
        if why_not(Traits(NAME, CONSENT, "observed", True, True, group)) is NotPortable.ORIGIN
    }

    assert theirs == {FieldGroup.DISPOSITION, FieldGroup.QA_SCORE, FieldGroup.SCORE, FieldGroup.AGENT_REF}
