"""A desk with a case that is owed letters, and what was written, logged and left to be taken out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from sluice.rights.case import store
from sluice.rights.case.model import Action, Actor, Case, CaseId, Order, Remedies, Right, Role, State, SubCase, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, settle_identity
from sluice.rights.opening import NewRequest, envelope_of, open_case, open_envelope
from sluice.rights.person.identifiers import Identifier
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import JANUARY, Desk, open_desk

SHA = "ab" * 32
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DESK = Actor(Role.DESK, "anna")
PHONE = "0470 12 34 56"
LEGAL = iri("A17LegallyRequired")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers are known since January, and that says its name on letters."""
    settings = store_settings.model_copy(update={"center_name": "Contact Center NV"})
    with open_desk(settings, tmp_path, JANUARY) as opened:
        yield opened


def asked(desk: Desk, right: Right = Right.ERASURE, language: str = "nl", now: datetime = NOW) -> Case:
    """A person asks energy01's data to be erased: one part it decides, one the center decides."""
    house, person = desk.house, [(SubjectKind.PHONE, PHONE)]
    return open_case(house, NewRequest(right, person, Principal("energy01"), now, "letter", language, DESK), now)


def order(code: str = "AS_ASKED", at: datetime = NOW, evidence: str = SHA, **more: object) -> Order:
    return Order(DESK, at, code, evidence, **more)  # type: ignore[arg-type]


def scoped(desk: Desk, case: Case) -> SubCase:
    """The part that the center decides, after the identity check has ended."""
    settle_identity(desk.house.conn, case.case_id, True, order("IDENTITY_SHOWN"))
    return next(part for part in case.sub_cases if part.track is Track.CONTROLLER)


def refuse(desk: Desk, case: Case, group: str = "*", at: datetime = NOW) -> None:
    partly = {} if group == "*" else {"action": Action.ERASE}
    said = order(LEGAL, at, reasons={group: LEGAL}, remedies=Remedies("remedies.be", case.language), **partly)
    decide(desk.house.conn, case.case_id, State.PARTIAL if partly else State.REFUSED, said)


def get(desk: Desk, case: Case) -> Case:
    return store.get_case(desk.house.conn, case.case_id)


def logged(desk: Desk) -> list[dict[str, object]]:
    return [json.loads(str(row["body"])) for row in desk.sql(
        "select convert_from(body, 'utf8') as body from ledger.entry where kind = 'case.letter' order by seq"
    )]  # fmt: skip


def lying(desk: Desk, case: Case) -> list[tuple[str, str]]:
    """Key and version of everything there is of a case's letters."""
    prefix = f"_cases/{case.case_id}/letters/"
    found = desk.house.objects.list_versions(desk.settings.bucket_vault, prefix)
    return sorted((item.key.removeprefix(prefix), item.version_id) for item in found)


def of_two(desk: Desk) -> tuple[Case, list[SubCase]]:
    """A request about two persons at every principal; what the center decides of it, at two of them."""
    persons = tuple((Identifier(SubjectKind.PHONE, f"0470 12 34 5{n}"),) for n in range(2))
    envelope = envelope_of(CaseId(str(uuid4())), Right.ERASURE, None, persons, NOW, NOW, DESK)
    case = open_envelope(desk.house, replace(envelope, channel="letter"), NOW)
    scoped(desk, case)
    ours = [part for part in case.sub_cases if part.track is Track.CONTROLLER]
    assert [part.principal for part in ours] == ["energy01", "telecom01"]
    return case, ours
