"""Who got a return that is past its term here is a recipient still: the files that it was made of say so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from answers.giving import WE_GIVE, give, read
from rights.instructing import letter_text, swept
from rights.town import Person, Town, open_town, papers_of
from sluice.documents.words import words
from sluice.retention.run import retain
from sluice.returns.drain import drain_returns
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.erasure.erase import run
from sluice.rights.notices.model import Notice, Side
from sluice.rights.notices.notice_store import list_notices
from sluice.settings import Settings
from sluice.terms import Principal
from support.copies import Copies
from support.night import AGREEMENT, RESULTS, Call, Edit, call_log

ENERGY, COMPANY = Principal("energy01"), "Energy One NV"
WE_ANSWER = [Edit(AGREEMENT, f"A{article}: false", f"A{article}: true") for article in (17, 18)]
SAY = words("en").say
OF_RETURNS = "from copy c join exchange e using (exchange_id) where e.direction = 'outbound_return'"


def planted(settings: Settings, folder: Path) -> None:
    """Two of three people were called, and their return was delivered."""
    settings = papers_of(settings, folder, [ENERGY], WE_GIVE, *WE_ANSWER)
    with open_town(settings, folder, [ENERGY], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:2])


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 3) as opened:
        yield opened


def planted_with_list(settings: Settings, folder: Path) -> None:
    """The same with a call of somebody who is in no file: the list of it is kept longer than the return."""
    settings = settings.model_copy(update={"keep_quarantine_days": 60})
    settings = papers_of(settings, folder, [ENERGY], WE_GIVE, *WE_ANSWER)
    with open_town(settings, folder, [ENERGY], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        calls = [Call(f"c{each.number}", each.record(ENERGY), each.phone) for each in opened.people[:2]]
        calls += [Call("c9", "E77777777", "+32470111222")]
        opened.desk.house.objects.put(
            settings.bucket_internal, f"{ENERGY}/internal/{RESULTS}/log.csv", call_log(calls), "text/csv"
        )
        opened.desk.work()
        drain_returns(opened.house, ENERGY, RESULTS, datetime.now(UTC), {}, "airflow")


def test_a_recipient_is_named_and_told_although_a_list_of_held_rows_is_kept_longer(
    copies: Copies, tmp_path: Path
) -> None:
    """The return is gone; the list of the row that it left out names nobody, so it cannot tell whose data it was."""
    with copies.of(planted_with_list, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 3) as town:
        days_later(town, 40)
        left = {str(row["kind"]) for row in town.desk.sql(f"select c.kind {OF_RETURNS} and c.gone_at is null")}
        assert left == {"held"}, "the state that is tested"
        after, _ = informed(town, town.people[0])
        assert after["recipients"] == [COMPANY]
        assert len(notices(town, ended(town, town.people[0], Right.RESTRICTION, Action.RESTRICT))) == 1


def days_later(town: Town, days: int) -> None:
    """A return is kept for a month, a file of contacts for 90 days."""
    assert retain(town.house, datetime.now(UTC) + timedelta(days=days)).deleted > 0


def informed(town: Town, person: Person) -> tuple[dict[str, Any], str]:
    """What an access answer says of the one principal, and its letter."""
    case = town.agree(town.ask(person, Right.ACCESS, language="en"), Action.GIVE)
    said = read(town.house, give(town.house, case.case_id)).json("access.json")
    [information] = said["information"]
    return information, "\n".join(said["text"])


def ended(town: Town, person: Person, right: Right, action: Action) -> Case:
    """The case once everything that is decided was carried out and everybody was told."""
    case = town.agree(town.ask(person, right, language="en"), action)
    if action is Action.ERASE:
        assert run(town.house, case.case_id, datetime.now(UTC)).residual == 0
    return swept(town, case)


def notices(town: Town, case: Case) -> list[Notice]:
    return list_notices(town.house.conn, case_id=case.case_id, limit=None)


def test_an_access_answer_names_who_got_a_return_that_is_gone(town: Town) -> None:
    called, _, not_called = town.people
    guessed = SAY("answer.recipients.guessed", names=COMPANY)
    before, said = informed(town, called)
    assert (before["recipients"], before["recipients_of_files_made_from"]) == ([COMPANY], [])
    assert guessed not in said, "control: the return is there and says so itself"
    other, said = informed(town, not_called)
    assert other["recipients"] == [], "control: the index of the return knows who is not in it"
    assert SAY("answer.none.recipients") in said

    days_later(town, 40)
    for person in (called, not_called):  # nobody can tell any more
        after, said = informed(town, person)
        assert (after["recipients"], after["recipients_of_files_made_from"]) == ([COMPANY], [COMPANY])
        assert guessed in said and SAY("answer.none.recipients") not in said


@pytest.mark.parametrize(
    ("right", "action", "is_gone"),
    [
        (Right.ERASURE, Action.ERASE, True),
        (Right.RESTRICTION, Action.RESTRICT, True),
        (Right.RESTRICTION, Action.RESTRICT, False),
    ],
)
def test_who_got_a_return_that_is_gone_is_told_and_named(
    town: Town, right: Right, action: Action, is_gone: bool
) -> None:
    """Control: while the return is there it says so itself."""
    if is_gone:
        days_later(town, 40)
    case = ended(town, town.people[0], right, action)
    [notice], [told], text = notices(town, case), town.told(ENERGY), letter_text(town, case)

    assert (notice.recipient, notice.side, notice.action) == (ENERGY, Side.RECIPIENT, action)
    assert {"call_event", "recording_ref"} <= set(notice.field_groups)
    assert [each["direction"] for each in told["exchanges"] if "person_in_it" in each] == ["outbound_return"] * is_gone
    assert ("made from files with data of this person" in told["text"]["en"]) is is_gone
    assert ("were given data of this person" in told["text"]["en"]) is not is_gone
    assert COMPANY in text.splitlines() and SAY("letter.recipients.none") not in text
    assert (SAY("letter.recipients.guessed", names=COMPANY) in text) is is_gone


def test_once_the_files_of_contacts_are_gone_too_nobody_claims_that_nobody_got_it(town: Town) -> None:
    days_later(town, 100)
    case = ended(town, town.people[0], Right.RESTRICTION, Action.RESTRICT)
    text = letter_text(town, case)

    assert notices(town, case) == []
    assert SAY("letter.recipients.none") in text
    assert "What was deleted here before" in text and "nobody else who received" in text
