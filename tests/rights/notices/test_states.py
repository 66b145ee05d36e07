"""Every move of a notice there is, when time asks for one, that the page shows the same, and how it is answered."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from sluice.documents.words import words
from sluice.rights.case.model import Action, CaseId, SubCaseId
from sluice.rights.instruction_rules import NAME
from sluice.rights.notices.model import Channel, Notice, NoticeId, NoticeState, Side
from sluice.rights.notices.states import ANSWER_WITHIN, DONE_WITHIN, MOVES, WAITING, due_move, moved

S = NoticeState
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "cases.md"
NOTICE = Notice(
    notice_id=NoticeId("n"),
    sub_case_id=SubCaseId("s"),
    case_id=CaseId("c"),
    principal="energy01",
    recipient="energy01",
    name="Energy One NV",
    side=Side.RECIPIENT,
    channel=Channel.PREFIX,
    action=Action.ERASE,
    field_groups=("disposition",),
    exchanges=(),
    state=S.OWED,
    found_at=NOW,
)
SAID = frozenset({S.ACKNOWLEDGED, S.DONE})
"""What only a recipient says."""


def at(*states: NoticeState) -> Notice:
    """A notice that went through these states, a day apart."""
    notice = NOTICE
    for number, state in enumerate(states):
        notice = moved(notice, state, NOW + number * DAY)
    return notice


def test_every_pair_of_states_is_a_move_or_is_not() -> None:
    for source, target in product(S, S):
        notice = replace(NOTICE, state=source, due_at=NOW)
        if target in MOVES[source]:
            assert moved(notice, target, NOW).state is target
        else:
            with pytest.raises(AssertionError):
                moved(notice, target, NOW)


def test_time_alone_never_says_what_only_a_recipient_can_say() -> None:
    for state, channel, days in product(S, Channel, range(0, 4000, 7)):
        notice = replace(NOTICE, state=state, channel=channel, due_at=NOW if state in WAITING else None)
        assert due_move(notice, NOW + days * DAY) not in SAID


def test_nothing_is_due_in_time_and_the_due_moment_is_in_time() -> None:
    sent = at(S.SENT)
    assert sent.due_at == NOW + ANSWER_WITHIN
    assert due_move(sent, sent.due_at) is None
    assert due_move(sent, sent.due_at + timedelta(seconds=1)) is S.OVERDUE
    assert not moved(sent, S.DONE, sent.due_at).was_late
    assert moved(sent, S.DONE, sent.due_at + timedelta(seconds=1)).was_late


def test_what_was_acknowledged_has_a_term_of_its_own_and_was_late_stays() -> None:
    late = moved(at(S.SENT, S.OVERDUE, S.REMINDED), S.ACKNOWLEDGED, NOW + 9 * DAY)
    assert late.was_late and late.due_at == NOW + 9 * DAY + DONE_WITHIN
    assert moved(late, S.DONE, NOW + 10 * DAY).was_late


def test_a_recipient_without_a_prefix_is_not_reminded_by_a_file_but_escalated_to_the_desk() -> None:
    notice = replace(at(S.SENT, S.OVERDUE), channel=Channel.DESK)
    assert notice.due_at is not None
    assert {due_move(notice, notice.due_at + days * DAY) for days in range(1, 14)} == {None}
    assert due_move(notice, notice.due_at + 14 * DAY) is S.ESCALATED


def test_the_page_shows_these_moves() -> None:
    part = PAGE.read_text().split("### How far a recipient is")[1].split("```")[1]
    shown = re.findall(r"^    (\w+|\[\*\]) --> (\w+|\[\*\])$", part, re.MULTILINE)
    moves = {(str(source), str(target)) for source, targets in MOVES.items() for target in targets}
    assert set(shown) == moves | {("[*]", "OWED"), ("DONE", "[*]")}


@pytest.mark.parametrize("language", ["nl", "fr", "en"])
def test_a_forwarded_request_says_how_its_answer_is_named_and_what_it_holds(language: str) -> None:
    said = words(language).say("controller.FORWARDED")
    name = next(word for word in said.split() if word.startswith("instruction-"))

    assert NAME.fullmatch(name), "a file of this name is read as an instruction"
    assert [word for word in ("requests/", "`case`", "`decision`", "`decisions`") if word not in said] == []
    assert "instruction-" not in words(language).say("controller.WITHDRAWN"), "control: nothing is asked there"
