"""Tasks and contracts after the papers of the demo, for the rules of a dial list alone."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.agreement.model import DataContract, FieldRole
from sluice.agreement.papers import Paper
from sluice.dial.facts import channel_rule
from sluice.dial.model import Channel
from sluice.dial.rules import Task, task_of
from sluice.dial.words import Reading

PAPERS = Path(__file__).resolve().parents[2] / "include" / "principals" / "energy01"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
IRIS = ("https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare")
TODAY = date(2026, 11, 26)
SURVEY = "https://w3id.org/dpv#ServiceUsageAnalytics"


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


def as_today(mine: Task) -> Reading:
    """Every file came under the contract that is in force."""
    return Reading(frozenset({0, 1}), {column.name: column for column in mine.consents})


def contract(*columns: FieldRole, sha256: str) -> DataContract:
    """The demo contract with these consent columns alone, as a version of its own."""
    demo = load_contract(PAPERS / "renewal_campaign.inbound.odcs.yaml", load_agreement(PAPERS / "agreement-3.0.0.yaml"))
    others = tuple(field for field in demo.fields if not field.consent_channel)
    return replace(demo, fields=(*others, *columns), sha256=sha256)
