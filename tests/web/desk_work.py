"""An installation in which something of every kind waits for a person, made once and copied for each test."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from rights.asking import asked, decided
from sluice.exchange.house import open_house
from sluice.rights.case.model import Actor, Case, CaseId, Right, Role
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft
from sluice.rights.notices.tell import tell
from sluice.rights.opening import NewRequest, open_case
from sluice.settings import Settings
from sluice.terms import SubjectKind
from support.copies import Copies, Fill
from support.desk import Desk
from support.night import AGREEMENT, Call, Edit, Night, open_night, with_papers
from web.house import Web

READS = pytest.mark.parametrize("night", ["still"], indirect=True)
"""The test changes nothing, and shares its installation with others that do not."""
OWN = pytest.mark.parametrize("night", ["own"], indirect=True)
"""The test takes objects in or away: no other sees them."""
BELIEF = "Klant is moslim, liever na vrijdag bellen"
GRID = Edit(AGREEMENT, "recipients: []", "recipients: [Grid NV]")
PREPARER, PLANNER = "an.peeters", "carl"
TEXT = re.compile(r"<[^>]+>")
TOKEN = re.compile(r'name="token" value="([^"]+)"')
ASKED_DAYS_AGO = {Right.ACCESS: 2, Right.OBJECTION: 25, Right.RESTRICTION: 40, Right.PORTABILITY: 1}
"""Cases that nobody touched yet; the third is late."""


def fill(settings: Settings, folder: Path) -> None:
    """A return that waits, a review, a refused file, a plan, notices, and cases at the desk's first steps."""
    with open_night(with_papers(settings, folder, GRID), folder) as night:
        people = night.people(6)
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people[:2])))
        night.called(Call("c8", *people[2], note=BELIEF), name="notes.csv")
        night.make(by=PREPARER)
        night.desk.drop(b"no;contract\n1;2\n", "bad.csv")
        night.desk.work()
        record, phone = people[4]
        run(night.desk.house, asked(night, phone, record).case_id, datetime.now(UTC))
        tell(night.desk.house, datetime.now(UTC))
        record, phone = people[3]
        draft(night.desk.house, decided(night, phone, record).case_id, PLANNER, datetime.now(UTC))
        for right, days in ASKED_DAYS_AGO.items():
            ask(night, right, days)


@contextmanager
def lent_night(copies: Copies, folder: Path, fill: Fill) -> Iterator[Night]:
    """What ``fill`` made of a night, with a database of its own and objects that others see too."""
    with copies.lend(fill, folder) as settings, open_house(settings) as house:
        [path] = folder.glob("campaign-1-*.csv")
        yield Night(Desk(house, folder), path)


def ask(night: Night, right: Right, days: int) -> Case:
    """Somebody asked so many days ago, of the sixth person in the file: nobody called them."""
    house, now = night.desk.house, datetime.now(UTC)
    record, phone = night.people(6)[5]
    received = (now - timedelta(days=days)).date()
    given = [(SubjectKind.PHONE, phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, record)]
    clerk = Actor(Role.DESK, "anna")
    case = open_case(house, NewRequest(right, given, None, received, "letter", "nl", clerk), now)
    take_due(house, now)
    return case


def said(html: str) -> str:
    """The words of a page."""
    return " ".join(unescape(TEXT.sub(" ", html.replace("<wbr>", ""))).split())


def token_of(pages: Web, path: str) -> str:
    """What the forms of a page carry."""
    found = TOKEN.search(pages.get(path).text)
    assert found, path
    return found[1]


def send(pages: Web, path: str, token: str | None, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """Send a form as a browser does from a page of ours; the answer is not followed."""
    data = {**fields, **({"token": token} if token is not None else {})}
    here = {"Sec-Fetch-Site": "same-origin"} if headers is None else headers
    return pages.ask("POST", path, data=data, headers=here, follow_redirects=False)


def case_of(night: Night, right: Right, state: str = "RECEIVED") -> CaseId:
    """The case of a right that stands so."""
    [row] = night.desk.sql(
        f"select case_id::text as id from subject_case where \"right\" = '{right}' and state = '{state}'"
    )
    return CaseId(str(row["id"]))
