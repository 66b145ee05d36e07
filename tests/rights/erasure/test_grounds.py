"""A plan says of every object what goes, on which ground, and what stays by which exception (Art. 17).

Why it had to be erased (Art. 17(1)) reaches the person, the certificate and its page, in their language.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import accept, current, instruct, letter_text, of_center, of_principal
from rights.letter_samples import a_completion
from rights.town import DESK, SHA, Person, Town, now, swept, town_fixture
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.sign import as_it_stands, split_flattened
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State
from sluice.rights.case.reasons import Ground, iri
from sluice.rights.case.steps import decide
from sluice.rights.case.store import list_steps
from sluice.rights.erasure.certificate import Certificate, issue
from sluice.rights.erasure.certificate_page import make_certificate_page
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.planned import LEFT_OUT, UNDECIDED, PlannedObject
from sluice.rights.erasure.release import Drafted, draft, release
from sluice.rights.letters.document import spoken
from sluice.rights.letters.page import make_letter_page
from sluice.rights.letters.write import open_document
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")
KEPT = iri("A17LegallyRequired")
OF_CENTER = {"call_event", "disposition", "callback", "note_free_text", "survey", "consent_captured", "order_result"}


def planted(town: Town) -> None:
    town.arrive(ENERGY, town.people)
    town.give_back(ENERGY, town.people)


town = town_fixture([ENERGY], 4, planted)


def asked(town: Town, person: Person) -> Case:
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    return town.opened(Right.ERASURE, given, ENERGY, language="fr")


def erased(town: Town, case: Case) -> Certificate:
    release(town.house, case.case_id, "bert", now())
    assert run(town.house, case.case_id, now()).residual == 0
    swept(town)
    [certificate] = issue(town.house, case.case_id)
    return certificate


def drafted(town: Town, case: Case) -> Drafted:
    return draft(town.house, case.case_id, "carl", now())


def groups_of(planned: PlannedObject) -> set[str]:
    return {field.group for field in planned.fields}


def test_plan_letter_and_certificate_say_every_object_and_the_grounds_that_were_given(
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

    certificate = erased(town, case)
    said = as_it_stands(split_flattened(certificate.jws))[1]
    assert {each["sub_case_id"]: each["ground"] for each in said["grounds"]} == {
        each["sub_case"]: each["ground"] for each in told["grounds"]
    }
    for language in LANGUAGES:
        text = [*spoken_of(certificate, language)]
        for ground in ("UNLAWFUL", "CONSENT_WITHDRAWN"):
            assert {words(language).say(f"ground.{ground}"), ground} <= set(text), language
    [letter] = [each for each in current(town, case).letters if each.kind is LetterKind.COMPLETION]
    parts = json.loads(open_document(town.house, letter))["parts"]
    assert [each["ground"] for each in parts] == ["CONSENT_WITHDRAWN"], "the principal tells its own"
    assert words("fr").say("ground.CONSENT_WITHDRAWN") in letter_text(town, case)


def test_a_ground_that_nobody_gave_is_told_as_that(town: Town) -> None:
    case = asked(town, town.people[1])
    assert instruct(town, of_principal(case), decision="erase") == "INSTRUCTED"
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    drafted(town, case)
    certificate = erased(town, case)

    grounds = as_it_stands(split_flattened(certificate.jws))[1]["grounds"]
    assert [each["ground"] for each in grounds] == [None, None]
    assert words("nl").say("ground.unsaid") in [*spoken_of(certificate, "nl")]
    assert words("fr").say("letter.ground", ground="").strip() not in letter_text(town, case)


def test_a_field_that_stays_says_by_which_exception_or_that_nobody_decided(town: Town) -> None:
    case = asked(town, town.people[2])
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
    case = asked(town, town.people[3])
    assert instruct(town, of_principal(case), decision="erase", fields=["contact_point"]) == "INSTRUCTED"

    found = drafted(town, case)

    lake = next(each for each in found.objects if each.kind == "lake" and "identity" in groups_of(each))
    by_group = {field.group: field.stays_by for field in lake.fields}
    assert (by_group["identity"], by_group["contact_point"]) == ((LEFT_OUT,), ())


def test_every_ground_has_its_words_and_a_discreet_letter_none_of_them() -> None:
    for language in LANGUAGES:
        facts = a_completion(language)
        for ground in Ground:
            told = replace(facts, parts=tuple(replace(each, ground=ground) for each in facts.parts))
            sentence = words(language).say("letter.ground", ground=words(language).say(f"ground.{ground}"))
            assert sentence in [*spoken(make_letter_page(told))]
            assert sentence not in [*spoken(make_letter_page(facts))], "control: nobody said"
            failed = replace(told, case=replace(told.case, has_failed_identity=True))
            assert sentence not in [*spoken(make_letter_page(failed))], "it is not settled who asks"


def spoken_of(certificate: Certificate, language: str) -> Iterator[str]:
    """Every cell of the tables of a certificate's page."""
    for part in make_certificate_page(certificate.jws, language).parts:
        for row in part.table.rows if part.table else ():
            for cell in row:
                yield from (cell.words, cell.below)
