"""A link opens for one person, some days, a few times; for nobody else, and every try is counted."""

import hashlib
import secrets
import string
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest

from answers.giving import WE_GIVE, give, now, street_fixtures, taken
from rights.town import DESK, SHA, Town, town_fixture
from sluice.answers import store
from sluice.answers.ids import AnswerId
from sluice.answers.keep import remove_due
from sluice.answers.link import NewLink, check_words, make_link, take_out
from sluice.answers.link_model import LinkOver, LinkRefused
from sluice.answers.model import AnswerGone
from sluice.errors import UsageError
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State, Track
from sluice.rights.case.steps import withdraw
from sluice.rights.case.store import get_case
from sluice.rights.erasure.erase import run
from sluice.rights.letters.write import note_opened
from sluice.rights.schedule import follow, sweep
from sluice.terms import Principal
from sluice.times import BRUSSELS
from support.effort import effort

ENERGY = Principal("energy01")
TRIES = effort(20, 300)
"""Attempts of each kind."""
DAY = timedelta(days=1)


def plant(town: Town) -> None:
    """Of every three persons two are called."""
    town.arrive(ENERGY, town.people)
    town.give_back(ENERGY, [each for each in town.people if each.number % 3 < 2])


whole = town_fixture([ENERGY], 3 * 13, plant, WE_GIVE)
streets, town = street_fixtures(3)


def given(town: Town, number: int = 0) -> Case:
    case = town.decided(town.people[number], Right.ACCESS, Action.GIVE)
    give(town.house, case.case_id)
    return case


def linked(town: Town, case: Case, **how: object) -> NewLink:
    return make_link(town.house, case.case_id, now(), DESK, **how)  # type: ignore[arg-type]


def opens(town: Town, token: str, code: str, at: datetime | None = None) -> bool:
    try:
        return bool(taken(town.house, token, code, at or now()).content)
    except (LinkRefused, LinkOver):
        return False


def opens_by(town: Town, link: NewLink) -> bool:
    return opens(town, link.token, link.code)


def entries(town: Town, kind: str, case: Case) -> list[str]:
    """Bodies of the ledger entries of this kind about a case."""
    rows = town.desk.sql(f"select convert_from(body, 'UTF8') as body from ledger.entry where kind = '{kind}'")
    return [str(row["body"]) for row in rows if case.case_id in str(row["body"])]


def count(tries: int, attempt: Callable[[int], bool]) -> int:
    return sum(attempt(number) for number in range(tries))


@pytest.mark.evidence
def test_expired_anothers_tampered_and_guessed_links_open_nothing(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    mine, theirs = given(town, 0), given(town, 1)
    link, other = linked(town, mine, most_uses=100), linked(town, theirs, most_uses=100)
    signs = string.ascii_letters + string.digits + "-_"

    def tampered(number: int) -> bool:
        place = number % len(link.token)
        sign = next(each for each in secrets.choice(signs) + signs if each != link.token[place])
        return opens(town, link.token[:place] + sign + link.token[place + 1 :], link.code)

    after = link.link.expires_at
    opened = {
        "expired": count(TRIES, lambda n: opens(town, link.token, link.code, after + timedelta(seconds=n))),
        "tampered": count(TRIES, tampered),
        "guessed": count(TRIES, lambda _: opens(town, secrets.token_urlsafe(32), link.code)),
        "used by another": count(TRIES, lambda _: opens(town, other.token, link.code)),
    }

    assert opened == {"expired": 0, "tampered": 0, "guessed": 0, "used by another": 0}
    assert opens(town, link.token, link.code), "the right person still gets in"
    assert not opens(town, other.token, other.code), "wrong words have closed that one, for its person too"
    record_property("links: expired, used by another, tampered, guessed", f"0 of {TRIES:,} opened, of each")


def test_only_the_hash_of_a_token_exists_and_each_use_is_counted_and_logged(town: Town) -> None:
    case = given(town)
    link = linked(town, case, most_uses=2)

    found = taken(town.house, link.token, link.code.upper(), now())
    assert hashlib.sha256(found.content).hexdigest() == found.sha256 == link.answer.sha256
    assert opens_by(town, link)
    with pytest.raises(LinkOver):
        taken(town.house, link.token, link.code, now())

    [kept] = store.find_links(town.house.conn, link.answer.answer_id)
    assert (kept.uses, kept.failures) == (2, 0)
    assert (
        len(entries(town, "answer.taken", case)) == 2 and link.token not in repr(link) and link.code not in repr(link)
    )
    rows = town.desk.sql(
        "select l::text as line from answer_link l union all select convert_from(body, 'UTF8') from ledger.entry"
    )
    assert not [row for row in rows if link.token in str(row["line"]) or link.code in str(row["line"])]
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid


def test_a_use_counts_only_once_the_bytes_are_there_and_never_after_the_last(town: Town) -> None:
    case = given(town)
    link = linked(town, case, most_uses=1)
    answer, bucket = link.answer, town.desk.settings.bucket_vault
    kept = town.house.objects.read(bucket, answer.key, answer.version_id)
    town.house.objects.delete_version(bucket, answer.key, answer.version_id)

    assert not opens_by(town, link)
    assert store.find_links(town.house.conn, answer.answer_id)[0].uses == 0
    assert entries(town, "answer.taken", case) == []

    again = town.house.objects.put(bucket, answer.key, kept, "application/octet-stream")
    there = replace(answer, version_id=again.version_id)
    first, second = (check_words(town.house.conn, link.token, link.code, now()) for _ in range(2))
    assert first == second == answer, "two at once: both words are right for both"
    assert take_out(town.house, link.token, there, now()).sha256 == answer.sha256
    with pytest.raises(LinkOver):
        take_out(town.house, link.token, there, now())
    assert (store.find_links(town.house.conn, answer.answer_id)[0].uses, opens_by(town, link)) == (1, False)


def test_a_few_wrong_words_close_a_link_and_it_is_logged(town: Town) -> None:
    case = given(town)
    link = linked(town, case, code="zomer-2026")
    assert opens(town, link.token, " Zomer-2026 ")
    assert count(5, lambda n: opens(town, link.token, f"wrong-{n}")) == 0
    assert not opens(town, link.token, "zomer-2026")
    assert len(entries(town, "answer.link_closed", case)) == 1
    assert opens_by(town, linked(town, case)), "the desk makes a new one"


def test_a_word_that_is_too_short_or_the_case_number_and_a_case_without_a_package_make_no_link(town: Town) -> None:
    case = given(town)
    for code in ("1234", "", "   ", "abc        ", case.case_id, f" {case.case_id[:8].upper()}"):
        with pytest.raises(UsageError):
            linked(town, case, code=code)
    with pytest.raises(AnswerGone):
        linked(town, town.decided(town.people[1], Right.ACCESS, Action.GIVE))


def test_the_package_itself_goes_on_its_day_and_no_link_outlives_it(town: Town) -> None:
    case = given(town)
    link = linked(town, case, days=400)
    last = link.answer.delete_after
    assert link.link.expires_at.date() <= last

    at = now() + (last - received_on(now()))
    assert remove_due(town.house, at) == (0, 0), "not before"
    assert remove_due(town.house, at + DAY) == (1, 0)
    assert remove_due(town.house, at + DAY) == (0, 0)

    assert not [o for o in town.desk.objects(town.desk.settings.bucket_vault) if o.key.startswith("_answers/")]
    assert not opens(town, link.token, link.code, link.link.expires_at - timedelta(minutes=1))
    [gone] = store.find_answers(town.house.conn, case.case_id)
    assert gone.gone_why == "retention"


def test_a_request_that_was_taken_back_ends_its_links_and_its_package(town: Town) -> None:
    """The person does not want it any more (Art. 12(2)): whoever finds the link later gets nothing."""
    mine, theirs = given(town, 0), given(town, 1)
    link, other = linked(town, mine), linked(town, theirs)
    answer = check_words(town.house.conn, link.token, link.code, now())  # just before, both words were right

    withdraw(town.house.conn, mine.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))

    for attempt in (lambda: taken(town.house, link.token, link.code, now()), lambda: linked(town, mine)):
        with pytest.raises(LinkOver):
            attempt()
    with pytest.raises(LinkOver):
        take_out(town.house, link.token, answer, now())
    assert not opens(town, link.token, "another word"), "control: who does not hold both words learns no more"
    assert (remove_due(town.house, now()), remove_due(town.house, now())) == ((1, 0), (0, 0))
    [gone] = store.find_answers(town.house.conn, mine.case_id)
    left = [o.key for o in town.desk.objects(town.desk.settings.bucket_vault) if o.key.startswith("_answers/")]
    assert gone.gone_why == "withdrawn" and not [key for key in left if mine.case_id in key]
    assert opens_by(town, other), "control: who did not take it back has theirs"


def test_what_a_dead_worker_left_is_removed_and_nothing_else(town: Town) -> None:
    case = given(town)
    objects, bucket = town.house.objects, town.desk.settings.bucket_vault
    objects.put(bucket, f"_answers/{case.case_id}/left.zip.age", b"left", "application/octet-stream")
    remove_due(town.house, now())
    assert len([o for o in town.desk.objects(bucket) if o.key.endswith(".zip.age")]) == 2, "somebody may be at work"
    remove_due(town.house, now() + timedelta(hours=2))
    assert [o.key for o in town.desk.objects(bucket) if "left.zip" in o.key] == []
    assert opens_by(town, linked(town, case))


def test_what_a_newer_package_replaced_goes_though_its_maker_died(town: Town) -> None:
    case = given(town)
    [first] = store.find_answers(town.house.conn, case.case_id)
    content = town.house.objects.read(first.bucket, first.key, first.version_id)
    give(town.house, case.case_id)
    [second, _] = store.find_answers(town.house.conn, case.case_id)
    again = town.house.objects.put(first.bucket, first.key, content, "application/octet-stream")
    alive = replace(first, answer_id=AnswerId(str(uuid4())), version_id=again.version_id)
    store.insert_answer(town.house.conn, alive)  # as a worker leaves it who dies before it removes the older one

    assert remove_due(town.house, now()) == (1, 0)

    found = {each.answer_id: each.gone_why for each in store.find_answers(town.house.conn, case.case_id)}
    assert (found[alive.answer_id], found[second.answer_id]) == ("replaced", None)
    assert remove_due(town.house, now()) == (0, 0)


def test_an_erasure_takes_the_answers_too_and_those_of_others_stay(town: Town) -> None:
    mine, theirs = given(town, 0), given(town, 1)
    link, other = linked(town, mine), linked(town, theirs)
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0  # what told the principal whom to decide about goes

    report = run(town.house, town.decided(town.people[0]).case_id, now())

    assert report.residual == 0 and report.doubts == 0
    line = next(line for line in report.lines if line.store == "answers to persons")
    assert (line.objects, line.outcome, line.ground) == (1, "removed", "ANSWER_TO_THE_PERSON")
    assert not opens_by(town, link) and opens_by(town, other)
    [gone] = store.find_answers(town.house.conn, mine.case_id)
    assert gone.gone_why == "erasure"


def test_a_case_goes_on_once_its_package_was_fetched(town: Town) -> None:
    case = given(town)
    for _ in range(3):
        follow(town.house, now())
        assert sweep(town.house, now()).failed == 0
    before = {part.track: part.state for part in get_case(town.house.conn, case.case_id).sub_cases}
    assert before[Track.CONTROLLER] is State.RECIPIENTS_NOTIFIED and before[Track.PROCESSOR] is State.EXECUTED

    assert opens_by(town, linked(town, case))
    for _ in range(3):
        assert sweep(town.house, now()).failed == 0

    done = get_case(town.house.conn, case.case_id)
    assert done.state is State.CLOSED
    assert {part.state for part in done.sub_cases} == {State.CLOSED}
    assert all(part.answered_at for part in done.sub_cases)


def test_a_package_that_was_fetched_in_time_is_no_miss_however_late_that_is_booked(town: Town) -> None:
    fetched, left = given(town), given(town, 1)
    for _ in range(3):
        follow(town.house, now())
        assert sweep(town.house, now()).failed == 0
    assert opens_by(town, linked(town, fetched))
    after = datetime.combine(fetched.due.legal_due + DAY, time(), BRUSSELS) + timedelta(minutes=2)

    assert follow(town.house, after).breached == 1
    assert sweep(town.house, after).failed == 0

    found = [get_case(town.house.conn, case.case_id) for case in (fetched, left)]
    assert [(case.state, case.is_breached) for case in found] == [(State.CLOSED, False), (State.SCOPED, True)]


def test_a_case_goes_on_once_its_letter_was_taken_out(town: Town) -> None:
    case = given(town)
    for _ in range(3):
        follow(town.house, now())
        assert sweep(town.house, now()).failed == 0
    stands = get_case(town.house.conn, case.case_id)
    letter = stands.find_letter(LetterKind.COMPLETION, None)
    assert letter is not None and stands.state is State.SCOPED
    note_opened(town.house.conn, letter, now(), DESK)
    for _ in range(3):
        assert sweep(town.house, now()).failed == 0
    assert get_case(town.house.conn, case.case_id).state is State.CLOSED
