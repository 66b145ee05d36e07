"""Six rights, two roles, the next three exchanges: dial list, return, inbound file. And purposes, pair by pair."""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest

from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Request
from sluice.dial.read import view_rows
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import find_by_versions, get_accepted, list_exchanges, show_exchange
from sluice.ledger.record import ExchangeRecord
from sluice.returns.drain import drain_returns
from sluice.rights.case import store
from sluice.rights.case.letter_store import find_letters
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State, Track
from sluice.rights.case.steps import decide
from sluice.rights.erasure.erase import run as run_erasure
from sluice.rights.erasure.release import draft, release
from sluice.rights.letters.write import note_opened, write_letter
from sluice.rights.lifting import NotToldFirst, lift_restriction
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Direction, Flow, Principal, SubjectKind
from support.desk import ENERGY
from support.night import AGREEMENT, RESULTS, Call, call_log, change

PRINCIPAL, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])
RIGHTS = {
    Right.ACCESS: Action.GIVE,
    Right.PORTABILITY: Action.EXPORT,
    Right.ERASURE: Action.ERASE,
    Right.RECTIFICATION: Action.RECTIFY,
    Right.RESTRICTION: Action.RESTRICT,
    Right.OBJECTION: Action.STOP,
}
ROLES = {"processor": Track.PROCESSOR, "controller": Track.CONTROLLER}
STAYS_OUT = {Right.ERASURE: "erased", Right.RESTRICTION: "restricted", Right.OBJECTION: "objected"}
CELLS = [(right, role) for right in RIGHTS for role in ROLES]
STATEMENT = "That is not what I said."


def now() -> datetime:
    return datetime.now(UTC)


def cell(town: Town, person: Person, name: str) -> str:
    """The value that the principal's file has for a person."""
    return person.line.split(";")[town.head.split(";").index(name) - 1]


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """One person per right and role, and two who ask nothing; everybody was called, no return was made yet."""
    settings = papers_of(store_settings, tmp_path, [PRINCIPAL])
    with open_town(settings, tmp_path, [PRINCIPAL], 60) as opened:
        yes = tuple(each for each in opened.people if cell(opened, each, "opt_in_phone") == "Y")[: len(CELLS) + 2]
        town = Town(opened.desk, opened.principals, yes, opened.head)
        town.arrive(PRINCIPAL, yes, "first.csv")
        calls = [Call(f"c{each.number}", each.record(PRINCIPAL), each.phone) for each in yes]
        key = f"{PRINCIPAL}/internal/{RESULTS}/log.csv"
        town.house.objects.put(town.desk.settings.bucket_internal, key, call_log(calls), "text/csv")
        town.desk.work()
        town.desk.may_call()
        yield town


def asks(town: Town, person: Person, right: Right) -> Case:
    numbers = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL)), (SubjectKind.PHONE, person.phone)]
    return town.opened(right, numbers, PRINCIPAL)


def decided_by(town: Town, case: Case, role: str, action: Action) -> None:
    """The controller of one role decides: the principal by a file, the center at its desk."""
    for part in store.get_case(town.house.conn, case.case_id).sub_cases:
        if part.track is not ROLES[role]:
            continue
        if part.track is Track.PROCESSOR:
            said = json.dumps({"case": part.sub_case_id, "decision": action.value}).encode()
            key = f"{PRINCIPAL}/requests/instruction-{part.sub_case_id}.json"
            stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
            assert read_instruction(town.house, PRINCIPAL, stored, now()).outcome == "INSTRUCTED"
        else:
            decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=action))


def swept(town: Town) -> None:
    """What the schedules do, until nothing moves; the desk posts every letter."""
    for _ in range(4):
        assert follow(town.house, now()).failed == 0
        assert sweep(town.house, now()).failed == 0
        for case in store.list_open_cases(town.house.conn):
            for letter in find_letters(town.house.conn, [case.case_id]).get(case.case_id, ()):
                if letter.opened_at is None:
                    note_opened(town.house.conn, letter, now(), DESK)


def exercised(town: Town) -> dict[tuple[Right, str], tuple[Person, CaseId]]:
    """Each person asks for one right; one controller decides of it.

    Both do where one alone leaves it open: a rectification holds the person until all is decided, and copies that
    the other controller keeps would be a residue of an erasure.
    """
    done = {}
    for (right, role), person in zip(CELLS, town.people, strict=False):
        case = asks(town, person, right)
        if right is Right.RECTIFICATION:
            values = {"product": other_product(person)} if role == "processor" else {"note": STATEMENT}
            ask(town.house, case.case_id, Wanted(values, now()))
            decided_by(town, case, "processor", Action.RECTIFY)
            decided_by(town, case, "controller", Action.RECTIFY)
        elif right is Right.ERASURE:
            for each in sorted(ROLES, key=lambda name: name != role):
                decided_by(town, case, each, Action.ERASE)
        else:
            decided_by(town, case, role, RIGHTS[right])
        if right is Right.ERASURE:
            draft(town.house, case.case_id, "airflow", now())
            release(town.house, case.case_id, "bert", now())
            run_erasure(town.house, case.case_id, now())
        done[right, role] = person, case.case_id
    swept(town)
    return done


def other_product(person: Person) -> str:
    return "GAS" if ";ELEC;" in person.line else "ELEC"


@dataclass(frozen=True)
class Seen:
    """What came of the next exchange: its rows by customer number, and how many were held, by reason."""

    rows: dict[str, dict[str, str]]
    held: dict[str, int]


def dialled(town: Town, purpose: str = "P-RENEW", channel: str = "phone", flow: Flow = CAMPAIGN) -> Seen:
    request = Request(str(uuid4()), PRINCIPAL, flow, purpose, Channel(channel), "parquet", "anna")
    done = make_dial_list(town.house, request, now())
    return Seen(
        by_number(pl.read_parquet(io.BytesIO(town.house.objects.read(done.bucket, done.key)))), dict(done.left_out)
    )


def returned(town: Town) -> Seen:
    drain_returns(town.house, PRINCIPAL, RESULTS, now(), {}, "airflow")
    [line] = list_exchanges(town.house.conn, direction=Direction.OUTBOUND_RETURN)
    record = record_of(town, line.id)
    content = town.house.objects.read(record.what.bucket, record.what.key)
    frame = pl.read_csv(io.BytesIO(content), separator=";", infer_schema=False)
    return Seen(by_number(frame), dict(record.right_treatment.held_back))


def arrived(town: Town) -> tuple[Seen, ExchangeRecord]:
    """The principal's next routine file: the same rows as ever, in another spelling of their phones."""
    lines = [town.head, *(f"{each.record(PRINCIPAL)};{spelled(each)}" for each in town.people)]
    dropped = town.desk.drop("\n".join(lines).encode(), "routine.csv", ENERGY)
    town.desk.work()
    line = find_by_versions(town.house.conn, [dropped.version_id])[dropped.version_id]
    lake = get_accepted(town.house.conn, line.id)
    frame = pl.read_parquet(io.BytesIO(town.house.objects.read(lake.bucket, lake.key, lake.version_id)))
    record = record_of(town, line.id)
    return Seen(by_number(frame), dict(record.right_treatment.held_back)), record


def spelled(person: Person) -> str:
    digits = person.phone.replace(" ", "")
    other = f"0032{digits[1:]}" if digits.startswith("0") and not digits.startswith("00") else digits
    return person.line.replace(person.phone, other)


def by_number(frame: pl.DataFrame) -> dict[str, dict[str, str]]:
    return {row["customer_number"]: row for row in frame.to_dicts()}


def record_of(town: Town, exchange: str) -> ExchangeRecord:
    found = show_exchange(town.house.conn, exchange).record
    assert found is not None
    return found


def is_as_ever(seen: Seen, person: Person) -> bool:
    """The row is there, and says what the principal's first file said."""
    row = seen.rows.get(person.record(PRINCIPAL))
    return row is not None and f";{row['product']};" in person.line


@pytest.mark.evidence
def test_six_rights_in_two_roles_show_in_the_next_three_exchanges(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    done = exercised(town)

    dial, back, (next_file, record) = dialled(town), returned(town), arrived(town)
    view = by_number(view_rows(town.house, PRINCIPAL, CAMPAIGN))

    proven = {}
    for (right, role), (person, _) in done.items():
        number = person.record(PRINCIPAL)
        for name, seen in (("dial list", dial), ("return", back), ("inbound file", next_file)):
            if right is Right.ERASURE and name != "inbound file":
                is_proven = number not in seen.rows and "erased" not in seen.held  # nothing is left to hold
            elif right in STAYS_OUT:
                is_proven = number not in seen.rows and STAYS_OUT[right] in seen.held
            elif right is Right.RECTIFICATION and role == "controller":
                is_proven = is_as_ever(seen, person) and view[number]["sluice_statements"] == f"note: {STATEMENT}"
            elif right is Right.RECTIFICATION and name == "inbound file":
                flagged = {line.column: line.count for line in record.reasons if line.code == "STALE_VALUE_CORRECTED"}
                is_proven = flagged == {"product": 1} and view[number]["product"] == other_product(person)
            elif right is Right.RECTIFICATION:
                is_proven = seen.rows[number]["product"] == other_product(person)
            else:
                is_proven = is_as_ever(seen, person)
            proven[right, role, name] = is_proven
    assert [cell for cell, is_proven in proven.items() if not is_proven] == []
    for person in town.people[len(CELLS) :]:
        assert all(is_as_ever(seen, person) for seen in (dial, back, next_file)), "nobody else is touched"
    assert {reason: next_file.held[reason] for reason in STAYS_OUT.values()} == dict.fromkeys(STAYS_OUT.values(), 2)
    assert (dial.held["restricted"], dial.held["objected"]) == (2, 2)
    figure = f"{sum(proven.values())} of {len(proven)}"
    record_property("six rights x two roles x next dial list, return, inbound file: effect proven", figure)


@pytest.mark.long
def test_without_the_rights_everybody_is_in_all_three(town: Town) -> None:
    """The control: the same checks fail for who stays out, had nobody asked anything."""
    dial, back, (next_file, _) = dialled(town), returned(town), arrived(town)
    numbers = {each.record(PRINCIPAL) for each in town.people}
    assert set(dial.rows) == set(back.rows) == set(next_file.rows) == numbers


def test_a_restriction_leaves_storage_alone_and_ends_only_after_the_person_was_told(town: Town) -> None:
    person = town.people[0]
    case = asks(town, person, Right.RESTRICTION)
    for role in ROLES:
        decided_by(town, case, role, Action.RESTRICT)
    swept(town)
    number = person.record(PRINCIPAL)
    assert number not in dialled(town).rows and number not in by_number(view_rows(town.house, PRINCIPAL, CAMPAIGN))
    [line] = list_exchanges(town.house.conn, direction=Direction.INBOUND)
    lake = get_accepted(town.house.conn, line.id)
    stored = pl.read_parquet(io.BytesIO(town.house.objects.read(lake.bucket, lake.key, lake.version_id)))
    assert number in stored["customer_number"].to_list()

    lift = Order(DESK, now(), "RESTRICTION_LIFTED", SHA)
    with pytest.raises(NotToldFirst):
        lift_restriction(town.house, case.case_id, lift, True)
    letter = write_letter(town.house, case.case_id, LetterKind.LIFTING, now())
    with pytest.raises(NotToldFirst):
        lift_restriction(town.house, case.case_id, Order(DESK, now(), "RESTRICTION_LIFTED", SHA), True)
    note_opened(town.house.conn, letter, now(), DESK)
    with pytest.raises(NotToldFirst):
        lift_restriction(town.house, case.case_id, Order(DESK, now(), "RESTRICTION_LIFTED", SHA), False)
    assert lift_restriction(town.house, case.case_id, Order(DESK, now(), "RESTRICTION_LIFTED", SHA), True) == 1
    assert number in dialled(town).rows


HEAD = 'legalBasis: "https://w3id.org/dpv/legal/eu/gdpr#A6-1-{}"\n      basisHolder: principal\n      channels: [{}]'
CARE = Flow("care_contacts")
MARKETING_IRI = "https://w3id.org/dpv#DirectMarketing"
SAID = [
    ((), None),
    ((MARKETING_IRI,), None),
    ((MARKETING_IRI,), "voice"),
    ((), "sms"),
    (("https://w3id.org/dpv#CustomerCare",), None),
]
ASKED = [
    ("P-RENEW", "phone", CAMPAIGN),
    ("P-RENEW", "sms", CAMPAIGN),
    ("P-CARE", "phone", CARE),
    ("P-CARE", "email", CARE),
]


@pytest.fixture
def desk_of_two_purposes(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """Renewal rests on consent (calls, texts), care on the contract (calls, e-mail): two flows, the same persons."""
    settings = papers_of(store_settings, tmp_path, [PRINCIPAL])
    papers = settings.principals_dir / PRINCIPAL
    change(papers / AGREEMENT, HEAD.format("f", "voice"), HEAD.format("a", "voice, sms"))
    contract = papers / "renewal_campaign.inbound.odcs.yaml"
    care = papers / "care_contacts.inbound.odcs.yaml"
    text = contract.read_text(encoding="utf-8")
    basis = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
    consent = text.replace(f"{basis}f", f"{basis}a").replace(
        "consentChannel, value: email", "consentChannel, value: sms"
    )
    contract.write_text(consent, encoding="utf-8")
    changed = text.replace(f"{basis}f", f"{basis}b").replace(MARKETING_IRI, "https://w3id.org/dpv#CustomerCare")
    care.write_text(changed.replace("renewal_campaign", CARE), encoding="utf-8")
    for path in papers.glob("renewal_results.*"):
        path.unlink()  # they speak of the basis that renewal no longer has
    with open_town(settings, tmp_path, [PRINCIPAL], 40) as town:
        names = ("opt_in_phone", "opt_in_email")
        said = [each for each in town.people if {cell(town, each, name) for name in names} == {"Y"}]
        yes = tuple(each for each in said if "@" in cell(town, each, "email"))[: len(SAID) + 1]
        town = Town(town.desk, town.principals, yes, town.head)
        for flow in (CAMPAIGN, CARE):
            lines = [town.head, *(f"{each.record(PRINCIPAL)};{each.line}" for each in yes)]
            town.desk.drop("\n".join(lines).encode(), f"{flow}.csv", (PRINCIPAL, flow))
        town.desk.work()
        town.desk.may_call()
        yield town


@pytest.mark.evidence
def test_a_withdrawal_stops_one_purpose_over_one_channel_and_leaves_every_other_list_alone(
    desk_of_two_purposes: Town, record_property: Callable[[str, object], None]
) -> None:
    town = desk_of_two_purposes
    for (purposes, channel), person in zip(SAID, town.people, strict=False):
        numbers = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(PRINCIPAL)), (SubjectKind.PHONE, person.phone)]
        asked = NewRequest(Right.CONSENT_WITHDRAWAL, numbers, PRINCIPAL, now(), "mail", "nl", DESK)
        open_case(town.house, replace(asked, purposes=purposes, contact_channel=channel), now())

    right: dict[tuple[object, ...], bool] = {}
    for purpose, channel, flow in ASKED:
        seen = dialled(town, purpose, channel, flow)
        for (purposes, only), person in zip([*SAID, (("nothing",), None)], town.people, strict=True):
            word = {"phone": "voice"}.get(channel, channel)
            stops = purpose == "P-RENEW" and (not purposes or MARKETING_IRI in purposes) and only in (None, word)
            right[purpose, channel, purposes, only] = (person.record(PRINCIPAL) in seen.rows) == (not stops)
    assert [case for case, is_right in right.items() if not is_right] == []
    suppressed = find_suppressed(town.house, PRINCIPAL)
    assert suppressed is not None and set(suppressed["reason"]) == {"consent_withdrawn"}
    record_property(
        "withdrawal x dial list of another purpose, basis or channel", f"{sum(right.values())} of {len(right)}"
    )
