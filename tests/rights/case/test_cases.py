"""A request from its first word to its close, on real stores: protected first, recorded always, and apart."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from desk import Desk
from meanwhile import locked
from rights.case.test_guards import passing
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import DatabaseError, NotFound, UsageError
from sluice.exchange.house import open_house
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.ledger.verify import verify
from sluice.rights.case import store
from sluice.rights.case.clock_store import find_clocks
from sluice.rights.case.due import Due, due_actions, raised_alarms
from sluice.rights.case.errors import IdentifierInvalid, TransitionRefused
from sluice.rights.case.facts import ClockRefused
from sluice.rights.case.model import (
    Action,
    Actor,
    Case,
    Flag,
    Hold,
    LetterKind,
    Order,
    Remedies,
    Right,
    Role,
    State,
    Track,
)
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import advance, decide, extend, pause, paused_clock, set_flag, settle_identity, withdraw
from sluice.rights.case.transitions import TRANSITIONS
from sluice.rights.due_steps import take_due
from sluice.rights.holds import hold_ends
from sluice.rights.letters.write import write_letter
from sluice.rights.opening import NewRequest, finish_openings, open_case
from sluice.rights.person.identifiers import parse_identifier
from sluice.rights.person.sealed import find_sealed, list_sealed
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import utc_text

SHA = "ab" * 32
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DESK = Actor(Role.DESK, "anna")
PHONE = (SubjectKind.PHONE, "0470 12 34 56")


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose papers are known since January, so that a request may come on any day of the tests."""
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        yield Desk(house, tmp_path)


def order(code: str = "AS_ASKED", at: datetime = NOW, actor: Actor = DESK, **more: object) -> Order:
    return Order(actor, at, code, SHA, **more)  # type: ignore[arg-type]


def opened(
    desk: Desk,
    right: Right = Right.ERASURE,
    principal: str | None = "energy01",
    received: datetime | date = NOW,
    identifiers: Sequence[tuple[SubjectKind, str]] = (PHONE,),
    now: datetime = NOW,
) -> Case:
    named = Principal(principal) if principal else None
    return open_case(desk.house, NewRequest(right, identifiers, named, received, "letter", "nl", DESK), now)


def holds(desk: Desk) -> list[tuple[str, str, Hold]]:
    """Who was ever kept out: for which case, at which principal, why."""
    rows = desk.sql("select case_id::text as case_id, principal, reason from suppression_run order by made_at, run_id")
    return [(str(row["case_id"]), str(row["principal"]), Hold(str(row["reason"]))) for row in rows]


def entries(desk: Desk, case_id: str) -> list[dict[str, object]]:
    rows = desk.house.conn.execute(
        "select chain, body from ledger.entry where kind like 'case.%%' order by appended_at, chain, seq"
    ).fetchall()
    bodies = [{"chain": row["chain"], **json.loads(row["body"])} for row in rows]
    return [body for body in bodies if body.get("case_id") == case_id]


def notices(desk: Desk, principal: str) -> dict[str, dict[str, object]]:
    bucket = desk.settings.bucket_exchange
    found = desk.house.objects.list_versions(bucket, f"{principal}/notices/")
    return {item.key.rsplit("/", 1)[-1]: json.loads(desk.house.objects.read(bucket, item.key)) for item in found}


def arrive(desk: Desk) -> str:
    """Accept one campaign file of energy01; a phone number in it, as written."""
    path, _ = desk.campaign(rows=30)
    dropped = desk.drop(path, "renewal_campaign_20261125.csv")
    desk.work()
    assert desk.line(dropped).decision in ("accepted", "partly_accepted")
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";")
    phones = (row["phone"] for row in rows)
    return next(phone for phone in phones if len(phone) > 8)


def test_a_person_is_protected_before_the_case_is_there(desk: Desk) -> None:
    with locked(desk.house, "subject_case"), pytest.raises(DatabaseError):
        opened(desk)
    assert store.list_cases(desk.house.conn) == []
    [(number, principal, reason)] = holds(desk)
    assert (principal, reason) == ("energy01", Hold.SOFT_HOLD)

    finish_openings(desk.house, NOW)

    [case] = store.list_cases(desk.house.conn)
    assert (case.case_id, case.state) == (number, State.RECEIVED)


def test_each_right_protects_as_it_says(desk: Desk) -> None:
    reasons: dict[Right, Hold | None] = {}
    for right in Right:
        case = opened(desk, right)
        reasons[right] = next((reason for each, _, reason in holds(desk) if each == case.case_id), None)

    assert reasons == {
        Right.ERASURE: Hold.SOFT_HOLD,
        Right.OBJECTION: Hold.SOFT_HOLD,
        Right.RECTIFICATION: Hold.SOFT_HOLD,
        Right.RESTRICTION: Hold.SOFT_HOLD,
        Right.DIRECT_MARKETING: Hold.OBJECTED,
        Right.CONSENT_WITHDRAWAL: Hold.CONSENT_WITHDRAWN,
        Right.ACCESS: None,
        Right.PORTABILITY: None,
    }


def test_parts_are_per_controller_and_every_beginning_is_in_the_ledger(desk: Desk) -> None:
    case = opened(desk)

    by_track = {part.track: part for part in case.sub_cases}
    assert set(by_track) == {Track.PROCESSOR, Track.CONTROLLER}
    assert "identity" in by_track[Track.PROCESSOR].field_groups
    assert {"callback", "agent_ref"} <= set(by_track[Track.CONTROLLER].field_groups)
    assert by_track[Track.PROCESSOR].forward_due_at == NOW + timedelta(hours=24)
    written = {(body["chain"], body["to_state"]) for body in entries(desk, case.case_id)}
    assert written == {("center.cases", "RECEIVED"), ("DPA-ENERGY01", "SCOPED")}
    assert case.due.legal_due == date(2026, 12, 28) and case.due.extended_due == date(2027, 2, 25)


def test_only_principals_that_know_the_person_get_a_part(desk: Desk) -> None:
    phone = arrive(desk)

    case = opened(desk, principal=None, identifiers=[(SubjectKind.PHONE, phone)])

    assert {part.principal for part in case.sub_cases} == {"energy01"}
    assert all(part.has_hit and part.identifiers == (0,) for part in case.sub_cases)
    assert {name for _, name, _ in holds(desk)} >= {"energy01", "telecom01"}, "others may yet send the person"


def test_somebody_nobody_knows_is_answered_by_the_center(desk: Desk) -> None:
    case = opened(desk, principal=None)

    (part,) = case.sub_cases
    assert (part.principal, part.agreement_id, part.track) == ("center", None, Track.CONTROLLER)
    assert {"energy01", "telecom01", "bank01"} <= set(case.searched)
    take_due(desk.house, NOW)
    assert notices(desk, "energy01") == {}


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


def test_a_dead_opener_is_finished_from_the_seal(desk: Desk) -> None:
    with locked(desk.house, "suppression_run"), pytest.raises(DatabaseError):
        opened(desk)
    assert store.list_cases(desk.house.conn) == [] and holds(desk) == []

    later = NOW + timedelta(hours=2)
    assert finish_openings(desk.house, later) == (1, 0)

    (case,) = store.list_cases(desk.house.conn)
    assert (case.right, case.principal, case.opened_at) == (Right.ERASURE, "energy01", NOW)
    assert holds(desk) == [(case.case_id, "energy01", Hold.SOFT_HOLD)]
    [held] = desk.house.conn.execute("select body from ledger.entry where kind = 'suppression.changed'").fetchall()
    assert json.loads(held["body"])["changed_at"] == utc_text(later), "held by the sweep that finished it"
    assert finish_openings(desk.house, NOW) == (0, 0)


def test_no_identifier_and_no_reference_is_in_postgresql(desk: Desk) -> None:
    case = opened(desk)
    take_due(desk.house, NOW)
    suppressed = find_suppressed(desk.house, Principal("energy01"))
    assert suppressed is not None and suppressed.height
    refs = suppressed["ref"].to_list()
    dumped = "".join(
        str(row)
        for table in ("subject_case", "sub_case", "case_transition", "request_file", "instruction", "suppression_run")
        for row in desk.sql(f"select t::text from {table} t")
    ) + json.dumps(entries(desk, case.case_id))
    for secret in (*refs, PHONE[1], "32470123456", "470123456"):
        assert secret not in dumped
    sealed = find_sealed(desk.house, case.subject_key)
    assert sealed is not None and sealed.envelope.identifiers[0].value == PHONE[1]
    assert PHONE[1] not in repr(sealed) and b"470" not in desk.house.objects.read(sealed.bucket, sealed.key)[:200]
    assert [case_id for case_id, _ in list_sealed(desk.house)] == [case.case_id]


def test_a_controller_part_goes_all_the_way_and_closes(desk: Desk) -> None:
    case = opened(desk, principal=None)
    part = case.sub_cases[0].sub_case_id
    conn = desk.house.conn
    settle_identity(conn, case.case_id, True, order("IDENTITY_SHOWN"))
    decide(conn, case.case_id, State.ACCEPTED, order("ACCEPTED", action=Action.ERASE))
    for state in (State.EXECUTING, State.RECIPIENTS_NOTIFIED, State.ANSWERED, State.PROVEN, State.CLOSED):
        done = advance(conn, case.case_id, state, order("DONE_STEP", residue=0, untold=0), part)

    assert done.state is State.CLOSED
    assert verify(conn, public_pem=desk.house.keyring.public_pem).valid
    assert len(store.list_steps(conn, case.case_id)) == len(entries(desk, case.case_id)) == 14


def test_a_refusal_keeps_its_reasons_and_remedies(desk: Desk) -> None:
    case = opened(desk)
    settle_identity(desk.house.conn, case.case_id, True, order("IDENTITY_SHOWN"))
    legal = iri("A17LegallyRequired")
    refusal = order(legal, reasons={"*": legal}, remedies=Remedies("remedies.be", "nl"))

    decide(desk.house.conn, case.case_id, State.REFUSED, refusal)

    step = store.list_steps(desk.house.conn, case.case_id)[-1]
    assert set(step.reasons.values()) == {legal} and len(step.reasons) == len(case.sub_cases[1].field_groups or (1,))
    assert (step.remedies_ref, step.remedies_language) == ("remedies.be", "nl")


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


def test_withdrawn_ends_every_part_and_tells_who_was_told(desk: Desk) -> None:
    case = opened(desk)
    take_due(desk.house, NOW)
    told = next(part.sub_case_id for part in case.sub_cases if part.track is Track.PROCESSOR)

    done = withdraw(desk.house.conn, case.case_id, order("SUBJECT_ASKED"))

    assert {part.state for part in done.sub_cases} == {done.state} == {State.WITHDRAWN_BY_SUBJECT}
    assert follow(desk.house, NOW).withdrawn == 1
    assert notices(desk, "energy01")[f"case-{told}-withdrawn.json"]["case"] == told
    assert follow(desk.house, NOW).withdrawn == 0


def kept_out(desk: Desk) -> set[tuple[str, str]]:
    rows = desk.sql("select principal, reason from suppression_run where lifted_at is null")
    return {(str(row["principal"]), str(row["reason"])) for row in rows}


def test_a_hold_ends_with_the_request_and_an_upheld_objection_stays_out(desk: Desk) -> None:
    house, conn = desk.house, desk.house.conn

    def ask(right: Right) -> Case:
        return open_case(house, NewRequest(right, [PHONE], Principal("energy01"), NOW, "mail", "nl", DESK), NOW)

    taken_back = ask(Right.ERASURE)
    assert follow(house, NOW).released == 0 and kept_out(desk) == {("energy01", "soft_hold")}
    withdraw(conn, taken_back.case_id, order("SUBJECT_ASKED"))
    assert follow(house, NOW).released == 1 and kept_out(desk) == set()

    upheld = ask(Right.OBJECTION)
    settle_identity(conn, upheld.case_id, True, order("IDENTITY_SHOWN"))
    assert follow(house, NOW).released == 0
    decide(conn, upheld.case_id, State.ACCEPTED, order("ACCEPTED", action=Action.STOP))
    assert follow(house, NOW).released == 1 and kept_out(desk) == {("energy01", "objected")}
    assert follow(house, NOW).released == 0


def test_a_dispute_about_accuracy_holds_until_what_is_right_is_known() -> None:
    case = passing(next(row for row in TRANSITIONS if row.track is Track.CONTROLLER)).case
    part = replace(case.sub_cases[0], action=Action.RECTIFY)
    for state, ends in ((State.ACCEPTED, False), (State.EXECUTING, True), (State.RECIPIENTS_NOTIFIED, True)):
        disputed = replace(case, right=Right.RECTIFICATION, sub_cases=(replace(part, state=state),))
        assert hold_ends(disputed, "energy01") == ends


@pytest.mark.parametrize(("state", "ends"), [(State.ACCEPTED, False), (State.EXECUTING, True), (State.CLOSED, True)])
def test_a_restriction_takes_the_place_of_the_hold_once_it_is_in_force(state: State, ends: bool) -> None:
    case = passing(next(row for row in TRANSITIONS if row.track is Track.CONTROLLER)).case
    part = replace(case.sub_cases[0], state=state, action=Action.RESTRICT)
    assert hold_ends(replace(case, sub_cases=(part,)), "energy01") == ends
    assert not hold_ends(replace(case, sub_cases=(part, replace(part, action=None, state=State.SCOPED))), "energy01")
    assert hold_ends(replace(case, sub_cases=(replace(part, action=Action.REFUSE),)), "energy01")
    assert not hold_ends(case, "bank01") and hold_ends(replace(case, state=State.CLOSED), "bank01")


def test_a_complaint_stays(desk: Desk) -> None:
    case = opened(desk)
    assert set_flag(desk.house.conn, case.case_id, Flag.COMPLAINT, order("COMPLAINT_GBA")).has_complaint
    with pytest.raises(TransitionRefused, match="deadline_has_passed"):
        set_flag(
            desk.house.conn, case.case_id, Flag.BREACHED_DEADLINE, order("X_PASSED", actor=Actor(Role.SYSTEM, "s"))
        )


def test_the_application_role_cannot_rewrite_history(desk: Desk) -> None:
    opened(desk)
    for statement in (
        "update case_transition set to_state = 'CLOSED'",
        "delete from case_transition",
        "truncate case_transition",
        "delete from subject_case",
        "delete from sub_case",
        "update subject_case set legal_due = legal_due + 30",
        "update sub_case set principal = 'bank01'",
        "delete from instruction",
    ):
        with connect(desk.settings) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement.encode())


def test_a_refused_step_leaves_nothing_behind(desk: Desk) -> None:
    case = opened(desk)
    before = len(entries(desk, case.case_id))
    with pytest.raises(TransitionRefused, match="no_such_step"):
        advance(desk.house.conn, case.case_id, State.CLOSED, order())
    assert len(entries(desk, case.case_id)) == before
    assert store.get_case(desk.house.conn, case.case_id) == case


def test_bad_input_is_refused_without_quoting_it(desk: Desk) -> None:
    for wrong in ((SubjectKind.PHONE, "0000000000"), (SubjectKind.EMAIL, "n/a"), (SubjectKind.IBAN, "BE00 1")):
        with pytest.raises(IdentifierInvalid) as refused:
            opened(desk, identifiers=[PHONE, wrong])
        assert "identifier 2" in str(refused.value) and wrong[1] not in str(refused.value)
    with pytest.raises(IdentifierInvalid):
        parse_identifier("shoe:42", 1)
    with pytest.raises(NotFound):
        opened(desk, principal="nobody01")
    with pytest.raises(UsageError):
        opened(desk, received=date(2026, 11, 26))
    with pytest.raises(ClockRefused):
        opened(desk, received=date(2017, 1, 1))
    with pytest.raises(UsageError):
        open_case(desk.house, NewRequest(Right.ACCESS, [PHONE], None, NOW, "file", "nl", DESK), NOW)
    assert store.list_cases(desk.house.conn) == [] and holds(desk) == []
    assert list_sealed(desk.house) == [], "nothing lies there that can never be opened"


def test_a_case_whose_key_is_gone_cannot_be_read(desk: Desk) -> None:
    case = opened(desk)
    desk.house.keyring.destroy(Principal("_cases"), "quarantine")
    told = take_due(desk.house, NOW)
    assert (told.forwarded, told.failed) == (0, 1)
    assert store.get_case(desk.house.conn, case.case_id).sub_cases == case.sub_cases
