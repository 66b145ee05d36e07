"""Two customers with one telephone: what the one has corrected, erased or restricted is theirs, never the other's."""

import io
import json
from uuid import uuid4

import polars as pl
import pytest

from answers.giving import WE_GIVE, give, now, read
from rights.town import DESK, SHA, Person, Town, swept, town_fixture
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.dial.read import view_rows
from sluice.exchange.persons.suppressed import find_reasons
from sluice.exchange.read import find_by_versions, show_exchange
from sluice.returns.righting import Righting, oldest_first
from sluice.returns.store import find_contacts
from sluice.rights.case import store
from sluice.rights.case.letter_store import find_letters
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.next_step import NextStep, step_of_part
from sluice.rights.case.steps import decide
from sluice.rights.erasure.erase import run
from sluice.rights.letters.write import note_opened, open_document, write_letter
from sluice.rights.lifting import StillToRestrict, lift_restriction
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.rectify import ask
from sluice.rights.person.rectify_whom import numbers_of
from sluice.rights.person.wanted import Wanted
from sluice.rights.person.whom import all_refs_at
from sluice.rights.read_instructions import read_instruction
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import ENERGY

ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])
CUSTOMER, PHONE, NATIONAL = SubjectKind.PRINCIPAL_CUSTOMER_ID, SubjectKind.PHONE, SubjectKind.NATIONAL_NUMBER
RIGHT = "Rechtgezet"


def able(town: Town) -> list[Person]:
    """Those who may be called."""
    place = town.head.split(";").index("opt_in_phone") - 1
    return [each for each in town.people if each.line.split(";")[place] == "Y"]


def household(town: Town, place: int) -> tuple[Person, Person, Person]:
    """Two customers who share a telephone, and a third beside them."""
    first, second, third = able(town)[3 * place : 3 * place + 3]
    return first, second.under_phone_of(first), third


def planted(town: Town) -> None:
    town.arrive(ENERGY01, [each for place in range(5) for each in household(town, place)], "first.csv")
    town.desk.may_call()


town = town_fixture([ENERGY01], 60, planted, WE_GIVE)


def number(person: Person) -> tuple[SubjectKind, str]:
    return CUSTOMER, person.record(ENERGY01)


def opened(town: Town, right: Right, *identifiers: tuple[SubjectKind, str]) -> Case:
    return town.opened(right, identifiers, ENERGY01)


def part_of(town: Town, case: Case, track: Track = Track.PROCESSOR) -> SubCase:
    parts = store.get_case(town.house.conn, case.case_id).sub_cases
    return next(each for each in parts if each.track is track)


def instruct(town: Town, case: Case, decision: str) -> str:
    said = json.dumps({"case": part_of(town, case).sub_case_id, "decision": decision}).encode()
    key = f"{ENERGY01}/requests/instruction-{uuid4()}.json"
    stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
    return read_instruction(town.house, ENERGY01, stored, now()).outcome


def rectified(town: Town, *identifiers: tuple[SubjectKind, str], **values: str) -> Case:
    """Somebody has these values corrected: their principal instructs to do it, and the center accepts."""
    case = opened(town, Right.RECTIFICATION, *identifiers)
    ask(town.house, case.case_id, Wanted(values or {"last_name": RIGHT}, now()))
    assert instruct(town, case, "rectify") == "INSTRUCTED"
    order = Order(DESK, now(), "ACCEPTED", SHA, action=Action.RECTIFY)
    decide(town.house.conn, case.case_id, State.ACCEPTED, order, [part_of(town, case, Track.CONTROLLER).sub_case_id])
    swept(town)
    return store.get_case(town.house.conn, case.case_id)


def names_in_view(town: Town) -> dict[str, str]:
    rows = view_rows(town.house, ENERGY01, CAMPAIGN).sort("sluice_age")
    return dict(zip(rows["customer_number"], rows["last_name"], strict=True))


def dialled(town: Town) -> dict[str, dict[str, str]]:
    request = Request(str(uuid4()), ENERGY01, CAMPAIGN, "P-RENEW", Channel("phone"), "parquet", "anna")
    done = make_dial_list(town.house, request, now())
    rows = pl.read_parquet(io.BytesIO(town.house.objects.read(done.bucket, done.key)))
    return {row["customer_number"]: row for row in rows.to_dicts()}


def last_name(town: Town, person: Person) -> str:
    return person.line.split(";")[town.head.split(";").index("last_name") - 1]


def stale_in(town: Town, people: list[Person], name: str) -> int:
    lines = [town.head, *(f"{each.record(ENERGY01)};{each.line}" for each in people)]
    dropped = town.desk.drop("\n".join(lines).encode() + b"\n", name, ENERGY)
    town.desk.work()
    record = show_exchange(
        town.house.conn, find_by_versions(town.house.conn, [dropped.version_id])[dropped.version_id].id
    ).record
    assert record is not None and record.what.rows_refused == 0
    return sum(line.count for line in record.reasons if line.code == "STALE_VALUE_CORRECTED")


def erased(town: Town, *identifiers: tuple[SubjectKind, str]) -> None:
    case = town.agree(opened(town, Right.ERASURE, *identifiers), Action.ERASE)
    assert run(town.house, case.case_id, now()).residual == 0


def with_own_phone(person: Person) -> Person:
    return Person(person.number, "0470 98 76 54", person.line.replace(person.phone, "0470 98 76 54"))


def steps_of(town: Town, case: Case) -> list[tuple[State, str]]:
    part = part_of(town, case)
    steps = store.list_steps(town.house.conn, case.case_id)
    return [(each.to_state, each.reason_code) for each in steps if each.sub_case_id == part.sub_case_id]


def corrections(town: Town) -> int:
    return len(town.desk.sql("select field from correction"))


def kept_out(town: Town, person: Person) -> set[str]:
    refs = all_refs_at(town.house, [Identifier(CUSTOMER, person.record(ENERGY01))], ENERGY01)
    return set(find_reasons(town.house, ENERGY01, refs))


def test_what_one_of_a_household_has_corrected_is_theirs_alone(town: Town) -> None:
    first, second, _ = household(town, 0)
    rectified(town, number(first), (PHONE, first.phone))

    seen = names_in_view(town)
    assert seen[first.record(ENERGY01)] == RIGHT
    assert seen[second.record(ENERGY01)] == last_name(town, second)
    assert dialled(town)[second.record(ENERGY01)]["last_name"] == last_name(town, second)
    [[lake, said], *_] = oldest_first(town.house, find_contacts(town.house.conn, ENERGY01, CAMPAIGN, None))
    path = town.desk.folder / "first.parquet"
    town.house.objects.fetch(lake.bucket, lake.key, lake.version_id, path)
    back = Righting.of(town.house, ENERGY01).scan(said, path, {}).collect()
    told = dict(zip(back["customer_number"], back["last_name"], strict=True))
    assert (told[first.record(ENERGY01)], told[second.record(ENERGY01)]) == (RIGHT, last_name(town, second))

    for person, name in ((first, RIGHT), (second, last_name(town, second))):
        case = town.agree(opened(town, Right.ACCESS, number(person)), Action.GIVE)
        package = read(town.house, give(town.house, case.case_id))
        assert set(package.table("data/identity.csv")["last_name"].drop_nulls()) == {name}
    assert stale_in(town, [second], "second.csv") == 0 and stale_in(town, [first], "third.csv") == 1
    assert names_in_view(town)[second.record(ENERGY01)] == last_name(town, second)


def test_who_gives_a_phone_of_their_own_is_corrected_under_their_number_and_a_shared_one_corrects_nobody(
    town: Town,
) -> None:
    first, second, third = household(town, 1)
    rectified(town, (PHONE, third.phone))
    assert names_in_view(town)[third.record(ENERGY01)] == RIGHT
    assert stale_in(town, [third], "again.csv") == 1
    other = Person(third.number + 9000, third.phone, third.line)
    assert stale_in(town, [other], "other.csv") == 0, "another customer, who has their phone now"

    before = corrections(town)
    case = rectified(town, (PHONE, first.phone))
    assert part_of(town, case).state is State.INSTRUCTED, "a shared phone alone: the part waits"
    seen = names_in_view(town)
    assert corrections(town) == before
    assert RIGHT not in {seen.get(each.record(ENERGY01)) for each in (first, second)}


def test_a_mistyped_number_beside_a_telephone_is_never_said_to_be_corrected(town: Town) -> None:
    for typed, third in (("E99999999", household(town, 2)[2]), (None, household(town, 3)[2])):
        before, corrected = corrections(town), typed is None
        case = rectified(town, (CUSTOMER, typed or third.record(ENERGY01)), (PHONE, third.phone))

        assert ("RECTIFIED" in {word for _, word in steps_of(town, case)}) is corrected
        assert (part_of(town, case).state is State.INSTRUCTED) is not corrected, "nobody can tell: the part waits"
        case = store.get_case(town.house.conn, case.case_id)
        steps = [step_of_part(case, part) for part in case.sub_cases]
        assert (steps == [NextStep.CHECK_CORRECTION] * 2) is not corrected, "and says so where people look"
        ours = store.list_cases(town.house.conn, store.CaseFilter(only_ours=True))
        assert corrected or case.case_id in {each.case_id for each in ours}
        assert corrections(town) == before + corrected
        assert (names_in_view(town).get(third.record(ENERGY01)) == RIGHT) is corrected


def test_of_somebody_erased_nothing_is_said_to_be_corrected_and_who_had_their_phone_is_corrected_under_the_rest(
    town: Town,
) -> None:
    first, second, _ = household(town, 2)
    own = Person(second.number, "0470 98 76 54", second.line.replace(second.phone, "0470 98 76 54"))
    erased(town, number(first), (PHONE, first.phone))
    before = corrections(town)
    case = rectified(town, number(first), (PHONE, first.phone))

    steps = steps_of(town, case)
    assert (State.EXECUTED, "NOBODY_KNOWS_THE_PERSON") in steps and "RECTIFIED" not in dict(steps).values()
    assert corrections(town) == before
    told = json.loads(town.notices(ENERGY01)[f"confirmation-{part_of(town, case).sub_case_id}.json"])
    assert told["text"]["en"] == "Nothing was changed: nothing of this person is left here."
    letters = find_letters(town.house.conn, [case.case_id])[case.case_id]
    [letter] = [each for each in letters if each.kind is LetterKind.COMPLETION]
    document = json.loads(open_document(town.house, letter))
    assert document["title"] == "Wij vonden niets over u" and [each["data"] for each in document["parts"]] == [[]]

    town.arrive(ENERGY01, [own], "own.csv")
    case = rectified(town, number(own), (PHONE, own.phone), (PHONE, first.phone))
    assert (State.EXECUTED, "RECTIFIED") in steps_of(town, case) and corrections(town) == before + 1
    assert names_in_view(town)[own.record(ENERGY01)] == RIGHT


def test_a_restriction_is_lifted_only_once_no_part_of_its_principal_can_restrict_any_more(town: Town) -> None:
    *_, third = household(town, 4)
    case = opened(town, Right.RESTRICTION, number(third), (PHONE, third.phone))
    part = part_of(town, case, Track.CONTROLLER)
    order = Order(DESK, now(), "ACCEPTED", SHA, action=Action.RESTRICT)
    decide(town.house.conn, case.case_id, State.ACCEPTED, order, [part.sub_case_id])
    swept(town)
    letter = write_letter(town.house, case.case_id, LetterKind.LIFTING, now())
    note_opened(town.house.conn, letter, now(), DESK)

    def lift() -> int:
        return lift_restriction(town.house, case.case_id, Order(DESK, now(), "RESTRICTION_LIFTED", SHA), True)

    with pytest.raises(StillToRestrict):
        lift()
    assert instruct(town, case, "restrict") == "INSTRUCTED"
    with pytest.raises(StillToRestrict):
        lift()
    swept(town)
    assert part_of(town, case).state not in (State.AWAITING_INSTRUCTION, State.INSTRUCTED)
    assert kept_out(town, third) == {"restricted"} and third.record(ENERGY01) not in dialled(town)

    again = write_letter(town.house, case.case_id, LetterKind.LIFTING, now())
    if again.opened_at is None:
        note_opened(town.house.conn, again, now(), DESK)
    assert lift() == 1
    swept(town)
    assert kept_out(town, third) == set() and third.record(ENERGY01) in dialled(town)


CUST_1, CUST_2, NATIONAL_1 = (CUSTOMER, "c1"), (CUSTOMER, "c2"), (NATIONAL, "n1")


@pytest.mark.parametrize(
    ("rows", "given", "numbers"),
    [
        ([], set(), set()),
        ([{CUST_1, NATIONAL_1}, {CUST_2}], {"c1"}, {"c1", "n1"}),
        ([{CUST_1, NATIONAL_1}], set(), {"c1", "n1"}),
        ([{CUST_1}, {NATIONAL_1}], set(), {"c1", "n1"}),
        ([{CUST_1}, {CUST_2}], set(), None),
        ([], {"c1"}, set()),
        ([{CUST_2}], {"c1"}, None),
    ],
)
def test_whose_numbers_are_corrected(
    rows: list[set[tuple[SubjectKind, str]]], given: set[str], numbers: set[str] | None
) -> None:
    assert numbers_of([frozenset(row) for row in rows], frozenset(given)) == numbers
