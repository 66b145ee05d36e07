"""A plan of an erasure on the page of its case: what the second person lets go is there to be read."""

import re
from datetime import UTC, datetime

import pytest

from rights.asking import asked, decided
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import CaseId
from sluice.rights.case.reasons import iri
from sluice.rights.erasure.control_store import find_plans
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.exceptions import review_on
from sluice.rights.erasure.plan import Plan
from sluice.rights.erasure.release import draft
from support.night import Night
from web.desk_work import OWN, PLANNER, READS, said
from web.house import Web

RELEASE = "/release"


@pytest.fixture
def pages(at_work: Web) -> Web:
    """Bert, a clerk who planned and decided nothing."""
    return at_work.as_("bert:USER")


def the_plan(night: Night) -> Plan:
    """The plan that waits for its release."""
    [stored] = [each for each in find_plans(night.desk.house.conn) if each.released_at is None]
    return stored.plan


def rows_of(text: str) -> list[list[str]]:
    """The lines of the table of what goes."""
    body = text.partition('<table class="stacked goes">')[2].partition("</table>")[0].partition("<tbody>")[2]
    return [
        [said(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)
    ]


@READS
def test_the_second_person_reads_what_goes_of_each_store(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        plan, say = the_plan(night), words(language)
        text = pages.get(f"/cases/{plan.case_id}?lang={language}").text
        rows = rows_of(text)
        assert len(rows) == len({(copy.store, copy.outcome, copy.ground) for copy in plan.going}) > 1
        names = {say.find(f"certificate.store.{copy.store.replace(' ', '_')}") or copy.store for copy in plan.going}
        assert {name for name, *_ in rows} == names
        assert sum(int(row[2]) for row in rows) == len(plan.going)
        assert sum(int(row[3]) for row in rows) == sum(copy.rows_before - copy.rows_after for copy in plan.going) > 0
        assert say.say("certificate.kept.none") in said(text) and f"{RELEASE}?lang={language}" in text
        cells = [cell for record in night.people(6) for cell in record]
        assert not [cell for cell in cells if cell[-9:] in said(text)], "numbers, and nobody's"


def test_what_stays_is_there_with_its_ground_and_its_day(pages: Web, night: Night) -> None:
    now, (record, phone) = datetime.now(UTC), night.people(1)[0]
    case = decided(night, phone, record, {"handling_times": iri("A17LegalClaims")})
    draft(night.desk.house, case.case_id, PLANNER, now)
    for language in LANGUAGES:
        say = words(language)
        text = said(pages.get(f"/cases/{case.case_id}?lang={language}").text)
        day = say.day(review_on(received_on(now)).isoformat())
        assert say.say("pages.plan.stays", group=say.say("group.handling_times"), day=day) in text
        assert said(f"A17LegalClaims: {say.say('reason.A17LegalClaims')}") in text


@OWN
def test_a_plan_that_changes_nothing_says_so_and_why(pages: Web, night: Night) -> None:
    now, (record, phone) = datetime.now(UTC), night.people(3)[2]
    second = decided(night, phone, record)
    run(night.desk.house, asked(night, phone, record).case_id, now)
    draft(night.desk.house, second.case_id, PLANNER, now)
    for language in LANGUAGES:
        text = pages.get(f"/cases/{second.case_id}?lang={language}").text
        say = words(language).say
        assert f"{say('pages.plan.nothing')} {say('pages.plan.nothing.found')}" in said(text) and rows_of(text) == []
        assert say("pages.plan.nothing") not in said(pages.get(f"/cases/{the_other(night, second.case_id)}").text)


def the_other(night: Night, but: CaseId) -> CaseId:
    """The case of the other plan, which was made before."""
    [found] = [
        each.plan for each in find_plans(night.desk.house.conn) if not each.released_at and each.plan.case_id != but
    ]
    return found.case_id


@READS
def test_who_decided_or_planned_is_told_that_somebody_else_releases(pages: Web, night: Night) -> None:
    for language in LANGUAGES:
        page, say = f"/cases/{the_plan(night).case_id}", words(language).say
        for name, why in (("anna", "DECIDED_THE_CASE"), (PLANNER, "MADE_THE_PLAN")):
            text = pages.as_(f"{name}:USER").get(f"{page}?lang={language}").text
            assert say(f"pages.barred.{why}") in said(text) and f"{page}{RELEASE}" not in text, name
            assert rows_of(text), "they may read it all the same"
        text = pages.get(f"{page}?lang={language}").text
        assert f"{page}{RELEASE}" in text and say("pages.barred.DECIDED_THE_CASE") not in said(text)
