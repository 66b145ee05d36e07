"""What is in a return: ours and no other's, one campaign's, the cells as the contract says, of the file that counts."""

import csv
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from exchange.test_respell import a_contract
from returns.attempt import Attempt
from returns.commands import at_terminal, sluice
from returns.evenings import Evening
from returns.test_roles import amend
from sluice.agreement.in_force.activate import activate_all, activate_principal
from sluice.exchange.effects import run
from sluice.exchange.effects.run import do_effects
from sluice.exchange.house import House, open_house
from sluice.returns.make import _in_contract_form
from sluice.returns.model import Held
from sluice.sample.files import write_campaign
from sluice.settings import Settings
from sluice.terms import ExchangeId
from sluice.times import brussels_today
from support.desk import ENERGY
from support.night import (
    AT_ONCE,
    CALLED_AT,
    CONTRACT,
    DUE_DAY,
    RESULTS_CONTRACT,
    Call,
    Edit,
    Night,
    call_log,
    change,
    open_night,
    with_papers,
)

pytestmark = pytest.mark.stores
CONTACTS = "renewal_campaign.inbound.odcs.yaml"
PATIENCE = 60
MAPPINGS = sorted((Path(__file__).parents[2] / "include/mappings").glob("*.yaml"))


def rows_of(night: Night) -> list[dict[str, str]]:
    """The youngest return as its principal reads it."""
    return list(csv.DictReader(night.file(night.returns()[0]).decode("utf-8-sig").splitlines(), delimiter=";"))


def held_of(night: Night) -> dict[str, int]:
    return dict(night.record(night.returns()[0]).right_treatment.held_back)


def test_calls_of_another_campaign_stay_here_and_hide_none_of_ours(at_once: Evening) -> None:
    night, later = at_once, CALLED_AT + timedelta(hours=4)
    mine, other, moved = night.people(3)
    night.called(
        Call("c1", *mine, disposition="Sale"),
        Call("c2", *mine, disposition="Refused", campaign="WINBACK", at=later),
        Call("c3", *other, campaign="WINBACK"),
        Call("c4", *moved),
    )
    night.called(Call("c4", *moved, campaign="WINBACK", took="0:09:00"), name="late.csv")

    night.make()

    [line] = night.returns()
    record = night.record(line)
    assert (record.what.rows_in, record.what.rows_accepted) == (4, 1)
    assert held_of(night) == {"RESULT_UNKNOWN_CAMPAIGN": 3}, "a later delivery moves a call to another campaign"
    [row] = night.rows()
    assert (row["customer_number"], row["disposition"], row["attempts"]) == (mine[0], "Sale", "1"), "only ours count"


def test_a_column_is_echoed_from_the_file_that_says_how_it_was_last_whenever_an_older_one_comes(
    at_once: Evening,
) -> None:
    """The older file came last; by its name it is of last week."""
    people = pl.read_csv(at_once.contacts, separator=";", infer_schema=False)
    other = pl.when(pl.col("product") == "GAS").then(pl.lit("ELEC")).otherwise(pl.lit("GAS"))
    older = people.with_columns(product=other).write_csv(separator=";").encode()
    at_once.arrive(older, f"contacts_{DUE_DAY - timedelta(days=7)}.csv")
    [person] = at_once.people(1)
    at_once.called(Call("c0", *person))
    at_once.make()

    assert [row["product"] for row in at_once.rows()] == people.filter(customer_number=person[0])["product"].to_list()


def test_who_comes_while_the_receipt_is_given_leaves_the_delivery_to_who_gives_it(
    at_once: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    night, begun, go_on = at_once, threading.Event(), threading.Event()
    give = run.EFFECTS["receipt"]

    def slowly(house: House, exchange_id: ExchangeId) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        give(house, exchange_id)

    night.called(Call("c1", *night.people(1)[0]))
    monkeypatch.setattr(run, "EFFECTS", {**run.EFFECTS, "receipt": slowly})
    first = threading.Thread(target=night.make)
    first.start()
    try:
        assert begun.wait(PATIENCE)
        with open_house(night.desk.settings) as house:
            do_effects(house)
            [tried] = house.conn.execute(
                "select attempts from outbox where effect = 'delivery' and done_at is null"
            ).fetchall()
    finally:
        go_on.set()
        first.join(PATIENCE)
    assert tried["attempts"] == 0
    assert not night.desk.sql("select effect from outbox where done_at is null")
    assert night.file(night.returns()[0])


def test_an_export_of_a_platform_is_tried_as_the_center_judges_it(
    night: Evening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, phone), (second, other) = night.people(2)
    calls = [Call("t1", first, phone), Call("t2", second, other, note="is lid van de vakbond"), Call("t3", "", phone)]
    path, without = tmp_path / "log.csv", tmp_path / "without.csv"
    path.write_bytes(call_log(calls))
    without.write_bytes(call_log(calls).replace(b"DISPOSITION", b"OUTCOME"))
    run_of = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_results", "--dry-run")

    with at_terminal(night.desk, monkeypatch):
        said = sluice("gate", "run", str(path), *run_of).document
        wrong = sluice("gate", "run", str(without), *run_of).document
    line = night.desk.line(night.results(path.read_bytes()))

    counts = [said[f"rows_{name}"] for name in ("in", "accepted", "refused", "held")]
    assert counts == [line.rows_in, line.rows_accepted, line.rows_refused, line.rows_held]
    assert counts[0] == 3 and counts[3] == 1
    assert "DISPOSITION" in {each["column"] for each in wrong["reasons"]} and wrong["verdict"] == "REFUSED", "control"


def test_a_contact_without_agent_goes_only_where_nothing_in_it_shows_a_human(at_once: Evening) -> None:
    night = at_once
    people = night.people(9)
    shown = ({"talk": "0:05:00"}, {"wrap": "0:00:30"}, {"note": "Mevrouw wil overstappen"}, {"order": "ORD-1"},
             {"recording": "rec-1"}, {"callback": "2026-12-01 10:00"},
             {"agent": "[Deleted]", "talk": "0:05:00"})  # fmt: skip
    works = [Attempt(f"c{n}", *people[n], **work) for n, work in enumerate(shown, 1)]

    night.called(Attempt("silent", *people[0]), *works)
    night.make()

    [line] = night.returns()
    held = {"STAFF_NO_AGENT": 6, "AGENT_DELETED": 1}
    assert (night.record(line).what.rows_accepted, held_of(night)) == (1, held)
    assert {row.row for row in night.held(line)} == set(range(2, 9))
    assert [row["customer_number"] for row in night.rows()] == [people[0][0]]
    for number in range(2):
        night.admit(f"kind,agent,at,platform,account\naccount,agent07,,other,acc{number}\n")
        night.make()
    assert [each.id for each in night.returns()] == [line.id], "no news of accounts makes such a row anew"

    night.called(Call("c9", *people[8], agent="acc9"), name="late.csv")
    night.make()
    assert held_of(night) == {**held, "AGENT_UNKNOWN": 1}
    night.admit("kind,agent,at,platform,account\naccount,agent01,,five9,acc9\n")
    night.make()
    assert held_of(night) == held, "an agent whom accounts name goes beside rows that name none"
    assert people[8][0] in {row["customer_number"] for row in night.rows()}


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_no_export_is_read_without_its_agents(path: Path) -> None:
    """Rows of an export that lacks the column would pass as rows that nobody handled."""
    assert "optional" not in yaml.safe_load(path.read_text(encoding="utf-8"))["columns"]["agent"]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", "2026-11-24T10:00:05Z"),
        ("%d/%m/%Y %H:%M:%S", "24/11/2026 11:00:05"),
        ("%d/%m/%Y %H:%M:%S.%f", "24/11/2026 11:00:05.120000"),
        (None, "2026-11-24T11:00:05"),
    ],
    ids=["UTC", "our clocks", "fractions", "no format"],
)
def test_a_time_is_written_in_the_zone_and_form_of_the_contract(form: str | None, written: str) -> None:
    contract = a_contract("timestamp", form)
    contract = replace(contract, fields=(replace(contract.fields[0], source="results.started_at"),))

    told = _in_contract_form(pl.DataFrame({"cell": ["2026-11-24T10:00:05.120000Z"]}), contract)["cell"].item()

    assert told == written
    assert datetime.strptime(told, form or "%Y-%m-%dT%H:%M:%S")


ENDS = "{}\n        logicalType: date\n        logicalTypeOptions: {{format: {}}}"
ECHO = Edit(
    CONTRACT,
    "product\n        logicalType: string\n        required: false",
    ENDS.format("contract_end_date", "MM/dd/yyyy") + "\n        required: false",
)
SOURCE = Edit(CONTRACT, "contacts.product", "contacts.contract_end_date")
A_DATE = Edit(
    CONTRACT,
    "      - name: order_number\n        logicalType: string",
    '      - name: order_number\n        logicalType: date\n        logicalTypeOptions: {format: "dd/MM/yyyy"}',
)


def test_a_date_goes_as_the_contract_of_the_return_writes_it_or_is_refused(
    store_settings: Settings, tmp_path: Path
) -> None:
    """A day that is repeated of the contacts stays that day; one that the platform gives as text is not emptied."""
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, ECHO, SOURCE, A_DATE), tmp_path, 30) as night:
        people, orders = night.people(30), ("01/12/2026", "2026-12-01")
        night.called(*(Call(f"c{n}", *who, order=orders[n] if n < 2 else "") for n, who in enumerate(people)))
        night.make()

        sent = csv.DictReader(night.contacts.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
        days = {row["customer_number"]: datetime.strptime(row["contract_end_date"], "%d/%m/%Y") for row in sent}
        record, told = night.record(night.returns()[0]), rows_of(night)
        assert (record.what.rows_accepted, record.what.rows_refused) == (29, 1)
        assert [reason.column for reason in record.reasons] == ["order_number"]
        assert {row["customer_number"] for row in told} == set(days) - {people[1][0]}
        assert [row["order_number"] for row in told if row["order_number"]] == [orders[0]]
        for row in told:
            assert datetime.strptime(row["contract_end_date"], "%m/%d/%Y") == days[row["customer_number"]]


def next_version(night: Night, **names: tuple[str, str]) -> None:
    """Papers of the next version of contacts and return, in force."""
    folder = night.desk.settings.principals_dir / ENERGY[0]
    for name, (old, new) in {CONTACTS: names["contacts"], CONTRACT: names["returned"]}.items():
        change(folder / name, old, new)
        change(folder / name, "version: 1.0.0", "version: 1.1.0")
    for done in activate_all(night.desk.house.conn, night.desk.settings.principals_dir, datetime.now(UTC)):
        assert not done.is_refused, done.problems


def test_rows_of_a_file_that_cannot_say_what_is_echoed_are_held_until_one_can(
    store_settings: Settings, tmp_path: Path
) -> None:
    """A later contract calls ``product`` ``product_code``."""
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path, 8) as night:
        head, *rows = night.contacts.read_text(encoding="utf-8-sig").splitlines()

        def send(name: str, lines: slice) -> None:
            text = "\n".join([head.replace("product", "product_code"), *rows[lines]])
            dropped = night.desk.drop(f"{text}\n".encode(), name)
            night.desk.work()
            assert night.desk.line(dropped).decision == "accepted"

        next_version(
            night,
            contacts=("      - name: product\n", "      - name: product_code\n"),
            returned=("contacts.product", "contacts.product_code"),
        )
        send("last.csv", slice(-1, None))
        people = [*night.people(3), night.people(8)[-1]]
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people)))
        night.make()
        assert held_of(night) == {"HEADER_SOURCE_MISSING": 3} and len(night.returns()) == 1
        assert [row["customer_number"] for row in rows_of(night)] == [people[-1][0]], "control: the new file can say it"

        send("first.csv", slice(3))
        night.make()

        assert held_of(night) == {}
        assert len(rows_of(night)) == len(people) and all(row["product"] for row in rows_of(night))


def test_an_older_file_that_gave_a_telephone_decides_nothing_about_a_newer_one(
    store_settings: Settings, tmp_path: Path
) -> None:
    """What proves a person is decided by the file that the row comes from."""
    other = "+32470000009"
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path, 5) as night:
        told, wrong, again = night.people(3)
        papers = night.desk.settings.principals_dir / ENERGY[0]
        amend(night.desk.settings, "3.1.0", brussels_today())
        for kind in ("phone_e164", "email"):  # from now on the principal's own number is all that names a person
            change(papers / CONTACTS, f"          - {{property: subjectKey, value: {kind}}}\n", "")
        assert not activate_principal(night.desk.house.conn, papers, datetime.now(UTC)).is_refused
        path = night.desk.folder / "later.csv"
        write_campaign(path, 30, 77)
        with path.open(encoding="utf-8", newline="") as file:
            new = next(csv.DictReader(file, delimiter=";"))["customer_number"]
        [line] = [each for each in night.contacts.read_text("utf-8").splitlines() if each.startswith(again[0])]
        path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n{line}\n", encoding="utf-8")
        dropped = night.desk.drop(path, "later.csv")
        night.desk.work()
        assert night.desk.line(dropped).decision in ("accepted", "partly_accepted")
        night.called(
            Call("c1", *told), Call("c2", wrong[0], other), Call("c3", new, other), Call("c4", again[0], other)
        )

        night.make()

        assert held_of(night) == {"RESULT_OTHER_PERSON": 1}
        assert {row["customer_number"] for row in rows_of(night)} == {told[0], new, again[0]}


ACCOUNTS = "kind,agent,at,platform,account\naccount,agent02,,five9,acc1\naccount,agent01,,five9b,acc1\n"
"""Of the old platform the account is that of an agent who failed the exam; of the new one, of one who is ready."""


@pytest.mark.usefixtures("fresh_settings")
def test_accounts_and_persons_of_earlier_results_are_read_as_they_were_accepted(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the platform they came from, whichever one the principal's results come from now."""
    mappings = tmp_path / "mappings"
    monkeypatch.setenv("SLUICE_MAPPINGS_DIR", str(mappings))  # which the linter asks
    shutil.copytree(store_settings.mappings_dir, mappings)
    old = (mappings / "five9.yaml").read_text(encoding="utf-8")
    new = old.replace("platform: five9", "platform: five9b").replace("DNIS", "CALLED")
    (mappings / "five9b.yaml").write_text(new, encoding="utf-8")
    settings = with_papers(store_settings, tmp_path, AT_ONCE).model_copy(update={"mappings_dir": mappings})
    with open_night(settings, tmp_path, 5) as night:
        failed, ready = night.people(2)
        night.admit(ACCOUNTS)
        night.admit("kind,agent,at,platform,account\naccount,agent01,,five9,acc2\n")
        night.called(Call("c1", *failed, agent="acc1"), Call("c2", *ready, agent="acc2"))

        amend(settings, "3.1.0", brussels_today())
        contract = settings.principals_dir / ENERGY[0] / RESULTS_CONTRACT
        change(contract, "value: five9}", "value: five9b}")
        change(contract, "name: DNIS", "name: CALLED")
        done = activate_principal(night.desk.house.conn, settings.principals_dir / ENERGY[0], datetime.now(UTC))
        assert not done.is_refused
        night.make()

        assert held_of(night) == {"STAFF_EXAM_BELOW_MINIMUM": 1}
        assert ready[0] in night.file(night.returns()[0]).decode()


def test_the_page_says_what_to_do_about_each_reason_for_which_a_row_is_held() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "return-results.md"
    section = page.read_text(encoding="utf-8").partition("## Why a row is held\n")[2].partition("\n## ")[0]
    named = {word for line in section.splitlines() if line.startswith("| `") for word in line.split("|")[1].split("`")}

    assert set(Held) - named == set()
