"""Whom no file names (any more), and a record of consent does, is known: their request reaches it, and it is erased."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import accept, instruct, of_principal
from rights.town import Person, Town, open_town, papers_of
from sluice.errors import EvidenceInvalid
from sluice.exchange.persons.consent_store import find_runs
from sluice.exchange.persons.consents import find_named, find_records
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.consents.file import Said
from sluice.rights.copies.find import open_request
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.rescope import rescope
from sluice.rights.withdrawals import record_and_tell
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY

pytestmark = pytest.mark.stores
PRINCIPAL, OTHER = Principal(ENERGY[0]), Principal("solar01")
SHA = "ab" * 32


def now() -> datetime:
    return datetime.now(UTC)


def planted(settings: Settings, folder: Path) -> None:
    """Two principals, each with a file of the first person alone."""
    papers = papers_of(settings, folder, [PRINCIPAL, OTHER])
    with open_town(papers, folder, [PRINCIPAL, OTHER], 3) as opened:
        for each in (PRINCIPAL, OTHER):
            opened.arrive(each, opened.people[:1])


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [PRINCIPAL, OTHER], 3) as opened:
        yield opened


def said(town: Town, person: Person, state: str = "given") -> None:
    """A record of consent of the person, at the first principal."""
    told = Said({"phone": person.phone}, "P-CARE", "email", state, now().isoformat(), "web", "W-1", "webshop")
    assert record_and_tell(town.house, PRINCIPAL, told, "anna", now()).left_out == 0


def refs(town: Town, person: Person) -> frozenset[str]:
    return all_refs_at(town.house, [Identifier(SubjectKind.PHONE, person.phone)], PRINCIPAL)


def concerned(case: Case) -> set[str]:
    """The principals that a case has parts for."""
    return {part.principal for part in case.sub_cases if part.agreement_id is not None}


def asks(town: Town, person: Person, right: Right = Right.ERASURE) -> Case:
    return town.opened(right, [(SubjectKind.PHONE, person.phone)])


@pytest.mark.parametrize("right", [Right.ERASURE, Right.ACCESS, Right.RESTRICTION, Right.OBJECTION])
def test_whoever_is_on_record_alone_has_a_part_where_they_are(town: Town, right: Right) -> None:
    _, recorded, nobody = town.people
    said(town, recorded)

    assert concerned(asks(town, recorded, right)) == {PRINCIPAL}, "the other principal learns nothing"
    assert concerned(asks(town, nobody, right)) == set(), "the control: nobody knows them"


def test_a_record_of_consent_alone_is_erased_and_then_nobody_knows_the_person(town: Town) -> None:
    named, recorded, _ = town.people
    said(town, named)
    said(town, recorded)

    report = run(town.house, town.agree(asks(town, recorded)).case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert set(find_records(town.house, PRINCIPAL)["ref"]) == refs(town, named), "the others stay"
    assert concerned(asks(town, recorded, Right.ACCESS)) == set()


def test_a_record_that_came_after_the_request_counts_where_rows_would(town: Town) -> None:
    _, recorded, _ = town.people
    case = asks(town, recorded, Right.ACCESS)
    assert concerned(case) == set()
    said(town, recorded)

    again = rescope(town.house, case, open_request(town.house, case.case_id)[1], now())

    assert concerned(again) == {PRINCIPAL}


def test_a_record_is_found_by_its_whole_reference(town: Town) -> None:
    """An index knows but a piece of each."""
    named, recorded, _ = town.people
    said(town, recorded)
    [ref] = refs(town, recorded)
    other = ref[:-1] + ("0" if ref[-1] != "0" else "1")

    assert find_named(town.house, PRINCIPAL, frozenset({ref, other}) | refs(town, named)) == {ref}
    assert find_named(town.house, OTHER, frozenset({ref})) == frozenset()


def test_a_record_stays_as_long_as_the_principal_keeps_it(town: Town) -> None:
    """What has to be kept as proof of a consent (GDPR Art. 7(1), 17(3)) is its controller's to decide."""
    _, recorded, _ = town.people
    said(town, recorded)
    case = asks(town, recorded)
    assert instruct(town, of_principal(case), decision="refuse", reason="A17LegallyRequired") == "INSTRUCTED"
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.kept) == (0, 0, 1)
    assert set(find_records(town.house, PRINCIPAL)["ref"]) == refs(town, recorded)


@pytest.mark.parametrize("refuses", [True, False], ids=["the principal keeps its copies", "control: it erases"])
def test_a_record_stays_beside_a_copy_that_stays(town: Town, refuses: bool) -> None:
    named = town.people[0]
    said(town, named, "withdrawn")
    case = town.opened(Right.ERASURE, [(SubjectKind.PHONE, named.phone)], PRINCIPAL)
    word = {"decision": "refuse", "reason": "A17LegallyRequired"} if refuses else {"decision": "erase"}
    assert instruct(town, of_principal(case), **word) == "INSTRUCTED"
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.kept > 0) == (0, 0, refuses)
    assert (set(find_records(town.house, PRINCIPAL)["ref"]) == refs(town, named)) is refuses


def test_a_record_of_which_nobody_has_decided_waits_and_does_not_stay_by_a_decision(town: Town) -> None:
    _, recorded, _ = town.people
    said(town, recorded)
    case = asks(town, recorded)
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert report.kept == report.undecided == 2, "the record, and the notice that asks the principal"


def test_a_list_that_was_lost_is_told_as_lost(town: Town) -> None:
    """Not as something that whoever opens a case did not spell right."""
    _, recorded, nobody = town.people
    said(town, recorded)
    for each in find_runs(town.house.conn, PRINCIPAL):
        town.house.objects.delete_version(each.bucket, each.key, each.version_id)

    with pytest.raises(EvidenceInvalid):
        asks(town, nobody, Right.ACCESS)
    assert find_named(town.house, PRINCIPAL, frozenset()) == frozenset(), "for nobody no list is read"
