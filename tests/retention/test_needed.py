"""On a real store: what a person restricted, or is owed a copy of, does not go on its day, and nobody else's stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from answers.giving import WE_GIVE
from returns.commands import at_terminal, sluice
from rights.instructing import current, instruct, of_principal
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.answers.sweep import make_decided
from sluice.exchange.catalogue import find_copies
from sluice.exchange.naming import INDEX_PREFIX
from sluice.exchange.persons import sealed_runs
from sluice.exchange.persons.merged import merge_all
from sluice.exchange.persons.suppressed import lift
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.retention.run import find_due, retain
from sluice.rights.case.model import Action, Case, Order, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide, settle_identity, withdraw
from sluice.rights.copies.needed_model import Need
from sluice.rights.copies.needed_store import find_restricted
from sluice.rights.due_steps import take_due
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import sweep
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal, SubjectKind
from support.copies import Copies
from support.night import Edit

ENERGY = Principal("energy01")
NAMING, OTHER = "first.csv", "second.csv"


def planted(settings: Settings, folder: Path, *edits: Edit) -> None:
    """Three people; the first one is in one file, the others in another."""
    settings = papers_of(settings, folder, [ENERGY], *edits)
    with open_town(settings, folder, [ENERGY], 3) as opened:
        opened.arrive(ENERGY, opened.people[:1], NAMING)
        opened.arrive(ENERGY, opened.people[1:], OTHER)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with (
        copies.of(planted, tmp_path, WE_GIVE) as settings,
        open_town(settings, tmp_path, [ENERGY], 3) as opened,
    ):
        yield opened


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=400)


def lakes(town: Town) -> set[str]:
    """Files of which accepted rows are there."""
    files = town.desk.sql("select exchange_id::text as id, key from exchange")
    every = {
        str(each["key"]).rpartition("/")[2]: find_copies(town.house.conn, ExchangeId(str(each["id"]))) for each in files
    }
    bucket = town.desk.settings.bucket_lake
    there = {item.version_id for item in town.house.objects.list_versions(bucket, "")}
    return {name for name, found in every.items() if any(c.kind == "lake" and c.version_id in there for c in found)}


def reasons(town: Town) -> set[Need | None]:
    return {due.needed_for for due in find_due(town.house, later().date(), later()) if due.copy.kind == "lake"}


@pytest.mark.parametrize("is_merged", [pytest.param(False, marks=pytest.mark.long), True])
def test_what_a_person_restricted_stays_until_that_is_lifted(town: Town, is_merged: bool) -> None:
    case = town.ask(town.people[0], Right.RESTRICTION)
    if is_merged:
        merge_all(town.house, datetime.now(UTC), ENERGY)

    assert reasons(town) == {Need.RESTRICTION, None}, "nobody decided yet, and deleting it would decide"
    town.agree(case, Action.RESTRICT)
    assert sweep(town.house, datetime.now(UTC)).failed == 0
    done = retain(town.house, later())

    assert (done.failed, done.held) == (0, 0) and done.waiting >= 2
    assert lakes(town) == {NAMING}
    for run in find_restricted(town.house.conn, ENERGY):
        assert lakes(town) == {NAMING}, "of what they gave, and of what their rows tie to it"
        assert lift(town.house, run, datetime.now(UTC))
        retain(town.house, later())
    assert lakes(town) == set()


def test_what_an_answer_is_made_of_stays_until_it_is_made(town: Town) -> None:
    town.decided(town.people[0], Right.ACCESS, Action.GIVE)

    assert reasons(town) == {Need.ANSWER, None}
    retain(town.house, later())
    assert lakes(town) == {NAMING}
    assert make_decided(town.house, "airflow", datetime.now(UTC)) == (1, 0)
    retain(town.house, later())
    assert lakes(town) == set()


def asked_at(town: Town, right: Right, moment: datetime) -> Case:
    """The first person asks everybody, at a moment that has not come yet; nobody decides."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    return open_case(town.house, NewRequest(right, given, None, moment, "letter", "nl", DESK), moment)


@pytest.mark.parametrize("right", [Right.ACCESS, pytest.param(Right.PORTABILITY, marks=pytest.mark.long)])
def test_what_nobody_decided_to_give_stays_as_long_as_it_can_be_answered_in_time(town: Town, right: Right) -> None:
    case = asked_at(town, right, later() - timedelta(days=10))

    assert reasons(town) == {Need.ANSWER, None}
    retain(town.house, later())
    assert lakes(town) == {NAMING}, "whoever is in the other file asked for nothing"
    still, over = (datetime.combine(case.due.extended_due, time(12), UTC) + timedelta(days=day) for day in (0, 1))
    retain(town.house, still)
    assert lakes(town) == {NAMING}
    retain(town.house, over)
    assert lakes(town) == set(), "nobody decided within three months"


def test_what_is_to_be_given_to_nobody_goes_on_its_day(town: Town) -> None:
    at, conn, why = later() - timedelta(days=10), town.house.conn, iri("A12IdentityFailure")
    asked_at(town, Right.OBJECTION, at)
    failed, withdrawn, refused = (asked_at(town, Right.ACCESS, at) for _ in range(3))
    assert reasons(town) == {Need.ANSWER, None}, "control"
    settle_identity(conn, failed.case_id, False, Order(DESK, at, why, SHA))
    withdraw(conn, withdrawn.case_id, Order(DESK, at, "SUBJECT_ASKED", SHA))
    settle_identity(conn, refused.case_id, True, Order(DESK, at, "IDENTITY_SHOWN", SHA))
    take_due(town.house, at)
    order = Order(DESK, at, why, SHA, reasons={"*": why}, remedies=Remedies(REMEDIES["BE"], "nl"))
    decide(conn, refused.case_id, State.REFUSED, order)
    said = instruct(town, of_principal(current(town, refused)), at, decision="refuse", reason="A12IdentityFailure")
    assert said is InstructionOutcome.INSTRUCTED

    assert reasons(town) == {None}
    retain(town.house, later())
    assert lakes(town) == set()


def test_a_restriction_that_comes_while_copies_go_keeps_those_that_are_still_there(town: Town) -> None:
    def restrict(done: int, of: int) -> None:
        if not find_restricted(town.house.conn, ENERGY):
            town.ask(town.people[0], Right.RESTRICTION)
            town.ask(town.people[1], Right.RESTRICTION)

    done = retain(town.house, later(), progress=restrict)

    assert len(lakes(town)) == 1 and done.held >= 2, "of two files the first one was gone by then"


def test_the_list_says_what_a_copy_is_needed_for_and_no_index_is_read_where_nobody_needs_anything(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that is not there says what is read: its copies wait, for it may just be being edited."""
    town.ask(town.people[0], Right.RESTRICTION)
    with at_terminal(town.desk, monkeypatch):
        found = sluice("retention", "due", "--on", str(later().date())).document["copies"]
    assert {each["needed_for"] for each in found if each["kind"] == "lake"} == {"restriction", None}
    bucket = town.desk.settings.bucket_lake
    for item in list(town.house.objects.list_versions(bucket, INDEX_PREFIX)):
        town.house.objects.delete_version(bucket, item.key, item.version_id)

    assert reasons(town) == {Need.RESTRICTION}
    for run in find_restricted(town.house.conn, ENERGY):
        lift(town.house, run, datetime.now(UTC))
    assert reasons(town) == {None}


def test_of_a_principal_of_whom_nobody_can_say_what_may_go_nothing_goes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.ask(town.people[0], Right.RESTRICTION)
    [run, _] = find_runs(town.house.conn, ENERGY, only=find_restricted(town.house.conn, ENERGY))
    town.house.objects.delete_version(run.bucket, run.key, run.version_id)
    monkeypatch.setattr(sealed_runs, "_KEPT", {})  # as a worker that has not read it before

    done = retain(town.house, later())

    assert (done.deleted, done.failed, done.undone) == (0, 0, 1) and lakes(town) == {NAMING, OTHER}
