"""Who objects by one identifier is kept out under what their own accepted rows tie to it; whoever shares it is not."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from answers.giving import WE_GIVE, now
from rights.estate import add_contacts, flow_of
from rights.town import DESK, SHA, Person, Town, open_town, papers_of, swept
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
from sluice.rights.person.identifiers import Identifier, refs_of
from sluice.rights.person.protect import protect
from sluice.rights.person.sealed import open_sealed, seal
from sluice.rights.person.tied import Known, tied_of
from sluice.rights.protections import settle_protections
from sluice.settings import Settings
from sluice.terms import Flow, Principal, SubjectKind
from support.copies import Copies
from support.desk import ENERGY

ENERGY01, FIRST, SECOND = Principal(ENERGY[0]), Flow(ENERGY[1]), Flow(flow_of("ndjson"))
CUSTOMER, PHONE, EMAIL = SubjectKind.PRINCIPAL_CUSTOMER_ID, SubjectKind.PHONE, SubjectKind.EMAIL
Given = tuple[SubjectKind, str]


def planted(settings: Settings, folder: Path) -> None:
    """The first two of the people share a telephone; all came in the first of two flows."""
    settings = papers_of(settings, folder, [ENERGY01], WE_GIVE)
    add_contacts(settings, "ndjson")
    with open_town(settings, folder, [ENERGY01], 60) as opened:
        opened.arrive(ENERGY01, household(opened), "first.csv")


def household(town: Town) -> list[Person]:
    """Four with an e-mail address who may be called; the second has the telephone of the first."""
    able = [each for each in town.people if cells(town, each)["email"] and cells(town, each)["opt_in_phone"] == "Y"]
    first, second, *others = able[:4]
    return [first, second.under_phone_of(first), *others]


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY01], 60) as opened:
        opened.desk.may_call()
        yield Town(opened.desk, opened.principals, tuple(household(opened)), opened.head)


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


def second_flow(town: Town) -> None:
    """The same people in a file of the other flow, without e-mail addresses."""
    rows = [cells(town, each) | {"email": ""} for each in town.people]
    lines = [json.dumps(row | {"attempts": int(row["attempts"])}) for row in rows]
    town.desk.drop("\n".join(lines).encode() + b"\n", "contacts.ndjson", (ENERGY01, SECOND))
    town.desk.work()


def called(town: Town, flow: Flow) -> set[int]:
    """Places of the people who are on the list of a flow."""
    request = Request(str(uuid4()), ENERGY01, flow, "P-RENEW", Channel("phone"), "parquet", "anna")
    done = make_dial_list(town.house, request, now())
    rows = pl.read_parquet(io.BytesIO(town.house.objects.read(done.bucket, done.key)))
    listed = set(rows["customer_number"])
    return {place for place, each in enumerate(town.people) if each.record(ENERGY01) in listed}


@pytest.mark.parametrize("is_later", [True, False])
@pytest.mark.parametrize("right", [Right.DIRECT_MARKETING, Right.OBJECTION, Right.RESTRICTION])
def test_who_objects_by_an_address_is_on_no_list_of_another_flow(town: Town, right: Right, is_later: bool) -> None:
    """Control: the others are on it, also the household's other customer, who has the same telephone."""
    everybody = set(range(len(town.people)))
    if not is_later:
        second_flow(town)
        assert called(town, SECOND) == everybody == called(town, FIRST), "control: before"
    first, *_ = town.people
    asked(town, right, email_of(town, first))

    if is_later:
        second_flow(town)
    assert called(town, FIRST) == everybody - {0} == called(town, SECOND)
    assert kept_out(town) == all_of(town, first) - refs(town, (PHONE, first.phone)), "not what the household shares"


def test_a_telephone_that_is_nobody_elses_and_what_stands_in_another_flow_are_tied_too(town: Town) -> None:
    second_flow(town)
    third = town.people[2]
    asked(town, Right.DIRECT_MARKETING, email_of(town, third))
    assert kept_out(town) == all_of(town, third)


def test_nothing_is_tied_where_nobody_can_tell_whose_rows_those_are(town: Town) -> None:
    first, second, third, fourth = town.people
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
    second_flow(town)
    assert number_of(second) not in given and called(town, SECOND) == set(), "control: whoever was named is out"


def test_what_is_tied_ends_with_the_request(town: Town) -> None:
    first, _, third, _ = town.people
    objection = asked(town, Right.DIRECT_MARKETING, email_of(town, first))
    other = asked(town, Right.DIRECT_MARKETING, email_of(town, third))
    withdraw(town.house.conn, objection.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town)

    assert kept_out(town) == all_of(town, third), "control: another request stays"
    withdraw(town.house.conn, other.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town)
    assert kept_out(town) == set()
    assert verify(town.house.conn, public_pem=town.house.keyring.public_pem).valid


def test_a_restriction_takes_over_what_its_hold_tied_and_its_end_lifts_it(town: Town) -> None:
    third = town.people[2]
    case = town.agree(asked(town, Right.RESTRICTION, email_of(town, third)), Action.RESTRICT)
    settle_protections(town.house, now())
    found = find_suppressed(town.house, ENERGY01)
    assert found is not None and set(found["reason"]) == {"restricted"} and kept_out(town) == all_of(town, third)

    swept(town)
    letter = write_letter(town.house, case.case_id, LetterKind.LIFTING, now())
    note_opened(town.house.conn, letter, now(), DESK)
    assert lift_restriction(town.house, case.case_id, Order(DESK, now(), "LIFTED", SHA), has_evidence=True) == 1
    assert kept_out(town) == set()


def test_protecting_again_changes_nothing(town: Town) -> None:
    third = town.people[2]
    case = asked(town, Right.OBJECTION, email_of(town, third))
    envelope = open_sealed(town.house, case.subject_key).envelope
    runs = "select run_id, version_id, refs, made_at from suppression_run order by run_id"
    before, entries = town.desk.sql(runs), town.desk.sql("select count(*) from ledger.entry")
    assert [row["refs"] for row in before if row["refs"]] and len(before) == 2, "what was given, and what is tied"
    for _ in range(2):
        protect(town.house, envelope, now())
        settle_protections(town.house, now())
    assert town.desk.sql(runs) == before and town.desk.sql("select count(*) from ledger.entry") == entries


def test_a_worker_that_died_after_sealing_leaves_nobody_half_protected(town: Town) -> None:
    third = town.people[2]
    given = (Identifier(*email_of(town, third)),)
    said = envelope_of(CaseId(str(uuid4())), Right.DIRECT_MARKETING, ENERGY01, (given,), now(), now(), DESK)
    seal(town.house, said)
    assert kept_out(town) == set()
    assert finish_openings(town.house, now()) == (1, 0)
    assert kept_out(town) == all_of(town, third)


@pytest.mark.parametrize("right", [Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL])
def test_of_many_persons_in_one_file_each_has_what_is_theirs(town: Town, right: Right) -> None:
    """A consent that one of them gives again could not be told from that of the others: of those nothing is tied."""
    first, _, third, _ = town.people
    persons = tuple((Identifier(*email_of(town, each)),) for each in (first, third))
    said = envelope_of(CaseId(str(uuid4())), right, ENERGY01, persons, now(), now(), DESK)
    case = open_envelope(town.house, said, now())
    assert case.state is not State.CLOSED
    given = refs(town, email_of(town, first), email_of(town, third))
    tied = refs(town, number_of(first)) | all_of(town, third)
    assert kept_out(town) == (given | tied if right is Right.DIRECT_MARKETING else given)


def test_what_cannot_be_read_keeps_no_request_waiting(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """The index of the file was lost behind our back; control: with it the number is tied."""
    first, _, third, _ = town.people
    town.desk.unmerge()
    [run] = town.desk.sql("select bucket, key from copy where kind = 'index' and gone_at is null")
    town.house.objects.delete_others(str(run["bucket"]), str(run["key"]), frozenset())
    persons = tuple((Identifier(*email_of(town, each)),) for each in (first, third))
    said = envelope_of(CaseId(str(uuid4())), Right.DIRECT_MARKETING, ENERGY01, persons, now(), now(), DESK)

    assert open_envelope(town.house, said, now()).case_id == said.case_id
    assert kept_out(town) == refs(town, email_of(town, first), email_of(town, third))
    assert "what is tied to its person at energy01 waits: SLU-303" in caplog.text


def test_a_file_whose_receipt_waits_ties_as_well(town: Town) -> None:
    """Its worker died after the commit, or the key of receipts is away: whose the rows are is known all the same."""
    third = town.people[2]
    town.house.conn.execute("update exchange set receipt_at = null where direction = 'inbound'")
    asked(town, Right.DIRECT_MARKETING, email_of(town, third))
    assert kept_out(town) == all_of(town, third)


def test_what_the_hold_tied_stays_tied_although_its_rows_are_lost_when_it_is_decided(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """The objection looked anew, found nothing, and the hold let go of the customer number and the telephone."""
    third, fourth = town.people[2:]
    town.agree(asked(town, Right.OBJECTION, email_of(town, third)), Action.STOP)
    assert kept_out(town) == all_of(town, third)
    [lake] = town.desk.sql("select bucket, key from copy where kind = 'lake' and gone_at is null")
    town.house.objects.delete_others(str(lake["bucket"]), str(lake["key"]), frozenset())

    for _ in range(2):
        settle_protections(town.house, now())
    found = find_suppressed(town.house, ENERGY01)
    assert found is not None and set(found["reason"]) == {"objected"} and kept_out(town) == all_of(town, third)
    assert "what is tied to its person at energy01 waits: SLU-303" in caplog.text, "and it is said"
    before = kept_out(town)
    asked(town, Right.DIRECT_MARKETING, email_of(town, fourth))
    assert kept_out(town) - before == refs(town, email_of(town, fourth)), "control: nothing can be tied any more"


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
