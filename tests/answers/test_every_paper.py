"""What Art. 15 asks to be told of every copy that is given, each by its own agreement and version."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from answers.giving import WE_GIVE, give, read
from answers.test_versions import BY_CONTRACT, ENERGY, a_copy, a_principals_part
from documents.samples import a_record
from rights.town import Town, open_town, papers_of
from sluice.agreement.folder.load import load_agreement
from sluice.agreement.model import Agreement, FieldRole, Purpose, SubProcessor
from sluice.answers.authority import Authority, authority_of
from sluice.answers.info import Information, Transfer, information_of
from sluice.answers.model import Found, Held
from sluice.rights.case.model import Action, Right
from sluice.rights.copies.model import Target
from sluice.rights.notices.model import Holder
from sluice.settings import Settings
from sluice.subject.key import SubjectKey
from sluice.terms import Direction, ExchangeId, Principal
from support.copies import Copies
from support.desk import ENERGY as CAMPAIGN
from support.night import AGREEMENT, change

CARE = "care_contacts"
CONTACTS = "renewal_campaign.inbound.odcs.yaml"
PAPERS = Path(__file__).resolve().parents[2] / "include" / "principals" / "energy01"
OTHER = "https://w3id.org/dpv#ServiceProvision"
PRINCIPAL = Principal(CAMPAIGN[0])


def planted(settings: Settings, folder: Path) -> None:
    """One principal with two agreements, a flow of contacts under each; the first person is in both."""
    settings = papers_of(settings, folder, [PRINCIPAL], WE_GIVE)
    another_agreement(settings.principals_dir / PRINCIPAL)
    with open_town(settings, folder, [PRINCIPAL], 2) as opened:
        opened.arrive(PRINCIPAL, opened.people)
        person = opened.people[0]
        row = f"{opened.head}\n{person.record(PRINCIPAL)};{person.line}\n"
        opened.desk.drop(row.encode(), "care.csv", (PRINCIPAL, CARE))
        opened.desk.work()


def another_agreement(papers: Path) -> None:
    """For a purpose of its own and with another end; one more contract of contacts names it."""
    more, contract = papers / "agreement-other-3.0.0.yaml", papers / f"{CARE}.inbound.odcs.yaml"
    more.write_text((papers / AGREEMENT).read_text(encoding="utf-8"), encoding="utf-8")
    change(more, "agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02")
    change(more, "supersedes: 2.4.0", "supersedes: null")
    change(more, "https://w3id.org/dpv#CustomerCare", OTHER)
    change(more, "g_end: {choice: delete, days: 30", "g_end: {choice: return, days: 60")
    contract.write_text((papers / CONTACTS).read_text(encoding="utf-8"), encoding="utf-8")
    change(contract, "renewal_campaign", CARE)
    change(contract, "value: DPA-ENERGY01", "value: DPA-ENERGY02")
    change(contract, "https://w3id.org/dpv#DirectMarketing", OTHER)
    change(contract, "A6-1-f", "A6-1-b")


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [PRINCIPAL], 2) as opened:
        yield opened


def told_to(town: Town, number: int) -> dict[str, Any]:
    case = town.decided(town.people[number], Right.ACCESS, Action.GIVE)
    [told] = read(town.house, give(town.house, case.case_id)).json("access.json")["information"]
    return dict(told)


def purposes(told: dict[str, Any]) -> set[str]:
    return {each["iri"].rpartition("#")[2] for each in told["purposes"]}


def test_purposes_and_ends_of_every_agreement_that_data_came_under_are_told(town: Town) -> None:
    """GDPR Art. 15(1)(a), (d)."""
    both, one = told_to(town, 0), told_to(town, 1)

    assert purposes(both) == {"DirectMarketing", "ServiceProvision"}
    assert sorted(each["days"] for each in both["at_contract_end"]) == [30, 60]
    assert purposes(one) == {"DirectMarketing"}, "of theirs alone"
    assert one["at_contract_end"] == [{"choice": "delete", "days": 30}]


def paper(name: str, version: str = "1.0.0", **changes: object) -> Agreement:
    found = load_agreement(PAPERS / "agreement-3.0.0.yaml")
    return replace(found, agreement_id=name, version=version, **changes)  # type: ignore[arg-type]


def told(own: Agreement, *papers: Agreement, held: tuple[Held, ...], holders: tuple[Holder, ...] = ()) -> Information:
    parts = [a_principals_part(name) for name in dict.fromkeys(each.agreement_id for each in papers)]
    target = Target(ENERGY, SubjectKey(b"k" * 32), frozenset(), (), frozenset())
    of = {(each.agreement_id, each.version): each for each in papers}
    found = Found(target, "Energy One NV", own, tuple(parts), held, (), holders, papers=of)
    authority: Authority = authority_of(parts, (), Action.GIVE)
    return information_of(found, authority, "center")


def for_purpose(purpose: Purpose) -> FieldRole:
    """A column that rests on what a purpose rests on, as the linter wants it (CON-061)."""
    return replace(BY_CONTRACT, purpose_iris=(purpose.iri,), legal_basis=purpose.legal_basis)


def test_what_two_papers_say_alike_stands_once_and_of_one_agreement_the_youngest_end_counts() -> None:
    first = paper("A", end_days=30)
    second = paper("A", "2.0.0", end_days=60, valid_from=date(2026, 6, 1))
    role = for_purpose(first.purposes[0])
    held = a_copy(1, "1.0.0", "A", role, "x")

    said = told(second, first, held=(held,))

    assert [each.code for each in said.purposes] == ["P-RENEW"]
    assert said.contract_ends == (("delete", 60),), "what holds now for what came under the version before"
    again = paper("B", end_days=30)
    said = told(first, first, again, held=(held, a_copy(2, "1.0.0", "B", role, "y")))
    assert [each.code for each in said.purposes] == ["P-RENEW"] and said.contract_ends == (("delete", 30),)


def test_a_purpose_is_told_of_the_paper_that_has_it_and_of_no_other() -> None:
    both = load_agreement(PAPERS / "agreement-3.0.0.yaml").purposes[:2]
    care, sales = paper("CARE", purposes=both[1:]), paper("SALES", purposes=both)
    roles = [for_purpose(each) for each in (both[1], both[0])]
    copies = tuple(
        a_copy(place, "1.0.0", name, role, "x")
        for place, (name, role) in enumerate(zip(("CARE", "SALES"), roles, strict=True))
    )

    assert [each.code for each in told(care, care, sales, held=copies).purposes] == ["P-CARE", "P-RENEW"]
    assert [each.code for each in told(care, care, sales, held=copies[:1]).purposes] == ["P-CARE"]
    assert told(care, held=()).purposes == () and told(care, held=()).contract_ends == (("delete", 30),)


def test_the_safeguard_of_a_transfer_is_that_of_the_paper_whose_processor_works_there() -> None:
    """GDPR Art. 15(2)."""
    here, there = SubProcessor("Store", ("NL",), None, date(2026, 1, 1), None), "https://w3id.org/dpv#SCC"
    abroad = SubProcessor("Desk", ("US",), there, date(2026, 1, 1), None)
    care, sales = paper("CARE", sub_processors=(here,)), paper("SALES", sub_processors=(abroad,))
    record = a_record()
    record = record.model_copy(update={"who": record.who.model_copy(update={"countries": ("BE", "US")})})
    holders = (Holder(ExchangeId(record.exchange_id), Direction.INBOUND, False, record),)
    held = (a_copy(1, "1.0.0", "CARE", BY_CONTRACT, "x"), a_copy(2, "1.0.0", "SALES", BY_CONTRACT, "y"))

    assert told(care, care, sales, held=held, holders=holders).transfers == (Transfer("US", there),)
    assert told(care, care, held=held[:1], holders=holders).transfers == (Transfer("US", None),), "control"
