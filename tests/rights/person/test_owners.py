"""A customer number is one principal's: another's customer of the same number is somebody else, whatever is asked."""

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from answers.giving import WE_GIVE, give, now, read
from rights.town import DESK, Person, Town, town_fixture
from sluice.dial.read import view_rows
from sluice.errors import UsageError
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights.case import store
from sluice.rights.case.errors import IdentifierInvalid, NumberOfSeveral, PrincipalUnknown, RequestIdReused
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.copies.own_rows import SeveralCustomers
from sluice.rights.erasure.control import take_up
from sluice.rights.erasure.erase import run
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import NOBODY, Identifier, parse_identifier, parse_owned, refs_of
from sluice.rights.person.rectify import ask
from sluice.rights.person.rectify_whom import refs_to_correct
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.wanted import Wanted
from sluice.rights.requests import read_requests
from sluice.rights.rescope import rescope
from sluice.rights.schedule import follow
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import ENERGY as FLOW_OF

ENERGY, GAS = Principal("energy01"), Principal("gas01")
PHONE, CUSTOMER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID
UNKNOWN = "E99999999"
PAIRS = 4


def with_email(town: Town) -> list[Person]:
    return [each for each in town.people if cells_of(town, each)["email"]]


def pair(town: Town, place: int) -> tuple[Person, Person]:
    """A customer of both, and one of gas01 who has the first's other number there."""
    return with_email(town)[2 * place], with_email(town)[2 * place + 1]


def family(town: Town) -> tuple[Person, Person]:
    """A customer of energy01, and who shares that telephone and is a customer of gas01 only."""
    partner, spouse = with_email(town)[-2:]
    return partner, spouse.under_phone_of(partner)


def planted(town: Town) -> None:
    partner, spouse = family(town)
    pairs = [pair(town, place) for place in range(PAIRS)]
    town.arrive(ENERGY, [partner, with_email(town)[-3], *(me for me, _ in pairs)])
    at_gas = [(me.record(GAS), me) for me, _ in pairs] + [(me.record(ENERGY), other) for me, other in pairs]
    drop(town, GAS, [(spouse.record(GAS), spouse), *at_gas])


def drop(town: Town, principal: Principal, rows: list[tuple[str, Person]], name: str = "contacts.csv") -> None:
    lines = [town.head, *(f"{number};{person.line}" for number, person in rows)]
    town.desk.drop("\n".join(lines).encode() + b"\n", name, (principal, FLOW_OF[1]))
    town.desk.work()


town = town_fixture([ENERGY, GAS], 24, planted, WE_GIVE)


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


def told(town: Town, principal: Principal, case: Case) -> list[list[dict[str, str]]]:
    """The identifiers in every request of a case that was forwarded to a principal."""
    parts = [part.sub_case_id for part in case.sub_cases]
    return [
        json.loads(body)["identifiers"][0]
        for name, body in town.notices(principal).items()
        if name.startswith("case-") and any(part in name for part in parts)
    ]


def numbers_in_view(town: Town, principal: Principal) -> set[str]:
    return set(view_rows(town.house, principal, Flow(FLOW_OF[1]))["customer_number"].to_list())


def cells_of(town: Town, person: Person) -> dict[str, str]:
    return dict(zip(town.head.split(";")[1:], person.line.split(";"), strict=True))


def cells(town: Town, person: Person) -> set[str]:
    """What is surely somebody's own in a line: an address, a birth date, an e-mail address, a telephone."""
    told = cells_of(town, person)
    return {told[name] for name in ("phone", "email", "street", "birth_date") if told[name]}


def test_nobody_else_is_held_told_or_erased_at_another_principal(town: Town) -> None:
    me, stranger = pair(town, 0)
    number = me.record(ENERGY)
    with pytest.raises(NumberOfSeveral) as refused:
        opened(town, Right.ERASURE, (PHONE, me.phone), (CUSTOMER, number))
    assert [(ref.kind, ref.value) for ref in refused.value.refs] == [("identifier", 2), ("principals", 2)]
    assert number not in str(refused.value) and "customer@PRINCIPAL" in str(refused.value)
    vault = town.desk.settings.bucket_vault
    assert not list(town.house.objects.list_versions(vault, "_cases/")), "nothing is sealed"
    assert town.desk.sql("select 1 from subject_case") == [] and not kept_out(town, ENERGY) | kept_out(town, GAS)

    case = opened(town, Right.ERASURE, (PHONE, me.phone), of(ENERGY, number))
    assert concerned(case) == {ENERGY, GAS}
    assert kept_out(town, GAS) == refs(town, GAS, (PHONE, me.phone))
    email = (SubjectKind.EMAIL, cells_of(town, me)["email"])
    mine = refs(town, ENERGY, (PHONE, me.phone), (CUSTOMER, number), email)
    assert kept_out(town, ENERGY) == mine, "control: and the address beside it"
    assert told(town, GAS, case) == [[{"kind": "phone", "value": me.phone}]]
    assert {"kind": "customer", "value": number} in told(town, ENERGY, case)[0], "control"
    with pytest.raises(SeveralCustomers):  # whose telephone it is at gas01 may be family: their number there says it
        town.agree(case)

    both = opened(town, Right.ERASURE, (PHONE, me.phone), of(ENERGY, number), of(GAS, me.record(GAS)))
    town.agree(both)
    assert run(town.house, both.case_id, now()).residual == 0
    assert number not in numbers_in_view(town, ENERGY) and me.record(GAS) not in numbers_in_view(town, GAS)
    assert number in numbers_in_view(town, GAS), "the stranger's row"
    assert refs(town, GAS, (CUSTOMER, number), (PHONE, stranger.phone)).isdisjoint(kept_out(town, GAS))


def test_nobody_else_is_disclosed(town: Town) -> None:
    me, stranger = pair(town, 1)
    mine = opened(town, Right.ACCESS, of(ENERGY, me.record(ENERGY)), (CUSTOMER, me.record(GAS)))
    package = read(town.house, give(town.house, town.agree(mine, Action.GIVE).case_id))

    assert concerned(mine) == {ENERGY, GAS}, "each number is of another principal, both of one person"
    assert {row["sluice_company"] for row in package.rows("data/contact_point.csv")} == {"Energy One NV", "Gas01 NV"}
    assert not [cell for cell in cells(town, stranger) if cell in package.text]
    theirs = opened(town, Right.ACCESS, of(GAS, me.record(ENERGY)))
    package = read(town.house, give(town.house, town.agree(theirs, Action.GIVE).case_id))
    assert concerned(theirs) == {GAS} and [cell for cell in cells(town, stranger) if cell in package.text], "control"


def test_family_that_is_a_customer_elsewhere_is_not_disclosed_nor_corrected(town: Town) -> None:
    partner, spouse = family(town)
    theirs = cells(town, spouse) - {partner.phone}
    number, phone = (CUSTOMER, partner.record(ENERGY)), (PHONE, partner.phone)
    for given, discloses in (
        ([number, phone], False),
        ([phone], True),  # who gave no number is known by the telephone alone
    ):
        case = opened(town, Right.ACCESS, *given)
        assert concerned(case) == {ENERGY, GAS}
        package = read(town.house, give(town.house, town.agree(case, Action.GIVE).case_id))
        assert [cell for cell in cells(town, partner) if cell in package.text], "their own"
        assert bool([cell for cell in theirs if cell in package.text]) is discloses
        assert bool(package.json("manifest.json")["withheld"].get("rows")) is not discloses
    case = opened(town, Right.RECTIFICATION, number, phone)
    ask(town.house, case.case_id, Wanted({"last_name": "Rechtgezet"}, now()))
    assert refs_to_correct(town.house, case, GAS) is None, "nobody can tell: the part waits"
    assert refs_to_correct(town.house, case, ENERGY) == refs(town, ENERGY, number, phone)


def test_what_nobody_knew_is_nobodys_whoever_brings_it_later(town: Town) -> None:
    unknown = (CUSTOMER, UNKNOWN)
    case, named = opened(town, Right.ERASURE, unknown), opened(town, Right.ERASURE, of(ENERGY, UNKNOWN))
    assert not concerned(case) and not concerned(named)
    out, at_gas = refs(town, ENERGY, unknown), refs(town, GAS, unknown)
    assert not at_gas & kept_out(town, GAS) and out <= kept_out(town, ENERGY)

    for principal in (ENERGY, GAS):
        drop(town, principal, [(UNKNOWN, with_email(town)[-4])], "late.csv")
    assert UNKNOWN in numbers_in_view(town, GAS) and UNKNOWN not in numbers_in_view(town, ENERGY)
    envelope = open_sealed(town.house, case.subject_key).envelope
    assert [each.owner for each in envelope.identifiers] == [NOBODY]
    assert not concerned(rescope(town.house, case, envelope, now()))
    assert follow(town.house, now()).failed == 0 and not at_gas & kept_out(town, GAS)


def test_a_request_file_is_about_the_customers_of_its_own_principal(town: Town) -> None:
    me, _ = pair(town, 2)
    known = {str(row["id"]) for row in town.desk.sql("select case_id::text as id from subject_case")}
    said = json.dumps({"right": "erasure", "persons": [{"customer": me.record(ENERGY)}]}).encode()
    key = f"{GAS}/requests/{uuid4()}.json"
    town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
    assert read_requests(town.house, now()).requests["READ"] >= 1

    [row] = [row for row in town.desk.sql("select case_id::text as id from subject_case") if row["id"] not in known]
    case = store.get_case(town.house.conn, row["id"])
    mine = refs(town, ENERGY, (CUSTOMER, me.record(ENERGY)), (PHONE, me.phone))
    assert concerned(case) == {GAS} and not mine & kept_out(town, ENERGY)
    assert [each.owner for each in open_sealed(town.house, case.subject_key).envelope.identifiers] == [GAS]


def test_who_names_a_principal_means_its_customers(town: Town) -> None:
    me, _ = pair(town, 3)
    asked = NewRequest(Right.ACCESS, [(CUSTOMER, me.record(ENERGY))], GAS, now(), "letter", "nl", DESK)
    assert concerned(open_case(town.house, asked, now())) == {GAS}
    with pytest.raises(UsageError):
        open_case(town.house, replace(asked, identifiers=[of(ENERGY, me.record(ENERGY))]), now())
    with pytest.raises(PrincipalUnknown):
        opened(town, Right.ACCESS, of(Principal("nobody01"), me.record(ENERGY)))


def test_the_same_request_again_is_the_same_case_whoever_knows_the_number_by_then(town: Town) -> None:
    number, at, name = with_email(town)[-3].record(ENERGY), now(), uuid4()

    def again(request_id: UUID, given: list[Identifier]) -> Case:
        asked = NewRequest(Right.ACCESS, given, None, at, "letter", "nl", DESK, request_id)
        return open_case(town.house, asked, at)

    first = again(name, [Identifier(CUSTOMER, number)])
    drop(town, GAS, [(number, with_email(town)[-5])], "same.csv")
    with pytest.raises(NumberOfSeveral):
        again(uuid4(), [Identifier(CUSTOMER, number)])
    assert again(name, [Identifier(CUSTOMER, number)]).case_id == first.case_id
    assert again(name, [of(ENERGY, number)]).case_id == first.case_id
    with pytest.raises(RequestIdReused):
        again(name, [of(GAS, number)])


def test_a_right_number_beside_one_that_nobody_has_ends_as_it_should(town: Town) -> None:
    """A typing error, or a number of long ago: it tells nothing, and nobody waits for it."""
    other = with_email(town)[-6]
    drop(
        town, ENERGY, [("E55555555", Person(99, "0471999888", other.line.replace(other.phone, "0471999888")))], "m.csv"
    )
    case = town.agree(opened(town, Right.ERASURE, (CUSTOMER, "E55555555"), (CUSTOMER, "E88888888")))

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts) == (0, 0)
    assert "E55555555" not in numbers_in_view(town, ENERGY)
    assert case.case_id not in take_up(town.house, "airflow", now()), "and it is over"


def test_a_spelling_that_names_no_owner_is_refused_by_its_place() -> None:
    for text in (
        "customer@:1", "phone@energy01:0470123456", "customer@0470 12 34 56:1", "customer@energy01:", "@energy01:1",
    ):  # fmt: skip
        with pytest.raises(IdentifierInvalid) as refused:
            parse_owned(text, 3)
        assert [(ref.kind, ref.value) for ref in refused.value.refs] == [("identifier", 3)]


def test_an_owner_is_said_before_the_number_where_a_case_is_opened_only() -> None:
    assert parse_owned("customer@energy01:E:1", 1) == Identifier(CUSTOMER, "E:1", ENERGY)
    assert parse_owned("email:a@b.example", 1) == Identifier(SubjectKind.EMAIL, "a@b.example")
    assert parse_owned("customer:E1", 1) == Identifier(CUSTOMER, "E1")
    with pytest.raises(IdentifierInvalid):
        parse_identifier("customer@energy01:E1", 1)
