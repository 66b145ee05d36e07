"""Whom no file names (any more), and a record of consent does, is known: their request reaches it, and it is erased."""

import pytest

from rights.instructing import accept, instruct, of_principal
from rights.town import Person, Town, let_go, now, town_fixture
from sluice.errors import EvidenceInvalid
from sluice.exchange.persons.consent_store import find_runs
from sluice.exchange.persons.consents import find_named, find_records
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.consents.file import Said
from sluice.rights.copies.find import open_request
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.rescope import rescope
from sluice.rights.withdrawals import record_and_tell
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY

PRINCIPAL, OTHER = Principal(ENERGY[0]), Principal("solar01")


def planted(town: Town) -> None:
    """Two principals, each with a file of the first three persons alone."""
    for each in (PRINCIPAL, OTHER):
        town.arrive(each, town.people[:3])


town = town_fixture([PRINCIPAL, OTHER], 12, planted)


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


def on_record(town: Town) -> set[str]:
    return set(find_records(town.house, PRINCIPAL)["ref"])


def kept_by_the_principal(town: Town, case: Case) -> ErasureReport:
    """The principal has to keep what there is, and the center erases its own."""
    assert instruct(town, of_principal(case), decision="refuse", reason="A17LegallyRequired") == "INSTRUCTED"
    accept(town, case, Action.ERASE)
    let_go(town, case)
    return run(town.house, case.case_id, now())


def test_whoever_is_on_record_alone_has_a_part_where_they_are_and_is_found_by_the_whole_reference(town: Town) -> None:
    """An index knows but a piece of each."""
    named, recorded, nobody = town.people[0], town.people[3], town.people[4]
    case = asks(town, recorded, Right.ACCESS)
    assert concerned(case) == set()
    said(town, recorded)
    again = rescope(town.house, case, open_request(town.house, case.case_id)[1], now())
    assert concerned(again) == {PRINCIPAL}, "what came after the request counts where rows would"
    for right in (Right.ERASURE, Right.ACCESS, Right.RESTRICTION, Right.OBJECTION):
        assert concerned(asks(town, recorded, right)) == {PRINCIPAL}, "the other principal learns nothing"
        assert concerned(asks(town, nobody, right)) == set(), "the control: nobody knows them"
    [ref] = refs(town, recorded)
    other = ref[:-1] + ("0" if ref[-1] != "0" else "1")
    assert find_named(town.house, PRINCIPAL, frozenset({ref, other}) | refs(town, named)) == {ref}
    assert find_named(town.house, OTHER, frozenset({ref})) == frozenset()


def test_a_record_of_consent_alone_is_erased_and_then_nobody_knows_the_person(town: Town) -> None:
    named, recorded = town.people[0], town.people[5]
    said(town, named)
    said(town, recorded)

    report = run(town.house, town.agree(asks(town, recorded)).case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert on_record(town) >= refs(town, named) and not on_record(town) & refs(town, recorded), "the others stay"
    assert concerned(asks(town, recorded, Right.ACCESS)) == set()


def test_a_record_stays_as_long_as_the_principal_keeps_it_and_beside_a_copy_that_stays(town: Town) -> None:
    """What has to be kept as proof of a consent (GDPR Art. 7(1), 17(3)) is its controller's to decide."""
    named, recorded, waiting = town.people[1], town.people[6], town.people[7]
    for person in (named, recorded):
        said(town, person, "withdrawn" if person is named else "given")
    report = kept_by_the_principal(town, asks(town, recorded))
    assert (report.residual, report.doubts, report.kept) == (0, 0, 1)
    report = kept_by_the_principal(town, town.opened(Right.ERASURE, [(SubjectKind.PHONE, named.phone)], PRINCIPAL))
    assert (report.residual, report.doubts) == (0, 0) and report.kept > 0
    assert on_record(town) >= refs(town, named) | refs(town, recorded)

    erased = town.people[2]
    said(town, erased, "withdrawn")
    case = town.agree(town.opened(Right.ERASURE, [(SubjectKind.PHONE, erased.phone)], PRINCIPAL))
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts, report.kept) == (0, 0, 0) and not on_record(town) & refs(town, erased)

    said(town, waiting)
    case = asks(town, waiting)
    accept(town, case, Action.ERASE)
    let_go(town, case)
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts) == (0, 0)
    assert report.kept == report.undecided == 2, "the record, and the notice that asks the principal"


def test_a_list_that_was_lost_is_told_as_lost(town: Town) -> None:
    """Not as something that whoever opens a case did not spell right."""
    recorded, nobody = town.people[8:10]
    said(town, recorded)
    for each in find_runs(town.house.conn, PRINCIPAL):
        town.house.objects.delete_version(each.bucket, each.key, each.version_id)

    with pytest.raises(EvidenceInvalid):
        asks(town, nobody, Right.ACCESS)
    assert find_named(town.house, PRINCIPAL, frozenset()) == frozenset(), "for nobody no list is read"
