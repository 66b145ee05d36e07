"""A withdrawal that is only recorded is told to the principal and to whoever got the data, once, as a case tells it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import arrived, instruct, lent, now, of_center, of_principal, swept
from rights.town import Person, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_reasons
from sluice.lake.s3.objects import ObjectStore
from sluice.rights import withdrawals
from sluice.rights.case.model import Action, Case, Right, Role, State, Track
from sluice.rights.case.next_step import step_of
from sluice.rights.case.store import CaseFilter, list_cases, list_steps
from sluice.rights.consents.keep import record_consent
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.to_controller import notice_key
from sluice.rights.person.identifiers import parse_identifier
from sluice.rights.person.whom import all_refs_at
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import brussels_today
from support.night import AGREEMENT, Edit, change

ENERGY, GRID = Principal("energy01"), "Grid NV"
BASIS = "https://w3id.org/dpv/legal/eu/gdpr#A6-1-"
IRI = "https://w3id.org/dpv#DirectMarketing"
CONSENTED = [
    Edit(AGREEMENT, f"{BASIS}f", f"{BASIS}a"),
    Edit("renewal_campaign.inbound.odcs.yaml", f"{BASIS}f", f"{BASIS}a"),
    Edit("renewal_results.internal.odcs.yaml", f"{BASIS}f", f"{BASIS}a"),
    Edit("renewal_results.outbound_return.odcs.yaml", f"{BASIS}f", f"{BASIS}a"),
    Edit(AGREEMENT, "recipients: []", f"recipients: [{GRID}]"),
]
"""Renewal rests on consent, and Grid NV gets what Energy One sends."""
COLUMNS = "customer;purpose;channel;state;at;method;notice;collected_by"


lent_town = lent(arrived, *CONSENTED)


@pytest.fixture
def town(lent_town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with at_terminal(lent_town.desk, monkeypatch):
        yield lent_town


def withdraw(person: Person, *more: str) -> None:
    words = ("--purpose", "P-RENEW", "--channel", "voice", "--by", "anna", *more)
    done = sluice("consent", "withdraw", ENERGY, f"customer:{person.record(ENERGY)}", *words)
    assert done.exit == 0 and done.document["is_new"], done.told


def cases(town: Town) -> list[Case]:
    return list_cases(town.house.conn)


def forwarded(town: Town, case: Case) -> dict[str, Any]:
    """What the principal reads about a case."""
    bucket, key = town.desk.settings.bucket_exchange, notice_key(of_principal(case))
    found: dict[str, Any] = json.loads(town.house.objects.read(bucket, key))
    return found


def row(person: Person, state: str = "withdrawn", by: str = "webshop", at: str = "2026-01-02") -> str:
    return f"{person.record(ENERGY)};P-RENEW;voice;{state};{at};web_form;W-7;{by}"


def imported(tmp_path: Path, *rows: str) -> dict[str, Any]:
    file = tmp_path / "consents.csv"
    file.write_text("\n".join([COLUMNS, *rows]) + "\n")
    done = sluice("consent", "import", str(file), ENERGY, "--by", "anna")
    assert done.exit == 0
    return done.document


def test_one_is_told_to_the_principal_and_to_recipients_without_a_letter(town: Town) -> None:
    person = town.people[0]
    withdraw(person)
    [case] = cases(town)
    assert (case.right, case.principal, case.persons) == (Right.CONSENT_WITHDRAWAL, ENERGY, 1)
    assert (of_center(case).state, of_center(case).action) == (State.ACCEPTED, Action.STOP)
    case = swept(town, case)
    assert not step_of(case).is_ours and list_cases(town.house.conn, CaseFilter(only_ours=True)) == []
    said = forwarded(town, case)
    assert said["identifiers"] == [[{"kind": "customer", "value": person.record(ENERGY)}]]
    assert (said["purposes"], said["channel"], said["right"]) == ([IRI], "voice", "consent_withdrawal")
    assert instruct(town, of_principal(case), decision="stop") is InstructionOutcome.INSTRUCTED
    case = swept(town, case)
    told = {(each.recipient, each.side.value) for each in list_notices(town.house.conn, case_id=case.case_id)}
    assert (GRID, "recipient") in told
    assert case.letters == (), "nobody asked for an answer"
    decided = [step for step in list_steps(town.house.conn, case.case_id) if step.to_state is State.ACCEPTED]
    assert {(step.actor_role, step.actor, step.reason_code) for step in decided} == {(Role.DESK, "anna", "AS_RECORDED")}


def test_it_ends_once_everybody_was_told(town: Town, tmp_path: Path) -> None:
    withdraw(town.people[0])
    [case] = cases(town)
    case = swept(town, case)
    instruct(town, of_principal(case), decision="stop")
    swept(town, case)
    proof = tmp_path / "mail.eml"
    proof.write_bytes(b"told")
    for each in list_notices(town.house.conn, case_id=case.case_id):
        if each.state == "OWED":
            assert sluice("notices", "sent", each.notice_id, "--by", "anna", "--evidence", str(proof)).exit == 0
    assert swept(town, case).state is State.CLOSED


def test_many_in_a_file_are_one_case_and_the_same_file_again_is_none(town: Town, tmp_path: Path) -> None:
    first, second, third, _ = town.people
    rows = [row(first), row(second), row(third, "given"), row(third, "refused", at="2026-01-01")]
    assert imported(tmp_path, *rows)["is_new"]
    [case] = cases(town)
    assert case.persons == 2, "who refused had given nothing to withdraw"
    case = swept(town, case)
    named = [person for [person] in forwarded(town, case)["identifiers"]]
    assert {each["value"] for each in named} == {first.record(ENERGY), second.record(ENERGY)}

    assert not imported(tmp_path, *rows)["is_new"] and len(cases(town)) == 1
    assert imported(tmp_path, *rows, row(third))["is_new"]
    assert sorted(each.persons for each in cases(town)) == [1, 2], "only what is new is told"


def test_what_the_principal_collected_is_not_told_back_to_it(town: Town, tmp_path: Path) -> None:
    imported(tmp_path, row(town.people[0], by=ENERGY), row(town.people[1]))
    theirs, ours = sorted(cases(town), key=lambda case: case.channel, reverse=True)
    assert (theirs.channel, ours.channel) == ("file", "consent_record")
    theirs, ours = swept(town, theirs), swept(town, ours)
    assert forwarded(town, theirs)["identifiers"] == [] and forwarded(town, theirs)["persons"] == 1
    assert len(forwarded(town, ours)["identifiers"]) == 1, "control"


def test_whoever_has_an_open_case_for_it_gets_no_second(town: Town) -> None:
    person = town.people[0]
    given = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    town.opened(Right.CONSENT_WITHDRAWAL, given, ENERGY, purposes=[IRI])
    withdraw(person)
    assert len(cases(town)) == 1
    withdraw(town.people[1])
    withdraw(town.people[1])
    assert len(cases(town)) == 2, "control: another person; the same once more is the same"


@pytest.mark.parametrize("state", ["given", "refused"])
def test_what_withdraws_nothing_opens_nothing(town: Town, state: str) -> None:
    words = ("--purpose", "P-RENEW", "--channel", "voice", "--method", "call", "--notice", "W-7", "--state", state)
    person = f"customer:{town.people[0].record(ENERGY)}"
    assert sluice("consent", "record", ENERGY, person, *words, "--collected-by", "webshop").exit == 0
    assert cases(town) == []


def test_a_yes_that_is_younger_leaves_nothing_to_tell(town: Town, tmp_path: Path) -> None:
    person = town.people[0]
    imported(tmp_path, row(person, at="2026-01-02"), row(person, "given", at="2026-02-01"))
    assert cases(town) == []


class Killed(BaseException):
    """The worker is gone."""


class Dying:
    """The store of a worker that is killed before its put of this number (0: the first)."""

    def __init__(self, store: ObjectStore, at: int) -> None:
        self.store, self.left = store, at

    def __getattr__(self, name: str) -> Any:
        if name.startswith("put"):
            self.left -= 1
            if self.left < 0:
                raise Killed
        return getattr(self.store, name)


def test_killed_at_any_put_a_rerun_stores_the_records_and_opens_one_case(town: Town) -> None:
    house, today, killed = town.house, brussels_today(), 0
    for number, person in enumerate(town.people):
        content = f"{COLUMNS}\n{row(person)}\n".encode()
        dying: Any = Dying(house.objects, number)
        with contextlib.suppress(Killed):
            withdrawals.import_and_tell(replace(house, objects=dying), ENERGY, content, today, "anna", now())
        is_killed = dying.left < 0
        killed += is_killed
        again = withdrawals.import_and_tell(house, ENERGY, content, today, "anna", now())
        assert again.is_new is is_killed, "the records are stored last"
        assert len(cases(town)) == number + 1
    assert killed == len(town.people), "control: each was killed"
    assert {of_center(case).state for case in cases(town)} == {State.ACCEPTED}


def test_a_consent_record_that_is_only_stored_opens_no_case(town: Town) -> None:
    """Control of the tests above, whose import opens the cases."""
    said = withdrawals.Said(
        {"customer": town.people[0].record(ENERGY)}, "P-RENEW", "voice", "withdrawn", "2026-01-02", "call", "W", "shop"
    )
    assert record_consent(town.house, ENERGY, said, "anna", now()).is_new
    assert cases(town) == []


OTHER = "https://w3id.org/dpv#ServiceProvision"


@pytest.fixture
def two(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """A second agreement began later; renewal, which rests on consent, is a purpose of the first one only."""
    settings = papers_of(store_settings, tmp_path, [ENERGY], *CONSENTED)
    papers = settings.principals_dir / ENERGY
    more = papers / "agreement-other-3.0.0.yaml"
    more.write_text((papers / AGREEMENT).read_text(encoding="utf-8"), encoding="utf-8")
    for old, new in (
        ("agreementId: DPA-ENERGY01", "agreementId: DPA-ENERGY02"), ("supersedes: 2.4.0", "supersedes: null"),
        ("validFrom: 2026-01-01\nvalidTo: null\ndoc", "validFrom: 2026-02-01\nvalidTo: null\ndoc"),
        ("code: P-RENEW", "code: P-SERVICE"), (IRI, OTHER),
    ):  # fmt: skip
        change(more, old, new)
    with open_town(settings, tmp_path, [ENERGY], 3) as opened, at_terminal(opened.desk, monkeypatch):
        opened.arrive(ENERGY, opened.people)
        yield opened


def test_a_withdrawal_for_a_purpose_of_the_older_agreement_is_kept_and_told(two: Town, tmp_path: Path) -> None:
    """GDPR Art. 7(3)."""
    one, other, third = two.people
    withdraw(one)
    [case] = cases(two)
    [part] = [
        each
        for each in swept(two, case).sub_cases
        if (each.agreement_id, each.track) == ("DPA-ENERGY01", Track.PROCESSOR)
    ]
    said = json.loads(two.house.objects.read(two.desk.settings.bucket_exchange, notice_key(part)))
    assert (said["purposes"], said["channel"]) == ([IRI], "voice")

    assert imported(tmp_path, row(other))["refused"] == 0
    assert len(cases(two)) == 2
    out = [
        find_reasons(
            two.house,
            ENERGY,
            all_refs_at(two.house, (parse_identifier(f"customer:{each.record(ENERGY)}", 1),), ENERGY),
        )
        for each in (one, other, third)
    ]
    assert out == [("consent_withdrawn",), ("consent_withdrawn",), ()]
