"""A case opens once, protects the person first, names nobody in PostgreSQL and refuses what it cannot do."""

import json
from datetime import date, timedelta

import psycopg
import pytest

from rights.case.cases import DESK, NOW, PHONE, arrive, entries, notices, opened, order
from rights.case.cases import desk as desk  # the fixture
from sluice.db import connect
from sluice.errors import DatabaseError, NotFound, UsageError
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights.case import store
from sluice.rights.case.errors import IdentifierInvalid, TransitionRefused
from sluice.rights.case.facts import ClockRefused
from sluice.rights.case.model import Protection, Right, State, Track
from sluice.rights.case.steps import advance
from sluice.rights.due_steps import take_due
from sluice.rights.opening import NewRequest, finish_openings, open_case
from sluice.rights.person.identifiers import parse_identifier
from sluice.rights.person.sealed import find_sealed, list_sealed
from sluice.terms import Principal, SubjectKind
from sluice.times import utc_text
from support.desk import Desk
from support.meanwhile import locked


def holds(desk: Desk) -> list[tuple[str, str, Protection]]:
    """Who was ever kept out: for which case, at which principal, why."""
    rows = desk.sql("select case_id::text as case_id, principal, reason from suppression_run order by made_at, run_id")
    return [(str(row["case_id"]), str(row["principal"]), Protection(str(row["reason"]))) for row in rows]


def test_a_person_is_protected_before_the_case_is_there(desk: Desk) -> None:
    with locked(desk.house, "subject_case"), pytest.raises(DatabaseError):
        opened(desk)
    assert store.list_cases(desk.house.conn) == []
    [(number, principal, reason)] = holds(desk)
    assert (principal, reason) == ("energy01", Protection.SOFT_HOLD)

    finish_openings(desk.house, NOW)

    [case] = store.list_cases(desk.house.conn)
    assert (case.case_id, case.state) == (number, State.RECEIVED)


def test_each_right_protects_as_it_says(desk: Desk) -> None:
    reasons: dict[Right, Protection | None] = {}
    for right in Right:
        case = opened(desk, right)
        reasons[right] = next((reason for each, _, reason in holds(desk) if each == case.case_id), None)

    assert reasons == {
        Right.ERASURE: Protection.SOFT_HOLD,
        Right.OBJECTION: Protection.SOFT_HOLD,
        Right.RECTIFICATION: Protection.SOFT_HOLD,
        Right.RESTRICTION: Protection.SOFT_HOLD,
        Right.DIRECT_MARKETING: Protection.OBJECTED,
        Right.CONSENT_WITHDRAWAL: Protection.CONSENT_WITHDRAWN,
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


def test_a_dead_opener_is_finished_from_the_seal(desk: Desk) -> None:
    with locked(desk.house, "suppression_run"), pytest.raises(DatabaseError):
        opened(desk)
    assert store.list_cases(desk.house.conn) == [] and holds(desk) == []

    later = NOW + timedelta(hours=2)
    assert finish_openings(desk.house, later) == (1, 0)

    (case,) = store.list_cases(desk.house.conn)
    assert (case.right, case.principal, case.opened_at) == (Right.ERASURE, "energy01", NOW)
    assert holds(desk) == [(case.case_id, "energy01", Protection.SOFT_HOLD)]
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
