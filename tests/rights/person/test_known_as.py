"""Who had a telephone or an e-mail address corrected is found by the right one, whatever they ask then."""

import json

import pytest

from answers.giving import WE_GIVE, give, read
from rights.town import DESK, SHA, Person, Town, now, town_fixture
from sluice.dial.read import view_rows
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.known_as import KnownAs
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Action, Case, Order, Right, State, Track
from sluice.rights.case.steps import decide, withdraw
from sluice.rights.copies.find import open_request, targets_of
from sluice.rights.copies.needed import find_needed, refs_by_need
from sluice.rights.copies.where import where
from sluice.rights.erasure.erase import run, verify
from sluice.rights.person.identifiers import Identifier, parse_identifier, refs_of
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import ENERGY as FLOW_OF
from support.desk import requests

ENERGY = Principal("energy01")
Given = tuple[SubjectKind, str]
PHONE, EMAIL, CUSTOMER = SubjectKind.PHONE, SubjectKind.EMAIL, SubjectKind.PRINCIPAL_CUSTOMER_ID
THIRDS = range(6, 10)


def right_phone(number: int) -> str:
    """The right telephone of one of the people."""
    return f"0477 11 22 {30 + number}"


def new(number: int) -> list[Given]:
    return [(PHONE, f"+3247711223{number}"), (EMAIL, f"rechtgezet{number}@post.example")]


def couple(town: Town, number: int) -> tuple[Person, Person]:
    """The first of two had telephone and address corrected; the second shares the old telephone of the first."""
    first, second = town.people[2 * number : 2 * number + 2]
    return first, second.under_phone_of(first)


def planted(town: Town) -> None:
    couples = [couple(town, number) for number in range(3)]
    town.arrive(ENERGY, [*(each for pair in couples for each in pair), *town.people[6:13]], "first.csv")
    for number, (first, _) in enumerate(couples):
        (_, email) = new(number)
        rectified(town, (CUSTOMER, first.record(ENERGY)), phone=right_phone(number), email=email[1])
    for number in THIRDS:
        third = town.people[number]
        rectified(town, (CUSTOMER, third.record(ENERGY)), (PHONE, third.phone), phone=right_phone(number))


town = town_fixture([ENERGY], 15, planted, WE_GIVE)


def opened(town: Town, right: Right, *given: Given) -> Case:
    """Nobody is addressed: all that know the person."""
    return town.opened(right, given)


def rectified(town: Town, *given: Given, **values: str) -> None:
    case = opened(town, Right.RECTIFICATION, *given)
    ask(town.house, case.case_id, Wanted(values, now()))
    for part in case.sub_cases:
        if part.track is Track.PROCESSOR:
            said = json.dumps({"case": part.sub_case_id, "decision": "rectify"}).encode()
            key = f"{ENERGY}/requests/instruction-{part.sub_case_id}.json"
            stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
            assert read_instruction(town.house, ENERGY, stored, now()).outcome == "INSTRUCTED"
    order = Order(DESK, now(), "ACCEPTED", SHA, action=Action.RECTIFY)
    decide(town.house.conn, case.case_id, State.ACCEPTED, order)
    for _ in range(2):
        assert follow(town.house, now()).failed == 0 and sweep(town.house, now()).failed == 0
    assert len(find_corrections(town.house, ENERGY)) >= len(values)


def refs(town: Town, *given: Given) -> set[str]:
    every = [Identifier(*each) for each in given]
    return set(refs_of(every, town.house.subject_key(ENERGY), ENERGY).values())


def kept_out(town: Town) -> set[str]:
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["ref"].to_list())


def in_view(town: Town) -> dict[str, str]:
    rows = view_rows(town.house, ENERGY, Flow(FLOW_OF[1]))
    return dict(zip(rows["customer_number"], rows["phone"], strict=True))


def is_known(case: Case) -> bool:
    return any(part.has_hit for part in case.sub_cases)


def test_another_number_finds_nobody(town: Town) -> None:
    for given in ((PHONE, "0477 99 88 77"), (EMAIL, "iemand@post.example")):
        assert not is_known(opened(town, Right.ERASURE, given))
    assert list(where(town.house, [parse_identifier(f"phone:{right_phone(0)}", 1)], [ENERGY])), "control"
    assert len(in_view(town)) == 13, "nobody who was delivered is held"


def test_corrections_are_opened_once_however_many_are_owed_an_answer_and_only_those_of_identifiers(town: Town) -> None:
    """Each answer costs its own envelope, and nothing beside."""
    (first, _), third, *others = couple(town, 2), *town.people[10:13]
    people = [*((CUSTOMER, each.record(ENERGY)) for each in (first, third, *others)), *new(2)]
    cases = [town.agree(opened(town, Right.ACCESS, each), Action.GIVE) for each in people]
    needed = sorted(find_needed(town.house, ENERGY), key=lambda each: [one.case_id for one in cases].index(each.cause))
    assert len(needed) == 6

    def reads() -> list[int]:
        found = []
        for count in (2, 6):
            with requests(town.desk) as asked:
                refs_by_need(town.house, ENERGY, needed[:count])
            found.append(asked.count("GetObject"))
        return found

    two, six = reads()
    assert six - two == 4
    named = refs_by_need(town.house, ENERGY, needed)
    assert refs(town, people[0], *new(2)) <= named[needed[0]], "control: they are led on"
    rectified(town, people[1], last_name="Rechtgezet")
    assert reads() == [two, six]
    rectified(town, people[1], email="derde@post.example")
    assert reads()[1] > six, "control: one of an identifier is opened"
    for case in cases:
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))


def test_access_by_what_is_right_gives_the_persons_own_rows_only(town: Town) -> None:
    first, second = couple(town, 2)
    for given in new(2):
        case = opened(town, Right.ACCESS, given)
        package = read(town.house, give(town.house, town.agree(case, Action.GIVE).case_id))

        assert is_known(case)
        assert set(package.table("data/contact_point.csv")["phone"].drop_nulls()) == {right_phone(2)}
        assert first.record(ENERGY) in package.text and second.record(ENERGY) not in package.text, "one phone before"


@pytest.mark.parametrize(
    ("number", "right", "given"),
    [
        (6, Right.DIRECT_MARKETING, 0),
        (7, Right.DIRECT_MARKETING, 1),
        (8, Right.RESTRICTION, 1),
        (9, Right.OBJECTION, 0),
    ],
)
def test_both_telephones_are_kept_out_whichever_was_given(town: Town, number: int, right: Right, given: int) -> None:
    third = town.people[number]
    both = [(PHONE, third.phone), (PHONE, right_phone(number))]
    before = len(in_view(town))
    assert in_view(town)[third.record(ENERGY)] == right_phone(number), "control: they may be dialled"
    assert refs(town, *both).isdisjoint(kept_out(town))
    case = opened(town, right, both[given])
    if right is Right.RESTRICTION:
        town.agree(case, Action.RESTRICT)
        assert follow(town.house, now()).failed == 0 and sweep(town.house, now()).failed == 0

    assert is_known(case) and refs(town, *both) <= kept_out(town)
    assert len(in_view(town)) == before - 1 and third.record(ENERGY) not in in_view(town)


def test_a_telephone_that_others_have_leads_nowhere_and_nothing_leads_to_it(town: Town) -> None:
    (first, _), third = couple(town, 1), town.people[6]
    known, right = KnownAs.of(town.house, ENERGY), new(1)

    def lead(*given: Given) -> frozenset[str]:
        [ref] = refs(town, *given)
        return known.lead(ref)

    number = (CUSTOMER, first.record(ENERGY))
    assert lead((PHONE, first.phone)) == refs(town, (PHONE, first.phone))
    assert lead(right[0]) >= refs(town, *right, number) and not refs(town, (PHONE, first.phone)) <= lead(right[0])
    assert lead((PHONE, third.phone)) >= refs(town, (PHONE, third.phone), (PHONE, right_phone(6))), "control"
    last = town.people[-1]
    moved = Person(last.number, right_phone(1), last.line.replace(last.phone, right_phone(1)))
    town.arrive(ENERGY, [moved], "moved.csv")
    known = KnownAs.of(town.house, ENERGY)
    old = [(EMAIL, first.line.split(";")[town.head.split(";").index("email") - 1])]
    assert lead(number) == refs(town, number, right[1], *old), "somebody else has the right telephone too"
    assert lead(right[0]) >= refs(town, number), "who gives only that is asked for a number"


@pytest.mark.parametrize(("number", "which"), [(0, 0), (1, 1)])
def test_an_erasure_by_what_is_right_is_clean_also_when_it_is_looked_for_again(
    town: Town, number: int, which: int
) -> None:
    (first, second), given = couple(town, number), new(number)[which]
    corrected = len(find_corrections(town.house, ENERGY))
    case = town.agree(opened(town, Right.ERASURE, given))
    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0) and report.objects_scanned
    assert len(find_corrections(town.house, ENERGY)) == corrected - 2, "theirs are gone, and no other"
    again = verify(town.house, case.case_id, now())
    assert (again.residual, again.doubts) == (0, 0)
    [target] = targets_of(town.house, *open_request(town.house, case.case_id), decided_only=True)
    assert refs(town, (CUSTOMER, first.record(ENERGY))) <= target.refs, "no correction leads to them any more"
    assert first.record(ENERGY) not in in_view(town) and second.record(ENERGY) in in_view(town)
    mine = [(CUSTOMER, first.record(ENERGY)), given]
    assert refs(town, *mine) <= kept_out(town) and refs(town, (PHONE, first.phone)).isdisjoint(kept_out(town))
    renewed = Person(first.number, right_phone(number), first.line.replace(first.phone, right_phone(number)))
    town.arrive(ENERGY, [renewed, second], f"again-{number}.csv")
    record = show_exchange(town.house.conn, town.desk.lines()[0].id).record
    assert record is not None and record.what.rows_held == 1, "who shared the old telephone is not held"
