"""A stopped flow stands still whoever would work on it, others go on, and what waited is taken up afterwards."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from returns.commands import Answer, at_terminal, sluice
from rights.asking import asked
from sluice.exchange.drain import drain_all
from sluice.exchange.effects.run import do_effects
from sluice.exchange.held_up import HEARD_AFTER, LONG_STOPPED, FilesHeldUp, check_none_held_up, find_held_up
from sluice.exchange.persons.suppressed import commit_unless_suppressed, keep_out
from sluice.exchange.stops import FlowIsStopped, check_not_stopped
from sluice.ledger.verify import verify
from sluice.orchestration import operators
from sluice.orchestration.trigger import Watch
from sluice.returns.drain import drain_returns, remake_prepared
from sluice.returns.release import release
from sluice.rights.erasure.control_store import find_runs
from sluice.rights.erasure.erase import run
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.sample.files import write_subscribers
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Flow, Principal
from support.copies import Copies
from support.crash import dying
from support.desk import ENERGY, Desk, open_desk
from support.effort import effort
from support.meanwhile import Meanwhile
from support.night import AT_ONCE, RESULTS, Call, Night, copied_night

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
TELECOM = ("telecom01", "subscriber_base")
STOP = ("--reason", "CONTRACT_WRONG", "--by", "an.peeters")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk with the settings for running commands in its installation."""
    with open_desk(store_settings, tmp_path) as opened, at_terminal(opened, monkeypatch):
        monkeypatch.setattr(operators, "FORGOTTEN_AFTER", timedelta(0))
        yield opened


@pytest.fixture
def night(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """A night whose returns wait for a second person, at its terminal."""
    with copied_night(copies, tmp_path) as opened, at_terminal(opened.desk, monkeypatch):
        opened.called(Call("c1", *opened.people(1)[0]))
        yield opened


def everybody_works(desk: Desk) -> None:
    """The DAG of the flow, the sweep, a command, and whoever is woken."""
    direction = "inbound"
    operators.DrainFlow(task_id="drain", direction=direction, principal=ENERGY[0], flow=ENERGY[1], slot=0).work({})
    operators.DrainForgotten(task_id="forgotten").work({})
    operators.FinishEffects(task_id="finish").work({})
    sluice("exchange", "drain")
    drain_all(desk.house)


def test_a_stopped_flow_is_left_alone_by_all_and_the_next_one_is_not(desk: Desk) -> None:
    other = desk.folder / "subscribers.csv"
    write_subscribers(other, 20, 1)
    assert sluice("exchange", "stop", *ENERGY, *STOP).document["stopped"] is True
    first = sluice("exchange", "stops").document
    again = sluice("exchange", "stop", *ENERGY, "--reason", "EXPORT_WRONG")
    assert (again.exit, again.document["stopped"], sluice("exchange", "stops").document) == (0, False, first)
    assert "keeps the reason it had" in again.told
    waits, goes = desk.drop(desk.campaign(20)[0]), desk.drop(other, "subscribers.csv", TELECOM)
    sight = Watch().look()
    assert [name[1] for name in sight] == ["telecom01"], "nobody is woken for what is stopped"

    everybody_works(desk)

    assert (desk.line(waits).decision, desk.line(goes).decision) == ("open", "accepted")
    [stop] = sluice("exchange", "stops").document["stops"]
    assert (stop["principal"], stop["flow"], stop["reason"], stop["stopped_by"], stop["waiting"]) == (
        *ENERGY, "CONTRACT_WRONG", "an.peeters", 1,
    )  # fmt: skip
    assert sluice("exchange", "show", desk.line(waits).id).document["evidence"]["stopped_at"] == stop["stopped_at"]

    assert sluice("exchange", "resume", *ENERGY, "--by", "bert.maes").document["resumed"] is True
    assert operators.DrainForgotten(task_id="forgotten").work({}) == "energy01/renewal_campaign: {'accepted': 1}"
    assert sluice("exchange", "stops").document == {"stops": []}
    assert sluice("exchange", "resume", *ENERGY).error == "SLU-301"
    told = desk.sql("select kind, chain from ledger.entry where kind like 'flow.%' order by appended_at")
    assert told == [{"kind": kind, "chain": "principal.energy01"} for kind in ("flow.stopped", "flow.resumed")]
    assert verify(desk.house.conn, public_pem=desk.house.keyring.public_pem).valid


def test_what_was_stopped_for_no_reason_of_the_ledger_or_is_no_flow_is_refused(desk: Desk) -> None:
    assert sluice("exchange", "stop", *ENERGY, "--reason", "Jan asked").exit == 2
    assert sluice("exchange", "stop", ENERGY[0], "jan_peeters", *STOP[:2]).error == "SLU-301"
    assert desk.sql("select 1 from flow_stop") == []


@pytest.mark.evidence
def test_what_a_killed_worker_left_waits_while_its_flow_is_stopped_and_is_accepted_once(desk: Desk) -> None:
    with dying(desk.settings, "inbound") as victim:
        desk.drop(desk.campaign(20, seed=1)[0], "first.csv")
        _, steps = victim(0)
        dropped = []
        for number, point in enumerate(range(steps // 8, steps, steps // effort(2, 4)), 2):
            dropped.append(desk.drop(desk.campaign(20, seed=number)[0], f"f{number}.csv"))
            assert victim(point)[0], "it was killed"
        sluice("exchange", "stop", *ENERGY, *STOP)
        before = [desk.line(each).decision for each in dropped]
        assert "open" in before
        desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
        everybody_works(desk)
        assert [desk.line(each).decision for each in dropped] == before
        sluice("exchange", "resume", *ENERGY)
        assert not victim(0)[0]

    assert [desk.line(each).decision for each in dropped] == ["accepted"] * len(dropped)
    closed = desk.sql("select 1 from ledger.entry where kind = 'exchange.closed'")
    assert len(closed) == len(dropped) + 1


def test_a_fault_of_ours_is_not_told_of_a_flow_that_is_stopped_unless_for_a_week(desk: Desk) -> None:
    desk.drop(desk.campaign(20)[0])
    desk.open_new()
    desk.sql("update exchange set last_error = 'SLU-203', is_held_up = true returning 1")
    soon = datetime.now(UTC) + HEARD_AFTER * 2
    assert len(find_held_up(desk.house.conn, soon)) == 1, "the control"
    sluice("exchange", "stop", *ENERGY, *STOP)
    assert find_held_up(desk.house.conn, soon) == []
    do_effects(desk.house)
    check_none_held_up(desk.house.conn, datetime.now(UTC) + LONG_STOPPED * 0.99)
    with pytest.raises(FilesHeldUp, match="stopped energy01/renewal_campaign"):
        check_none_held_up(desk.house.conn, datetime.now(UTC) + LONG_STOPPED * 1.01)


def test_no_return_of_a_stopped_flow_is_made_by_anybody(night: Night) -> None:
    sluice("exchange", "stop", ENERGY[0], RESULTS, *STOP)

    operators.ReturnResults(task_id="return", principal=ENERGY[0], flow=RESULTS).work({})
    operators.ReturnsDue(task_id="returns").work({})
    assert sluice("exchange", "prepare", ENERGY[0], RESULTS).error == "SLU-208"
    assert night.returns() == []

    sluice("exchange", "resume", ENERGY[0], RESULTS)
    operators.ReturnsDue(task_id="returns").work({})
    assert [line.decision for line in night.returns()] == ["open"], "prepared, and waits for a second person"


def test_what_lies_prepared_of_a_stopped_flow_is_not_released_and_ends_where_it_is_superseded(night: Night) -> None:
    goes, stays = night.people(2)
    night.called(Call("c2", *stays), name="more.csv")
    night.make()
    [prepared] = night.returns()
    sluice("exchange", "stop", ENERGY[0], RESULTS, *STOP)
    assert sluice("exchange", "release", prepared.id, "--by", "an.peeters").error == "SLU-208"
    remake_prepared(night.desk.house, Principal(ENERGY[0]), datetime.now(UTC))
    assert [line.id for line in night.returns()] == [prepared.id], "the control"

    objects_to(night, goes[1])
    for _ in range(2):
        remake_prepared(night.desk.house, Principal(ENERGY[0]), datetime.now(UTC))
    assert [line.decision for line in night.returns()] == ["open", "refused"]
    assert night.desk.sql("select 1 from exchange where prepared_at is not null and decision = 'open'") == []
    lake = [item.key for item in night.desk.objects(night.desk.settings.bucket_lake)]
    assert not [key for key in lake if key.startswith("_returns/")] and night.delivered() == {}

    sluice("exchange", "resume", ENERGY[0], RESULTS)
    night.make()
    night.release(night.returns()[0])
    assert stays[0].encode() in night.file(night.returns()[0]) and goes[0].encode() not in night.file(
        night.returns()[0]
    )


def test_a_stop_is_said_only_once_nothing_of_the_flow_can_close_any_more(night: Night) -> None:
    """A return that is about to be closed goes out; who stops the flow waits for that, and then nothing does."""
    house, principal = night.desk.house, Principal(ENERGY[0])
    waits = """select 1 from pg_locks where locktype = 'advisory' and not granted
               and database = (select oid from pg_database where datname = current_database())"""

    def commit() -> Future[Answer]:
        check_not_stopped(house.conn, principal, Flow(RESULTS))
        stop = others.submit(sluice, "exchange", "stop", *flow, *STOP)
        until = time.monotonic() + 60
        while not stop.done() and not night.desk.sql(waits) and time.monotonic() < until:
            time.sleep(0.05)
        assert not stop.done(), "it waits for who commits"
        return stop

    flow = (ENERGY[0], RESULTS)
    with ThreadPoolExecutor(1) as others:
        stop = commit_unless_suppressed(house, principal, frozenset(), (), commit)
        assert stop.result(60).exit == 0
    with pytest.raises(FlowIsStopped):
        commit_unless_suppressed(
            house, principal, frozenset(), (), partial(check_not_stopped, house.conn, principal, flow[1])
        )


def test_a_return_whose_flow_is_stopped_while_it_is_made_is_made_under_the_rights_of_the_day_it_goes_on(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night, at_terminal(night.desk, monkeypatch):
        stays, goes = night.people(2)
        night.called(Call("c1", *stays), Call("c2", *goes))
        house = night.desk.house
        stop = partial(sluice, "exchange", "stop", ENERGY[0], RESULTS, *STOP)
        objects: Any = Meanwhile(house.objects, lambda key: key.startswith("_returns/"), stop)
        drained = drain_returns(replace(house, objects=objects), Principal(ENERGY[0]), RESULTS, datetime.now(UTC), {})
        assert drained.held_up == 1
        [made] = night.returns()
        assert (made.decision, night.delivered()) == ("open", {})
        assert night.desk.sql("select attempts, last_error from exchange where decision = 'open'") == [
            {"attempts": 0, "last_error": FlowIsStopped.code}
        ]

        objects_to(night, stays[1])
        night.make()
        sluice("exchange", "resume", ENERGY[0], RESULTS)
        assert find_held_up(house.conn, datetime.now(UTC) + HEARD_AFTER * 2) == [], "the next run takes it up"
        night.desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
        night.make()

        [done] = night.returns()
        assert stays[0].encode() not in night.file(done) and goes[0].encode() in night.file(done)


def test_a_return_that_was_released_before_the_stop_is_looked_at_again_when_the_flow_goes_on(night: Night) -> None:
    night.make()
    [prepared] = night.returns()
    release(night.desk.house, prepared.id, "an.peeters", datetime.now(UTC))
    sluice("exchange", "stop", ENERGY[0], RESULTS, *STOP)
    night.make()
    objects_to(night, night.people(1)[0][1])
    sluice("exchange", "resume", ENERGY[0], RESULTS)
    night.make()
    assert night.delivered() == {}
    assert "refused" in [line.decision for line in night.returns()]


def test_what_was_closed_before_the_stop_is_delivered_and_not_delivered_again(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night, at_terminal(night.desk, monkeypatch):
        night.called(Call("c1", *night.people(1)[0]))
        night.make()
        [done] = night.returns()
        assert sluice("exchange", "redeliver", done.id).error is None, "the control"
        sluice("exchange", "stop", ENERGY[0], RESULTS, *STOP)
        assert sluice("exchange", "redeliver", done.id).error == "SLU-208"

        night.desk.sql(f"update outbox set done_at = null, next_attempt_at = now() where exchange_id = '{done.id}' "
                       "and effect in ('delivery', 'receipt') returning 1")  # fmt: skip
        do_effects(night.desk.house)
        assert night.desk.sql("select 1 from outbox where done_at is null") == []


def test_an_erasure_waits_for_what_a_stopped_flow_has_and_is_clean_once_it_goes_on(night: Night) -> None:
    record, phone = night.people(1)[0]
    night.make()
    sluice("exchange", "stop", *ENERGY, *STOP)
    sluice("exchange", "stop", ENERGY[0], RESULTS, *STOP)
    night.desk.drop(night.contacts.read_bytes() + b"\n", "waits.csv")
    night.desk.open_new()
    case, now = asked(night, phone, record), datetime.now(UTC)

    report = run(night.desk.house, case.case_id, now)

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 2), "the file, and what replaces the return"
    assert [each.outcome for each in find_runs(night.desk.house.conn)] == ["waiting"], "others may begin"
    lake = [item.key for item in night.desk.objects(night.desk.settings.bucket_lake)]
    assert not [key for key in lake if key.startswith("_returns/")], "what lay prepared with them ended"

    sluice("exchange", "resume", *ENERGY)
    sluice("exchange", "resume", ENERGY[0], RESULTS)
    night.desk.work()
    night.make()
    report = run(night.desk.house, case.case_id, now)
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)


def objects_to(night: Night, phone: str) -> None:
    """Keep the person with this telephone out from now on, as after an objection."""
    key, principal = night.desk.house.subject_key(Principal(ENERGY[0])), Principal(ENERGY[0])
    refs = frozenset(refs_of((parse_identifier(f"phone:{phone}", 1),), key, principal).values())
    reason, now = Suppression.OBJECTED, datetime.now(UTC)
    keep_out(night.desk.house, principal, refs, reason, cause=phone, case_id=None, now=now)
