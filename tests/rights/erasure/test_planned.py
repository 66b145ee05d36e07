"""A plan says of every object and field what goes, on which ground, and what stays by which exception (Art. 17)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import accept, current, instruct, of_center, of_principal
from rights.town import Person, Town, open_town, papers_of
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.case.reasons import iri
from sluice.rights.case.store import list_steps
from sluice.rights.erasure.planned import LEFT_OUT, UNDECIDED, PlannedObject
from sluice.rights.erasure.release import Drafted, draft
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
KEPT = iri("A17LegallyRequired")
OF_CENTER = {"call_event", "disposition", "callback", "note_free_text", "survey", "consent_captured", "order_result"}


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)
        yield opened


def asked(town: Town, person: Person) -> Case:
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    return town.opened(Right.ERASURE, given, ENERGY)


def drafted(town: Town, case: Case) -> Drafted:
    return draft(town.house, case.case_id, "carl", datetime.now(UTC))


def groups_of(planned: PlannedObject) -> set[str]:
    return {field.group for field in planned.fields}


def test_a_plan_names_every_object_with_its_fields_and_the_grounds_that_were_given(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = asked(town, town.people[0])
    assert instruct(town, of_principal(case), decision="erase", ground="unlawful") == "INSTRUCTED"
    with at_terminal(town.desk, monkeypatch):
        said = ("case", "decide", case.case_id, "--accept", "erase", "--ground")
        assert sluice(*said, "legitimate").exit == 2
        assert sluice(*said[:3], "--refuse", "A17LegalClaims", "--ground", "child").exit == 2, "nothing is erased"
        assert sluice(*said, "consent-withdrawn").exit == 0
        told = sluice("erase", "plan", case.case_id, "--by", "carl").document

    assert {each["sub_case"]: each["ground"] for each in told["grounds"]} == {
        of_principal(case).sub_case_id: "UNLAWFUL",
        of_center(case).sub_case_id: "CONSENT_WITHDRAWN",
    }
    steps = list_steps(town.house.conn, case.case_id)
    assert {"UNLAWFUL", "CONSENT_WITHDRAWN"} <= {each.reason_code for each in steps}, "as every step of a case"
    counts = {store: sum(one["store"] == store for one in told["objects"]) for store in
              {one["store"] for one in told["objects"]}}  # fmt: skip
    assert counts == {line["store"]: line["objects"] for line in told["stores"]}
    [lake, *_] = [one for one in told["objects"] if one["kind"] == "lake"]
    assert {"street", "phone"} <= {field["name"] for field in lake["fields"]}
    assert all(field["outcome"] == "erased" and not field["stays_by"] for field in lake["fields"])
    assert lake["object"].startswith("s3://") and town.people[0].phone not in str(told)


def test_a_field_that_stays_says_by_which_exception_or_that_nobody_decided(town: Town) -> None:
    case = asked(town, town.people[0])
    waits = drafted(town, case)
    assert waits.grounds == () and {each.outcome for each in waits.objects} == {"kept"}
    assert {field.stays_by for each in waits.objects for field in each.fields} >= {(UNDECIDED,)}

    assert instruct(town, of_principal(case), decision="refuse", reason="A17LegallyRequired") == "INSTRUCTED"
    accept(town, current(town, case), Action.ERASE)
    found = drafted(town, case)

    assert [each.ground for each in found.grounds] == [None], "nobody said"
    delivered = next(each for each in found.objects if each.kind == "delivered")
    by_group = {field.group: field.stays_by for field in delivered.fields}
    assert by_group["identity"] == (KEPT,)
    assert {by_group[group] for group in OF_CENTER & set(by_group)} == {()}, "they stay with the row alone"
    assert not any({UNDECIDED, LEFT_OUT} & {*field.stays_by} for each in found.objects for field in each.fields)


def test_a_field_that_an_instruction_leaves_out_without_a_word_says_so(town: Town) -> None:
    case = asked(town, town.people[0])
    assert instruct(town, of_principal(case), decision="erase", fields=["contact_point"]) == "INSTRUCTED"

    found = drafted(town, case)

    lake = next(each for each in found.objects if each.kind == "lake" and "identity" in groups_of(each))
    by_group = {field.group: field.stays_by for field in lake.fields}
    assert (by_group["identity"], by_group["contact_point"]) == ((LEFT_OUT,), ())
