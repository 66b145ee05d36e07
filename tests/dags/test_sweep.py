"""The DAG that nobody has to wake: files that were forgotten, and returns whose cut-off has passed."""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from returns.commands import at_terminal
from sluice.errors import Ref, StoreError
from sluice.exchange.drain import drain_many
from sluice.exchange.house import House
from sluice.exchange.sweeping import LeftUndone
from sluice.ledger.record import GIVEN_BACK
from sluice.orchestration import operators
from sluice.returns import drain
from sluice.returns.due import open_due
from sluice.terms import ExchangeId, Flow, Principal
from support.copies import Copies
from support.desk import ENERGY, Desk
from support.meanwhile import refusing
from support.night import RESULTS, Call, Night, copied_night

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path) as opened:
        yield opened


def test_a_file_that_nobody_was_woken_for_is_taken_up_and_a_fresh_one_is_left_to_its_dag(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = desk.campaign(20)
    dropped = desk.drop(path)
    desk.open_new()

    with at_terminal(desk, monkeypatch):
        task = operators.DrainForgotten(task_id="forgotten")
        assert task.work({}) == "nothing was forgotten"
        assert desk.line(dropped).decision == "open"
        monkeypatch.setattr(operators, "FORGOTTEN_AFTER", timedelta(0))
        assert task.work({}) == "energy01/renewal_campaign: {'accepted': 1}"
    assert desk.line(dropped).decision == "accepted"


def test_a_sweep_opens_what_no_trigger_did_and_fails_while_it_cannot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = desk.drop(b"x", "good.csv"), desk.drop(b"x", "bad.csv")
    with at_terminal(desk, monkeypatch):
        task = operators.DrainForgotten(task_id="forgotten")
        with refusing(desk.settings, bad.key), pytest.raises(LeftUndone, match=r"arrivals .* left undone 1"):
            task.work({})
        assert [line.id for line in desk.lines()] == [desk.line(good).id]
        assert task.work({}) == "nothing was forgotten", "the control"
    assert len(desk.lines()) == 2


def test_a_backlog_ends_no_sweep_late_and_each_flow_gets_its_share(desk: Desk) -> None:
    """By a clock on which each file takes a minute: of two flows with a backlog each has half of the four."""

    def minutes() -> float:
        return 60.0 * sum(line.decision != "open" for line in desk.lines())

    for number in range(4):
        desk.drop(b"x", f"{number}.csv")
        desk.drop(b"x", f"{number}.csv", ("telecom01", "subscriber_base"))
    desk.open_new()

    def swept(seconds: float) -> list[int]:
        done, left = drain_many(desk.house, lambda *_: True, {}, seconds, minutes)
        assert left == 0
        return sorted(sum(each.decisions.values()) for each in done.values())

    assert swept(240.0) == [2, 2]
    assert swept(0.0) == [1, 1], "one of each at least: no flow is last for ever"
    assert swept(math.inf) == [1, 1]
    assert {line.decision for line in desk.lines()} == {"refused"}


def test_returns_of_every_flow_are_made_when_their_cut_off_has_passed(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    night.called(Call("c1", *night.people(1)[0]))

    with at_terminal(night.desk, monkeypatch):
        assert operators.ReturnsDue(task_id="returns").work({}) == "returns: {}, set aside: 0"
    assert [line.decision for line in night.returns()] == ["open"], "prepared, and waits for a second person"


def test_a_flow_that_fails_keeps_no_other_waiting(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    night.called(Call("c1", *night.people(1)[0]))
    broken = Flow("broken_results")

    def opened(house: House, principal: Principal, flow: Flow, now: datetime) -> None:
        if flow == broken:
            raise StoreError(Ref("flow", flow))
        open_due(house, principal, flow, now)

    monkeypatch.setattr(drain, "open_due", opened)
    flows = [(Principal(ENERGY[0]), broken), (Principal(ENERGY[0]), RESULTS)]

    with pytest.raises(LeftUndone, match="flows with returns left undone 1"):
        drain.drain_all_returns(night.desk.house, flows, datetime.now(UTC), {})
    assert len(night.returns()) == 1


def test_what_is_given_back_and_cannot_be_made_again_is_told_by_number_and_keeps_no_other_waiting(
    night: Night, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    night.called(Call("c1", *night.people(1)[0]))
    house, now, principal = night.desk.house, datetime.now(UTC), Principal(ENERGY[0])
    drain.drain_returns(house, principal, RESULTS, now, {})
    [prepared] = night.returns()
    drain.remake_prepared(house, principal, now)
    assert "wait" not in caplog.text, "the control"

    def fail(house: House, exchange_id: ExchangeId, run: Mapping[str, str]) -> int:
        raise TypeError("+32470123456")

    monkeypatch.setattr(drain, "go_on_prepared", fail)
    night.desk.sql(f"update exchange set version_id = '{GIVEN_BACK}1' where exchange_id = '{prepared.id}' returning 1")
    drain.remake_prepared(house, principal, now)

    assert f"1 that are given back to {principal} wait" in caplog.text and "+32470123456" not in caplog.text
