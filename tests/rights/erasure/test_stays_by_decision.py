"""Who was erased in part: what a controller has to keep (GDPR Art. 17(3)) is used as before, and who asks is served."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import accept, current, instruct, letter_text, of_principal, swept
from rights.town import Person, Town, open_town, papers_of
from sluice.exchange.persons.correction_store import find_rows
from sluice.exchange.persons.suppressed import find_reasons
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.case.store import list_open_cases, list_steps
from sluice.rights.consents.file import Said
from sluice.rights.copies.where import where
from sluice.rights.erasure.erase import begin, run
from sluice.rights.erasure.release import draft, release
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.withdrawals import record_and_tell
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY
from support.night import AGREEMENT, Edit

pytestmark = pytest.mark.stores
PRINCIPAL = Principal(ENERGY[0])
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
CONSENT = Edit(AGREEMENT, f'legalBasis: "{GDPR}A6-1-b"', f'legalBasis: "{GDPR}A6-1-a"')


STAYS, CODE = "buiten wat hier volgens de beslissing blijft", "Om u te herkennen en buiten te houden"


def planted(settings: Settings, folder: Path) -> None:
    papers = papers_of(settings, folder, [PRINCIPAL], CONSENT)
    with open_town(papers, folder, [PRINCIPAL], 3) as opened:
        opened.arrive(PRINCIPAL, opened.people)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [PRINCIPAL], 3) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def given(person: Person) -> list[tuple[SubjectKind, str]]:
    return [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL))]


def let_go(town: Town, case: Case) -> None:
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())


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
    kept, gone, _ = town.people
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
    town.arrive(PRINCIPAL, town.people[::-1], "next.csv")
    line = max(town.desk.lines(), key=lambda each: each.opened_at)
    assert show_exchange(town.house.conn, line.id).record.right_treatment.held_back == {"erased": 1}

    assert "RECTIFIED" in rectified(town, kept)
    assert [row.field for row in find_rows(town.house.conn, PRINCIPAL)] == ["street"]
    assert "NOBODY_KNOWS_THE_PERSON" in rectified(town, gone), "the control"


def test_who_takes_consent_back_is_told_of_where_something_of_them_stayed(town: Town) -> None:
    kept, gone, _ = town.people
    run(town.house, town.decided(gone).case_id, now())
    case = refused_by_the_principal(town, kept)
    begin(town.house, case.case_id, now())
    assert "erased" in reasons(town, kept), "erased by the suppression, and still here"
    left_out = Counter[str]()
    for person in (kept, gone):
        said = Said({"phone": person.phone}, "P-CARE", "email", "withdrawn", now().isoformat(), "web", "W-1", "webshop")
        left_out[person.phone] += record_and_tell(town.house, PRINCIPAL, said, "anna", now()).left_out
    assert (left_out[kept.phone], left_out[gone.phone]) == (0, 1)
    assert len(list_open_cases(town.house.conn, Right.CONSENT_WITHDRAWAL)) == 1


def test_who_had_only_their_notes_erased_is_not_erased(town: Town) -> None:
    person = town.people[0]
    case = town.opened(Right.ERASURE, given(person), PRINCIPAL)
    told = instruct(town, of_principal(case), decision="erase", fields=["note_free_text"])
    assert told == "INSTRUCTED"
    let_go(town, case)
    begin(town.house, case.case_id, now())
    assert "erased" in reasons(town, person)

    run(town.house, case.case_id, now())

    assert "erased" not in reasons(town, person) and "lake" in stores_of(town, person)
