"""The demo's other rights: five persons each exercise one right; principal and center decide on their own parts.

Two persons get a package: one of energy01, and one of telecom01, whose agreement lets the center answer and whose basis
is a contract. What the others asked for shows in the next dial list of energy01, compared with the one before.
"""

import csv
import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import polars as pl

from sluice.answers.make import PackageWish, make
from sluice.answers.model import AnswerKind, Made
from sluice.demo.person import DESK, ENERGY, TELECOM, instructed
from sluice.demo.story import DemoUnfinished
from sluice.dial.dncm import import_numbers
from sluice.dial.make import make_dial_list
from sluice.dial.model import Channel, Dialled, Request
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.rights.case import store
from sluice.rights.case.letter_store import find_letters
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.case.steps import desk_order, settle_identity
from sluice.rights.copies.where import where
from sluice.rights.letters.write import note_opened
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.rights.schedule import follow, sweep
from sluice.subject.columns import normalise_column
from sluice.terms import Flow, Principal, SubjectKind
from sluice.times import brussels_day

CAMPAIGN, PURPOSE = Flow("renewal_campaign"), "P-RENEW"
ACTIONS: Mapping[Right, Action] = {
    Right.ACCESS: Action.GIVE,
    Right.PORTABILITY: Action.EXPORT,
    Right.RECTIFICATION: Action.RECTIFY,
    Right.RESTRICTION: Action.RESTRICT,
    Right.OBJECTION: Action.STOP,
}
"""What both controllers decide for each right."""
CORRECTED = "GAS"
"""The right product of the person who asks for rectification, which differs from that in the principal's file."""

ROUNDS = 4
"""Rounds of the schedules: each step of a case waits for the one before."""

Rows = Mapping[str, Mapping[str, str]]
"""A dial list by customer number."""


@dataclass(frozen=True)
class Listed:
    """A dial list as the agents find it, and who was left out, by reason."""

    done: Dialled
    rows: Rows


@dataclass(frozen=True)
class Rights:
    """One story: who asked for what (customer number, case), the packages, and the lists before and after."""

    cases: Mapping[Right, tuple[str, Case]]
    packages: Mapping[AnswerKind, Made]
    folder: Path
    unlisted: str
    """A person who asked for nothing, and whose number is on the Do-Not-Call-Me list for the second dial list."""
    before: Listed
    after: Listed


def run_rights(
    house: House, called: Sequence[str], subscribers: Sequence[str], folder: Path, say: Callable[[str], None]
) -> Rights:
    """Run the whole story. called: customer numbers of energy01 to pick persons from.

    subscribers: phones of telecom01. folder: for packages.
    """
    say("a dial list is made; then five persons ask for one right each, and both controllers decide")
    _listed_numbers(house, [])
    before = _list(house)
    free = [number for number in called if number in before.rows and before.rows[number]["product"] != CORRECTED]
    if len(free) <= len(ACTIONS):
        raise DemoUnfinished(Ref("persons in the dial list", len(free)))
    persons = dict(zip(ACTIONS, free, strict=False))
    cases = {
        right: (number, _exercised(house, right, *_who(house, right, before.rows[number], subscribers)))
        for right, number in persons.items()
    }
    say("two get their package; the schedules do the rest, and the next dial list is made")
    packages = {kind: _package(house, cases, kind, folder) for kind in AnswerKind}
    _scheduled(house, [case for _, case in cases.values()])
    unlisted = free[len(ACTIONS)]
    _listed_numbers(house, [before.rows[unlisted]["phone"]])
    return Rights(cases, packages, folder, unlisted, before, _list(house))


def _now() -> datetime:
    return datetime.now(UTC)


def _who(
    house: House, right: Right, row: Mapping[str, str], subscribers: Sequence[str]
) -> tuple[Principal, list[Identifier]]:
    """Return the principal and identifiers of a request. Portability needs a contract as basis, and so a subscriber."""
    if right is not Right.PORTABILITY:
        customer = Identifier(SubjectKind.PRINCIPAL_CUSTOMER_ID, row["customer_number"])
        return ENERGY, [customer, Identifier(SubjectKind.PHONE, row["phone"])]
    known = (Identifier(SubjectKind.PHONE, phone) for phone in subscribers)
    found = next((each for each in known if any(p.store == "lake" for p in where(house, (each,), (TELECOM,)))), None)
    if found is None:
        raise DemoUnfinished(Ref("subscribers", len(subscribers)))
    return TELECOM, [found]


def _exercised(house: House, right: Right, principal: Principal, person: Sequence[Identifier]) -> Case:
    """Handle one request, from the letter to the decision of both controllers."""
    now, action = _now(), ACTIONS[right]
    given = [(each.kind, each.value) for each in person]
    case = open_case(house, NewRequest(right, given, principal, now, "letter", "fr", DESK), now)
    settle_identity(house.conn, case.case_id, True, desk_order(DESK.name, now, "IDENTITY_SHOWN"))
    if right is Right.RECTIFICATION:
        ask(house, case.case_id, Wanted({"product": CORRECTED}, now))
    follow(house, _now())
    instructed(house, case.case_id, action)
    return store.get_case(house.conn, case.case_id)


def _scheduled(house: House, cases: Sequence[Case]) -> None:
    """Do what the schedules do every five minutes, as often as needed. The desk posts every letter."""
    for _ in range(ROUNDS):
        follow(house, _now())
        sweep(house, _now())
        letters = find_letters(house.conn, [case.case_id for case in cases])
        for letter in (each for written in letters.values() for each in written if each.opened_at is None):
            note_opened(house.conn, letter, _now(), DESK)


def _package(house: House, cases: Mapping[Right, tuple[str, Case]], kind: AnswerKind, folder: Path) -> Made:
    """Make the answer, in the vault and in clear in a folder of the demo."""
    target = folder / kind.value
    if target.exists():
        shutil.rmtree(target)
    case = cases[kind.right][1]
    return make(house, case.case_id, kind, _now(), DESK, PackageWish(folder=target))


def _listed_numbers(house: House, phones: Sequence[str]) -> None:
    """Import a Do-Not-Call-Me list of today, in the form of the download: one number a line. The first is nobody's.

    Principals write numbers in many forms; that list has one form only.
    """
    numbers = normalise_column(pl.Series(phones, dtype=pl.String), SubjectKind.PHONE).values
    path = house.settings.var / "demo" / "dncm.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["+32470999999", *numbers.to_list(), ""]))
    today = brussels_day(_now())
    import_numbers(house, path, today, DESK.name, _now(), may_be_smaller=True, may_come_back=True)


def _list(house: House) -> Listed:
    request = Request(str(uuid4()), ENERGY, CAMPAIGN, PURPOSE, Channel.PHONE, "csv", DESK.name)
    done = make_dial_list(house, request, _now())
    text = house.objects.read(done.bucket, done.key).decode()
    dialect = csv.Sniffer().sniff(text.partition("\n")[0])
    rows = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    return Listed(done, {row["customer_number"]: row for row in rows})
