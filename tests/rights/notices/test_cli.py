"""``sluice notices`` and ``sluice case recipients`` as the desk uses them: keys, exit codes, no value of a person."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from rights.instructing import accept, instruct, of_principal
from rights.town import Town, open_town, papers_of
from sluice.cli.whole import app
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.model import Action, Right, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.store import get_case
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.night import AGREEMENT, Edit

NAMES, PEOPLE = ("energy01",), 10
GRID = Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")
LINE = {"name", "recipient", "side", "action", "field_groups", "exchanges", "told_at", "state"}


def planted(settings: Settings, folder: Path) -> None:
    """One principal with a further recipient; four persons were called and returned."""
    with open_town(papers_of(settings, folder, NAMES, GRID), folder, NAMES, PEOPLE) as opened:
        opened.arrive("energy01", opened.people)
        opened.give_back("energy01", opened.people[:4])


@pytest.fixture(scope="module")
def filled(copies: Copies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town that most tests share; each has people of its own in it."""
    folder = tmp_path_factory.mktemp("town")
    with copies.of(planted, folder) as settings, open_town(settings, folder, NAMES, PEOPLE) as opened:
        yield opened


@pytest.fixture
def town(filled: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with at_terminal(filled.desk, monkeypatch):
        yield filled


@pytest.fixture
def own(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    with (
        copies.of(planted, tmp_path) as settings,
        open_town(settings, tmp_path, NAMES, PEOPLE) as opened,
        at_terminal(opened.desk, monkeypatch),
    ):
        yield opened


def steps_of(case_id: str) -> set[str]:
    """What `case show` says comes next."""
    return {each["step"] for each in sluice("case", "show", case_id).document["next"]}


def test_who_has_no_prefix_is_told_by_the_desk_before_the_case_goes_on(town: Town, tmp_path: Path) -> None:
    person, proof = town.people[0], tmp_path / "letter.pdf"
    proof.write_bytes(b"registered letter")
    case = town.ask(person)
    assert sluice("erase", "plan", case.case_id).document["recipients"] == [], "nothing was decided"
    assert instruct(town, of_principal(case), decision="erase") == "INSTRUCTED"
    theirs = sluice("erase", "plan", case.case_id).document["recipients"]
    assert {each["sub_case"] for each in theirs} == {of_principal(case).sub_case_id}
    town.agree(case)
    planned = sluice("erase", "plan", case.case_id).document["recipients"]
    assert len(planned) == 3 and not any(each["is_guess"] for each in planned) and person.phone not in str(planned)
    rows = town.house.conn.execute("select from case_holder where case_id = %s", (case.case_id,)).fetchall()
    assert rows == [], "a plan notes nothing"
    assert sluice("erase", "run", case.case_id).exit == 0

    sent = sluice("notices", "send")

    told = sluice("notices", "list", "--case", case.case_id).document["notices"]
    keys = ("sub_case", "channel", "field_groups")
    assert sorted((each["recipient"], *(str(each[key]) for key in keys)) for each in planned) == sorted(
        (each["name"], *(str(each[key]) for key in keys)) for each in told
    ), "as the plan said before anything went"

    assert (sent.exit, sent.document["found"], sent.document["sent"]) == (0, 3, 1)
    named = sluice("case", "recipients", case.case_id[:8]).document["recipients"]
    assert [(each["name"], each["state"]) for each in named] == [
        ("Grid NV", "OWED"), ("Grid NV", "OWED"), ("Energy One NV", "SENT"),
    ]  # fmt: skip
    assert all(set(each) == LINE for each in named)
    assert sorted(len(each["exchanges"]) for each in named) == [1, 1, 2], "what agents handed in reached nobody outside"
    theirs, ours = (set(each["field_groups"]) for each in named[:2])
    assert {"identity", "contact_point"} <= theirs | ours and theirs.isdisjoint({"agent_ref"}) != ours.isdisjoint(
        {"agent_ref"}
    ), "a notice for each controller's decision"
    listed = [sluice("notices", "list", "--limit", limit).document for limit in ("2", "3")]
    assert [(len(each["notices"]), each["more"]) for each in listed] == [(2, True), (3, False)]
    [grid] = {each["recipient"] for each in listed[1]["notices"] if each["name"] == "Grid NV"}
    assert len(sluice("notices", "list", "--principal", grid).document["notices"]) == 2, "it is no principal of ours"
    assert sluice("notices", "list", "--principal", "Grid NW").error == "SLU-301"
    sluice("notices", "follow")
    assert state(town, case.case_id) is State.EXECUTING, "somebody is left to be told"
    assert count_ours(town.house.conn) == 1 and steps_of(case.case_id) == {"tell_by_hand"}, "and by whom, the case says"

    for each in sluice("notices", "list", "--state", "owed").document["notices"]:
        file = tmp_path / f"{each['notice']}.json"
        assert sluice("notices", "export", each["notice"], "--to", str(file)).exit == 0
        assert sluice("notices", "export", each["notice"], "--to", str(file)).exit == 2, "nothing is overwritten"
        document = json.loads(file.read_text())
        assert person.phone in json.dumps(document["identifiers"]) and file.stat().st_mode & 0o077 == 0
        assert not {"exchanges", "agreement", "acknowledge"} & set(document), "of the principal's, not theirs"
        told = sluice("notices", "sent", each["notice"], "--by", "anna", "--evidence", str(proof))
        assert (told.exit, told.document["state"]) == (0, "SENT")
        assert sluice("notices", "sent", each["notice"], "--by", "anna", "--evidence", str(proof)).exit == 1
    assert "tell_by_hand" not in steps_of(case.case_id)
    assert sluice("notices", "follow").document["steps"] >= 1
    assert state(town, case.case_id) is State.RECIPIENTS_NOTIFIED
    nobody = town.agree(town.ask(town.people[5]))
    assert [each["recipient"] for each in sluice("erase", "plan", nobody.case_id).document["recipients"]] == [
        "Grid NV"
    ], "control: this one was in no return"


def state(town: Town, case_id: str) -> State:
    parts = get_case(town.house.conn, case_id).sub_cases  # type: ignore[arg-type]
    return next(part.state for part in parts if part.controller == "center")


def test_the_desk_notes_what_a_recipient_said(town: Town, tmp_path: Path) -> None:
    case = town.decided(town.people[6], Right.OBJECTION, Action.STOP)
    sluice("notices", "send")
    listed = sluice("notices", "list", "--case", case.case_id).document["notices"]
    [line] = [each for each in listed if each["recipient"] == "energy01"]
    assert (line["side"], line["state"], line["was_late"]) == ("supplier", "SENT", False)
    proof = tmp_path / "mail.eml"
    proof.write_bytes(b"it is done")
    ack = ("notices", "ack", line["notice"][:8], "--by", "privacy desk", "--evidence", str(proof))

    assert sluice(*ack).document["outcome"] == "ACKNOWLEDGED"
    assert sluice(*ack).exit == 1
    assert sluice(*ack, "--done").document["outcome"] == "DONE"
    assert sluice(*ack, "--done").exit == 1
    assert sluice("notices", "follow").document["dropped"] == 1
    listed = sluice("notices", "list", "--case", case.case_id, "--state", "DONE").document["notices"]
    assert [each["notice"] for each in listed] == [line["notice"]]
    [entry] = town.desk.sql(
        """select convert_from(body, 'UTF8') as body from ledger.entry
           where kind = 'notice.moved' and convert_from(body, 'UTF8') like '%"DONE"%'"""
    )
    said = json.loads(str(entry["body"]))
    assert (said["by"], said["via"]) == ("privacy desk", "command")
    assert said["evidence_sha256"] == hashlib.sha256(b"it is done").hexdigest()
    assert sluice("notices", "files").document == {"files": [], "more": False}


def test_wrong_usage_is_exit_2_and_what_is_not_there_exit_1(town: Town, tmp_path: Path) -> None:
    proof = tmp_path / "x"
    assert sluice("notices", "list", "--state", "GONE").exit == 2
    assert sluice("notices", "ack", "00000000", "--by", "x", "--evidence", str(proof)).exit == 2, "no such file"
    proof.touch()
    assert sluice("notices", "ack", "00000000", "--by", "x", "--evidence", str(proof)).exit == 1
    assert sluice("notices", "ack", "00000000", "--by", "", "--evidence", str(proof)).exit == 2
    assert sluice("notices", "sent", "00000000", "--by", "x", "--evidence", str(proof)).exit == 1
    assert sluice("notices", "export", "00000000", "--to", str(tmp_path / "y")).exit == 1
    assert sluice("case", "recipients", "00000000").exit == 1


def test_no_value_of_a_person_is_printed(town: Town) -> None:
    person = town.people[7]
    case = town.decided(person, Right.OBJECTION, Action.STOP)
    for words in (
        ("notices", "send"),
        ("notices", "follow"),
        ("notices", "list"),
        ("notices", "files"),
        ("case", "recipients", case.case_id),
    ):
        for form in ("table", "json"):
            done = CliRunner().invoke(app, [*words, "--format", form])
            assert done.exit_code == 0 and done.output
            assert person.phone not in done.output and person.record("energy01") not in done.output


def test_a_rectification_is_told_by_the_desk_because_the_new_value_is_in_no_case(town: Town) -> None:
    case = town.decided(town.people[1], Right.RECTIFICATION, Action.RECTIFY)
    sluice("notices", "send")
    assert sluice("notices", "list", "--case", case.case_id).document["notices"] == [], "nothing is corrected yet"
    ask(town.house, case.case_id, Wanted({"street": "Rechtplein 17", "note": "was ill"}, datetime.now(UTC)))
    sluice("notices", "follow")
    sluice("notices", "send")
    lines = sluice("notices", "list", "--case", case.case_id).document["notices"]
    assert {(line["recipient"], line["channel"], line["state"]) for line in lines} == {
        ("energy01", "desk", "OWED"), ("Grid NV", "desk", "OWED"),
    }  # fmt: skip


def test_access_is_told_to_nobody(town: Town) -> None:
    case = town.decided(town.people[8], Right.ACCESS, Action.GIVE)
    told = sluice("notices", "send").document
    assert (told["found"], told["failed"]) == (0, 0) and told["parts"] >= 2
    assert sluice("case", "recipients", case.case_id).document["recipients"] == []


def test_what_was_taken_back_is_withdrawn_and_no_work(town: Town, tmp_path: Path) -> None:
    person = town.people[9]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record("energy01"))]
    case = town.opened(Right.RESTRICTION, given, Principal("energy01"))
    part = of_principal(case)
    assert instruct(town, part, decision="restrict") is InstructionOutcome.INSTRUCTED
    assert sluice("notices", "send").exit == 0

    def listed(*more: str) -> dict[str, str]:
        found = sluice("notices", "list", "--case", case.case_id, *more).document["notices"]
        return {each["notice"]: each["state"] for each in found if each["recipient"] == "Grid NV"}

    [owed] = listed("--state", "owed")
    assert listed() == {owed: "OWED"} and listed("--state", "WITHDRAWN") == {}, "control"
    no = {"decision": "refuse", "reason": "NotRequiredJustification"}
    assert instruct(town, part, **no) is InstructionOutcome.CONTRADICTS

    assert listed() == listed("--state", "withdrawn") == {owed: "WITHDRAWN"} and listed("--state", "OWED") == {}
    table = CliRunner().invoke(app, ["notices", "list", "--case", case.case_id]).stdout
    assert "WITHDRAWN" in table
    named = sluice("case", "recipients", case.case_id).document["recipients"]
    assert {each["state"] for each in named if each["name"] == "Grid NV"} == {"WITHDRAWN"}
    assert sluice("notices", "export", owed, "--to", str(tmp_path / "notice.json")).exit == 1
    assert not (tmp_path / "notice.json").exists()


@pytest.mark.parametrize("kinds", [[], ["delivered"]], ids=["all are there", "what was delivered is past its term"])
def test_who_got_copies_that_stay_is_told_as_the_plan_says(own: Town, kinds: list[str]) -> None:
    case = own.ask(own.people[0])
    own.house.conn.execute("update copy set gone_at = now() where kind = any(%s)", (kinds,))
    accept(own, case, Action.ERASE)
    theirs = of_principal(case)
    stay = {group: iri("A17LegalClaims") for group in theirs.field_groups if group != "identity"}
    assert instruct(own, theirs, decision="erase", fields=["identity"], reasons=stay) == "INSTRUCTED"

    plan = sluice("erase", "plan", case.case_id).document

    assert {each["outcome"] for each in plan["objects"]} == {"kept"}, "the state that is tested"
    sluice("erase", "release", case.case_id, "--by", "bert")
    assert sluice("erase", "run", case.case_id).exit == 0
    sluice("notices", "send")
    told = sluice("notices", "list", "--case", case.case_id).document["notices"]
    assert sorted((each["recipient"], each["sub_case"], each["field_groups"]) for each in plan["recipients"]) == sorted(
        (each["name"], each["sub_case"], each["field_groups"]) for each in told
    )
    assert len(told) == 3
