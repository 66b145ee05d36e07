"""What a suppression stops, and what it leaves alone: every pair of uses."""

from collections.abc import Iterator
from itertools import product

import pytest

from sluice.subject.scope import CONSENT, EVERYTHING, MARKETING, OBJECTIONABLE, Scope, Use, scope_of, sift
from sluice.subject.suppression import Suppression, suppress
from support.effort import effort

DPV, GDPR = "https://w3id.org/dpv#", "https://w3id.org/dpv/legal/eu/gdpr#"
PURPOSES = [DPV + name for name in ("DirectMarketing", "CustomerCare", "CustomerOrderManagement", "ServiceMonitoring")]
BASES = [f"{GDPR}A6-1-{letter}" for letter in "abcdef"]
CHANNELS = ["voice", "sms", "email", None]
USES = [Use(*each) for each in product(PURPOSES, BASES, CHANNELS)]
REF = "ab" * 16


def kept_out(scope: Scope, use: Use, reason: Suppression = Suppression.CONSENT_WITHDRAWN) -> bool:
    run = suppress([REF], reason)
    return sift([(run, scope)], [frozenset({use})]).height == 1


def pairs() -> Iterator[tuple[frozenset[str], str | None, Use]]:
    """What is withdrawn (one purpose or all, one channel or all) and every use there is."""
    for purpose, channel, use in product([*PURPOSES, None], CHANNELS, USES):
        yield frozenset({purpose} if purpose else ()), channel, use


@pytest.mark.slow
@pytest.mark.evidence
def test_a_withdrawal_stops_its_own_uses_and_no_other(record_property: pytest.FixtureRequest) -> None:
    right = 0
    every = list(pairs())[:: effort(7, 1)]
    for purposes, channel, use in every:
        scope = scope_of(Suppression.CONSENT_WITHDRAWN, purposes, channel)
        is_meant = use.basis == CONSENT and (not purposes or use.purpose in purposes) and channel in (None, use.channel)
        right += kept_out(scope, use) == is_meant
    assert right == len(every)
    record_property("withdrawal of one purpose leaves every other use alone", f"{right} of {len(every)} pairs")  # type: ignore[operator]


def test_a_scope_that_forgets_the_basis_is_found() -> None:
    """The control: the same pairs under a scope without basis are not all right."""
    assert any(
        kept_out(Scope(purposes, frozenset(), channel), use)
        != (use.basis == CONSENT and (not purposes or use.purpose in purposes) and channel in (None, use.channel))
        for purposes, channel, use in pairs()
    )


def test_what_is_marketing_is_written_down() -> None:
    """A person who objects to marketing is called for none of these (Art. 21(3)); one less is no smaller matter."""
    names = {each.removeprefix("https://w3id.org/dpv#") for each in MARKETING}
    assert names == {
        "Advertising", "DirectMarketing", "Marketing", "PersonalisedAdvertising", "SellProducts",
        "SellProductsToDataSubject", "TargetedAdvertising",
    }  # fmt: skip


def test_an_objection_reaches_all_marketing_and_legitimate_interest_and_public_task_in_its_purposes() -> None:
    two = frozenset(PURPOSES[:2])
    for use in USES:
        is_reached = use.basis in OBJECTIONABLE or use.purpose in MARKETING
        assert kept_out(scope_of(Suppression.OBJECTED, MARKETING), use) == (use.purpose in MARKETING), use
        assert kept_out(scope_of(Suppression.OBJECTED), use) == is_reached, use
        assert kept_out(scope_of(Suppression.OBJECTED, two), use) == (use.purpose in two and is_reached), use


@pytest.mark.parametrize("reason", [Suppression.ERASED, Suppression.RESTRICTED, Suppression.SOFT_HOLD])
def test_what_knows_no_purpose_stops_everything(reason: Suppression) -> None:
    assert scope_of(reason, frozenset({PURPOSES[0]}), "sms") == EVERYTHING
    assert all(kept_out(EVERYTHING, use, reason) for use in USES)


def test_a_row_stays_while_anything_it_is_for_stands() -> None:
    care, call, text = Use(PURPOSES[1], BASES[1], "voice"), *(Use(PURPOSES[0], CONSENT, at) for at in ("voice", "sms"))
    withdrawn, of = suppress([REF], Suppression.CONSENT_WITHDRAWN), Suppression.CONSENT_WITHDRAWN
    no_calls, no_texts = ((withdrawn, scope_of(of, channel=channel)) for channel in ("voice", "sms"))
    objected = (suppress([REF], Suppression.OBJECTED), scope_of(Suppression.OBJECTED))

    assert sift([no_calls], [frozenset({call, text})]).is_empty()
    assert sift([no_calls, no_texts], [frozenset({call, text})])["reason"].to_list() == ["consent_withdrawn"]
    assert sift([no_calls, no_texts, objected], [frozenset({care, call, text})]).is_empty()
    assert sift([no_calls], [frozenset({care}), frozenset({call})]).height == 1, "a row goes whole or not at all"


def test_two_persons_halves_are_no_whole() -> None:
    call, text = Use(PURPOSES[0], CONSENT, "voice"), Use(PURPOSES[0], CONSENT, "sms")
    one, other = (
        (suppress([ref], Suppression.CONSENT_WITHDRAWN), scope_of(Suppression.CONSENT_WITHDRAWN, channel=channel))
        for ref, channel in (("aa" * 16, "voice"), ("bb" * 16, "sms"))
    )
    assert sift([one, other], [frozenset({call, text})]).is_empty()
