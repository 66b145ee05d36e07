"""A principal says what its customer numbers are compared without: then every spelling of one is the same customer.

Each test has its control under papers that say nothing, where every character counts.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from rights.asking import DESK, asked
from sluice.answers.collect import collect
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.exchange.persons.suppressed import find_reasons
from sluice.rights.case.model import Right
from sluice.rights.case.store import get_case
from sluice.rights.copies.needles import recall
from sluice.rights.copies.where import where
from sluice.rights.erasure.erase import run
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Person, parse_owned, refs_of
from sluice.rights.person.sealed import open_sealed
from sluice.settings import Settings
from sluice.terms import Flow, Principal, SubjectKind
from support.desk import ENERGY, Desk, open_desk
from support.night import Edit, Night, with_papers

ENERGY01 = Principal(ENERGY[0])
CONTRACTS = (
    "renewal_campaign.inbound.odcs.yaml",
    "renewal_results.internal.odcs.yaml",
    "renewal_results.outbound_return.odcs.yaml",
)
NUMBER_OF = "{property: principal, value: energy01}"
ANY = Edit(CONTRACTS[0], "^E[0-9]{8}$", "^0*[Ee][0-9]{8}$")
IGNORING = [
    Edit(name, NUMBER_OF, f"{NUMBER_OF}\n  - {{property: customerIdIgnores, value: [case, leading_zeros]}}")
    for name in CONTRACTS
]
Row = dict[str, str]


@contextmanager
def desk_of(settings: Settings, folder: Path, is_said: bool) -> Iterator[Desk]:
    with open_desk(with_papers(settings, folder, ANY, *(IGNORING if is_said else ())), folder) as desk:
        yield desk


def rows_of(path: Path) -> list[Row]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=";"))


def content_of(rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def spelled(number: str) -> dict[str, str]:
    return {"same": number, "lower": number.lower(), "zeros": f"000{number}", "both": f"0{number.lower()}"}


def otherwise(row: Row, number: str, at: int = 0) -> Row:
    """The same customer with nothing in common but the number, in another spelling."""
    return {
        **row,
        "customer_number": number,
        "phone": f"+32475{at:06}",
        "email": f"new.{at}@inbox.example",
        "opt_in_phone": "Y",
    }


def opened(desk: Desk, right: Right, number: str):
    now = datetime.now(UTC)
    given = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, number)]
    return open_case(desk.house, NewRequest(right, given, ENERGY01, now, "letter", "nl", DESK), now)


@pytest.mark.parametrize("is_said", [True, False])
@pytest.mark.parametrize("given", ["same", "both"])
def test_an_objection_keeps_every_spelling_out_of_the_next_files(
    store_settings: Settings, tmp_path: Path, is_said: bool, given: str
) -> None:
    with desk_of(store_settings, tmp_path, is_said) as desk:
        path, _ = desk.campaign(20)
        first, *others = rows_of(path)
        opened(desk, Right.DIRECT_MARKETING, spelled(first["customer_number"])[given])

        dropped = {
            name: desk.drop(content_of([otherwise(first, number), *others]), f"{name}.csv")
            for name, number in spelled(first["customer_number"]).items()
        }
        desk.work()

        held = {name for name, each in dropped.items() if desk.shown(each).record.right_treatment.held_back}
        assert held == (set(dropped) if is_said else {given})
        assert {desk.shown(each).record.what.rows_in for each in dropped.values()} == {20}
        person = person_of(spelled(first["customer_number"])["zeros"])
        refs = frozenset(refs_of(person, desk.house.subject_key(ENERGY01), ENERGY01).values())
        assert bool(find_reasons(desk.house, ENERGY01, refs)) is is_said, "what `sluice suppression check` asks"


@pytest.mark.parametrize("is_said", [True, False])
def test_an_objection_keeps_every_spelling_out_of_a_list_for_agents(
    store_settings: Settings, tmp_path: Path, is_said: bool
) -> None:
    with desk_of(store_settings, tmp_path, is_said) as desk:
        path, _ = desk.campaign(20)
        first, *others = rows_of(path)
        number = first["customer_number"]
        desk.drop(content_of([otherwise(first, f"00{number.lower()}"), *others]))
        desk.work()
        opened(desk, Right.DIRECT_MARKETING, number)

        marketing = Request(str(uuid4()), ENERGY01, Flow(ENERGY[1]), "P-RENEW", Channel("phone"), "csv", "anna")
        desk.may_call()
        done = make_dial_list(desk.house, marketing, datetime.now(UTC))

        listed = desk.house.objects.read(done.bucket, done.key).decode() if done.rows else ""
        assert done.rows_in == 20
        assert ("32475000000" in listed) is not is_said
        assert done.left_out.get("objected", 0) == int(is_said)


def sent_in_every_spelling(desk: Desk) -> tuple[dict[str, str], list[Row], Path]:
    """The first of the contacts came in one file for each spelling; the others in all of them."""
    path, _ = desk.campaign(20)
    first, *others = rows_of(path)
    numbers = spelled(first["customer_number"])
    for at, (name, number) in enumerate(numbers.items()):
        desk.drop(content_of([otherwise(first, number, at), *others]), f"{name}.csv")
        desk.work()
    return numbers, others, path


def person_of(number: str) -> Person:
    return (parse_owned(f"customer@energy01:{number}", 1),)


@pytest.mark.parametrize("is_said", [True, False])
def test_an_answer_holds_what_came_under_every_spelling_as_it_came(
    store_settings: Settings, tmp_path: Path, is_said: bool
) -> None:
    with desk_of(store_settings, tmp_path, is_said) as desk:
        numbers, _, _ = sent_in_every_spelling(desk)

        access = opened(desk, Right.ACCESS, numbers["zeros"])
        sealed = open_sealed(desk.house, get_case(desk.house.conn, access.case_id).subject_key)
        [found] = collect(desk.house, access, sealed.envelope)

        told = {cell for held in found.held if held.store == "lake" for cell in held.frame["customer_number"]}
        assert told == (set(numbers.values()) if is_said else {numbers["zeros"]})


@pytest.mark.parametrize("is_said", [True, False])
def test_a_person_is_found_and_leaves_in_every_spelling(
    store_settings: Settings, tmp_path: Path, is_said: bool
) -> None:
    with desk_of(store_settings, tmp_path, is_said) as desk:
        numbers, others, path = sent_in_every_spelling(desk)
        places = list(where(desk.house, person_of(numbers["lower"]), [ENERGY01]))
        assert len({place.exchange for place in places}) == (len(numbers) if is_said else 1)

        case = asked(Night(desk, path), "", numbers["same"])
        report = run(desk.house, case.case_id, datetime.now(UTC))

        looked_for = recall(desk.house, case.case_id, ENERGY01).values
        assert set(numbers.values()) <= looked_for if is_said else numbers["zeros"] not in looked_for
        bucket = desk.settings.bucket_exchange
        arrived = [desk.house.objects.read(bucket, f"energy01/inbound/{ENERGY[1]}/{name}.csv") for name in numbers]
        assert sum(b"new." in each for each in arrived) == (0 if is_said else len(numbers) - 1)
        assert all(each["customer_number"].encode() in content for content in arrived for each in others)
        left = {place.exchange for each in numbers.values() for place in where(desk.house, person_of(each), [ENERGY01])}
        assert len(left) == (0 if is_said else len(numbers) - 1)
        assert (report.residual == 0) is is_said, "in the control the scan sees the number in the others' spellings"
        assert report.doubts == report.waiting == 0


@pytest.mark.parametrize("is_said", [True, False])
def test_the_second_scan_sees_a_number_that_is_written_without_its_zeros(
    store_settings: Settings, tmp_path: Path, is_said: bool
) -> None:
    with desk_of(store_settings, tmp_path, is_said) as desk:
        path, _ = desk.campaign(20)
        first, second, *others = rows_of(path)
        noted = {**second, "note": f"Same house as {first['customer_number'].lower()}"}
        number = f"000{first['customer_number']}"
        desk.drop(content_of([otherwise(first, number), noted, *others]))
        desk.work()
        case = asked(Night(desk, path), "", number)

        report = run(desk.house, case.case_id, datetime.now(UTC))

        assert (report.residual > 0) is is_said
