"""Today names every case that waits for a person of the center, and none else."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from itertools import product

import pytest

from sluice.documents.words import LANGUAGES, words
from sluice.exchange import stop_store
from sluice.exchange.stops import resume_flow, stop_flow
from sluice.rights.case.desk_store import count_ours, find_by_hand, find_planned, find_restricted
from sluice.rights.case.letter_store import insert_letter
from sluice.rights.case.model import SYSTEM, Action, CaseId, LetterKind, Right, State, Track
from sluice.rights.case.next_step import NextStep, letters_to_post, step_of
from sluice.rights.case.store import CaseFilter, get_case, list_by_last_day, list_cases
from sluice.rights.case.transitions import TRANSITIONS
from sluice.rights.letters.write import note_opened, write_owed
from sluice.terms import Flow, Principal
from sluice.web.pages.app import MOUNT
from support.desk import ENERGY, Desk
from support.effort import chosen
from support.night import Call, Night
from web.desk_work import OWN, PREPARER, READS, case_of, said
from web.house import Web


@pytest.fixture
def pages(at_work: Web) -> Web:
    """A viewer at the pages."""
    return at_work.as_("vera:VIEWER")


def by_the_rules(desk: Desk) -> set[CaseId]:
    """Open cases of which the pure rules say that somebody of the center has to act."""
    conn = desk.house.conn
    cases = list_cases(conn)
    numbers = [case.case_id for case in cases]
    found = (find_planned(conn, numbers), find_restricted(conn, numbers), find_by_hand(conn, numbers))
    return {case.case_id for case in cases if step_of(case, *(each.get(case.case_id, ()) for each in found)).is_ours}


def matter(text: str) -> tuple[int, list[str]]:
    """How many cases Today says wait, and which of them it names."""
    found = re.search(r"<h2>Cases that wait for you <span class=\"count\">(\d+)</span>.*?</section>", text, re.S)
    return (int(found[1]), re.findall(rf'href="{MOUNT}/cases/([0-9a-f-]{{36}})', found[0])) if found else (0, [])


def test_today_names_the_cases_whose_next_step_is_ours(pages: Web, night: Night) -> None:
    """Most of them are weeks from their last day: no clock presses."""
    ours = by_the_rules(night.desk)
    count, named = matter(pages.get("/start?lang=en").text)
    assert (count, len(named)) == (len(ours), 4) and set(named) <= ours and len(ours) > 4
    assert words("en").say("pages.next.check_identity") in said(pages.get("/start?lang=en").text)
    [link] = re.findall(rf'href="{MOUNT}(/cases\?ours[^"]+)"', pages.get("/start?lang=en").text)
    listed = pages.get(unescape(link)).text
    rows = re.findall(r'<a href="/sluice/pages/cases/([0-9a-f-]{36})[^"]*"><code>', listed.partition("<tbody>")[2])
    assert set(rows) == ours and 'name="ours" value="true" checked' in listed
    for each in ours:
        night.desk.house.conn.execute("update subject_case set state = 'CLOSED' where case_id = %s", (each,))
    text = pages.get("/start?lang=en").text
    assert matter(text) == (0, []) and "Cases that wait for you" in said(text).partition("Nothing to do for:")[2]


@pytest.mark.parametrize(
    ("track", "action"), chosen([*product((Track.CONTROLLER, Track.PROCESSOR), Action)], 4), ids=lambda word: str(word)
)
def test_the_database_finds_the_cases_that_the_rules_say(night: Night, track: Track, action: Action) -> None:
    """In every state of a part and of its case, with a plan, a letter, a recipient that waits, and without, in part."""
    conn = night.desk.house.conn
    write_owed(night.desk.house, datetime.now(UTC))
    for case in list_cases(conn):
        about = tuple(part.sub_case_id for part in case.sub_cases)
        for receipt in case.letters if case.right is not Right.ACCESS else ():
            insert_letter(conn, replace(receipt, kind=LetterKind.COMPLETION, sub_cases=about))
            note_opened(conn, receipt, datetime.now(UTC), SYSTEM)
    differs = set()
    by_hand = set()
    for place, state in enumerate(sorted({row.target for row in TRANSITIONS if row.track is track})):
        told = ("OWED", None) if place % 2 else ("SENT", datetime.now(UTC))
        conn.execute("update notice set state = %s, told_at = %s where channel = 'desk'", told)
        conn.execute(
            """update sub_case set state = %(state)s, action = %(action)s,
                      action_fields = case when principal = %(in_part)s then field_groups[:1] else '{}' end
               where track = %(track)s and (may_answer or track = 'controller' or %(state)s <> 'ANSWERED')""",
            {"state": state, "track": track, "action": action, "in_part": ENERGY[0]},
        )
        for of_case in (State.RECEIVED, State.ID_PENDING, State.SCOPED, State.CLOSED):
            conn.execute("update subject_case set state = %s where \"right\" <> 'objection'", (of_case,))
            found = {case.case_id for case, _ in list_by_last_day(conn, CaseFilter(only_ours=True))}
            assert found == by_the_rules(night.desk), (state, of_case)
            assert {case.case_id for case in list_cases(conn, CaseFilter(only_ours=True))} == found
            assert count_ours(conn) == len(found)
            differs.add(len(found))
            by_hand.add(len(find_by_hand(conn, list(found))))
    assert len(differs) > 2 and {0, 1} <= by_hand, "the control: not always the same"


def test_a_letter_that_nobody_took_out_is_told_and_leads_to_its_button(pages: Web, night: Night) -> None:
    house, now = night.desk.house, datetime.now(UTC)
    number = case_of(night, Right.ACCESS)
    write_owed(house, now)
    house.conn.execute("update subject_case set state = 'ID_PENDING' where case_id = %s", (number,))
    case = get_case(house.conn, number)
    assert step_of(case) is NextStep.POST_LETTER and number in by_the_rules(night.desk)
    for language in LANGUAGES:
        text, post = pages.get(f"/cases/{number}?lang={language}").text, words(language).say("pages.next.post_letter")
        assert f'<strong>{post}</strong> <a href="#letters">' in text and 'id="letters"' in text
        assert f"<strong>{post}</strong>" in pages.get(f"/cases?right=access&lang={language}").text
    [letter] = letters_to_post(case)
    note_opened(house.conn, letter, now, SYSTEM)
    text = pages.get(f"/cases/{number}?lang={language}").text
    assert post not in said(text) and 'href="#letters"' not in text and number not in by_the_rules(night.desk)


@OWN
def test_a_return_that_was_superseded_leads_to_its_exchange_and_its_principal_mends_nothing(
    pages: Web, night: Night
) -> None:
    """Results came after a return was prepared: it is made again, and what waited is refused."""
    [line] = night.returns()
    link = f"/waiting/returns/{line.id}"
    assert link in pages.get("/start").text and pages.get(link).url.path == f"{MOUNT}{link}"
    night.called(Call("c9", *night.people(8)[7]), name="late.csv")
    night.make(by=PREPARER)
    refused = [each.reason_code for each in night.returns() if each.decision == "refused"]
    assert refused == ["STALE_NEWER_RETURN"]
    answer = pages.get(f"{link}?lang=fr")
    assert (answer.status_code, answer.url.path) == (200, f"{MOUNT}/exchanges/{line.id}")
    assert answer.url.query == b"lang=fr"
    for language in LANGUAGES:
        say = words(language).say
        text = pages.get(f"/start?lang={language}").text
        unwell = said(text.partition(say("pages.matter.unwell"))[2].partition("</section>")[0])
        assert say("pages.matter.unwell.do") in unwell and say("pages.way.outbound_return") in unwell
        assert "STALE_NEWER_RETURN" in unwell and say("pages.way.inbound") in unwell, "and the principal's own"


@READS
def test_the_list_of_cases_says_how_one_is_opened_and_a_wrong_number_where_they_are(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        text = pages.as_("bert:USER").get(f"/cases?lang={language}").text
        assert f'href="{MOUNT}/cases/new?lang={language}">{words(language).say("pages.open")}</a>' in text
        assert "<code>POST /sluice/api/v1/cases</code>" in text
        wrong = pages.get(f"/cases/00000000-0000-4000-8000-000000000000?lang={language}")
        assert wrong.status_code == 404 and "<code>sluice case list</code>" in wrong.text


@OWN
def test_today_names_the_flows_that_are_stopped_and_so_does_a_file_that_waits(pages: Web, night: Night) -> None:
    desk, flow, now = night.desk, (Principal(ENERGY[0]), Flow(ENERGY[1])), datetime.now(UTC)
    dropped = desk.drop(b"a;b\n1;2\n", "later.csv")
    desk.open_new()
    for is_stopped in (False, True):
        if is_stopped:
            stop_flow(desk.house.conn, *flow, "CONTRACT_WRONG", "an.peeters", now)
        for language in LANGUAGES:
            say = words(language)
            text = said(pages.get(f"/start?lang={language}").text)
            waits = said(pages.get(f"/exchanges/{desk.line(dropped).id}?lang={language}").text)
            heading = say.say("pages.matter.stops")
            assert (say.say("pages.still_open.stopped") in waits) is is_stopped
            assert (heading in text.partition(say.say("pages.start.quiet"))[2]) is not is_stopped
            told = (f"{heading} 1", "CONTRACT_WRONG", say.say("pages.line.stopped", by="an.peeters"),
                    say.count("pages.line.files", 1, n="1"))  # fmt: skip
            assert [each in text for each in told[:3]] == [is_stopped] * 3 and (not is_stopped or told[3] in text)
    resume_flow(desk.house.conn, *flow, "an.peeters", now)
    assert "CONTRACT_WRONG" not in said(pages.get(f"/start?lang={language}").text)


def test_every_flow_that_is_stopped_is_named(pages: Web, night: Night) -> None:
    """Unlike other matters they have no page of their own, so none of them may be left out."""
    conn, now = night.desk.house.conn, datetime.now(UTC)
    flows = [f"flow{at}" for at in range(6)]
    for flow in flows:
        stop_store.insert_stop(conn, Principal(ENERGY[0]), Flow(flow), "CONTRACT_WRONG", "an.peeters", now)
    text = said(pages.get("/start?lang=en").text)
    assert f"{words('en').say('pages.matter.stops')} 6" in text
    assert [flow for flow in flows if f"{ENERGY[0]} \N{MIDDLE DOT} {flow} " not in text] == []
