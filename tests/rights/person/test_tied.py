"""Who objects by one identifier is kept out under what their own accepted rows tie to it; whoever shares it is not."""

import io
import json
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

import polars as pl
import pytest

from answers.giving import WE_GIVE, now
from rights.estate import add_contacts, flow_of
from rights.town import DESK, SHA, Person, Town, swept, town_fixture
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.exchange.persons.corrections import Row
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.ledger.verify import verify
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State
from sluice.rights.case.steps import withdraw
from sluice.rights.letters.write import note_opened, write_letter
from sluice.rights.lifting import lift_restriction
from sluice.rights.opening import envelope_of, finish_openings, open_envelope
from sluice.rights.person.envelope import Envelope
from sluice.rights.person.identifiers import Identifier, refs_of
from sluice.rights.person.protect import protect
from sluice.rights.person.sealed import open_sealed, seal
from sluice.rights.person.tied import Known, tied_of
from sluice.rights.protections import settle_protections
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import ENERGY

ENERGY01, FIRST, SECOND = Principal(ENERGY[0]), Flow(ENERGY[1]), Flow(flow_of("ndjson"))
CUSTOMER, PHONE, EMAIL = SubjectKind.PRINCIPAL_CUSTOMER_ID, SubjectKind.PHONE, SubjectKind.EMAIL
Given = tuple[SubjectKind, str]


class Household(NamedTuple):
    """Four with an e-mail address who may be called; the second has the telephone of the first."""

    first: Person
    second: Person
    third: Person
    fourth: Person


def households(town: Town) -> list[Household]:
    able = [each for each in town.people if cells(town, each)["email"] and cells(town, each)["opt_in_phone"] == "Y"]
    fours = [able[place : place + 4] for place in range(0, len(able) - 3, 4)]
    return [Household(first, second.under_phone_of(first), *others) for first, second, *others in fours]


def planted(town: Town) -> None:
    """All came in the first of two flows, those of the last two households in files of their own."""
    *most, last_but_one, last = households(town)[:11]
    town.arrive(ENERGY01, [each for four in most for each in four], "first.csv")
    town.arrive(ENERGY01, last_but_one, "lost-lake.csv")
    town.arrive(ENERGY01, last, "lost-index.csv")
    town.desk.may_call()


town = town_fixture([ENERGY01], 110, planted, WE_GIVE, papers=lambda settings: add_contacts(settings, "ndjson"))


def cells(town: Town, person: Person) -> dict[str, str]:
    return {
        "customer_number": person.record(ENERGY01),
        **dict(zip(town.head.split(";")[1:], person.line.split(";"), strict=True)),
    }


def email_of(town: Town, person: Person) -> Given:
    return EMAIL, cells(town, person)["email"]


def number_of(person: Person) -> Given:
    return CUSTOMER, person.record(ENERGY01)


def asked(town: Town, right: Right, *given: Given) -> Case:
    return town.opened(right, given, ENERGY01)


def refs(town: Town, *given: Given) -> set[str]:
    every = [Identifier(*each) for each in given]
    return set(refs_of(every, town.house.subject_key(ENERGY01), ENERGY01).values())


def all_of(town: Town, person: Person) -> set[str]:
    return refs(town, number_of(person), (PHONE, person.phone), email_of(town, person))


def kept_out(town: Town) -> set[str]:
    found = find_suppressed(town.house, ENERGY01)
    return set() if found is None else set(found["ref"])


def second_flow(town: Town, people: Sequence[Person], name: str) -> None:
    """The same people in a file of the other flow, without e-mail addresses."""
    rows = [cells(town, each) | {"email": ""} for each in people]
    lines = [json.dumps(row | {"attempts": int(row["attempts"])}) for row in rows]
    town.desk.drop("\n".join(lines).encode() + b"\n", f"{name}.ndjson", (ENERGY01, SECOND))
    town.desk.work()


def called(town: Town, flow: Flow, people: Sequence[Person]) -> set[int]:
    """Places of those of the people who are on the list of a flow."""
    request = Request(str(uuid4()), ENERGY01, flow, "P-RENEW", Channel("phone"), "parquet", "anna")
    done = make_dial_list(town.house, request, now())
    rows = pl.read_parquet(io.BytesIO(town.house.objects.read(done.bucket, done.key)))
    listed = set(rows["customer_number"])
    return {place for place, each in enumerate(people) if each.record(ENERGY01) in listed}


def take_back(town: Town, *cases: Case) -> None:
    for case in cases:
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town)


def lose(town: Town, kind: str, name: str) -> None:
    """An object of a file is lost behind our back."""
    [copy] = town.desk.sql(
        f"""select c.bucket, c.key from copy c join exchange e using (exchange_id)
            where c.kind = '{kind}' and c.gone_at is null and e.key like '%/{name}'"""
    )
    town.house.objects.delete_others(str(copy["bucket"]), str(copy["key"]), frozenset())


def test_who_objects_by_an_address_is_on_no_list_of_another_flow(town: Town) -> None:
    """Control: the others are on it, also the household's other customer, who has the same telephone."""
    fours = households(town)[:6]
    people = [each for four in fours for each in four]
    everybody, rights = set(range(len(people))), (Right.DIRECT_MARKETING, Right.OBJECTION, Right.RESTRICTION)
    second_flow(town, people[12:], "before")
    assert called(town, FIRST, people) == everybody and called(town, SECOND, people[12:]) == set(range(12)), "control"
    for four, right in zip(fours, (*rights, *rights), strict=True):
        before = kept_out(town)
        asked(town, right, email_of(town, four.first))
        tied = all_of(town, four.first) - refs(town, (PHONE, four.first.phone))
        assert kept_out(town) - before == tied, "not what the household shares"
    second_flow(town, people[:12], "since")
    stay = everybody - set(range(0, len(people), 4))
    assert called(town, FIRST, people) == stay == called(town, SECOND, people)


def test_nothing_is_tied_where_nobody_can_tell_whose_rows_those_are(town: Town) -> None:
    first, second, third, fourth = people = households(town)[6]
    for given in (
        [(PHONE, first.phone)],  # of two customers
        [email_of(town, third), number_of(fourth)],  # two persons: the number says who they are
        [(PHONE, third.phone), (CUSTOMER, "E99999999")],  # a mistyped number
        [(EMAIL, "niemand@post.example")],
    ):
        before = kept_out(town)
        asked(town, Right.DIRECT_MARKETING, *given)
        own = all_of(town, fourth) if number_of(fourth) in given else set()
        assert kept_out(town) - before == (refs(town, *given) | own) - before
    second_flow(town, people, "nobody")
    assert number_of(second) not in given and called(town, SECOND, people) == set(), "control: who was named is out"


def test_what_is_tied_ends_with_the_request_and_protecting_again_changes_nothing(town: Town) -> None:
    first, _, third, fourth = households(town)[7]
    second_flow(town, [third], "third")
    before = kept_out(town)
    objection, other = (
        asked(town, Right.DIRECT_MARKETING, email_of(town, first)),
        asked(town, Right.OBJECTION, email_of(town, third)),
    )
    envelope = open_sealed(town.house, other.subject_key).envelope
    runs = f"select run_id, version_id, refs, made_at from suppression_run where case_id = '{other.case_id}' order by 1"
    made, entries = town.desk.sql(runs), town.desk.sql("select count(*) from ledger.entry")
    assert [row["refs"] for row in made if row["refs"]] and len(made) == 2, "what was given, and what is tied"
    for _ in range(2):
        protect(town.house, envelope, now())
        settle_protections(town.house, now())
    assert town.desk.sql(runs) == made and town.desk.sql("select count(*) from ledger.entry") == entries
    take_back(town, objection)
    assert kept_out(town) - before == all_of(town, third), "another request stays, with what stands in another flow"
    take_back(town, other)
    assert kept_out(town) - before == set()
    assert verify(town.house.conn, public_pem=town.house.keyring.public_pem).valid

    case = town.agree(asked(town, Right.RESTRICTION, email_of(town, fourth)), Action.RESTRICT)
    settle_protections(town.house, now())
    found = find_suppressed(town.house, ENERGY01)
    assert found is not None and kept_out(town) - before == all_of(town, fourth)
    assert set(found.filter(pl.col("ref").is_in(list(all_of(town, fourth))))["reason"]) == {"restricted"}
    swept(town)
    letter = write_letter(town.house, case.case_id, LetterKind.LIFTING, now())
    note_opened(town.house.conn, letter, now(), DESK)
    assert lift_restriction(town.house, case.case_id, Order(DESK, now(), "LIFTED", SHA), has_evidence=True) == 1
    assert kept_out(town) - before == set(), "a restriction takes over what its hold tied, and its end lifts it"


def of_many(town: Town, right: Right, *people: Person) -> Envelope:
    persons = tuple((Identifier(*email_of(town, each)),) for each in people)
    return envelope_of(CaseId(str(uuid4())), right, ENERGY01, persons, now(), now(), DESK)


def test_a_worker_that_died_or_a_receipt_that_waits_leaves_nobody_half_protected(town: Town) -> None:
    first, _, third, fourth = households(town)[8]
    before = kept_out(town)
    seal(town.house, of_many(town, Right.DIRECT_MARKETING, third))
    assert kept_out(town) == before
    assert finish_openings(town.house, now()) == (1, 0)
    assert kept_out(town) - before == all_of(town, third)
    town.house.conn.execute("update exchange set receipt_at = null where direction = 'inbound'")
    asked(town, Right.DIRECT_MARKETING, email_of(town, fourth))
    assert kept_out(town) - before == all_of(town, third) | all_of(town, fourth), "the key of receipts may be away"

    case = open_envelope(town.house, of_many(town, Right.CONSENT_WITHDRAWAL, first, third), now())
    assert case.state is not State.CLOSED
    given = refs(town, email_of(town, first))
    assert kept_out(town) - before == all_of(town, third) | all_of(town, fourth) | given, (
        "a consent that one of many gives again could not be told from that of the others"
    )
    open_envelope(town.house, of_many(town, Right.DIRECT_MARKETING, first, third), now())
    added = given | refs(town, number_of(first))
    assert kept_out(town) - before == all_of(town, third) | all_of(town, fourth) | added, "each has what is theirs"


def test_what_the_hold_tied_stays_tied_although_its_rows_are_lost_when_it_is_decided(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """The objection looked anew, found nothing, and the hold let go of the customer number and the telephone."""
    _, _, third, fourth = households(town)[9]
    before = kept_out(town)
    town.agree(asked(town, Right.OBJECTION, email_of(town, third)), Action.STOP)
    assert kept_out(town) - before == all_of(town, third)
    lose(town, "lake", "lost-lake.csv")
    for _ in range(2):
        settle_protections(town.house, now())
    found = find_suppressed(town.house, ENERGY01)
    assert found is not None and kept_out(town) - before == all_of(town, third)
    assert set(found.filter(pl.col("ref").is_in(list(all_of(town, third))))["reason"]) == {"objected"}
    assert "what is tied to its person at energy01 waits: SLU-303" in caplog.text, "and it is said"
    before = kept_out(town)
    asked(town, Right.DIRECT_MARKETING, email_of(town, fourth))
    assert kept_out(town) - before == refs(town, email_of(town, fourth)), "control: nothing can be tied any more"


def test_what_cannot_be_read_keeps_no_request_waiting(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """The index of the file was lost behind our back; control: with it the number is tied."""
    first, _, third, _ = households(town)[10]
    town.desk.unmerge()
    lose(town, "index", "lost-index.csv")
    said, before = of_many(town, Right.DIRECT_MARKETING, first, third), kept_out(town)

    assert open_envelope(town.house, said, now()).case_id == said.case_id
    assert kept_out(town) - before == refs(town, email_of(town, first), email_of(town, third))
    assert "what is tied to its person at energy01 waits: SLU-303" in caplog.text


def row(numbers: str, others: str) -> Row:
    """A row that bears these: A, B and Z (who pays) are customer numbers, 1 a national one."""
    kind = {"1": SubjectKind.NATIONAL_NUMBER}
    return Row(frozenset((kind.get(each, CUSTOMER), each) for each in numbers), frozenset(others))


@pytest.mark.parametrize(
    ("given", "rows", "tied"),
    [
        ("e", [row("A", "ep")], "Aep"),
        ("e", [row("A", "ep"), row("B", "p")], "Ae"),
        ("e", [row("A", "ep"), row("", "p")], "Aep"),
        ("e", [row("A", "ep"), row("A", "q"), row("B", "q")], "Aep"),
        ("e", [row("A", "ep"), row("A1", "q"), row("1", "r")], "A1epq"),
        ("e", [row("A1", "ep"), row("B1", "pq")], "A1Bepq"),
        ("e", [row("", "ep")], ""),
        ("e", [row("A", "ep"), row("B", "e")], ""),
        ("eA", [row("A", "ep"), row("B", "e")], "Ap"),
        ("eC", [row("A", "ep")], ""),
        ("x", [row("A", "ep")], ""),
        ("A", [row("AZ", "e"), row("BZ", "p")], "A"),
        ("Z", [row("AZ", "e"), row("BZ", "p")], "Z"),
        ("A", [row("A", "ep"), row("AZ", "q"), row("BA", "p")], "Ae"),
        ("e", [row("AZ", "e")], ""),
    ],
)
def test_what_is_tied_to_what_was_given(given: str, rows: list[Row], tied: str) -> None:
    by_ref = {
        ref: [each for each in rows if ref in each.others or ref in {number for _, number in each.numbers}]
        for ref in "ABZepqr1"
    }
    by_ref = {ref: found for ref, found in by_ref.items() if found}
    person = Known(frozenset(given), frozenset(given) & frozenset("ABCZ"))
    assert tied_of(person, by_ref) == frozenset(tied)
