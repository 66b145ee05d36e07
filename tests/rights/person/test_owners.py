"""A customer number is one principal's: another's customer of the same number is somebody else, whatever is asked."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import polars as pl
import pytest

from answers.giving import WE_GIVE, give, now, read
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.dial.read import view_rows
from sluice.errors import UsageError
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights import opening
from sluice.rights.case import store
from sluice.rights.case.errors import IdentifierInvalid, NumberOfSeveral, PrincipalUnknown, RequestIdReused
from sluice.rights.case.model import Action, Case, Order, Right
from sluice.rights.case.steps import settle_identity
from sluice.rights.copies.own_rows import SeveralCustomers
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.control import take_up
from sluice.rights.erasure.erase import run
from sluice.rights.opening import NewRequest, envelope_of, finish_openings, open_case
from sluice.rights.person.envelope import name_owners
from sluice.rights.person.identifiers import NOBODY, Identifier, parse_identifier, parse_owned, places_at, refs_of
from sluice.rights.person.protect import protect
from sluice.rights.person.rectify import ask
from sluice.rights.person.rectify_whom import refs_to_correct
from sluice.rights.person.sealed import open_sealed, seal
from sluice.rights.person.wanted import Wanted
from sluice.rights.requests import read_requests
from sluice.rights.rescope import rescope
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Flow, Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY as FLOW_OF

ENERGY, GAS = Principal("energy01"), Principal("gas01")
PHONE, CUSTOMER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID
UNKNOWN = "E99999999"


def planted(settings: Settings, folder: Path) -> None:
    """The first of the people is a customer of both; the second, a customer of gas01, has the first's other number."""
    settings = papers_of(settings, folder, [ENERGY, GAS], WE_GIVE)
    with open_town(settings, folder, [ENERGY, GAS], 8) as town:
        me, stranger, _, spouse, *others = town.people
        town.arrive(ENERGY, [me, *town.people[2:3], *others])
        at_gas = [(me.record(GAS), me), (me.record(ENERGY), stranger), (spouse.record(GAS), of_family(town))]
        drop(town, GAS, [*at_gas, *((each.record(GAS), each) for each in others)])


def of_family(town: Town) -> Person:
    """The fourth, who shares the telephone of the third and is a customer of gas01 only."""
    _, _, partner, spouse, *_ = town.people
    return Person(spouse.number, partner.phone, spouse.line.replace(spouse.phone, partner.phone))


def drop(town: Town, principal: Principal, rows: list[tuple[str, Person]], name: str = "contacts.csv") -> None:
    lines = [town.head, *(f"{number};{person.line}" for number, person in rows)]
    town.desk.drop("\n".join(lines).encode() + b"\n", name, (principal, FLOW_OF[1]))
    town.desk.work()


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY, GAS], 8) as opened:
        yield opened


def of(principal: Principal, number: str) -> Identifier:
    return Identifier(CUSTOMER, number, principal)


def opened(town: Town, right: Right, *given: tuple[SubjectKind, str] | Identifier) -> Case:
    return town.opened(right, given)


def concerned(case: Case) -> set[str]:
    return {part.principal for part in case.sub_cases if part.agreement_id}


def kept_out(town: Town, principal: Principal) -> set[str]:
    found = find_suppressed(town.house, principal)
    return set() if found is None else set(found["ref"].to_list())


def refs(town: Town, principal: Principal, *given: tuple[SubjectKind, str]) -> set[str]:
    every = [Identifier(*each) for each in given]
    return set(refs_of(every, town.house.subject_key(principal), principal).values())


def told(town: Town, principal: Principal) -> list[list[dict[str, str]]]:
    """The identifiers in every request that was forwarded to a principal."""
    return [
        json.loads(body)["identifiers"][0] for name, body in town.notices(principal).items() if name.startswith("case-")
    ]


def numbers_in_view(town: Town, principal: Principal) -> set[str]:
    return set(view_rows(town.house, principal, Flow(FLOW_OF[1]))["customer_number"].to_list())


def cells(town: Town, person: Person) -> set[str]:
    """What is surely somebody's own in a line: an address, a birth date, an e-mail address, a telephone."""
    told = dict(zip(town.head.split(";")[1:], person.line.split(";"), strict=True))
    return {told[name] for name in ("phone", "email", "street", "birth_date") if told[name]}


def test_a_number_that_two_principals_know_is_refused_and_nothing_begins(town: Town) -> None:
    me, *_ = town.people
    number = me.record(ENERGY)
    with pytest.raises(NumberOfSeveral) as refused:
        opened(town, Right.ERASURE, (PHONE, me.phone), (CUSTOMER, number))

    assert [(ref.kind, ref.value) for ref in refused.value.refs] == [("identifier", 2), ("principals", 2)]
    assert number not in str(refused.value) and "customer@PRINCIPAL" in str(refused.value)
    vault = town.desk.settings.bucket_vault
    assert not list(town.house.objects.list_versions(vault, "_cases/")), "nothing is sealed"
    assert town.desk.sql("select 1 from subject_case") == [] and not kept_out(town, ENERGY) | kept_out(town, GAS)
    assert concerned(opened(town, Right.ERASURE, (PHONE, me.phone), of(ENERGY, number))) == {ENERGY, GAS}, "control"


def test_nobody_else_is_held_told_or_erased_at_another_principal(town: Town) -> None:
    me, stranger, *_ = town.people
    number = me.record(ENERGY)
    case = opened(town, Right.ERASURE, (PHONE, me.phone), of(ENERGY, number))

    assert kept_out(town, GAS) == refs(town, GAS, (PHONE, me.phone))
    email = (SubjectKind.EMAIL, dict(zip(town.head.split(";")[1:], me.line.split(";"), strict=True))["email"])
    mine = refs(town, ENERGY, (PHONE, me.phone), (CUSTOMER, number), email)
    assert kept_out(town, ENERGY) == mine, "control: and the address beside it"
    assert told(town, GAS) == [[{"kind": "phone", "value": me.phone}]]
    assert {"kind": "customer", "value": number} in told(town, ENERGY)[0], "control"
    with pytest.raises(SeveralCustomers):  # whose telephone it is at gas01 may be family: their number there says it
        town.agree(case)

    both = opened(town, Right.ERASURE, (PHONE, me.phone), of(ENERGY, number), of(GAS, me.record(GAS)))
    town.agree(both)
    assert run(town.house, both.case_id, now()).residual == 0
    assert number not in numbers_in_view(town, ENERGY) and me.record(GAS) not in numbers_in_view(town, GAS)
    assert number in numbers_in_view(town, GAS), "the stranger's row"
    assert refs(town, GAS, (CUSTOMER, number), (PHONE, stranger.phone)).isdisjoint(kept_out(town, GAS))


def test_nobody_else_is_disclosed(town: Town) -> None:
    me, stranger, *_ = town.people
    mine = opened(town, Right.ACCESS, of(ENERGY, me.record(ENERGY)), (CUSTOMER, me.record(GAS)))
    package = read(town.house, give(town.house, town.agree(mine, Action.GIVE).case_id))

    assert concerned(mine) == {ENERGY, GAS}, "each number is of another principal, both of one person"
    assert {row["sluice_company"] for row in package.rows("data/contact_point.csv")} == {"Energy One NV", "Gas01 NV"}
    assert not [cell for cell in cells(town, stranger) if cell in package.text]
    theirs = opened(town, Right.ACCESS, of(GAS, me.record(ENERGY)))
    package = read(town.house, give(town.house, town.agree(theirs, Action.GIVE).case_id))
    assert concerned(theirs) == {GAS} and [cell for cell in cells(town, stranger) if cell in package.text], "control"


def test_family_that_is_a_customer_elsewhere_is_not_disclosed_to_who_gave_a_number_of_theirs(town: Town) -> None:
    _, _, partner, _, *_ = town.people
    spouse = cells(town, of_family(town)) - {partner.phone}
    for given, discloses in (
        ([(CUSTOMER, partner.record(ENERGY)), (PHONE, partner.phone)], False),
        ([(PHONE, partner.phone)], True),  # who gave no number is known by the telephone alone, as before
    ):
        case = opened(town, Right.ACCESS, *given)
        assert concerned(case) == {ENERGY, GAS}
        package = read(town.house, give(town.house, town.agree(case, Action.GIVE).case_id))
        assert [cell for cell in cells(town, partner) if cell in package.text], "their own"
        assert bool([cell for cell in spouse if cell in package.text]) is discloses
        assert bool(package.json("manifest.json")["withheld"].get("rows")) is not discloses


def test_family_elsewhere_is_not_corrected_either(town: Town) -> None:
    _, _, partner, *_ = town.people
    case = opened(town, Right.RECTIFICATION, (CUSTOMER, partner.record(ENERGY)), (PHONE, partner.phone))
    ask(town.house, case.case_id, Wanted({"last_name": "Rechtgezet"}, now()))

    assert refs_to_correct(town.house, case, GAS) is None, "nobody can tell: the part waits"
    assert refs_to_correct(town.house, case, ENERGY) == refs(
        town, ENERGY, (CUSTOMER, partner.record(ENERGY)), (PHONE, partner.phone)
    )


def test_what_nobody_knew_is_nobodys_whoever_brings_it_later(town: Town) -> None:
    *_, late = town.people
    case = opened(town, Right.ERASURE, (CUSTOMER, UNKNOWN))
    named = opened(town, Right.ERASURE, of(ENERGY, UNKNOWN))
    assert not concerned(case) and not concerned(named)
    assert not kept_out(town, GAS) and kept_out(town, ENERGY) == refs(town, ENERGY, (CUSTOMER, UNKNOWN))

    for principal in (ENERGY, GAS):
        drop(town, principal, [(UNKNOWN, late)], "late.csv")
    assert UNKNOWN in numbers_in_view(town, GAS) and UNKNOWN not in numbers_in_view(town, ENERGY)
    envelope = open_sealed(town.house, case.subject_key).envelope
    assert [each.owner for each in envelope.identifiers] == [NOBODY]
    assert not concerned(rescope(town.house, case, envelope, now()))
    assert follow(town.house, now()).failed == 0 and not kept_out(town, GAS)


def test_a_request_file_is_about_the_customers_of_its_own_principal(town: Town) -> None:
    me, *_ = town.people
    said = json.dumps({"right": "erasure", "persons": [{"customer": me.record(ENERGY)}]}).encode()
    key = f"{GAS}/requests/{uuid4()}.json"
    town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
    assert read_requests(town.house, now()).requests == {"READ": 1}

    [row] = town.desk.sql("select case_id::text as id from subject_case")
    case = store.get_case(town.house.conn, row["id"])
    assert concerned(case) == {GAS} and not kept_out(town, ENERGY)
    assert [each.owner for each in open_sealed(town.house, case.subject_key).envelope.identifiers] == [GAS]


def test_who_names_a_principal_means_its_customers(town: Town) -> None:
    me, *_ = town.people
    asked = NewRequest(Right.ACCESS, [(CUSTOMER, me.record(ENERGY))], GAS, now(), "letter", "nl", DESK)
    case = open_case(town.house, asked, now())

    assert concerned(case) == {GAS}
    with pytest.raises(UsageError):
        open_case(town.house, replace(asked, identifiers=[of(ENERGY, me.record(ENERGY))]), now())
    with pytest.raises(PrincipalUnknown):
        opened(town, Right.ACCESS, of(Principal("nobody01"), me.record(ENERGY)))


def test_the_same_request_again_is_the_same_case_whoever_knows_the_number_by_then(town: Town) -> None:
    me, *_, other = town.people
    number = other.record(ENERGY)
    at = now()

    def again(request_id: UUID, given: list[Identifier]) -> Case:
        asked = NewRequest(Right.ACCESS, given, None, at, "letter", "nl", DESK, request_id)
        return open_case(town.house, asked, at)

    name = uuid4()
    first = again(name, [Identifier(CUSTOMER, number)])
    drop(town, GAS, [(number, me)], "late.csv")
    with pytest.raises(NumberOfSeveral):
        again(uuid4(), [Identifier(CUSTOMER, number)])
    assert again(name, [Identifier(CUSTOMER, number)]).case_id == first.case_id
    assert again(name, [of(ENERGY, number)]).case_id == first.case_id
    with pytest.raises(RequestIdReused):
        again(name, [of(GAS, number)])


def test_a_request_of_before_numbers_had_an_owner_is_never_everybodys(town: Town) -> None:
    """Its worker died after sealing it; the case is opened by who comes after the change."""
    me, _, partner, *_ = town.people
    given = (Identifier(PHONE, me.phone), *(Identifier(CUSTOMER, each.record(ENERGY)) for each in (me, partner)))
    old = envelope_of(store.CaseId(str(uuid4())), Right.ERASURE, None, (given,), now(), now(), DESK)
    sealed = seal(town.house, replace(old, channel="letter"))
    assert [each.owner for each in open_sealed(town.house, sealed.key).envelope.identifiers] == [None] * 3
    assert finish_openings(town.house, now()) == (1, 0)

    owners = [each.owner for each in open_sealed(town.house, sealed.key).envelope.identifiers]
    assert owners == [None, NOBODY, ENERGY], "two principals know the one, one the other"
    case = store.get_case(town.house.conn, old.case_id)
    assert kept_out(town, GAS) == refs(town, GAS, (PHONE, me.phone)) and concerned(case) == {ENERGY, GAS}


def test_of_an_old_case_its_parts_say_whose_a_number_is() -> None:
    given = tuple(Identifier(kind, "1") for kind in (PHONE, CUSTOMER, CUSTOMER, CUSTOMER))
    old = envelope_of(store.CaseId(str(uuid4())), Right.ERASURE, None, (given,), now(), now(), DESK)
    named = name_owners(old, {ENERGY: (0, 1, 2), GAS: (0, 1)})
    assert [each.owner for each in named.identifiers] == [None, None, ENERGY, NOBODY]
    assert [each.knew for each in named.identifiers] == [set(), {ENERGY, GAS}, set(), set()]
    places = [places_at(named.identifiers, each) for each in (ENERGY, GAS, Principal("water01"))]
    assert places == [[0, 1, 2], [0, 1], [0]], "a number of several counts where it was known, nowhere else"
    assert name_owners(named, {GAS: (1,)}).identifiers[1] == Identifier(CUSTOMER, "1", GAS)


def opened_before_owners(town: Town, right: Right, places: tuple[int, ...] | None = (0,)) -> Case:
    """Of a number that two principals knew, opened and told as before anybody asked whose it is.

    places: what its parts say that their principal knew.
    """
    me, *_ = town.people
    given = (Identifier(CUSTOMER, me.record(ENERGY)),)
    old = envelope_of(store.CaseId(str(uuid4())), right, None, (given,), now(), now(), DESK)
    sealed = seal(town.house, replace(old, channel="letter"))
    scoped = protect(town.house, sealed.envelope, now())
    assert {part.identifiers for part in scoped.parts} == {(0,)}
    scoped = replace(scoped, parts=tuple(replace(part, identifiers=places) for part in scoped.parts))
    opening._commit(town.house, opening._case_of(town.house, sealed, scoped), sealed)
    settle_identity(town.house.conn, old.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    take_due(town.house, now())
    return store.get_case(town.house.conn, old.case_id)


def upheld(town: Town, case: Case, action: Action) -> None:
    town.agree(case, action)
    for _ in range(2):
        assert follow(town.house, now()).failed == 0 and sweep(town.house, now()).failed == 0


@pytest.mark.parametrize(("right", "action"), [(Right.OBJECTION, Action.STOP), (Right.RESTRICTION, Action.RESTRICT)])
def test_who_was_held_before_numbers_had_an_owner_stays_out_once_it_is_upheld(
    town: Town, right: Right, action: Action
) -> None:
    me, *_ = town.people
    number = (CUSTOMER, me.record(ENERGY))
    case = opened_before_owners(town, right)
    word = Suppression.OBJECTED if right is Right.OBJECTION else Suppression.RESTRICTED

    for principal in (ENERGY, GAS):
        assert told(town, principal) == [[{"kind": "customer", "value": number[1]}]]
        assert kept_out(town, principal) == refs(town, principal, number), "control: the hold"
    upheld(town, case, action)

    for principal in (ENERGY, GAS):
        found = find_suppressed(town.house, principal)
        assert found is not None and set(found.filter(pl.col("reason") == word)["ref"]) == refs(town, principal, number)
        assert number[1] not in numbers_in_view(town, principal)


@pytest.mark.parametrize("places", [(), None])
def test_where_what_was_given_names_nobody_any_more_the_hold_stays(town: Town, places: tuple[int, ...] | None) -> None:
    """An upheld objection of nobody would keep nobody out, in the place of a hold that does."""
    me, *_ = town.people
    number = (CUSTOMER, me.record(ENERGY))
    case = opened_before_owners(town, Right.OBJECTION, places)
    assert [each.owner for each in open_sealed(town.house, case.subject_key).envelope.identifiers] == [NOBODY]
    upheld(town, case, Action.STOP)

    for principal in (ENERGY, GAS):
        found = find_suppressed(town.house, principal)
        assert found is not None and set(found["ref"]) == refs(town, principal, number)
        assert set(found["reason"]) == {Suppression.SOFT_HOLD} and number[1] not in numbers_in_view(town, principal)


@pytest.mark.parametrize(
    "text",
    ["customer@:1", "phone@energy01:0470123456", "customer@0470 12 34 56:1", "customer@energy01:", "@energy01:1"],
)
def test_a_spelling_that_names_no_owner_is_refused_by_its_place(text: str) -> None:
    with pytest.raises(IdentifierInvalid) as refused:
        parse_owned(text, 3)
    assert [(ref.kind, ref.value) for ref in refused.value.refs] == [("identifier", 3)]


def test_an_owner_is_said_before_the_number_where_a_case_is_opened_only() -> None:
    assert parse_owned("customer@energy01:E:1", 1) == Identifier(CUSTOMER, "E:1", ENERGY)
    assert parse_owned("email:a@b.example", 1) == Identifier(SubjectKind.EMAIL, "a@b.example")
    assert parse_owned("customer:E1", 1) == Identifier(CUSTOMER, "E1")
    with pytest.raises(IdentifierInvalid):
        parse_identifier("customer@energy01:E1", 1)


def test_a_right_number_beside_one_that_nobody_has_ends_as_it_should(town: Town) -> None:
    """A typing error, or a number of long ago: it tells nothing, and nobody waits for it."""
    me, *_ = town.people
    new = Person(99, "0471999888", town.people[7].line.replace(town.people[7].phone, "0471999888"))
    drop(town, ENERGY, [("E55555555", new)], "more.csv")
    case = opened(town, Right.ERASURE, (CUSTOMER, "E55555555"), (CUSTOMER, "E99999999"))
    town.agree(case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert "E55555555" not in numbers_in_view(town, ENERGY) and me.record(ENERGY) in numbers_in_view(town, ENERGY)
    assert take_up(town.house, "airflow", now()) == [], "and it is over"
