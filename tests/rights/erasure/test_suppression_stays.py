"""Whoever was erased stays out, however they come back; whoever only looks like them is let in."""

import io
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr
from pysequoia import Tsk

from rights.estate import ENERGY01, IN_FORMS, Estate, add_contacts, agree, ask, flow_of
from rights.people import WRITERS, Person, as_csv, contact_rows, draw_people
from sluice.exchange.house import open_house
from sluice.exchange.persons.replay import replay
from sluice.exchange.persons.sealed_runs import SuppressionsLost
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case.model import CaseId
from sluice.rights.case.store import find_known
from sluice.rights.erasure.erase import run
from sluice.rights.opening import finish_openings
from sluice.settings import Settings
from support.desk import ENERGY, Desk
from support.effort import effort
from support.night import AT_ONCE, Call, Night, call_log, open_night, with_papers
from support.stores import Database, Databases

PEOPLE = effort(27, 200)
EACH = effort(6, 1)
"""Of the spellings, every one or every sixth."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def line_of(person: Person) -> str:
    """Belgian mobile: seven digits behind +32 47."""
    return person.e164.removeprefix("+3247")


def with_line(person: Person, line: str) -> Person:
    """The same person under another telephone."""
    return replace(person, e164=f"+3247{line}", phone=f"047{line[0]} {line[1:3]} {line[3:5]} {line[5:]}")


def next_digit(text: str) -> str:
    return f"{text[:-1]}{(int(text[-1]) + 1) % 10}"


def swapped(line: str) -> str:
    """Two digits changed places."""
    at = next((at for at in range(1, 6) if line[at] != line[at + 1]), 0)
    return line[:at] + line[at + 1] + line[at] + line[at + 2 :]


def mailbox(of: Person, other: Person, change: Callable[[str, str], str]) -> Person:
    return replace(other, email=change(*of.email.split("@")))


TWINS: tuple[Callable[[Person, Person], Person], ...] = (
    lambda of, other: with_line(other, next_digit(line_of(of))),
    lambda of, other: with_line(other, swapped(line_of(of))),
    lambda of, other: with_line(other, line_of(of)[0] + line_of(of)[4:] + line_of(of)[1:4]),
    lambda of, other: replace(other, record=next_digit(of.record)),
    lambda of, other: replace(other, last_name=of.last_name),
    lambda of, other: mailbox(of, other, lambda name, host: f"{name}+club@{host}"),
    lambda of, other: mailbox(of, other, lambda name, host: f"{name}@post.example"),
    lambda of, other: mailbox(of, other, lambda name, host: f"{'.'.join(reversed(name.split('.')))}@{host}"),
    lambda of, other: mailbox(of, other, lambda name, host: f"{name.replace('.', '')}@{host}"),
)
"""How somebody else can look like a person: the person, a stranger to begin with, and the look-alike."""


def draw_twins(count: int) -> tuple[list[Person], list[Person], list[Person]]:
    """So many persons, as many look-alikes, each of one of them, and two strangers for each of both together."""
    drawn = draw_people(count * 6)
    people, others, strangers = drawn[:count], drawn[count : 2 * count], drawn[2 * count :]
    twins = [TWINS[n % len(TWINS)](of, other) for n, (of, other) in enumerate(zip(people, others, strict=True))]
    for value in ("e164", "email", "record"):  # no look-alike has an identifier of a person
        assert not {getattr(each, value) for each in people} & {getattr(each, value) for each in twins}
    assert len({each.street for each in (*people, *twins)}) == len(people) + len(twins)
    return people, twins, strangers


PHONES: dict[str, Callable[[Person], str]] = {
    "+32": lambda each: each.e164,
    "0032": lambda each: f"0032 {each.e164[3:]}",
    "national": lambda each: f"0{each.e164[3:]}",
    "(0)": lambda each: f"+32 (0)47{line_of(each)}",
    "dots": lambda each: f"047{line_of(each)[0]}/{line_of(each)[1:3]}.{line_of(each)[3:5]}.{line_of(each)[5:]}",
    "hard spaces": lambda one: re.sub("(...)(...)$", "\N{NO-BREAK SPACE}\\1\N{THIN SPACE}\\2 ", f" 047{line_of(one)}"),
    "tel:": lambda each: f"Tel: 0{each.e164[3:]}",
    "a float": lambda each: f"{each.e164[1:]}.0",
    "full width": lambda each: "".join(chr(ord(digit) + 0xFEE0) for digit in f"0{each.e164[3:]}"),
}  # fmt: skip
MAILS: dict[str, Callable[[Person], str]] = {
    "upper case": lambda each: each.email.upper(),
    "title": lambda each: each.email.title(),
    "spaces": lambda each: f"  {each.email}\N{NO-BREAK SPACE}",
    "mailto:": lambda each: f"mailto:{each.email}",
    "full width": lambda each: each.email.replace("@", "\N{FULLWIDTH COMMERCIAL AT}"),
}


def known_by(people: Sequence[Person], strangers: Sequence[Person], **spell: Callable[[Person], str]) -> list[Person]:
    """Only this is theirs, in another spelling; the rest but the street, by which the test knows them, is others'."""
    names = ("phone", "email", "record")
    return [
        replace(each, **{name: spell[name](each) if name in spell else getattr(other, name) for name in names})
        for each, other in zip(people, strangers, strict=False)
    ]


@dataclass
class Comeback:
    """Those who were erased, those who look like them, and who came in by which way."""

    estate: Estate
    people: list[Person]
    twins: list[Person]
    strangers: list[Person]
    came: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Streets of those whose rows were let in, by way: the street is nobody's identifier."""

    @property
    def desk(self) -> Desk:
        return self.estate.night.desk

    def drop(self, way: str, rows: Sequence[Person], form: str = "csv") -> StoredObject:
        """A file of these rows arrives in a format, in an order that is no order, and is worked off."""
        mixed = random.Random(way).sample(list(rows), len(rows))
        content = WRITERS[form](plain(mixed))
        stored = self.estate.drop(content, f"{letters_of(way)}.{form}", flow_of(form))
        self.desk.work()
        self.look(way, stored)
        return stored

    def look(self, way: str, stored: StoredObject) -> None:
        """The persons in the lake files of an exchange."""
        self.came[way] |= set(lake_rows(self.desk, stored)["street"].to_list())

    def out(self, way: str) -> int:
        """Number of erased persons that were kept out."""
        return sum(each.street not in self.came[way] for each in self.people)

    def held(self, way: str) -> int:
        """Number of look-alikes, who should not be kept out, that were."""
        return sum(each.street not in self.came[way] for each in self.twins)


def letters_of(way: str) -> str:
    return "".join(each for each in way if each.isalpha() and each.isascii()) or "x"


def plain(rows: Sequence[Person]) -> pl.DataFrame:
    """Rows without notes: a note may be held for what it says."""
    return contact_rows(rows).with_columns(note=pl.lit(""))


def lake_rows(desk: Desk, stored: StoredObject) -> pl.DataFrame:
    """Accepted rows of a file that arrived; none while it waits, or when it was refused."""
    line = desk.line(stored)
    bucket = desk.settings.bucket_lake
    found = [item for item in desk.objects(bucket) if f"exchange={line.id}/part" in item.key]
    frames = [pl.read_parquet(io.BytesIO(desk.house.objects.read(bucket, item.key, item.version_id))) for item in found]
    return pl.concat(frames) if frames else pl.DataFrame({"street": [], "record_id": []})


@contextmanager
def reopened(settings: Settings, folder: Path) -> Iterator[Night]:
    """The same installation, or one on another database."""
    with open_house(settings) as house:
        yield Night(Desk(house, folder), folder / "none.csv")


def on(settings: Settings, database: Database) -> Settings:
    """The installation on another database; buckets and keys stay."""
    return settings.model_copy(
        update={"database_url": SecretStr(database.app_url), "database_admin_url": SecretStr(database.admin_url)}
    )


def estate_of(night: Night, people: list[Person], twins: list[Person]) -> Estate:
    return Estate(night, people, twins, [], Tsk.generate("nobody@example"))


def all_ways(back: Comeback, first: bytes) -> None:
    """Bring the erased persons back in every way except a restore of the database."""
    every, strangers = [*back.people, *back.twins], back.strangers
    same = back.estate.drop(first, "contacts.csv", ENERGY[1])
    back.desk.work()
    assert back.desk.line(same).reason_code == "DUPLICATE_CONTENT", "the very same bytes: nobody is judged again"
    back.drop("the same file", every)
    back.drop("an older file", [*every, *strangers[-5:]])
    results_and_return(back, every)
    for form in IN_FORMS:
        back.drop(f"as {form}", every, form)
    for name, spell in list(PHONES.items())[::EACH]:
        back.drop(f"phone {name}", known_by(every, strangers, phone=spell))
    for name, spell in list(MAILS.items())[::EACH]:
        back.drop(f"mail {name}", known_by(every, strangers, email=spell))
    back.drop("customer number alone", known_by(every, strangers, record=lambda each: each.record))
    backfill(back, every)


def backfill(back: Comeback, every: list[Person]) -> None:
    """The files of past months, all at once."""
    months = [
        back.estate.drop(as_csv(plain(every[month::8])), f"contacts-2026-0{month + 1}.csv", ENERGY[1])
        for month in range(8)
    ]
    back.desk.work()
    for stored in months:
        back.look("a backfill", stored)


def results_and_return(back: Comeback, every: list[Person]) -> None:
    """Agents' results about them, and the return that is made of these."""
    night, street = back.estate.night, {each.record: each.street for each in every}
    content = call_log([Call(f"c{each.number}", each.record, each.e164) for each in every])
    stored = night.results(content)
    records = lake_rows(night.desk, stored)["record_id"].to_list()
    back.came["results of agents"] = {street[each] for each in records}
    night.make()
    night.desk.work()
    sent = [content for name, content in night.delivered().items() if name.endswith(".csv")]
    rows = [pl.read_csv(io.BytesIO(each), separator=";", infer_schema=False) for each in sent]
    assert rows, "something was returned"
    back.came["a return"] = {street[each] for frame in rows for each in frame["customer_number"].to_list()}


@pytest.mark.evidence
def test_two_hundred_stay_out_however_they_come_back(
    store_settings: Settings,
    database: Database,
    databases: Databases,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    people, twins, strangers = draw_twins(PEOPLE)
    settings = with_papers(store_settings, tmp_path, AT_ONCE)
    for form in IN_FORMS:
        add_contacts(settings, form)
    first = as_csv(plain([*people, *twins]))
    with open_night(settings, tmp_path, contacts=3) as night:
        stored = estate_of(night, people, twins).drop(first, "contacts.csv", ENERGY[1])
        night.desk.work()
        assert lake_rows(night.desk, stored).height == 2 * PEOPLE, "control: before, everybody is let in"
    with databases.fresh(database.name) as old:  # as it is now
        with reopened(settings, tmp_path) as night:
            back = Comeback(estate_of(night, people, twins), people, twins, strangers)
            case_id = erased(back.estate)
            all_ways(back, first)
        with reopened(on(settings, old), tmp_path) as night:
            back.estate = estate_of(night, people, twins)
            after_restore(back, case_id)
    wrong = {way: (back.out(way), back.held(way)) for way in back.came}
    assert {way: each for way, each in wrong.items() if each != (PEOPLE, 0)} == {}
    record_property(
        "suppressed persons who stay out, look-alikes held, ways",
        f"{min(out for out, _ in wrong.values())} of {PEOPLE}, {max(held for _, held in wrong.values())} of {PEOPLE},"
        f" {len(wrong)} (spellings, formats, older, backfill, results, return, restored database)",
    )


def erased(estate: Estate) -> CaseId:
    """The principal asks to erase all of them, and it is done."""
    case = agree(estate, ask(estate, ENERGY01, estate.people).case_id)
    report = run(estate.house, case.case_id, datetime.now(UTC))
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    return case.case_id


def after_restore(back: Comeback, case_id: CaseId) -> None:
    """The database is one of before the erasure: a file waits until it knows again who must stay out."""
    every, house = [*back.people, *back.twins], back.desk.house
    way = "a restored database"
    stored = back.drop(way, known_by(every, back.strangers, phone=PHONES["0032"]))
    assert back.desk.line(stored).decision == "open", "nothing is accepted before"
    assert back.came[way] == set()
    assert back.desk.sql("select distinct last_error from exchange where decision = 'open'") == [
        {"last_error": SuppressionsLost.code}
    ]
    done = replay(house, datetime.now(UTC))
    assert done.runs >= 1 and done.references >= 3 * PEOPLE and done.erasures == {case_id}
    assert replay(house, datetime.now(UTC)).runs == 0, "again changes nothing"
    house.conn.execute("update exchange set next_attempt_at = now() where decision = 'open'")
    back.desk.work()
    back.look(way, stored)
    assert not find_known(house.conn, [case_id])
    finish_openings(house, datetime.now(UTC))
    assert find_known(house.conn, [case_id]), "the request opens again, from the vault"
