"""What a case owes by time alone: it is forwarded, reminded, escalated, breached and extended when it says."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from rights.case.cases import NOW, arrive, notices, opened, order
from rights.case.cases import desk as desk  # the fixture
from sluice.errors import UsageError
from sluice.rights.case import store
from sluice.rights.case.clock_store import find_clocks
from sluice.rights.case.due import Due, due_actions, raised_alarms
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import LetterKind, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import extend, pause, paused_clock, settle_identity
from sluice.rights.due_steps import take_due
from sluice.rights.letters.write import write_letter
from sluice.rights.schedule import follow
from sluice.terms import SubjectKind
from support.desk import Desk


def test_forwarding_is_in_time_with_the_notice_as_proof(desk: Desk) -> None:
    phone = arrive(desk)
    iban = (SubjectKind.IBAN, "BE68 5390 0754 7034")
    case = opened(desk, principal=None, identifiers=[iban, (SubjectKind.PHONE, phone)])

    told = take_due(desk.house, NOW + timedelta(hours=1))

    assert (told.forwarded, told.late, told.failed) == (1, 0, 0)
    part = next(part for part in store.get_case(desk.house.conn, case.case_id).sub_cases if part.forwarded_at)
    assert part.state is State.AWAITING_INSTRUCTION
    notice = notices(desk, "energy01")[f"case-{part.sub_case_id}.json"]
    assert notice["identifiers"] == [[{"kind": "phone", "value": phone}]], "only what its own files know"
    assert case.case_id not in json.dumps(notice)
    stored = desk.house.objects.head(desk.settings.bucket_exchange, f"energy01/notices/case-{part.sub_case_id}.json")
    steps = store.list_steps(desk.house.conn, case.case_id)
    forwarded = next(step for step in steps if step.to_state is State.FORWARDED)
    assert stored is not None and forwarded.evidence_sha256 == stored.sha256
    assert forwarded.reason_code == "FORWARDED_IN_TIME"
    assert take_due(desk.house, NOW + timedelta(hours=2)).forwarded == 0


def test_late_forwarding_says_so(desk: Desk) -> None:
    case = opened(desk)
    assert take_due(desk.house, NOW + timedelta(hours=25)).late == 1
    codes = {step.reason_code for step in store.list_steps(desk.house.conn, case.case_id)}
    assert "FORWARDED_LATE" in codes


def test_killed_after_the_notice_the_rerun_goes_on(desk: Desk) -> None:
    case = opened(desk)
    desk.house.conn.execute("begin")
    take_due(desk.house, NOW)
    desk.house.conn.execute("rollback")

    assert take_due(desk.house, NOW).forwarded == 1
    assert len(notices(desk, "energy01")) == 1
    assert store.get_case(desk.house.conn, case.case_id).case_id == case.case_id


def test_reminded_escalated_and_breached_by_time_alone_each_once(desk: Desk) -> None:
    case = opened(desk)
    take_due(desk.house, NOW)
    days = [follow(desk.house, NOW + timedelta(days=day)) for day in range(1, 40)]

    assert [sum(getattr(day, name) for day in days) for name in ("reminded", "escalated", "breached", "failed")] == [
        3,
        1,
        1,
        0,
    ]
    stands = store.get_case(desk.house.conn, case.case_id)
    assert stands.is_breached
    assert next(part for part in stands.sub_cases if part.track is Track.PROCESSOR).state is State.ESCALATED


def test_the_hours_to_forward_never_begin_later_than_now(desk: Desk) -> None:
    early, late = NOW - timedelta(hours=5), NOW + timedelta(hours=5)
    due = [
        [part.forward_due_at for part in opened(desk, received=moment).sub_cases if part.forward_due_at]
        for moment in (early, NOW, late)
    ]
    assert due == [[early + timedelta(days=1)], [NOW + timedelta(days=1)], [NOW + timedelta(days=1)]]
    with pytest.raises(UsageError):
        opened(desk, received=NOW + timedelta(hours=12))


def test_an_extension_of_one_part_silences_no_other(desk: Desk) -> None:
    conn, received = desk.house.conn, datetime(2026, 3, 5, 12, tzinfo=UTC)
    case = opened(desk, received=received, now=received)
    take_due(desk.house, received)
    settle_identity(conn, case.case_id, True, order("IDENTITY_SHOWN", received))
    [ours] = [part for part in case.sub_cases if part.track is Track.CONTROLLER]
    extend(conn, case.case_id, order(iri("A12Complexity"), received), [ours.sub_case_id])
    write_letter(desk.house, case.case_id, LetterKind.EXTENSION, received)
    late, looked = date(2026, 5, 20), datetime(2026, 5, 20, 12, tzinfo=UTC)

    stands = store.get_case(conn, case.case_id)
    assert stands.is_extended and stands.last_day == date(2026, 4, 7), "the principal's part was extended by nobody"
    assert stands.last_day_of(next(part for part in stands.sub_cases if part.extended_at)) == date(2026, 6, 5)
    assert [(each.last_day, each.is_late) for each in raised_alarms([stands], late)] == [(date(2026, 4, 7), True)]
    assert [each.last_day for each in find_clocks(conn, 5, (late,)).nearest] == [date(2026, 4, 7)]
    assert [each.what for each in due_actions([stands], looked)] == [Due.ESCALATE, Due.BREACH]

    conn.execute("update sub_case set state = 'CLOSED' where case_id = %s and track = 'processor'", (case.case_id,))
    stands = store.get_case(conn, case.case_id)
    assert stands.last_day == date(2026, 6, 5), "the control: what is left was extended"
    assert [each.last_day for each in find_clocks(conn, 5, (late,)).nearest] == [date(2026, 6, 5)]
    assert not list(raised_alarms([stands], late)) and not due_actions([stands], looked)


def test_an_extension_comes_once_and_in_time(desk: Desk) -> None:
    case, conn = opened(desk), desk.house.conn
    settle_identity(conn, case.case_id, True, order("IDENTITY_SHOWN"))
    delay = iri("A12Complexity")
    with pytest.raises(TransitionRefused, match="before_the_month_is_over"):
        extend(conn, case.case_id, order(delay, datetime(2026, 12, 28, 12, tzinfo=UTC)))

    last = datetime(2026, 12, 27, 12, tzinfo=UTC)
    assert not extend(conn, case.case_id, order(delay, last)).is_extended, "the person was not told"
    write_letter(desk.house, case.case_id, LetterKind.EXTENSION, last)
    assert store.get_case(conn, case.case_id).is_extended

    with pytest.raises(TransitionRefused):
        extend(conn, case.case_id, order(delay))


def test_the_identity_pause_moves_only_the_paused_clock(desk: Desk) -> None:
    case, conn = opened(desk), desk.house.conn
    pause(conn, case.case_id, order(iri("A12IdentityRequired"), NOW + timedelta(days=1)))
    settle_identity(conn, case.case_id, True, order("IDENTITY_SHOWN", NOW + timedelta(days=8)))

    stands = store.get_case(conn, case.case_id)
    clock = paused_clock(stands, store.list_steps(conn, case.case_id))
    assert stands.due == case.due and clock.strict == case.due
    assert clock.legal_due == date(2027, 1, 1) or clock.legal_due == date(2027, 1, 4)
