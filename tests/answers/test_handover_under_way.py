"""An answer to a controller and an erasure that meet, or a case that ended meanwhile, hold up nothing else."""

from pathlib import Path

import pytest

from answers.giving import now
from answers.handing import ENERGY, NEXT, SOLAR, asked, package_of, sent, there, with_controllers
from answers.handing import street as street  # the fixtures
from answers.handing import streets as streets
from answers.test_portability import BY_CONTRACT, GOING
from rights.town import DESK, Town, open_town, papers_of
from sluice.answers.handover import _open, ask_handover, handed_to, send_on
from sluice.answers.handover_due import hand_owed
from sluice.answers.handover_model import Handover
from sluice.answers.handover_record import NOTHING_LEFT
from sluice.answers.model import AnswerKind, ErasedMeanwhile, NothingPortable
from sluice.answers.next_controller import load_controller
from sluice.db import connect
from sluice.exchange.locks import try_lock
from sluice.exchange.model import Opened
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.erasure import control_store
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.terms import Decision, ExchangeId
from support.night import change


def left_open(town: Town, number: int, erasure: Case) -> tuple[Case, ExchangeId]:
    """A case whose answer gave up because an erasure ran, and the exchange of that answer."""
    answer = asked(town, number)
    control_store.begin_run(town.house.conn, erasure.case_id)
    with pytest.raises(ErasedMeanwhile):
        sent(town, answer)
    [left] = [line.id for line in town.desk.lines() if line.decision == "open"]
    return answer, ExchangeId(left)


def test_an_answer_to_a_controller_and_an_erasure_do_not_wait_for_each_other(town: Town) -> None:
    erasure = asked(town, 1, Right.ERASURE, Action.ERASE)
    answer, left = left_open(town, 0, erasure)
    assert hand_owed(town.house, now()) == (0, 0), "it waits for the erasure, which is no failure"

    assert run(town.house, erasure.case_id, now()).waiting == 0
    assert issue(town.house, erasure.case_id)

    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    assert handed.opened.exchange_id == left and town.people[0].phone in package_of(town, handed).text


def test_an_erasure_waits_for_another_request_of_the_same_person_and_keeps_no_other_erasure(town: Town) -> None:
    erasure = asked(town, 0, Right.ERASURE, Action.ERASE)
    answer, _ = left_open(town, 0, erasure)

    report = run(town.house, erasure.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1), "what told energy01 of the other request"
    with pytest.raises(NotProven):
        issue(town.house, erasure.case_id)
    other = asked(town, 1, Right.ERASURE, Action.ERASE)
    assert run(town.house, other.case_id, now()).waiting == 0, "nobody else waits"
    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    ended = show_exchange(town.house.conn, handed.opened.exchange_id).record
    assert ended is not None and ended.decision is not Decision.ACCEPTED
    keys = [item.key for item in there(town, "solar01/outbound/")]
    assert handed.opened.key not in keys, "of a person who was erased nothing goes"
    town.house.conn.execute("update sub_case set state = 'CLOSED' where case_id = %s", (answer.case_id,))
    assert verify(town.house, erasure.case_id, now()).residual == 1, "control: of a case that is over it is a residue"
    assert run(town.house, erasure.case_id, now()).residual == 0, "the next run takes it away"
    assert issue(town.house, erasure.case_id)


def test_nothing_is_certified_while_an_answer_is_being_made_whenever_it_was_opened(town: Town) -> None:
    erasure = asked(town, 0, Right.ERASURE, Action.ERASE)
    answer, left = left_open(town, 1, erasure)
    for again in (run, verify):  # the second time, it was opened before; the third, after the person was kept out
        with connect(town.desk.settings) as beside, try_lock(beside, left) as is_ours:
            assert is_ours and again(town.house, erasure.case_id, now()).waiting == 1
            with pytest.raises(NotProven):
                issue(town.house, erasure.case_id)
    town.house.conn.execute("update exchange set opened_at = now() where exchange_id = %s", (left,))
    with connect(town.desk.settings) as beside, try_lock(beside, left):
        assert verify(town.house, erasure.case_id, now()).waiting == 1
    assert run(town.house, erasure.case_id, now()).waiting == 0
    assert issue(town.house, erasure.case_id)

    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    assert handed.opened.exchange_id == left and town.people[1].phone in package_of(town, handed).text


def test_what_was_left_open_of_a_case_that_is_over_ends_without_a_package_and_keeps_no_other_waiting(
    town: Town,
) -> None:
    """A key that no rule can read stands for a fault that nobody foresaw; it is met first."""
    receiver, opened = load_controller(town.desk.settings, "solar01", now()), list[Opened]()
    for number in (0, 1):
        case = asked(town, number)
        handover = Handover(case.case_id, AnswerKind.PORTABILITY, ENERGY, receiver)
        opened.append(_open(town.house, handover, None, now()))
        town.desk.sql(f"update subject_case set state = 'CLOSED' where case_id = '{case.case_id}' returning 1")
    broken, whole = opened
    town.desk.sql(f"update exchange set key = 'x' where exchange_id = '{broken.exchange_id}' returning 1")
    waiting = asked(town, 2)
    ask_handover(town.house, waiting.case_id, "solar01", "LETTER-3", now(), DESK)

    before = {item.key for item in there(town, "solar01/outbound/")}
    assert hand_owed(town.house, now()) == (1, 1)

    assert show_exchange(town.house.conn, broken.exchange_id).record is None
    record = show_exchange(town.house.conn, whole.exchange_id).record
    assert record is not None and (record.decision, record.reason_code) == (Decision.REFUSED, NOTHING_LEFT)
    [handed] = handed_to(town.house, waiting.case_id, "solar01")
    sent_now = {o.key for o in there(town, "solar01/outbound/") if o.key.endswith(".zip")} - before
    assert sent_now == {handed.opened.key}


def test_a_principal_of_which_nothing_may_be_taken_along_keeps_no_other_waiting(
    store_settings: Settings, tmp_path: Path
) -> None:
    """energy01 comes first, and its data rests on no contract with the person."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING)
    for edit in BY_CONTRACT:
        change(settings.principals_dir / ENERGY / edit.file, edit.new, edit.old)
    text = NEXT.replace("solar01", "next02").replace("prefix: next02", "prefix: telecom01")
    with open_town(with_controllers(settings, tmp_path, next02=text), tmp_path, [ENERGY, SOLAR], 2) as town:
        town.arrive(ENERGY, town.people)
        town.arrive(SOLAR, town.people[:1])
        case = asked(town, 0)
        ask_handover(town.house, case.case_id, "next02", "LETTER-4", now(), DESK)

        assert hand_owed(town.house, now()) == (1, 0)

        [handed] = handed_to(town.house, case.case_id, "next02")
        assert handed.opened.principal == SOLAR and handed.is_there
        assert case.sub_cases[0].principal == ENERGY
        other = asked(town, 1)
        ask_handover(town.house, other.case_id, "next02", "LETTER-5", now(), DESK)
        with pytest.raises(NothingPortable):
            send_on(town.house, other.case_id, "next02", now())
