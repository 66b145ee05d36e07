"""Where a delivered return stands: the rule against another description of it, then on real stores."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from returns.deliveries import DAY, OF_THE_TEST, at_once, cleared, deliver
from sluice.cli.whole import app
from sluice.ledger.model import EntryKind
from sluice.ledger.store import find_entry
from sluice.returns.ack import AckLine, AckState, state_of
from sluice.returns.ack_store import count_overdue, list_acknowledgements, list_overdue
from sluice.returns.acks import acknowledge
from sluice.returns.reminders import Reminded, remind
from sluice.rights.alerts import due as alerts
from sluice.rights.mail.model import MailKind
from sluice.terms import ExchangeId, Flow, Principal
from support.desk import Desk

START = datetime(2026, 11, 24, 6, tzinfo=UTC)
DUE, ESCALATE = 24, 72

LIFE = {
    ("SENT", "ack"): "ACKNOWLEDGED",
    ("SENT", "due passes"): "OVERDUE",
    ("OVERDUE", "ack"): "ACKNOWLEDGED_LATE",
    ("OVERDUE", "sweep"): "REMINDED",
    ("REMINDED", "ack"): "ACKNOWLEDGED_LATE",
    ("REMINDED", "sweep after escalation"): "ESCALATED",
    ("ESCALATED", "ack"): "ACKNOWLEDGED_LATE",
}
"""The oracle: a machine of states and events that knows no moments. What is not here changes nothing."""


@pytest.fixture
def desk(module_desk: Desk) -> Desk:
    return cleared(module_desk)


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def lived(events: list[tuple[int, str]], until: int) -> str:
    """The state after ``events`` (hour, sweep or ack) as the machine has it."""
    state = "SENT"
    for hour, event in sorted([*events, (DUE, "~")]):
        if hour > until or (hour == until and event == "~"):
            break
        if event == "~":
            state = LIFE.get((state, "due passes"), state)
        elif event == "ack":
            state = LIFE.get((state, "ack"), state)
        else:
            state = LIFE.get((state, "sweep"), state) if hour > DUE else state
            state = LIFE.get((state, "sweep after escalation"), state) if hour > ESCALATE else state
    return state


def written(events: list[tuple[int, str]], until: int) -> AckLine:
    """The row that the same events leave: only moments."""
    acks = [hour for hour, event in events if event == "ack" and hour <= until]
    acked = min(acks, default=None)
    sweeps = [h for h, event in events if event == "sweep" and h <= until and (acked is None or h < acked)]
    reminded = min((hour for hour in sweeps if hour > DUE), default=None)
    escalated = min((hour for hour in sweeps if hour > ESCALATE), default=None)
    return AckLine(
        ExchangeId("x"),
        Principal("energy01"),
        Flow("f"),
        "c",
        at(0),
        at(DUE),
        at(ESCALATE),
        at(reminded) if reminded is not None else None,
        at(escalated) if escalated is not None else None,
        at(acked) if acked is not None else None,
    )


EVENTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 100), st.sampled_from([23, 24, 25, 71, 72, 73])), st.sampled_from(["sweep", "ack"])
    ),
    max_size=6,
)
HOURS = st.one_of(st.integers(0, 120), st.sampled_from([23, 24, 25, 72, 73]))


@given(events=EVENTS, until=HOURS)
def test_the_state_is_what_its_life_says(events: list[tuple[int, str]], until: int) -> None:
    assert state_of(written(events, until), at(until)) == lived(events, until)


@given(sweeps=st.lists(st.integers(0, 100), max_size=6), years=st.integers(0, 50))
def test_no_time_and_no_sweep_ever_closes_it(sweeps: list[int], years: int) -> None:
    line = written([(hour, "sweep") for hour in sweeps], 100)
    assert not state_of(line, at(100) + 365 * years * DAY).startswith("ACKNOWLEDGED")


def test_every_state_of_the_machine_is_one_of_ours() -> None:
    assert {"SENT", "SUPERSEDED", *LIFE.values()} == set(AckState)


@given(events=EVENTS, until=HOURS)
def test_what_a_later_one_superseded_waits_for_nobody_but_may_still_be_acknowledged(
    events: list[tuple[int, str]], until: int
) -> None:
    state = lived(events, until)
    wanted = state if state.startswith("ACKNOWLEDGED") else "SUPERSEDED"
    assert state_of(replace(written(events, until), is_superseded=True), at(until)) == wanted


def notices(desk: Desk) -> dict[str, dict[str, Any]]:
    found = [item for item in desk.objects(desk.settings.bucket_exchange) if "/notices/" in item.key]
    return {item.key: json.loads(desk.house.objects.read(item.bucket, item.key, item.version_id)) for item in found}


def test_it_is_reminded_once_and_escalated_once_and_stays_open(desk: Desk) -> None:
    now = datetime.now(UTC)
    delivered = deliver(desk, ago=timedelta())
    swept = [remind(desk.house, now + hours * timedelta(hours=1)) for hours in (23, 25, 26, 71, 73, 74, 10_000)]
    assert [(each.reminded, each.escalated, each.notices) for each in swept] == [
        (0, 0, 0),
        (1, 0, 1),
        (0, 0, 0),
        (0, 0, 0),
        (0, 1, 1),
        (0, 0, 0),
        (0, 0, 0),
    ]
    told = notices(desk)
    stem = "energy01/notices"
    reminded, escalated = (
        f"{stem}/reminded-{delivered.exchange_id}.json",
        f"{stem}/escalated-{delivered.exchange_id}.json",
    )
    assert set(told) == {reminded, escalated}
    assert told[reminded]["exchange"] == delivered.exchange_id
    assert set(told[reminded]["text"]) == {"nl", "fr", "en"}
    for kind in (EntryKind.RETURN_REMINDED, EntryKind.RETURN_ESCALATED):
        entry = find_entry(desk.house.conn, ExchangeId(delivered.exchange_id), kind)
        assert entry is not None and entry.chain == "DPA-ENERGY01"
    assert [state for _, state in list_acknowledgements(desk.house.conn, now)] == [AckState.ESCALATED]


def test_a_desk_that_slept_past_both_moments_reminds_and_escalates_in_one_sweep(desk: Desk) -> None:
    deliver(desk, ago=9 * DAY)
    assert remind(desk.house, datetime.now(UTC)) == Reminded(reminded=1, escalated=1, notices=2)


def test_three_workers_at_once_remind_of_each_once(desk: Desk) -> None:
    for _ in range(10):
        deliver(desk, ago=2 * DAY)
    now = datetime.now(UTC)
    swept = at_once(desk, *[lambda house: remind(house, now)] * 3)
    assert (sum(each.reminded for each in swept), sum(each.failed for each in swept)) == (10, 0)
    assert (
        len(notices(desk))
        == len(desk.sql(f"select 1 from ledger.entry where kind = 'return.reminded' and {OF_THE_TEST}"))
        == 10
    )


def test_who_acknowledged_is_not_reminded(desk: Desk) -> None:
    delivered = deliver(desk)
    acknowledge(desk.house.conn, delivered.exchange_id, "desk", datetime.now(UTC))
    assert remind(desk.house, datetime.now(UTC) + 9 * DAY) == Reminded()


def test_once_a_later_return_of_its_day_lies_there_nobody_is_reminded_of_the_one_before(desk: Desk) -> None:
    now, contacts = datetime.now(UTC), date(2026, 11, 20)
    told, silent = deliver(desk, ago=5 * DAY, day=contacts), deliver(desk, ago=4 * DAY, day=contacts)
    deliver(desk, ago=3 * DAY, day=contacts, is_written_down=False)
    assert remind(desk.house, now) == Reminded(reminded=1, escalated=1, notices=2), "the control: only the last one"
    assert count_overdue(desk.house.conn, now) == 1
    assert [each.exchange_id for each in list_overdue(desk.house.conn, now, 9)] == [silent.exchange_id]
    said = {line.exchange_id: state for line, state in list_acknowledgements(desk.house.conn, now)}
    assert said == {told.exchange_id: AckState.SUPERSEDED, silent.exchange_id: AckState.ESCALATED}
    assert len(due(desk, now)) == 1

    last = deliver(desk, ago=2 * DAY, day=contacts)
    assert count_overdue(desk.house.conn, now) == 1
    assert (due(desk, now), remind(desk.house, now)) == ([f"{last.exchange_id}/overdue"], Reminded(1, 0, 1))
    acknowledge(desk.house.conn, last.exchange_id, "desk", now)
    assert (count_overdue(desk.house.conn, now), remind(desk.house, now), due(desk, now)) == (0, Reminded(), [])
    acknowledge(desk.house.conn, told.exchange_id, "desk", now)
    said = {line.exchange_id: state for line, state in list_acknowledgements(desk.house.conn, now)}
    assert said == {
        told.exchange_id: AckState.ACKNOWLEDGED_LATE,
        silent.exchange_id: AckState.SUPERSEDED,
        last.exchange_id: AckState.ACKNOWLEDGED_LATE,
    }


def due(desk: Desk, now: datetime) -> list[str]:
    """What the alert of overdue acknowledgements is about."""
    look = alerts.DUE[MailKind.UNACKNOWLEDGED](desk.house.conn, now)
    return [row["about"] for row in desk.house.conn.execute(look.query.encode(), look.values)]


def test_a_notice_that_was_recorded_and_never_put_is_put_by_the_next_sweep(desk: Desk) -> None:
    now = datetime.now(UTC)
    deliver(desk, ago=2 * DAY)
    remind(desk.house, now)
    (before,) = notices(desk).items()
    for item in desk.objects(desk.settings.bucket_exchange):
        if "/notices/" in item.key:
            desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
    assert remind(desk.house, now + timedelta(minutes=5)) == Reminded(notices=1)
    assert list(notices(desk).items()) == [before]


@pytest.fixture
def command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with at_terminal(desk, monkeypatch):
        yield


@pytest.mark.usefixtures("command")
def test_the_list_shows_each_state_and_filters_by_it_and_ack_says_yes_once(desk: Desk) -> None:
    sent, overdue, theirs = deliver(desk), deliver(desk, ago=2 * DAY), deliver(desk, "telecom01")
    for words, expected in (
        ((), {sent: "SENT", theirs: "SENT", overdue: "OVERDUE"}),
        (("--state", "OVERDUE"), {overdue: "OVERDUE"}),
        (("--state", "sent", "--principal", "telecom01"), {theirs: "SENT"}),
        (("--state", "ESCALATED"), {}),
    ):
        listed = sluice("recipients", "list", *words)
        assert (listed.exit, listed.document["more"]) == (0, False)
        told = {line["exchange"]: line["state"] for line in listed.document["acknowledgements"]}
        assert told == {each.exchange_id: state for each, state in expected.items()}
    assert sluice("recipients", "list", "--state", "LOST").error == "SLU-304"

    first = sluice("recipients", "ack", sent.exchange_id[:8])
    second = sluice("recipients", "ack", sent.exchange_id, "--by", "somebody else")
    assert (first.exit, first.document["outcome"]) == (0, "ACKNOWLEDGED")
    assert (second.exit, second.document["outcome"]) == (1, "ALREADY_ACKNOWLEDGED")
    [line] = sluice("recipients", "list", "--state", "ACKNOWLEDGED").document["acknowledgements"]
    assert (line["acknowledged_by"], line["via"]) == (first.document["by"], "command")


@pytest.mark.slow
@pytest.mark.usefixtures("command")
def test_follow_reads_and_reminds_and_files_says_what_it_read(desk: Desk) -> None:
    from sluice.orchestration.follow import FollowAcknowledgements

    deliver(desk, ago=2 * DAY)
    desk.house.objects.put(desk.settings.bucket_exchange, "energy01/acks/x", b"garbage", "text/plain")
    told = sluice("recipients", "follow").document
    counts = {"outcomes": {"UNREADABLE": 1}, "reminded": 1, "escalated": 0, "notices": 2, "failed": 0}
    assert {name: told[name] for name in counts} == counts
    desk.house.objects.put(desk.settings.bucket_exchange, "energy01/acks/y", b"more garbage", "text/plain")
    sluice("recipients", "follow")
    files = [sluice("recipients", "files", "--limit", limit).document for limit in ("1", "2")]
    assert [(len(each["files"]), each["more"]) for each in files] == [(1, True), (2, False)]
    assert [(each["outcome"], each["exchange"]) for each in files[0]["files"]] == [("UNREADABLE", None)]
    for word in ("list", "files", "follow"):
        assert CliRunner().invoke(app, ["recipients", word]).exit_code == 0, "in words too"

    deliver(desk, ago=2 * DAY)
    told = FollowAcknowledgements(task_id="follow").work({})
    assert told == "{}, waiting: 0; reminded: 1, escalated: 0", "the operator does what the command does"
