"""Nothing is erased before a second person released exactly that; it stops when it is told to, and on an error."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import asked, decided, let_go
from sluice.db import connect
from sluice.errors import NotFound, UsageError
from sluice.exchange.catalogue import get_copy
from sluice.exchange.house import open_house
from sluice.exchange.locks import hold_object
from sluice.exchange.read import list_exchanges
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.model import Case, CaseId
from sluice.rights.copies.model import Copy, Done, Outcome, Place
from sluice.rights.erasure import control_store
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control import resume, status, stop, take_up
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import (
    AnotherInError,
    ErasureBusy,
    ErasureIsStopped,
    NotReleased,
    PlanOutdated,
    ReleaseRefused,
    StoreLine,
)
from sluice.rights.erasure.plan import StoredPlan, make_plan, read_plan
from sluice.rights.erasure.release import draft, release
from sluice.rights.person.sealed import encrypt
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Flow, Principal
from support.copies import Copies
from support.night import AGREEMENT, AT_ONCE, Call, Edit, Night, copied_night, open_night, three_returned, with_papers

ENERGY = Principal("energy01")
CHAIN = "DPA-ENERGY01"
OF_ONE = Edit(AGREEMENT, "recipients: []", "recipients: []\nerasure: {twoPersonRelease: false}")
ARRIVED = "energy01/inbound/renewal_campaign/file.csv"
WAITS = "select 1 from pg_locks where locktype = 'advisory' and not granted"
NO_TABLE = b"\x00\x01\x02\xfe\xff no table \x80" * 40


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """An installation in which three persons were called and are in a delivered return."""
    with copied_night(copies, tmp_path, fill=three_returned) as opened:
        yield opened


@contextmanager
def a_night(settings: Settings, folder: Path) -> Iterator[Night]:
    with open_night(settings, folder) as opened:
        opened.called(*(Call(f"c{n}", *person) for n, person in enumerate(opened.people(3))))
        opened.make()
        yield opened


def of(night: Night, place: int) -> Case:
    """Open a case of one of the three persons and decide it; it is not released yet."""
    record, phone = night.people(3)[place]
    return decided(night, phone, record)


def entries(night: Night, kind: str, chain: str = CHAIN) -> list[dict[str, object]]:
    """Bodies of the ledger's entries of one kind, in order."""
    rows = night.desk.sql(f"select body from ledger.entry where kind = '{kind}' and chain = '{chain}' order by seq")
    return [json.loads(bytes(row["body"])) for row in rows]  # type: ignore[call-overload]


def now() -> datetime:
    return datetime.now(UTC)


def lake_rows(night: Night) -> int | None:
    exchange = list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[-1].id
    return get_copy(night.desk.house.conn, ExchangeId(exchange), "lake").rows


def test_who_made_the_plan_or_decided_cannot_release_it_and_that_is_recorded(night: Night) -> None:
    house, case = night.desk.house, of(night, 1)
    with pytest.raises(NotReleased):
        run(house, case.case_id, now())
    with pytest.raises(ReleaseRefused, match="NOTHING_TO_RELEASE"):
        release(house, case.case_id, "bert", now())
    [plan] = draft(house, case.case_id, "Carl", now()).plans
    assert plan.plan.sha256 == draft(house, case.case_id, "dora", now()).plans[0].plan.sha256, "it stays Carl's"
    with pytest.raises(NotReleased):
        run(house, case.case_id, now())
    for name, reason in ((" carl ", "MADE_THE_PLAN"), ("ANNA", "DECIDED_THE_CASE"), ("energy01", "DECIDED_THE_CASE")):
        with pytest.raises(ReleaseRefused, match=reason):
            release(house, case.case_id, name, now())
    with pytest.raises(ReleaseRefused, match="ANOTHER_PLAN"):
        release(house, case.case_id, "bert", now(), pinned="00000000")
    with pytest.raises(UsageError):
        release(house, case.case_id, "", now())
    assert lake_rows(night) == 40, "nothing was touched"

    [released] = release(house, case.case_id, "bert", now(), pinned=plan.plan.sha256[:12].upper())

    with pytest.raises(ReleaseRefused, match="NOTHING_TO_RELEASE"):
        release(house, case.case_id, "els", now())
    report = run(house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting, lake_rows(night)) == (0, 0, 0, 39)
    assert (released.made_by, released.released_by) == ("Carl", "bert")
    refused = [(each["asked_by"], each["reason"]) for each in entries(night, "erasure.refused")]
    assert refused == [
        ("carl", "MADE_THE_PLAN"),
        ("ANNA", "DECIDED_THE_CASE"),
        ("energy01", "DECIDED_THE_CASE"),
        ("bert", "ANOTHER_PLAN"),
    ]
    assert len(entries(night, "erasure.refused", "center.cases")) == 2, "of no plan"
    said = [entries(night, f"erasure.{kind}")[0]["plan_sha256"] for kind in ("planned", "released")]
    assert said == [plan.plan.sha256] * 2
    assert verify_ledger(house.conn, public_pem=house.keyring.public_pem).valid


def test_the_database_itself_refuses_the_planner_and_a_plan_names_nobody(night: Night) -> None:
    house, case = night.desk.house, of(night, 1)
    record, phone = night.people(3)[1]
    [plan] = draft(house, case.case_id, "carl", now()).plans
    content = plan.plan.content.decode()
    assert phone[-6:] not in content and record not in content and read_plan(plan.plan.content) == plan.plan
    with pytest.raises(Exception, match="erasure_plan_four_eyes"):
        control_store.mark_released(house.conn, plan.plan_id, "CARL ", now())
    with pytest.raises(Exception, match="permission denied"):
        house.conn.execute("update erasure_plan set content = '' ")


def test_a_released_plan_covers_rows_that_come_later_and_no_whole_object(night: Night) -> None:
    house, bucket, case = night.desk.house, night.desk.settings.bucket_exchange, of(night, 1)
    phone = night.people(3)[1][1]
    let_go(night, case)
    night.desk.drop(night.contacts.read_bytes() + b"\n", "again.csv")
    odd = night.desk.drop(NO_TABLE + phone.encode() + NO_TABLE, "odd.csv")
    night.desk.work()

    with pytest.raises(PlanOutdated, match="copies not covered 2"):
        run(house, case.case_id, now())

    assert lake_rows(night) == 39
    again = house.objects.read(bucket, "energy01/inbound/renewal_campaign/again.csv")
    assert phone.encode() not in again, "what came later lost its rows"
    assert phone.encode() in house.objects.read(bucket, odd.key), "and no object went that nobody released"
    assert [each["reason"] for each in entries(night, "erasure.refused")] == ["PLAN_OUTDATED"]
    with pytest.raises(NotReleased):
        run(house, case.case_id, now())
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    assert not [each for each in status(house.conn).cases if each.is_in_error], "that is no fault"
    assert take_up(house, "airflow", now()) == [], "planned anew, and not released"
    [plan] = draft(house, case.case_id, "airflow", now()).plans
    assert {copy.outcome for copy in plan.plan.going} == {Outcome.REMOVED}
    release(house, case.case_id, "bert", now())
    assert take_up(house, "airflow", now()) == [case.case_id]
    assert run(house, case.case_id, now()).residual == 0
    assert list(house.objects.list_versions(bucket, odd.key)) == []
    assert take_up(house, "airflow", now()) == []


def test_an_agreement_that_asks_for_one_person_needs_no_release(store_settings: Settings, tmp_path: Path) -> None:
    with a_night(with_papers(store_settings, tmp_path, AT_ONCE, OF_ONE), tmp_path) as night:
        house, case = night.desk.house, of(night, 1)
        assert draft(house, case.case_id, "airflow", now()).plans == ()
        assert take_up(house, "airflow", now()) == [case.case_id]
        assert run(house, case.case_id, now()).residual == 0


def test_a_stop_holds_between_two_objects_and_a_rerun_finishes(night: Night) -> None:
    house, settings = night.desk.house, night.desk.settings
    record, phone = night.people(3)[1]
    case = asked(night, phone, record)
    said: list[ErasureIsStopped] = []

    def erase() -> None:
        with open_house(settings) as mine:
            try:
                run(mine, case.case_id, now())
            except ErasureIsStopped as error:
                said.append(error)

    with connect(settings) as other:
        with hold_object(other, settings.bucket_exchange, ARRIVED):
            worker = threading.Thread(target=erase)
            worker.start()
            wait_until(lambda: bool(night.desk.sql(WAITS)))
            assert stop(other, case.case_id, "WRONG_PERSON", "els", now())
            assert not stop(other, case.case_id, "WRONG_PERSON", "els", now()), "it stands still already"
        worker.join(timeout=120)

    assert [error.code for error in said] == ["SLU-558"]
    sent = next(content for name, content in night.delivered().items() if name.endswith(".csv"))
    assert phone.encode() not in house.objects.read(settings.bucket_exchange, ARRIVED), "the object at hand is finished"
    assert record.encode() in sent, "the next one is not begun"
    [standing] = status(house.conn).cases
    assert standing.run is not None and standing.run.outcome == "stopped"
    assert (standing.is_stopped, standing.is_in_error) == (True, False)
    assert take_up(house, "airflow", now()) == []
    with pytest.raises(ErasureIsStopped):
        run(house, case.case_id, now())
    with pytest.raises(NotFound):
        resume(house.conn, None, "els", now())
    resume(house.conn, case.case_id, "els", now())
    assert stop(house.conn, None, "AUDIT", "els", now())
    with pytest.raises(ErasureIsStopped):
        run(house, case.case_id, now())
    resume(house.conn, None, "els", now())
    report = run(house, case.case_id, now())
    assert (report.residual, report.waiting) == (0, 0)
    [plan] = control_store.find_plans(house.conn, case.case_id)
    assert sum(line.objects for line in report.lines) == len(plan.plan.going), "both runs together are the plan"
    kinds = [
        str(row["kind"])
        for row in night.desk.sql("select kind from ledger.entry where chain = 'center.cases' order by seq")
    ]
    assert [kind for kind in kinds if kind.startswith("erasure")] == ["erasure.stopped", "erasure.resumed"] * 2


def wait_until(is_so: object) -> None:
    """Wait until a condition holds, at most 60 s."""
    deadline = now() + timedelta(seconds=60)
    while not is_so():  # type: ignore[operator]
        assert now() < deadline
        threading.Event().wait(0.02)


def test_while_a_case_is_in_error_no_other_begins_and_that_one_may_be_run_again(night: Night) -> None:
    house, lake = night.desk.house, night.desk.settings.bucket_lake
    people = night.people(3)
    erring, ready = (asked(night, phone, record) for record, phone in people[:2])
    fresh = of(night, 2)
    draft(house, fresh.case_id, "airflow", now())
    left = house.objects.put(lake, "energy01/left/over.txt", people[0][1].encode(), "text/plain")

    assert run(house, erring.case_id, now()).residual == 1

    assert [each.case_id for each in status(house.conn).cases if each.is_in_error] == [erring.case_id]
    with pytest.raises(AnotherInError, match=erring.case_id):
        run(house, ready.case_id, now())
    with pytest.raises(ReleaseRefused, match="ANOTHER_CASE_IN_ERROR"):
        release(house, fresh.case_id, "bert", now())
    assert take_up(house, "airflow", now()) == [erring.case_id]
    house.objects.delete_version(lake, left.key, left.version_id)
    assert run(house, erring.case_id, now()).residual == 0
    release(house, fresh.case_id, "bert", now())
    assert take_up(house, "airflow", now()) == [ready.case_id, fresh.case_id]
    assert take_up(house, "airflow", now(), most=1) == [ready.case_id], "as many as one run can do"
    assert run(house, ready.case_id, now()).residual == 0
    assert take_up(house, "airflow", now(), most=1) == [fresh.case_id], "the next run goes on"


def test_a_case_that_names_more_of_a_person_does_not_wait_for_one_that_names_too_little(night: Night) -> None:
    house, lake = night.desk.house, night.desk.settings.bucket_lake
    (record, phone), (other_record, other_phone), _ = night.people(3)
    erring = asked(night, phone, "")
    further, again, other = (
        decided(night, *each) for each in ((phone, record), (phone, ""), (other_phone, other_record))
    )
    left = house.objects.put(lake, "energy01/left/over.txt", phone.encode(), "text/plain")
    assert run(house, erring.case_id, now()).residual > 0
    for each in (further, again, other):
        draft(house, each.case_id, "airflow", now())

    release(house, further.case_id, "bert", now())

    for each in (again, other):
        with pytest.raises(ReleaseRefused, match="ANOTHER_CASE_IN_ERROR"):
            release(house, each.case_id, "bert", now())
    assert take_up(house, "airflow", now()) == [erring.case_id, further.case_id]
    house.objects.delete_version(lake, left.key, left.version_id)
    assert run(house, further.case_id, now()).residual == 0
    assert run(house, erring.case_id, now()).residual == 0


def test_a_case_that_fails_as_nobody_foresaw_keeps_no_other(night: Night) -> None:
    house, people = night.desk.house, night.people(2)
    broken, ready = (asked(night, phone, record) for record, phone in people)
    unreadable = encrypt(house.keyring, b"[]")
    house.objects.put(night.desk.settings.bucket_vault, broken.subject_key, unreadable, "application/octet-stream")
    assert take_up(house, "airflow", now()) == [ready.case_id]


def test_a_run_that_died_long_ago_or_failed_counts_as_an_error(night: Night) -> None:
    house = night.desk.house
    case = asked(night, *reversed(night.people(3)[0]))
    control_store.begin_run(house.conn, case.case_id)
    assert not status(house.conn).cases[0].is_in_error, "it may be at work"
    house.conn.execute("update erasure_run set seen_at = now() - interval '31 minutes'")
    assert status(house.conn).cases[0].is_in_error
    with connect(night.desk.settings) as other, control_store.hold_case(other, case.case_id):
        assert not status(house.conn).cases[0].is_in_error, "somebody runs it again"
        with pytest.raises(ErasureBusy):
            run(house, case.case_id, now())
    exchange = list_exchanges(house.conn, direction=Direction.INBOUND)[-1].id
    house.conn.execute("update copy set sha256 = repeat('0', 64) where exchange_id = %s and kind = 'lake'", (exchange,))
    with pytest.raises(Exception, match="SLU-303"):
        run(house, case.case_id, now())
    [standing] = status(house.conn).cases
    assert standing.run is not None and (standing.run.outcome, standing.run.error) == ("failed", "SLU-303")
    assert standing.is_in_error


def test_the_commands_say_the_same(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    case = of(night, 1).case_id
    with at_terminal(night.desk, monkeypatch):
        planned = sluice("erase", "plan", case[:8], "--by", "carl")
        assert [plan["state"] for plan in planned.document["plans"]] == ["waits for release"]
        assert sluice("erase", "run", case).error == "SLU-555"
        own = sluice("erase", "release", case, "--by", "carl")
        assert (own.exit, own.error) == (1, "SLU-556")
        assert sluice("erase", "stop", "--reason", "Please stop", "--by", "els").exit == 2
        assert sluice("erase", "stop", "--reason", "AUDIT", "--by", "els").document == {"case": None, "stopped": True}
        released = sluice("erase", "release", case, "--by", "bert", "--principal", "energy01")
        assert released.document["plans"][0]["released_by"] == "bert"
        assert sluice("erase", "run", case).error == "SLU-558"
        told = sluice("erase", "status").document
        assert ([each["case"] for each in told["cases"]], told["in_error"]) == ([case], [])
        assert told["stopped"][0]["reason"] == "AUDIT"
        assert sluice("erase", "resume", "--by", "els").exit == 0
        assert sluice("erase", "resume", "--by", "els").exit == 1
        done = sluice("erase", "run", case).document
        assert (done["residual"], done["case"]) == (0, case)
        assert {name for line in done["stores"] for name in line} == set(StoreLine.__annotations__)
        proven = sluice("erase", "certificate", case).document
        assert (proven["residual"], proven["case"], bool(proven["stores"])) == (0, case, True)
        assert sluice("erase", "status").document["cases"] == []


MADE_AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def a_copy(exchange: str, kind: str = "lake", closed: datetime = MADE_AT - timedelta(days=1)) -> Copy:
    return Copy(
        exchange_id=ExchangeId(exchange),
        kind=kind,
        direction=Direction.INBOUND,
        flow=Flow("f"),
        bucket="b",
        key="k",
        version_id="v",
        sha256="",
        contract=None,
        columns=(),
        closed_at=closed,
    )


def a_change(copy: Copy, outcome: Outcome = Outcome.ERASED, rows: int = 1) -> Done:
    return Done(Place("lake", copy, rows), outcome, None if outcome is Outcome.ERASED else "GROUND", 10, 10 - rows)


PLANNED = [
    a_change(a_copy("rows"), rows=2),
    a_change(a_copy("whole"), Outcome.REMOVED),
    a_change(a_copy("kept"), Outcome.KEPT),
    a_change(a_copy("sent", "return")),
]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(a_change(a_copy("rows"), rows=2), True, id="as foreseen"),
        pytest.param(a_change(a_copy("rows"), rows=1), True, id="less, by another case"),
        pytest.param(a_change(a_copy("rows"), rows=3), False, id="more rows than foreseen"),
        pytest.param(a_change(a_copy("rows"), Outcome.REMOVED), False, id="whole instead of rows"),
        pytest.param(a_change(a_copy("whole"), Outcome.REMOVED), True, id="whole as foreseen"),
        pytest.param(a_change(a_copy("whole")), True, id="rows instead of whole"),
        pytest.param(a_change(a_copy("kept")), False, id="what was to stay"),
        pytest.param(a_change(a_copy("sent", "delivered")), True, id="delivered since"),
        pytest.param(a_change(a_copy("other")), False, id="older and not in the plan"),
        pytest.param(a_change(a_copy("other", closed=MADE_AT)), True, id="rows of what came later"),
        pytest.param(a_change(a_copy("other", closed=MADE_AT), Outcome.REMOVED), False, id="whole of what came later"),
    ],
)
def test_what_a_released_plan_covers(change: Done, expected: bool) -> None:
    plan = make_plan(CaseId("c"), ENERGY, [], PLANNED)
    assert StoredPlan("p", plan, MADE_AT, "carl", MADE_AT, "bert").permits(change) is expected
