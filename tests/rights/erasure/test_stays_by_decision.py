"""Who was erased in part: what a controller has to keep (GDPR Art. 17(3)) is used as before, and who asks is served."""

from rights.instructing import accept, current, instruct, letter_text, of_principal, swept
from rights.town import Person, Town, let_go, now, town_fixture
from sluice.exchange.persons.correction_store import find_rows
from sluice.exchange.persons.corrections import PREFIX, RightValue, correct, find_corrections
from sluice.exchange.persons.suppressed import find_reasons
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.case.store import list_open_cases, list_steps
from sluice.rights.consents.file import Said
from sluice.rights.copies.where import where
from sluice.rights.erasure.erase import begin, run, verify
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.withdrawals import record_and_tell
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY
from support.night import AGREEMENT, Edit

PRINCIPAL = Principal(ENERGY[0])
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
CONSENT = Edit(AGREEMENT, f'legalBasis: "{GDPR}A6-1-b"', f'legalBasis: "{GDPR}A6-1-a"')


OF = "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42"
STAYS, CODE = "buiten wat hier volgens de beslissing blijft", "Om u te herkennen en buiten te houden"


town = town_fixture([PRINCIPAL], 6, lambda opened: opened.arrive(PRINCIPAL, opened.people), CONSENT)


def given(person: Person) -> list[tuple[SubjectKind, str]]:
    return [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL))]


def refused_by_the_principal(town: Town, person: Person) -> Case:
    """The center erases its own part; it is released."""
    case = town.opened(Right.ERASURE, given(person), PRINCIPAL)
    assert instruct(town, of_principal(case), decision="refuse", reason="A17LegallyRequired") == "INSTRUCTED"
    accept(town, case, Action.ERASE)
    let_go(town, case)
    return case


def reasons(town: Town, person: Person) -> tuple[str, ...]:
    refs = all_refs_at(town.house, [Identifier(SubjectKind.PHONE, person.phone)], PRINCIPAL)
    return find_reasons(town.house, PRINCIPAL, refs)


def stores_of(town: Town, person: Person) -> set[str]:
    return {each.store for each in where(town.house, [Identifier(SubjectKind.PHONE, person.phone)], [PRINCIPAL])}


def rectified(town: Town, person: Person) -> list[str]:
    """The principal instructs that the street is another; why its part took the steps it took."""
    case = town.opened(Right.RECTIFICATION, given(person), PRINCIPAL)
    said = {"values": {"street": "Rechtplein 17"}, "as_of": "2026-11-01T00:00:00+00:00"}
    assert instruct(town, of_principal(case), decision="rectify", **said) == "INSTRUCTED"
    case, number = swept(town, case), of_principal(case).sub_case_id
    return [each.reason_code for each in list_steps(town.house.conn, case.case_id) if each.sub_case_id == number]


def test_what_the_principal_keeps_is_used_corrected_and_delivered_again(town: Town) -> None:
    kept, gone = town.people[:2]
    whole = town.decided(gone)
    run(town.house, whole.case_id, now())
    case = refused_by_the_principal(town, kept)
    begin(town.house, case.case_id, now())
    assert "erased" in reasons(town, kept), "while the run is at work nothing of them comes in"

    report = run(town.house, case.case_id, now())
    swept(town, current(town, case))

    assert (report.residual, report.doubts) == (0, 0) and report.kept > 0
    assert ("lake" in stores_of(town, kept), reasons(town, kept)) == (True, ())
    assert ("lake" in stores_of(town, gone), "erased" in reasons(town, gone)) == (False, True), "the control"
    told = letter_text(town, current(town, case))
    assert STAYS in told and CODE not in told, "what is found is what stays; nothing keeps them out any more"
    control = letter_text(town, swept(town, whole))
    assert STAYS not in control and CODE in control
    again = run(town.house, case.case_id, now())
    assert (again.residual, again.doubts, reasons(town, kept)) == (0, 0, ()), "it keeps them out for as long as it runs"
    town.arrive(PRINCIPAL, [*town.people[2::-1]], "next.csv")
    line = max(town.desk.lines(), key=lambda each: each.opened_at)
    assert show_exchange(town.house.conn, line.id).record.right_treatment.held_back == {"erased": 1}

    assert "RECTIFIED" in rectified(town, kept)
    assert [row.field for row in find_rows(town.house.conn, PRINCIPAL)] == ["street"]
    assert "NOBODY_KNOWS_THE_PERSON" in rectified(town, gone), "the control"

    begin(town.house, case.case_id, now())
    assert "erased" in reasons(town, kept), "erased by the suppression, and still here"
    left_out = []
    for person in (kept, gone):
        said = Said({"phone": person.phone}, "P-CARE", "email", "withdrawn", now().isoformat(), "web", "W-1", "webshop")
        left_out.append(record_and_tell(town.house, PRINCIPAL, said, "anna", now()).left_out)
    assert left_out == [0, 1], "who takes consent back is told of where something of them stayed"
    assert len(list_open_cases(town.house.conn, Right.CONSENT_WITHDRAWAL)) == 1


def test_who_had_only_their_notes_erased_is_not_erased(town: Town) -> None:
    person = town.people[5]
    case = town.opened(Right.ERASURE, given(person), PRINCIPAL)
    told = instruct(town, of_principal(case), decision="erase", fields=["note_free_text"])
    assert told == "INSTRUCTED"
    let_go(town, case)
    begin(town.house, case.case_id, now())
    assert "erased" in reasons(town, person)

    run(town.house, case.case_id, now())

    assert "erased" not in reasons(town, person) and "lake" in stores_of(town, person)


def corrected(town: Town, person: Person) -> None:
    ref = refer(town.house.subject_key(PRINCIPAL), SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL)).ref
    right = RightValue("street", "Rechtzettingsplein 1", now(), False, person.line)
    correct(town.house, PRINCIPAL, OF, frozenset({ref or ""}), right, now())


def test_a_correction_stays_while_a_copy_of_the_person_stays_and_goes_with_the_last_one(town: Town) -> None:
    (person, other), bucket = town.people[3:5], town.desk.settings.bucket_vault
    before = {item.key for item in town.desk.objects(bucket)}
    corrected(town, person)
    [item] = [each for each in town.desk.objects(bucket) if each.key.startswith(PREFIX) and each.key not in before]
    content, there = town.house.objects.read(bucket, item.key), len(find_corrections(town.house, PRINCIPAL))
    corrected(town, other)
    case = town.opened(Right.ERASURE, given(person), PRINCIPAL)
    accept(town, case, Action.ERASE)
    let_go(town, case)
    first = run(town.house, case.case_id, now())
    assert any(line.outcome == "kept" for line in first.lines)
    assert len(find_corrections(town.house, PRINCIPAL)) == there + 1, "who still reads the person reads what is right"

    assert instruct(town, of_principal(current(town, case)), decision="erase") == "INSTRUCTED"
    let_go(town, case)
    last = run(town.house, case.case_id, now())
    assert (last.residual, last.doubts) == (0, 0)
    assert len(find_corrections(town.house, PRINCIPAL)) == there and "corrections" in last.searched

    town.house.objects.put(bucket, item.key, content, "application/octet-stream")
    found = verify(town.house, case.case_id, now()).residual
    assert found == 2, "control: the list of corrections knows it, the scan its reference"
    town.house.objects.delete_others(bucket, item.key, frozenset())
