"""Who had a telephone or an e-mail address corrected is found by the right one, whatever they ask then."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, give, read
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.dial.read import view_rows
from sluice.exchange.persons import correction_store
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.known_as import KnownAs
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import show_exchange
from sluice.lake.quarantine import seal_bytes, unseal_bytes
from sluice.rights.case.model import Action, Case, Order, Right, State, Track
from sluice.rights.case.steps import decide
from sluice.rights.copies.find import open_request, targets_of
from sluice.rights.copies.needed import find_needed, refs_by_need
from sluice.rights.copies.where import where
from sluice.rights.erasure.erase import run, verify
from sluice.rights.person.identifiers import Identifier, parse_identifier, refs_of
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Flow, Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY as FLOW_OF
from support.desk import requests

ENERGY = Principal("energy01")
PHONE, EMAIL, CUSTOMER = SubjectKind.PHONE, SubjectKind.EMAIL, SubjectKind.PRINCIPAL_CUSTOMER_ID
RIGHT_PHONE, RIGHT_EMAIL = "0477 11 22 33", "rechtgezet@post.example"
NEW = [(PHONE, "+32477112233"), (EMAIL, RIGHT_EMAIL)]


def now() -> datetime:
    return datetime.now(UTC)


def planted(settings: Settings, folder: Path) -> None:
    """The first of the people had both corrected; the second shares the old telephone of the first."""
    settings = papers_of(settings, folder, [ENERGY], WE_GIVE)
    with open_town(settings, folder, [ENERGY], 6) as town:
        town.arrive(ENERGY, [town.people[0], spouse(town), *town.people[2:5]], "first.csv")
        first, _, third, *_ = town.people
        rectified(town, (CUSTOMER, first.record(ENERGY)), phone=RIGHT_PHONE, email=RIGHT_EMAIL)
        rectified(town, (CUSTOMER, third.record(ENERGY)), (PHONE, third.phone), phone="0477 44 55 66")


def spouse(town: Town) -> Person:
    first, second, *_ = town.people
    return second.under_phone_of(first)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 6) as opened:
        yield opened


def opened(town: Town, right: Right, *given: tuple[SubjectKind, str]) -> Case:
    """Nobody is addressed: all that know the person."""
    return town.opened(right, given)


def rectified(town: Town, *given: tuple[SubjectKind, str], **values: str) -> None:
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


def refs(town: Town, *given: tuple[SubjectKind, str]) -> set[str]:
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


@pytest.mark.parametrize("given", NEW)
def test_access_by_what_is_right_gives_the_persons_own_rows_only(town: Town, given: tuple[SubjectKind, str]) -> None:
    first, second, *_ = town.people
    case = opened(town, Right.ACCESS, given)
    package = read(town.house, give(town.house, town.agree(case, Action.GIVE).case_id))

    assert is_known(case)
    assert set(package.table("data/contact_point.csv")["phone"].drop_nulls()) == {RIGHT_PHONE}
    assert first.record(ENERGY) in package.text and second.record(ENERGY) not in package.text, "one telephone before"


@pytest.mark.parametrize("given", NEW)
def test_an_erasure_by_what_is_right_is_clean_also_when_it_is_looked_for_again(
    town: Town, given: tuple[SubjectKind, str]
) -> None:
    first, second, third, *_ = town.people
    case = town.agree(opened(town, Right.ERASURE, given))
    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0) and report.objects_scanned
    assert {each.field for each in find_corrections(town.house, ENERGY)} == {"phone"}, "of the third: theirs are gone"
    again = verify(town.house, case.case_id, now())
    assert (again.residual, again.doubts) == (0, 0)
    [target] = targets_of(town.house, *open_request(town.house, case.case_id), decided_only=True)
    assert refs(town, (CUSTOMER, first.record(ENERGY))) <= target.refs, "no correction leads to them any more"
    assert set(in_view(town)) == {each.record(ENERGY) for each in (second, third, *town.people[3:5])}
    mine = [(CUSTOMER, first.record(ENERGY)), given]
    assert refs(town, *mine) <= kept_out(town) and refs(town, (PHONE, first.phone)).isdisjoint(kept_out(town))
    renewed = Person(first.number, RIGHT_PHONE, first.line.replace(first.phone, RIGHT_PHONE))
    town.arrive(ENERGY, [renewed, spouse(town)], "again.csv")
    record = show_exchange(town.house.conn, town.desk.lines()[0].id).record
    assert record is not None and record.what.rows_held == 1, "who shared the old telephone is not held"


@pytest.mark.parametrize("given", [0, 1])
@pytest.mark.parametrize("right", [Right.DIRECT_MARKETING, Right.RESTRICTION, Right.OBJECTION])
def test_both_telephones_are_kept_out_whichever_was_given(town: Town, right: Right, given: int) -> None:
    _, _, third, *_ = town.people
    both = [(PHONE, third.phone), (PHONE, "0477 44 55 66")]
    assert in_view(town)[third.record(ENERGY)] == "0477 44 55 66", "control: they may be dialled"
    assert refs(town, *both).isdisjoint(kept_out(town))
    case = opened(town, right, both[given])
    if right is Right.RESTRICTION:
        town.agree(case, Action.RESTRICT)
        assert follow(town.house, now()).failed == 0 and sweep(town.house, now()).failed == 0

    assert is_known(case) and refs(town, *both) <= kept_out(town)
    assert len(in_view(town)) == 4 and third.record(ENERGY) not in in_view(town)


def test_another_number_finds_nobody(town: Town) -> None:
    for given in ((PHONE, "0477 99 88 77"), (EMAIL, "iemand@post.example")):
        assert not is_known(opened(town, Right.ERASURE, given))
    assert list(where(town.house, [parse_identifier(f"phone:{RIGHT_PHONE}", 1)], [ENERGY])), "control"
    assert len(in_view(town)) == 5, "nobody who was delivered is held"


def test_a_telephone_that_others_have_leads_nowhere_and_nothing_leads_to_it(town: Town) -> None:
    first, _, third, *_ = town.people
    known = KnownAs.of(town.house, ENERGY)

    def lead(*given: tuple[SubjectKind, str]) -> frozenset[str]:
        [ref] = refs(town, *given)
        return known.lead(ref)

    number = (CUSTOMER, first.record(ENERGY))
    assert lead((PHONE, first.phone)) == refs(town, (PHONE, first.phone))
    assert lead(NEW[0]) >= refs(town, NEW[0], NEW[1], number) and not refs(town, (PHONE, first.phone)) <= lead(NEW[0])
    assert lead((PHONE, third.phone)) >= refs(town, (PHONE, third.phone), (PHONE, "0477 44 55 66")), "control"
    moved = Person(third.number + 1, RIGHT_PHONE, third.line.replace(third.phone, RIGHT_PHONE))
    town.arrive(ENERGY, [moved], "moved.csv")
    known = KnownAs.of(town.house, ENERGY)
    assert lead(number) == refs(town, number, NEW[1]), "somebody else has the right telephone too"
    assert lead(NEW[0]) >= refs(town, number), "who gives only that is asked for a number"


def test_corrections_are_opened_once_however_many_are_owed_an_answer_and_only_those_of_identifiers(town: Town) -> None:
    """Each answer costs its own envelope, and nothing beside."""
    first, _, third, *others = town.people
    people = [*((CUSTOMER, each.record(ENERGY)) for each in (first, third, *others[:2])), *NEW]
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
    assert refs(town, people[0], *NEW) <= named[needed[0]], "control: they are led on"
    rectified(town, people[1], last_name="Rechtgezet")
    assert reads() == [two, six] and len(find_corrections(town.house, ENERGY)) == 4
    rectified(town, people[1], email="derde@post.example")
    assert reads()[1] > six, "control: one of an identifier is opened"


def test_a_correction_of_before_its_references_were_kept_leads_too(town: Town) -> None:
    first, *_ = town.people
    house, bucket = town.house, town.desk.settings.bucket_vault
    for row in correction_store.find_rows(house.conn, ENERGY):
        said = json.loads(unseal_bytes(house.objects.read(bucket, row.key), house.keyring, ENERGY))
        assert said.pop("names") and said.pop("named") is not None
        house.objects.put(bucket, row.key, seal_bytes(json.dumps(said).encode(), house.keyring, ENERGY), "x/y")

    [ref] = refs(town, NEW[0])
    assert refs(town, (CUSTOMER, first.record(ENERGY))) <= KnownAs.of(house, ENERGY).lead(ref)
