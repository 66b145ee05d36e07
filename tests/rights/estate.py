"""An installation in which persons are everywhere: every store, every format, several versions, every kind of copy.

Each person has six values of their own (two of them only in free columns), written in the files' many
spellings; the note of each quotes one of them in one of the seven encodings of the leak test.
"""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from pysequoia import Tsk

from rights.people import SEED, WRITERS, Person, as_csv, as_ndjson, contact_rows, draw_people, subscriber_rows
from sluice.exchange.house import House
from sluice.lake.s3.objects import StoredObject
from sluice.returns.drain import drain_returns
from sluice.returns.release import deliver_again
from sluice.rights.case.model import Action, Actor, Case, CaseId, Order, Role, State
from sluice.rights.case.steps import decide
from sluice.rights.case.store import get_case
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.release import draft, release
from sluice.rights.read_instructions import read_instruction
from sluice.rights.requests import read_request
from sluice.sample.exports import Platform
from sluice.sample.results import Cast, write_results
from sluice.settings import Settings
from sluice.terms import Flow, Principal
from support.desk import ENERGY
from support.night import (
    AT_ONCE,
    CONTRACT,
    RESULTS,
    Call,
    Night,
    add_contract,
    call_log,
    open_night,
    seal_returns,
    with_papers,
)
from support.stores import client_of

CONTACTS = "renewal_campaign.inbound.odcs.yaml"
DESK = Actor(Role.DESK, "anna")
ENERGY01, TELECOM01 = Principal("energy01"), Principal("telecom01")
KEY = "telecom01.pgp"
CARE = Flow("care_results")
IN_FORMS = ("xlsx", "json", "ndjson")
OUT_FORMS = ("xlsx", "json", "ndjson", "parquet")


def flow_of(form: str) -> Flow:
    """The flow in which contacts arrive in a format."""
    return Flow("renewal_campaign" if form == "csv" else f"campaign_{form}")


def estate_papers(settings: Settings, folder: Path, key: Tsk) -> Settings:
    """Contacts in four formats, returns of energy01 in five, those of telecom01 under PGP; nobody has to release."""
    settings = with_papers(settings, folder, AT_ONCE)
    for form in IN_FORMS:
        add_contacts(settings, form)
    for form in OUT_FORMS:
        head, csv_form = f"as_{form}/*.csv", '    format: csv\n    delimiter: ";"\n'
        add_contract(settings, CONTRACT, f"as_{form}", (head, head[:-3] + form), (csv_form, f"    format: {form}\n"))
    [paper] = (settings.principals_dir / TELECOM01).glob("agreement-*.yaml")
    seal_returns(paper, key.extract_certificate())
    return settings


def add_contacts(settings: Settings, form: str) -> None:
    """One more contract for contacts of energy01, in another format."""
    papers, name = settings.principals_dir / ENERGY01, flow_of(form)
    text = (papers / CONTACTS).read_text(encoding="utf-8")
    text = text.replace("energy01.inbound.renewal_campaign", f"energy01.inbound.{name}")
    text = text.replace("energy01/inbound/renewal_campaign/*.csv", f"energy01/inbound/{name}/*.{form}")
    csv_form = '    format: csv\n    delimiter: ";"\n'
    assert csv_form in text
    (papers / CONTACTS.replace("renewal_campaign", name)).write_text(
        text.replace(csv_form, f"    format: {form}\n"), encoding="utf-8"
    )


@dataclass
class Estate:
    """A night with everybody in it: ``people`` will ask to be erased, ``others`` stay."""

    night: Night
    people: list[Person]
    others: list[Person]
    shared: list[Person]
    """Those of the people who are telecom01's too."""
    key: Tsk
    """What opens telecom01's returns."""

    @property
    def house(self) -> House:
        return self.night.desk.house

    @property
    def settings(self) -> Settings:
        return self.house.settings

    @property
    def buckets(self) -> tuple[str, ...]:
        named = self.settings
        return (
            named.bucket_exchange, named.bucket_internal, named.bucket_lake, named.bucket_vault, named.bucket_evidence,
        )  # fmt: skip

    def refs(self) -> list[tuple[str, ...]]:
        """Every reference of each of the people, at both principals."""
        keys = [self.house.subject_key(name) for name in (ENERGY01, TELECOM01)]
        return [(*each.refs(keys[0], each.record), *each.refs(keys[1], each.subscriber)) for each in self.people]

    def drop(self, content: bytes, name: str, flow: str, principal: str = ENERGY01) -> StoredObject:
        return self.night.desk.drop(content, name, (principal, flow))

    def s3(self) -> Any:
        """A client of the test's own, for what the product's has no words for."""
        return client_of(self.settings)

    def versions(self) -> Iterator[StoredObject]:
        """Every version of every bucket."""
        for bucket in self.buckets:
            yield from self.house.objects.list_versions(bucket, "")

    def read(self, item: StoredObject) -> bytes:
        return self.house.objects.read(item.bucket, item.key, item.version_id)


@contextmanager
def open_estate(settings: Settings, folder: Path, people: int, others: int, shared: int) -> Iterator[Estate]:
    """Everybody is in every file of energy01 (``shared`` of them in telecom01's too), was called and returned."""
    drawn = draw_people(people + others)
    key = Tsk.generate("exchange@telecom01.example")
    (folder / KEY).write_bytes(bytes(key))
    with open_night(estate_papers(settings, folder, key), folder, contacts=3) as night:
        estate = Estate(night, drawn[:people], drawn[people:], drawn[:shared], key)
        _contacts(estate)
        _faulty(estate)
        night.desk.work()
        _results(estate)
        _returns(estate)
        _leftovers(estate)
        yield estate


def mixed(estate: Estate, seed: int = SEED) -> list[Person]:
    """All persons in a shuffled order."""
    return random.Random(seed).sample([*estate.people, *estate.others], len(estate.people) + len(estate.others))


def _contacts(estate: Estate) -> None:
    rows = contact_rows(mixed(estate))
    estate.drop(as_csv(contact_rows(mixed(estate)[::2])), "contacts.csv", ENERGY[1])  # an older version of the same key
    estate.night.desk.open_new()
    for form, write in WRITERS.items():
        estate.drop(write(rows), f"contacts.{form}", flow_of(form))
    base = [*estate.shared, *estate.others[: len(estate.shared)]]
    estate.drop(as_csv(subscriber_rows(base), ","), "base.csv", "subscriber_base", TELECOM01)


def _faulty(estate: Estate) -> None:
    """Rows that are refused, records of another width, files that are refused whole, in UTF-16, and without a flow."""
    count = max(2, len(estate.people) // 25)
    few = [each for pair in zip(estate.people[:count], estate.others[:count], strict=True) for each in pair]
    sound = [each for each in mixed(estate) if each not in few]
    wrong = contact_rows(few[:count]).with_columns(last_name=pl.lit(""))
    content = as_csv(pl.concat([contact_rows(sound), wrong])) + cut_short(few[count:])
    estate.drop(content, "faulty.csv", ENERGY[1])
    lines = as_ndjson(contact_rows(sound)) + b"".join(as_list(each) for each in few[:count])
    estate.drop(lines, "faulty.ndjson", flow_of("ndjson"))
    estate.drop(as_csv(contact_rows(few)).replace(b"customer_number", b"klantnummer", 1), "refused.csv", ENERGY[1])
    estate.drop(as_csv(contact_rows(few), encoding="utf-16"), "wide.csv", ENERGY[1])
    estate.drop(as_csv(contact_rows(few)), "stray.csv", "no_such_flow")


def cut_short(people: list[Person]) -> bytes:
    """Their records without the last two cells; a note may hold what looks like the end of a cell."""
    return as_csv(contact_rows(people)[:, :-2]).partition(b"\r\n")[2]


def as_list(person: Person) -> bytes:
    """A line of NDJSON that is no object, and names somebody."""
    return json.dumps([person.record, person.phone, person.email]).encode() + b"\n"


def _results(estate: Estate) -> None:
    called = mixed(estate)[: len(estate.people) + len(estate.others) // 2]
    calls = [Call(f"c{each.number}", each.record, each.e164, note=each.note) for each in called]
    bucket, objects = estate.settings.bucket_internal, estate.house.objects
    objects.put(bucket, f"energy01/internal/{RESULTS}/log.csv", call_log(calls), "text/csv")
    objects.put(bucket, f"energy01/internal/{RESULTS}/bad.csv", call_log(calls[:9])[9:], "text/csv")
    path = estate.night.desk.folder / "care.csv"
    contacts = pl.DataFrame(
        {
            "record_id": [each.subscriber for each in estate.shared],
            "phone": [each.e164 for each in estate.shared],
            "name": [each.last_name for each in estate.shared],
            "campaign": ["CARE"] * len(estate.shared),
            "language": ["nl"] * len(estate.shared),
        }
    )
    from support.night import DUE_DAY

    write_results(path, Platform.GENESYS_CLOUD, contacts, SEED, on=DUE_DAY, cast=Cast(agents=("agent01",)))
    objects.put(bucket, f"telecom01/internal/{CARE}/care.csv", path, "text/csv")
    estate.night.desk.work()


def _returns(estate: Estate) -> None:
    """Make returns in every format, and deliver one of them twice."""
    now = datetime.now(UTC)
    for flow in (RESULTS, *(Flow(f"as_{form}") for form in OUT_FORMS)):
        drain_returns(estate.house, ENERGY01, flow, now, {})
    drain_returns(estate.house, TELECOM01, CARE, now, {})
    estate.night.desk.work()
    deliver_again(estate.house, estate.night.returns()[0].id, "an", now)


def _leftovers(estate: Estate) -> None:
    """Begin a multipart upload and never complete it."""
    client, bucket = estate.s3(), estate.settings.bucket_exchange
    key = "energy01/inbound/renewal_campaign/half.csv"
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    body = as_csv(contact_rows(estate.people[:5]))
    client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)


def ask(estate: Estate, principal: Principal, people: Sequence[Person]) -> Case:
    """A principal's request file names persons; everybody who decides of them agrees."""
    house, bucket = estate.house, estate.settings.bucket_exchange
    column = "record" if principal == ENERGY01 else "subscriber"
    lines = ["phone;email;customer", *(f"{each.phone};{each.email};{getattr(each, column)}" for each in people)]
    key, content = f"{principal}/requests/erasure-2026-11.csv", "\n".join(lines).encode()
    stored = house.objects.put(bucket, key, content, "text/csv")
    file = read_request(house, principal, stored, datetime.now(UTC))
    assert file.case_id is not None and file.persons == len(people)
    return get_case(house.conn, file.case_id)


def agree(estate: Estate, case_id: CaseId) -> Case:
    """Both controllers decide to erase, and a second person lets the plan go where one is asked for."""
    house, now = estate.house, datetime.now(UTC)
    take_due(house, now)
    for part in get_case(house.conn, case_id).sub_cases:
        if part.state is State.AWAITING_INSTRUCTION:
            said = json.dumps({"case": part.sub_case_id, "decision": "erase"}).encode()
            key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
            stored = house.objects.put(estate.settings.bucket_exchange, key, said, "text/json")
            read_instruction(house, Principal(part.principal), stored, now)
    if any(part.state is State.SCOPED for part in get_case(house.conn, case_id).sub_cases):
        decide(house.conn, case_id, State.ACCEPTED, Order(DESK, now, "ACCEPTED", "ab" * 32, action=Action.ERASE))
    if any(plan.released_at is None for plan in draft(house, case_id, "airflow", now).plans):
        release(house, case_id, "bert", now)
    return get_case(house.conn, case_id)
