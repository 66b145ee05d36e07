"""A person asks to be forgotten, and everybody who decides of it agrees."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sluice.rights.case.model import NOTHING, Action, Actor, Case, Order, Remedies, Right, Role, State
from sluice.rights.case.reasons import REMEDIES
from sluice.rights.case.steps import decide, settle_identity
from sluice.rights.case.store import get_case
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.release import draft, release
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.read_instructions import read_instruction
from sluice.terms import Principal, SubjectKind
from support.night import Night

DESK = Actor(Role.DESK, "anna")


def asked(night: Night, phone: str, record: str, *more: str) -> Case:
    """The person asks, all controllers decide to erase, and a second person releases the machine's plan.

    ``more``: their numbers at other principals."""
    case = decided(night, phone, record, more=more)
    let_go(night, case)
    return case


def let_go(night: Night, case: Case) -> None:
    """The machine plans, and somebody who decided nothing releases it."""
    draft(night.desk.house, case.case_id, "airflow", datetime.now(UTC))
    release(night.desk.house, case.case_id, "bert", datetime.now(UTC))


def decided(
    night: Night, phone: str, record: str, refused: Mapping[str, str] = NOTHING, more: Sequence[str] = ()
) -> Case:
    """The person asks, and both controllers decide to erase. ``refused``: groups that the center keeps, and why."""
    house, case_id = night.desk.house, assessed(night, phone, record, more).case_id
    given = Order(
        DESK, datetime.now(UTC), "ACCEPTED", "ab" * 32, refused, Remedies(REMEDIES["BE"], "nl"), action=Action.ERASE
    )
    decide(house.conn, case_id, State.PARTIAL if refused else State.ACCEPTED, given)
    return get_case(house.conn, case_id)


def assessed(night: Night, phone: str, record: str, more: Sequence[str] = ()) -> Case:
    """The person asks, and every controller but the center decides to erase."""
    house, now = night.desk.house, datetime.now(UTC)
    numbers = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, each) for each in (record, *more)]
    given = [(SubjectKind.PHONE, phone), *numbers]
    identifiers = [(kind, value) for kind, value in given if value]
    case = open_case(house, NewRequest(Right.ERASURE, identifiers, None, now, "letter", "nl", DESK), now)
    settle_identity(house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", "ab" * 32))
    take_due(house, now)
    for part in get_case(house.conn, case.case_id).sub_cases:
        if part.state is State.AWAITING_INSTRUCTION:
            said = {"case": part.sub_case_id, "decision": "erase"}
            key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
            stored = house.objects.put(night.desk.settings.bucket_exchange, key, json.dumps(said).encode(), "text/json")
            read_instruction(house, Principal(part.principal), stored, now)
    return get_case(house.conn, case.case_id)
