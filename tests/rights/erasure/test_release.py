"""Nothing is erased before a second person released exactly that; it stops when it is told to, and on an error."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import asked, decided, let_go
from rights.town import night_fixture, now, take_back
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
from sluice.rights.erasure.control import Standing, resume, status, stop, take_up
from sluice.rights.erasure.erase import begin, run
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
from support.night import AGREEMENT, AT_ONCE, Call, Edit, Night, open_night, with_papers

ENERGY = Principal("energy01")
OF_ONE = Edit(AGREEMENT, "recipients: []", "recipients: []\nerasure: {twoPersonRelease: false}")
ARRIVED = "energy01/inbound/renewal_campaign/file.csv"
WAITS = """select 1 from pg_locks join pg_database d on d.oid = database
           where locktype = 'advisory' and not granted and datname = current_database()"""
NO_TABLE = b"\x00\x01\x02\xfe\xff no table \x80" * 40


def called(night: Night) -> None:
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(12))))
    night.make()


night = night_fixture(called, AT_ONCE)


def of(night: Night, place: int) -> Case:
    """Open a case of one of the contacts and decide it; it is not released yet."""
    record, phone = night.people(place + 1)[place]
    return decided(night, phone, record)


def entries(night: Night, kind: str, case: Case) -> list[dict[str, object]]:
    """Bodies of the ledger's entries of one kind about a case, in order."""
    rows = night.desk.sql(
        f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}' order by seq"
    )
    return [json.loads(str(row["body"])) for row in rows if case.case_id in str(row["body"])]


def lake_rows(night: Night) -> int:
    exchange = list_exchanges(night.desk.house.conn, direction=Direction.INBOUND)[-1].id
    rows = get_copy(night.desk.house.conn, ExchangeId(exchange), "lake").rows
    assert rows is not None
    return rows


def due(night: Night, *cases: Case, **more: int) -> list[str]:
    taken = take_up(night.desk.house, "airflow", now(), **more)
    return [case_id for case_id in taken if case_id in {case.case_id for case in cases}]


def standing(night: Night, case: Case) -> Standing:
    return next(each for each in status(night.desk.house.conn).cases if each.case_id == case.case_id)


def test_who_made_the_plan_or_decided_cannot_release_it_and_that_is_recorded(night: Night) -> None:
    house, case, before = night.desk.house, of(night, 1), lake_rows(night)
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
    assert lake_rows(night) == before, "nothing was touched"

    [released] = release(house, case.case_id, "bert", now(), pinned=plan.plan.sha256[:12].upper())

    with pytest.raises(ReleaseRefused, match="NOTHING_TO_RELEASE"):
        release(house, case.case_id, "els", now())
    report = run(house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting, lake_rows(night)) == (0, 0, 0, before - 1)
    assert (released.made_by, released.released_by) == ("Carl", "bert")
    refused = sorted((each["asked_by"], each["reason"]) for each in entries(night, "erasure.refused", case))
    assert refused == [
        ("ANNA", "DECIDED_THE_CASE"),
        ("bert", "ANOTHER_PLAN"),
        ("bert", "NOTHING_TO_RELEASE"),
        ("carl", "MADE_THE_PLAN"),
        ("els", "NOTHING_TO_RELEASE"),
        ("energy01", "DECIDED_THE_CASE"),
    ]
    said = [entries(night, f"erasure.{kind}", case)[0]["plan_sha256"] for kind in ("planned", "released")]
    assert said == [plan.plan.sha256] * 2
    assert verify_ledger(house.conn, public_pem=house.keyring.public_pem).valid


def test_the_database_itself_refuses_the_planner_and_a_plan_names_nobody(night: Night) -> None:
    house, case = night.desk.house, of(night, 2)
    record, phone = night.people(3)[2]
    [plan] = draft(house, case.case_id, "carl", now()).plans
    content = plan.plan.content.decode()
    assert phone[-6:] not in content and record not in content and read_plan(plan.plan.content) == plan.plan
    with pytest.raises(Exception, match="erasure_plan_four_eyes"):
        control_store.mark_released(house.conn, plan.plan_id, "CARL ", now())
    with pytest.raises(Exception, match="permission denied"):
        house.conn.execute("update erasure_plan set content = '' ")
    take_back(night, case)


def test_a_released_plan_covers_rows_that_come_later_and_no_whole_object(night: Night) -> None:
    house, bucket, case = night.desk.house, night.desk.settings.bucket_exchange, of(night, 3)
    phone, before = night.people(4)[3][1], lake_rows(night)
    let_go(night, case)
    night.desk.drop(night.contacts.read_bytes() + b"\n", "again.csv")
    odd = night.desk.drop(NO_TABLE + phone.encode() + NO_TABLE, "odd.csv")
    night.desk.work()

    with pytest.raises(PlanOutdated, match="copies not covered 2"):
        run(house, case.case_id, now())

    assert lake_rows(night) == before - 1
    again = house.objects.read(bucket, "energy01/inbound/renewal_campaign/again.csv")
    assert phone.encode() not in again, "what came later lost its rows"
    assert phone.encode() in house.objects.read(bucket, odd.key), "and no object went that nobody released"
    assert [each["reason"] for each in entries(night, "erasure.refused", case)] == ["PLAN_OUTDATED"]
    with pytest.raises(NotReleased):
        run(house, case.case_id, now())
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    assert not [each for each in status(house.conn).cases if each.is_in_error], "that is no fault"
    assert due(night, case) == [], "planned anew, and not released"
    [plan] = draft(house, case.case_id, "airflow", now()).plans
    assert {copy.outcome for copy in plan.plan.going} == {Outcome.REMOVED}
    release(house, case.case_id, "bert", now())
    assert due(night, case) == [case.case_id]
    assert run(house, case.case_id, now()).residual == 0
    assert list(house.objects.list_versions(bucket, odd.key)) == []
    assert due(night, case) == []


def test_an_agreement_that_asks_for_one_person_needs_no_release(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, OF_ONE), tmp_path, contacts=3) as night:
        house, case = night.desk.house, of(night, 1)
        assert draft(house, case.case_id, "airflow", now()).plans == ()
        assert take_up(house, "airflow", now()) == [case.case_id]
        assert begin(house, case.case_id, now())


def test_a_stop_holds_between_two_objects_and_a_rerun_finishes(night: Night) -> None:
    house, settings = night.desk.house, night.desk.settings
    record, phone = night.people(5)[4]
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
    stands = standing(night, case)
    assert stands.run is not None and stands.run.outcome == "stopped"
    assert (stands.is_stopped, stands.is_in_error) == (True, False)
    assert due(night, case) == []
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
    rows = night.desk.sql("select kind from ledger.entry where chain = 'center.cases' order by seq")
    kinds = [row["kind"] for row in rows if row["kind"] in ("erasure.stopped", "erasure.resumed")]
    assert kinds == ["erasure.stopped", "erasure.resumed"] * 2


def wait_until(is_so: object) -> None:
    """Wait until a condition holds, at most 60 s."""
    deadline = now() + timedelta(seconds=60)
    while not is_so():  # type: ignore[operator]
        assert now() < deadline
        threading.Event().wait(0.02)


def test_while_a_case_is_in_error_no_other_begins_unless_it_names_more_of_the_person(night: Night) -> None:
    house, lake = night.desk.house, night.desk.settings.bucket_lake
    (record, phone), ready_one, fresh_one = night.people(8)[5:]
    erring, ready = asked(night, phone, ""), asked(night, *reversed(ready_one))
    further, again, fresh = (decided(night, *each) for each in ((phone, record), (phone, ""), fresh_one[::-1]))
    left = house.objects.put(lake, "energy01/left/over.txt", phone.encode(), "text/plain")
    assert run(house, erring.case_id, now()).residual == 1
    for each in (further, again, fresh):
        draft(house, each.case_id, "airflow", now())

    release(house, further.case_id, "bert", now())

    assert [each.case_id for each in status(house.conn).cases if each.is_in_error] == [erring.case_id]
    with pytest.raises(AnotherInError, match=erring.case_id):
        run(house, ready.case_id, now())
    for each in (again, fresh):
        with pytest.raises(ReleaseRefused, match="ANOTHER_CASE_IN_ERROR"):
            release(house, each.case_id, "bert", now())
    assert due(night, erring, ready, further, again, fresh) == [erring.case_id, further.case_id]
    house.objects.delete_version(lake, left.key, left.version_id)
    assert run(house, further.case_id, now()).residual == 0
    assert run(house, erring.case_id, now()).residual == 0
    release(house, fresh.case_id, "bert", now())
    assert due(night, ready, fresh) == [ready.case_id, fresh.case_id]
    turns = [turn for _ in range(6) if (turn := due(night, ready, fresh, most=1))]
    assert turns[:2] == [[ready.case_id], [fresh.case_id]], "as many as one run can do, and the next run goes on"
    take_back(night, ready, fresh, again)


def test_a_case_that_fails_as_nobody_foresaw_keeps_no_other(night: Night) -> None:
    house, bucket = night.desk.house, night.desk.settings.bucket_vault
    broken, ready = (asked(night, phone, record) for record, phone in night.people(10)[8:])
    content = house.objects.read(bucket, broken.subject_key)
    house.objects.put(bucket, broken.subject_key, encrypt(house.keyring, b"[]"), "application/octet-stream")
    assert due(night, broken, ready) == [ready.case_id]
    house.objects.put(bucket, broken.subject_key, content, "application/octet-stream")
    take_back(night, broken, ready)


def test_a_run_that_died_long_ago_or_failed_counts_as_an_error(night: Night) -> None:
    house = night.desk.house
    case = asked(night, *reversed(night.people(11)[10]))
    control_store.begin_run(house.conn, case.case_id)
    assert not standing(night, case).is_in_error, "it may be at work"
    house.conn.execute(
        "update erasure_run set seen_at = now() - interval '31 minutes' where case_id = %s", (case.case_id,)
    )
    assert standing(night, case).is_in_error
    with connect(night.desk.settings) as other, control_store.hold_case(other, case.case_id):
        assert not standing(night, case).is_in_error, "somebody runs it again"
        with pytest.raises(ErasureBusy):
            run(house, case.case_id, now())
    exchange = ExchangeId(list_exchanges(house.conn, direction=Direction.INBOUND)[-1].id)
    lake = get_copy(house.conn, exchange, "lake")
    change = "update copy set sha256 = %s where exchange_id = %s and kind = 'lake'"
    house.conn.execute(change, ("0" * 64, exchange))
    with pytest.raises(Exception, match="SLU-303"):
        run(house, case.case_id, now())
    stands = standing(night, case)
    assert stands.run is not None and (stands.run.outcome, stands.run.error) == ("failed", "SLU-303")
    assert stands.is_in_error
    house.conn.execute(change, (lake.sha256, exchange))
    take_back(night, case)


def test_the_commands_say_the_same(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    case = of(night, 11).case_id
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
        assert case in [each["case"] for each in told["cases"]] and told["in_error"] == []
        assert told["stopped"][0]["reason"] == "AUDIT"
        assert sluice("erase", "resume", "--by", "els").exit == 0
        assert sluice("erase", "resume", "--by", "els").exit == 1
        done = sluice("erase", "run", case).document
        assert (done["residual"], done["case"]) == (0, case)
        assert {name for line in done["stores"] for name in line} == set(StoreLine.__annotations__)
        proven = sluice("erase", "certificate", case).document
        assert (proven["residual"], proven["case"], bool(proven["stores"])) == (0, case, True)
        assert case not in str(sluice("erase", "status").document["cases"])


MADE_AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def a_copy(exchange: str, kind: str = "lake", closed: datetime = MADE_AT - timedelta(days=1)) -> Copy:
    where = (Direction.INBOUND, Flow("f"), "b", "k", "v")
    return Copy(ExchangeId(exchange), kind, *where, sha256="", contract=None, columns=(), closed_at=closed)


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
        (a_change(a_copy("rows"), rows=2), True),  # as foreseen
        (a_change(a_copy("rows"), rows=1), True),  # less, by another case
        (a_change(a_copy("rows"), rows=3), False),  # more rows than foreseen
        (a_change(a_copy("rows"), Outcome.REMOVED), False),  # whole instead of rows
        (a_change(a_copy("whole"), Outcome.REMOVED), True),  # whole as foreseen
        (a_change(a_copy("whole")), True),  # rows instead of whole
        (a_change(a_copy("kept")), False),  # what was to stay
        (a_change(a_copy("sent", "delivered")), True),  # delivered since
        (a_change(a_copy("other")), False),  # older and not in the plan
        (a_change(a_copy("other", closed=MADE_AT)), True),  # rows of what came later
        (a_change(a_copy("other", closed=MADE_AT), Outcome.REMOVED), False),  # whole of what came later
    ],
)
def test_what_a_released_plan_covers(change: Done, expected: bool) -> None:
    plan = make_plan(CaseId("c"), ENERGY, [], PLANNED)
    assert StoredPlan("p", plan, MADE_AT, "carl", MADE_AT, "bert").permits(change) is expected
