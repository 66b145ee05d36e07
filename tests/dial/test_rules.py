"""What a dial list rests on, and whose word counts in it: rules alone, on every basis that a paper can name."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from sluice.agreement.load import load_agreement, load_contract
from sluice.agreement.model import FieldRole, Paper
from sluice.dial.facts import channel_rule
from sluice.dial.model import Channel
from sluice.dial.rules import AGE, CONSENT, CONSENT_AT, REACHED, REF, REFS, ROW, SAID, Task, compose, task_of
from sluice.subject.scope import MARKETING, OBJECTIONABLE, Use, scope_of
from sluice.subject.suppression import Suppression

PAPERS = Path(__file__).resolve().parents[2] / "include" / "principals" / "energy01"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
IRIS = ("https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare")
TODAY = date(2026, 11, 26)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def task(iri: str = IRIS[0], letter: str = "f", channel: Channel = Channel.SMS) -> Task:
    """Renewal as the demo principal has it: by legitimate interest; over one more channel, or for another purpose."""
    agreement = load_agreement(PAPERS / "agreement-3.0.0.yaml")
    contract = load_contract(PAPERS / "renewal_campaign.inbound.odcs.yaml", agreement)
    purpose = replace(agreement.purposes[0], channels=("voice", "sms", "email"))
    fields = tuple(
        replace(each, consent_channel="sms") if each.consent_channel == "email" else each for each in contract.fields
    )
    paper = Paper(replace(agreement, purposes=(purpose,)), replace(contract, fields=fields))
    found = task_of(paper, "P-RENEW", channel_rule(channel, TODAY))
    assert isinstance(found, Task)
    return replace(found, purpose=replace(purpose, iri=iri, legal_basis=GDPR + letter))


@pytest.mark.parametrize("channel", list(Channel))
def test_a_withdrawal_stops_what_needs_a_yes_whatever_the_paper_calls_its_basis(channel: Channel) -> None:
    """GDPR Art. 7(3); CJEU C-129/21 (Proximus)."""
    for iri, letter in product(IRIS, "abcdef"):
        each = task(iri, letter, channel)
        needs_yes = letter == "a" or (iri in MARKETING and channel is not Channel.PHONE)
        for purposes, only in product((frozenset[str](), frozenset({iri})), (None, each.rule.word)):
            withdrawn = scope_of(Suppression.CONSENT_WITHDRAWN, purposes, only)
            assert withdrawn.stops(each.use) == needs_yes == each.needs_opt_in
            objected = scope_of(Suppression.OBJECTED, purposes, only)
            assert objected.stops(each.use) == (iri in MARKETING or GDPR + letter in OBJECTIONABLE)
        assert not scope_of(Suppression.CONSENT_WITHDRAWN, frozenset({IRIS[iri == IRIS[0]]})).stops(each.use)
    by_paper = Use(IRIS[0], GDPR + "f", "sms")
    assert not scope_of(Suppression.CONSENT_WITHDRAWN).stops(by_paper), "control: by its paper alone a text would go"


@pytest.mark.parametrize(
    ("word", "said_after", "reason"),
    [
        ("given", timedelta(days=-1), None),
        ("given", timedelta(days=1), "OPTED_OUT"),  # a younger file says no
        ("no", timedelta(days=-1), "OPTED_OUT"),
        ("no", timedelta(0), "OPTED_OUT"),  # of one moment no beats yes
        ("no", timedelta(days=1), None),
    ],
)
def test_of_file_and_record_the_younger_word_counts(word: str, said_after: timedelta, reason: str | None) -> None:
    sms = task()
    [column] = sms.consents
    says = column.consent_given[0] if word == "no" else "N"
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], sms.contact.name: ["+32470123456"],
           column.name: [says], CONSENT: [word], SAID: [NOON + said_after], CONSENT_AT: [NOON]}  # fmt: skip

    done = compose(pl.DataFrame(row), sms, None, None, Counter())

    assert done.left_out == ({reason: 1} if reason else {})


SURVEY = "https://w3id.org/dpv#ServiceUsageAnalytics"
SAYS = {"yes": "Y", "no": "N", "nothing": ""}


def two_columns() -> tuple[Task, FieldRole, FieldRole]:
    """Two opt-ins over one channel: to marketing, which the list is for, and to a survey."""
    found = task()
    [marketing] = found.consents
    survey = replace(marketing, name="opt_in_survey", purpose_iris=(SURVEY,))
    return replace(found, consents=(survey, marketing)), marketing, survey


@pytest.mark.parametrize(("to_marketing", "to_survey"), list(product(SAYS, SAYS)))
def test_a_yes_to_another_purpose_is_none_and_a_no_over_the_channel_is_one(to_marketing: str, to_survey: str) -> None:
    """GDPR Art. 4(11), 6(1)(a)."""
    sms, marketing, survey = two_columns()
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], sms.contact.name: ["+32470123456"],
           marketing.name: [SAYS[to_marketing]], survey.name: [SAYS[to_survey]]}  # fmt: skip

    done = compose(pl.DataFrame(row), sms, None, None, Counter())

    reason = "OPTED_OUT" if "no" in (to_marketing, to_survey) else None if to_marketing == "yes" else "NO_OPT_IN"
    assert done.left_out == ({reason: 1} if reason else {})


def test_a_yes_to_another_purpose_neither_makes_good_nor_hides_what_a_record_says() -> None:
    sms, marketing, survey = two_columns()
    row = {REF: ["r"], ROW: [1], AGE: [0], REACHED: [True], f"{REFS}phone": ["r"], sms.contact.name: ["+32470123456"],
           marketing.name: [""], survey.name: ["Y"], SAID: [NOON + timedelta(days=1)], CONSENT_AT: [NOON]}  # fmt: skip

    left = {
        word: compose(pl.DataFrame(row | {CONSENT: [word]}), sms, None, None, Counter()).left_out
        for word in ("given", "no")
    }

    assert left == {"given": {}, "no": {"OPTED_OUT": 1}}
