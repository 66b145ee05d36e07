"""The page of a notice that the desk tells: what it is about, and a text to send. No value of a person."""

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from rights.asking import DESK
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.book import open_book
from sluice.rights.case.model import Letter, LetterKind, Order, Right, State, Track
from sluice.rights.case.steps import settle_identity
from sluice.rights.case.store import get_case
from sluice.rights.due_steps import take_due
from sluice.rights.finish import finish
from sluice.rights.notices.model import Channel, Notice
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.notices.tell import tell
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.rectify import ask
from sluice.rights.person.wanted import Wanted
from sluice.rights.read_instructions import read_instruction
from sluice.terms import Principal, Sha256, SubjectKind
from sluice.web.pages import cases as case_pages
from support.night import Night
from web.desk_work import OWN, READS, said
from web.house import Web

ENERGY = Principal("energy01")
RIGHT = "Rechtplein 17"


@pytest.fixture
def pages(at_work: Web) -> Web:
    """A viewer at the pages."""
    return at_work.as_("vera:VIEWER")


def rectified(night: Night) -> str:
    """The street of somebody was corrected; the notice about it."""
    house, now, (record, phone) = night.desk.house, datetime.now(UTC), night.people(1)[0]
    given = [(SubjectKind.PHONE, phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, record)]
    case = open_case(house, NewRequest(Right.RECTIFICATION, given, ENERGY, now, "mail", "nl", DESK), now)
    settle_identity(house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", "ab" * 32))
    ask(house, case.case_id, Wanted({"street": RIGHT}, now))
    take_due(house, now)
    for part in get_case(house.conn, case.case_id).sub_cases:
        if part.state is State.AWAITING_INSTRUCTION:
            said_so = json.dumps({"case": part.sub_case_id, "decision": "rectify"}).encode()
            key = f"{ENERGY}/requests/instruction-{part.sub_case_id}.json"
            stored = house.objects.put(night.desk.settings.bucket_exchange, key, said_so, "text/json")
            read_instruction(house, ENERGY, stored, now)
    finish(house, now)
    tell(house, now)
    rows = night.desk.sql("select notice_id::text as id from notice where action = 'rectify' and state = 'OWED'")
    return str(rows[0]["id"])


@OWN
def test_a_rectification_says_which_fields_and_what_to_write(pages: Web, night: Night) -> None:
    notice = rectified(night)
    for language in LANGUAGES:
        say = words(language).say
        page = pages.get(f"/waiting/notices/{notice}?lang={language}").text
        text = said(page)
        assert f"{say('pages.notice.fields')} street" in text
        [letter] = (unescape(each) for each in re.findall(r"<blockquote>(.*?)</blockquote>", page))
        assert "street" in letter and notice in letter and "{" not in letter
        assert f"sluice notices export {notice[:8]} --to notice.json" in text and say("pages.notice.values") in text
        assert RIGHT not in text and not [cell for cell in night.people(1)[0] if cell[-9:] in text]


@READS
def test_another_notice_of_the_desk_names_its_groups(pages: Web, night: Night) -> None:
    [row] = night.desk.sql(
        "select notice_id::text as id, field_groups from notice where channel = 'desk' and action = 'erase' limit 1"
    )
    for language in LANGUAGES:
        say = words(language).say
        page = pages.get(f"/waiting/notices/{row['id']}?lang={language}").text
        [letter] = (unescape(each) for each in re.findall(r"<blockquote>(.*?)</blockquote>", page))
        assert all(say(f"group.{group}") in letter for group in row["field_groups"])
        assert say("pages.notice.values") not in said(page) and say("pages.notice.fields") not in said(page)


def refusal_of(notice: Notice) -> Letter:
    """A letter that gives the reasons of the decision that a notice tells of, as it is logged."""
    sha = Sha256("cd" * 32)
    return Letter(
        case_id=notice.case_id,
        kind=LetterKind.REFUSAL,
        scope="case",
        language="nl",
        sub_cases=(notice.sub_case_id,),
        sha256=sha,
        document_sha256=sha,
        template="letter-1",
        written_at=datetime.now(UTC),
        bucket="vault",
        key="pdf",
        version_id="1",
        document_key="json",
        document_version_id="1",
    )


def test_what_tells_of_a_word_that_was_taken_back_says_so_and_has_no_form(at_work: Web, night: Night) -> None:
    house, now, (record, phone) = night.desk.house, datetime.now(UTC), night.people(1)[0]
    given = [(SubjectKind.PHONE, phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, record)]
    case = open_case(house, NewRequest(Right.RESTRICTION, given, ENERGY, now, "mail", "nl", DESK), now)
    settle_identity(house.conn, case.case_id, True, Order(DESK, now, "IDENTITY_SHOWN", "ab" * 32))
    take_due(house, now)

    def put(number: int, **words: str) -> None:
        [part] = [each for each in get_case(house.conn, case.case_id).sub_cases if each.track is Track.PROCESSOR]
        key = f"{ENERGY}/requests/instruction-{number}-{part.sub_case_id}.json"
        body = json.dumps({"case": part.sub_case_id, **words}).encode()
        stored = house.objects.put(night.desk.settings.bucket_exchange, key, body, "text/json")
        read_instruction(house, ENERGY, stored, now)

    put(1, decision="restrict")
    tell(house, now)
    [notice] = [each for each in list_notices(house.conn, case_id=case.case_id) if each.channel is Channel.DESK]
    pages, path, of_case = at_work.as_("olga:OP"), f"/waiting/notices/{notice.notice_id}", f"/cases/{case.case_id}"
    for language in LANGUAGES:
        before, say = pages.get(f"{path}?lang={language}").text, words(language).say
        assert say("pages.notice.text") in said(before) and 'name="outcome"' in before, "control"
    with open_book(house.conn, case.case_id) as book:
        book.tell(refusal_of(notice))
    assert say("pages.letter.overtaken") not in said(pages.get(f"{of_case}?lang={language}").text), "control"

    put(2, decision="refuse", reason="NotRequiredJustification")
    for language in LANGUAGES:
        after, say = pages.get(f"{path}?lang={language}").text, words(language).say
        shown = said(pages.get(f"{of_case}?lang={language}").text)
        assert say("notice.state.WITHDRAWN") in said(after) and say("notice.state.WITHDRAWN") in shown
        assert say("pages.letter.overtaken") in shown
        assert say("pages.notice.text") not in said(after) and 'name="outcome"' not in after
    assert notice.notice_id not in pages.get("/waiting/notices").text


def test_the_page_of_a_case_says_that_it_has_more_notices_than_it_shows(
    pages: Web, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = "jsonb_build_object('notice_id', gen_random_uuid(), 'recipient', 'other01', 'name', 'Other NV')"
    [row] = night.desk.sql(
        f"""insert into notice select (jsonb_populate_record(n, {another})).* from notice n limit 1
            returning case_id::text as id, (select count(*) + 1 from notice o where o.case_id = notice.case_id) as n"""
    )
    more = words("en").say("pages.notices.more", count=str(row["n"] - 1))
    for shown, is_said in ((row["n"], False), (row["n"] - 1, True)):
        monkeypatch.setattr(case_pages, "NOTICES", shown)
        page = said(pages.get(f"/cases/{row['id']}?lang=en").text)
        assert (more in page) is is_said and (f"sluice notices list --case {row['id']}" in page) is is_said
