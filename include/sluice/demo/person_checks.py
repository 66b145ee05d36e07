"""Evidence of the persons' story, from what the principals and the person have."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sluice.demo.forged import rewritten
from sluice.demo.person import BATCH, ENERGY, RELEASER, TELECOM, Person
from sluice.demo.story import Check
from sluice.exchange.house import House
from sluice.exchange.read import show_exchange
from sluice.ledger.model import SignatureInvalid
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import State
from sluice.rights.erasure.certificate_check import verify_certificate


def person_checks(house: House, told: Person) -> Iterator[Check]:
    """Yield every line of evidence about the persons."""
    yield from _found_checks(told)
    yield from _decision_checks(told)
    yield from _erasure_checks(house, told)
    yield from _after_checks(house, told)


def _found_checks(told: Person) -> Iterator[Check]:
    copies = {name: [each for each in told.before if each.principal == name] for name in (ENERGY, TELECOM)}
    returned = sum(each.direction == "outbound_return" for each in told.before)
    figure = f"{len(copies[ENERGY])} of energy01, {len(copies[TELECOM])} of telecom01; {returned} of returns"
    yield Check("copies that name the person", figure, all(copies.values()) and returned > 0)
    yield Check("kept out before anybody decided", ", ".join(told.reasons), "soft_hold" in told.reasons)
    names = (ENERGY.encode(), TELECOM.encode())
    leaks = sum(
        any(other in notice for other in names if other != name.encode()) for name, notice in told.forwarded.items()
    )
    figure = f"{len(told.forwarded)} principals told, {leaks} notices name another"
    yield Check("each principal learns of its own part only", figure, len(told.forwarded) == 2 and not leaks)


def _decision_checks(told: Person) -> Iterator[Check]:
    due = told.case.due
    figure = f"received {due.received}, answer by {due.legal_due}, extended {due.extended_due}"
    is_today = due.received == received_on(told.case.opened_at)
    in_time = timedelta(28) <= due.legal_due - due.received < due.extended_due - due.received <= timedelta(100)
    yield Check("the legal clock", figure, is_today and in_time)
    figure = "refused" if told.planner_refused else "RELEASED"
    yield Check(f"who planned the erasure releases it; {RELEASER} may", figure, told.planner_refused)


def _erasure_checks(house: House, told: Person) -> Iterator[Check]:
    report = told.report
    gone = sum(line.rows_before - line.rows_after for line in report.lines)
    figure = (
        f"{gone} rows gone; {report.residual} found again in {report.objects_scanned} objects, {report.doubts} unread"
    )
    yield Check("one person, erased and scanned again", figure, gone > 0 and report.residual == 0 == report.doubts)
    public = house.keyring.public_pem
    valid = sum(_is_valid(each.jws, public) for each in told.certificates)
    first = told.certificates[0].jws
    is_refused = _is_valid(rewritten(first), public) and not _is_valid(rewritten(first, _one_object_more), public)
    figure = f"{valid} of {len(told.certificates)}; forged: {'refused' if is_refused else 'ACCEPTED'}"
    yield Check("certificates that hold", figure, valid == len(told.certificates) > 0 and is_refused)
    batch = told.batch_report
    figure = f"{told.batch.persons:,} persons: {batch.residual} found again in {batch.objects_scanned} objects"
    yield Check(
        "a batch, erased in one pass", figure, told.batch.persons == BATCH and batch.residual == 0 == batch.doubts
    )


def _is_valid(jws: bytes, public: bytes) -> bool:
    try:
        return verify_certificate(jws, public)["residual"] == 0
    except SignatureInvalid:
        return False


def _one_object_more(said: dict[str, Any]) -> None:
    said["objects_scanned"] += 1


def _after_checks(house: House, told: Person) -> Iterator[Check]:
    back = told.again
    record = show_exchange(house.conn, back.line.id).record
    held = record.right_treatment.held_back if record else {}
    figure = f"{back.line.rows_in} rows in, {held.get('erased', 0)} kept out as erased"
    yield Check("the person in a later file, spelled otherwise", figure, held.get("erased") == 1)
    told_names = sorted({each.recipient for each in told.recipients})
    sent = sum(each.told_at is not None for each in told.recipients)
    figure = f"{sent} of {len(told.recipients)} told: {', '.join(told_names)}"
    yield Check("recipients of Art. 19", figure, sent == len(told.recipients) > 0)
    states = sorted({part.state.value for part in told.case.sub_cases})
    wanted = {State.CLOSED, State.CONFIRMED_TO_CONTROLLER, State.ANSWERED, State.RECIPIENTS_NOTIFIED}
    yield Check(
        "where the person's case stands",
        f"{told.case.state}; parts {', '.join(states)}; letter {told.letter.name}",
        told.letter.stat().st_size > 0 and all(part.state in wanted for part in told.case.sub_cases),
    )
