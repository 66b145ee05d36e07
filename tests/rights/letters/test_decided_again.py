"""A part that is decided anew is told anew: reasons that hold no longer are not posted, and end nothing."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from answers.giving import WE_EXPORT, WE_GIVE
from answers.test_portability import ANY_NUMBER, BY_CONTRACT
from returns.commands import at_terminal, sluice
from rights.instructing import (
    ENERGY,
    accept,
    arrived,
    current,
    instruct,
    is_on_both_lists,
    lent,
    now,
    of_center,
    of_principal,
    owned,
    swept,
)
from rights.town import DESK, SHA, Town
from sluice.answers.sweep import make_decided
from sluice.cli.whole import app
from sluice.rights.case.book import open_book
from sluice.rights.case.describe import describe_letter
from sluice.rights.case.errors import LetterNotDue
from sluice.rights.case.letter_store import find_unopened
from sluice.rights.case.model import (
    Action,
    Actor,
    Case,
    Instruction,
    Letter,
    LetterKind,
    Order,
    Remedies,
    Right,
    Role,
    State,
)
from sluice.rights.case.next_step import letters_to_post
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide, settle_identity
from sluice.rights.erasure.erase import run
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document, write_letter, write_owed
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow
from sluice.terms import SubjectKind
from support.night import AGREEMENT, Edit

PORTABLE = Edit(AGREEMENT, "portable: false", "portable: true")
INSTRUCTED, CONTRADICTS = InstructionOutcome.INSTRUCTED, InstructionOutcome.CONTRADICTS


PAPERS = (WE_GIVE, WE_EXPORT, *BY_CONTRACT, ANY_NUMBER, PORTABLE)
town = lent(arrived, *PAPERS)
own = owned(arrived, *PAPERS)


def given(town: Town) -> list[tuple[SubjectKind, str]]:
    person = town.people[0]
    return [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]


def all_but(case: Case, group: str, reason: str, decision: str = "give") -> dict[str, object]:
    """What a principal says that does all of its part but one field group."""
    fields = [each for each in of_principal(case).field_groups if each != group]
    return {"decision": decision, "fields": fields, "reason": reason}


def refusals(town: Town, case: Case) -> list[Letter]:
    return [each for each in current(town, case).letters if each.kind is LetterKind.REFUSAL]


def said(town: Town, letter: Letter) -> dict[str, str]:
    """The reasons that a letter gives, by field group."""
    parts = json.loads(open_document(town.house, letter))["parts"]
    return {
        line["field_group"]: line["reason"] for part in parts for line in part["data"] if line["outcome"] == "refuse"
    }


def post_all(town: Town, case: Case) -> Case:
    """The desk posts what is on its list, until nothing more follows."""
    for _ in range(3):
        for letter in letters_to_post(current(town, case)):
            note_opened(town.house.conn, letter, now(), DESK)
        make_decided(town.house, "airflow", now())
        case = swept(town, case)
    return case


def test_what_is_refused_by_a_later_instruction_is_told_and_the_earlier_letter_stays(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.opened(Right.ACCESS, given(town), ENERGY, language="en")
    part = of_principal(case)
    accept(town, case, Action.GIVE)
    assert instruct(town, part, **all_but(case, "identity", "ThirdPartyRightsImpaired")) is INSTRUCTED
    write_owed(town.house, now())
    [first] = letters_to_post_of(town, case)
    assert first in find_unopened(town.house.conn), "control"

    later = all_but(case, "contact_point", "A12ManifestlyExcessive")
    assert instruct(town, part, **later) is CONTRADICTS
    assert letters_to_post_of(town, case) == [], "the principal took back what the letter says"
    assert first.sha256 not in [each.sha256 for each in find_unopened(town.house.conn)]
    assert is_on_both_lists(town, case), "the principal has to be called"
    assert describe_letter(first)["overtaken"] == [], "control"
    with at_terminal(town.desk, monkeypatch):
        listed = sluice("case", "letters", case.case_id).document["letters"]
        table = CliRunner().invoke(app, ["case", "letters", case.case_id], env={"COLUMNS": "300"}).stdout
    marked = {each["kind"]: each["overtaken"] for each in listed}
    assert marked == {"refusal": [part.sub_case_id]} and "refusal, overtaken" in table
    with pytest.raises(LetterNotDue):
        write_letter(town.house, case.case_id, LetterKind.REFUSAL, now())

    assert instruct(town, part, **later) is INSTRUCTED
    make_decided(town.house, "airflow", now())
    case = swept(town, case)
    old, new = refusals(town, case)
    assert said(town, old) == {"identity": iri("ThirdPartyRightsImpaired")}
    assert said(town, new) == {"contact_point": iri("A12ManifestlyExcessive")}
    assert letters_to_post_of(town, case) == [new]

    note_opened(town.house.conn, old, now(), DESK)
    assert of_principal(swept(town, case)).state is State.EXECUTED, "the reasons of the first word end nothing"
    assert of_principal(post_all(town, case)).state is State.CLOSED
    assert len(refusals(town, case)) == 2, "each decision is told once"


def letters_to_post_of(town: Town, case: Case) -> list[Letter]:
    return [each for each in letters_to_post(current(town, case)) if each.kind is LetterKind.REFUSAL]


def test_every_later_instruction_has_a_letter_whatever_the_clocks_say(town: Town) -> None:
    case = town.opened(Right.ACCESS, given(town), ENERGY, language="en")
    part, at = of_principal(case), now()
    groups = ("identity", "contact_point", "contract", "financial")
    for count, group in enumerate(groups, 1):
        word = all_but(case, group, "ThirdPartyRightsImpaired")
        if count > 1:
            assert instruct(town, part, at, **word) is CONTRADICTS
        assert instruct(town, part, at, **word) is INSTRUCTED
        for _ in range(2):  # by a sweep that began a minute earlier, or by a machine whose clock is behind
            write_owed(town.house, at - timedelta(minutes=1))
        assert [set(said(town, each)) for each in refusals(town, case)] == [{each} for each in groups[:count]]
        assert [set(said(town, each)) for each in letters_to_post_of(town, case)] == [{group}]
    assert len({each.key for each in refusals(town, case)}) == len(groups)


def test_a_failed_identity_is_told_where_reasons_were_written_before(town: Town) -> None:
    request = NewRequest(Right.ACCESS, given(town), ENERGY, now(), "letter", "en", DESK)
    case = open_case(town.house, request, now())
    follow(town.house, now())
    case = current(town, case)
    part = of_principal(case)
    assert instruct(town, part, **all_but(case, "identity", "ThirdPartyRightsImpaired")) is INSTRUCTED
    write_owed(town.house, now())
    failure = Order(DESK, now(), iri("A12IdentityFailure"), SHA)
    settle_identity(town.house.conn, case.case_id, False, failure)
    assert letters_to_post_of(town, case) == []
    assert instruct(town, part, decision="refuse", reason="A12IdentityFailure") is INSTRUCTED

    case = post_all(town, case)
    told = json.loads(open_document(town.house, refusals(town, case)[-1]))["text"]
    assert iri("A12IdentityFailure") in told and iri("ThirdPartyRightsImpaired") not in told
    assert of_principal(case).state is State.CLOSED


def test_what_an_erasure_left_nothing_of_is_told_as_refused(own: Town) -> None:
    case = own.opened(Right.PORTABILITY, given(own), ENERGY, language="en")
    part = of_principal(case)
    word = all_but(case, "consent", "ThirdPartyRightsImpaired", "export")
    assert instruct(own, part, **word) is INSTRUCTED
    case = swept(own, case)
    [first] = refusals(own, case)
    assert set(said(own, first)) == {"consent"}
    erasure = own.agree(own.opened(Right.ERASURE, given(own), ENERGY), Action.ERASE)
    run(own.house, erasure.case_id, now())

    make_decided(own.house, "airflow", now())
    case = swept(own, case)
    _, second = refusals(own, case)
    assert set(said(own, second)) == set(part.field_groups)
    assert letters_to_post_of(own, case) == [second]
    note_opened(own.house.conn, first, now(), DESK)
    assert of_principal(swept(own, case)).state is State.EXECUTED, "the letter about a part of it is no proof"
    assert of_principal(post_all(own, case)).state is State.CLOSED


def test_a_letter_about_two_parts_is_written_anew_for_the_part_of_which_it_holds(town: Town) -> None:
    case = town.opened(Right.ACCESS, given(town), ENERGY, language="en")
    theirs, ours = of_principal(case), of_center(case)
    why = {ours.field_groups[0]: iri("ThirdPartyRightsImpaired")}
    order = Order(
        DESK, now(), "PARTLY", SHA, reasons=why, remedies=Remedies(REMEDIES["BE"], "en"), action=Action.GIVE
    )  # fmt: skip
    decide(town.house.conn, case.case_id, State.PARTIAL, order)
    assert instruct(town, theirs, **all_but(case, "identity", "ThirdPartyRightsImpaired")) is INSTRUCTED
    write_owed(town.house, now())
    [both] = refusals(town, case)
    assert set(both.sub_cases) == {theirs.sub_case_id, ours.sub_case_id}

    other = Instruction(theirs.sub_case_id, ENERGY, Action.GIVE, True)
    with open_book(town.house.conn, case.case_id) as book:
        taken_back = Order(Actor(Role.PRINCIPAL, ENERGY), now(), "CONTRADICTED", SHA, instruction=other)
        book.take_part(theirs.sub_case_id, State.ESCALATED, taken_back)
        held = book.case
    assert held == current(town, case), "in memory as in the database"
    assert held.find_letter(LetterKind.REFUSAL, ours.sub_case_id) is None
    write_owed(town.house, now())
    write_owed(town.house, now())
    _, again = refusals(town, case)
    assert again.sub_cases == (ours.sub_case_id,) and said(town, again) == why
    assert letters_to_post_of(town, case) == [again]

    note_opened(town.house.conn, both, now(), DESK)
    sent = next(each for each in refusals(town, case) if each.scope == both.scope)
    assert sent.tells(ours.sub_case_id) and not sent.tells(theirs.sub_case_id), "what was sent before stays told"
