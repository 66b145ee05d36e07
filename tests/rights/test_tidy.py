"""What is sealed of a closed case goes when its time is over, once; what proves and what protects stays."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from returns.commands import at_terminal, sluice
from rights.town import DESK, Person, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.ledger.verify import verify as verify_ledger
from sluice.media_types import JSON
from sluice.rights.case import store
from sluice.rights.case.errors import CaseNotTidied, MaterialGone
from sluice.rights.case.facts import sealed_days
from sluice.rights.case.model import Action, Case, Flag, LetterKind, Order, Right, State
from sluice.rights.case.states import TO_CARRY_OUT
from sluice.rights.case.steps import set_flag, withdraw
from sluice.rights.erasure.erase import run, verify
from sluice.rights.letters.write import note_opened, write_letter
from sluice.rights.notices import notice_store
from sluice.rights.notices.follow import follow as hear
from sluice.rights.notices.tell import ERASED, document_of, find_recipients, tell
from sluice.rights.notices.to_recipient import key_of
from sluice.rights.schedule import follow, sweep
from sluice.rights.tidy import Tidied, tidy, tidy_case
from sluice.settings import Settings
from sluice.terms import Principal
from support.copies import Copies
from support.crash import Victim, dying
from support.effort import effort

ENERGY = Principal("energy01")
DAYS = timedelta(days=1)
POINTS = effort(4, 12)


def planted(settings: Settings, folder: Path) -> None:
    """One principal; everybody was called and returned."""
    with open_town(papers_of(settings, folder, [ENERGY]), folder, [ENERGY], POINTS + 4) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:2])


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], POINTS + 4) as opened:
        yield opened


@pytest.fixture
def victim(town: Town) -> Iterator[Victim]:
    """Tidies a year on and dies at a step: any word, step, what."""
    with dying(town.desk.settings, "erasure") as once:
        yield once


def now() -> datetime:
    return datetime.now(UTC)


def erased(town: Town, person: Person) -> Case:
    """A case of an erasure that is over: its letter was posted, its recipient is done."""
    case = town.decided(person)
    assert run(town.house, case.case_id, now()).residual == 0
    for _ in range(2):
        follow(town.house, now())
        sweep(town.house, now())
    for letter in store.get_case(town.house.conn, case.case_id).letters:
        note_opened(town.house.conn, letter, now(), DESK)
    sweep(town.house, now())
    town.house.conn.execute("update notice set state = 'DONE', done_at = now(), told_at = coalesce(told_at, now())")
    follow(town.house, now())
    case = store.get_case(town.house.conn, case.case_id)
    assert case.state is State.CLOSED
    return case


def withdrawn(town: Town, person: Person) -> Case:
    """A case that its person took back; the hold on them ended."""
    case = withdraw(town.house.conn, town.ask(person).case_id, order("WITHDRAWN"))
    follow(town.house, now())
    return case


def order(word: str) -> Order:
    return Order(DESK, now(), word, "ab" * 32)


def sealed(town: Town, case: Case) -> list[str]:
    """What lies sealed of a case, every version of it."""
    found = town.house.objects.list_versions(town.desk.settings.bucket_vault, f"_cases/{case.case_id}/")
    return [item.key.rpartition("/")[2] for item in found]


def entries(town: Town, kind: str = "case.tidied") -> list[str]:
    rows = town.desk.sql(
        f"select convert_from(body, 'UTF8')::json ->> 'case_id' as id from ledger.entry where kind = '{kind}'"
    )
    return [str(row["id"]) for row in rows]


def test_it_goes_when_its_time_is_over_and_what_protects_and_proves_stays(town: Town) -> None:
    case = erased(town, town.people[0])
    days = sealed_days(now().date())
    there, kept_out = sealed(town, case), find_suppressed(town.house, ENERGY)
    assert {"subject.age", f"needles-{ENERGY}.age"} < set(there) and len(there) > 3 and kept_out is not None

    assert tidy(town.house, now() + (days - 1) * DAYS) == Tidied(), "control: a day too early nothing goes"
    assert sealed(town, case) == there
    assert tidy(town.house, now() + days * DAYS) == Tidied(cases=1)
    assert tidy(town.house, now() + 2 * days * DAYS) == Tidied(), "once"

    assert sealed(town, case) == []
    assert entries(town) == [case.case_id]
    again = find_suppressed(town.house, ENERGY)
    assert again is not None and again.equals(kept_out), "who must stay out stays out"
    evidence = town.house.objects.list_versions(town.desk.settings.bucket_evidence, f"certificates/{case.case_id}/")
    assert len([item for item in evidence if item.key.endswith(".json")]) == 1
    assert store.get_case(town.house.conn, case.case_id).letters, "their hashes stay"
    with pytest.raises(MaterialGone, match="SLU-563"):
        verify(town.house, case.case_id, now())
    with pytest.raises(MaterialGone):
        write_letter(town.house, case.case_id, LetterKind.COMPLETION, now(), language="fr")
    assert sealed(town, case) == []
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid


def test_it_stays_while_something_of_the_case_stands_open(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    later = now() + 400 * DAYS
    still_open, complained, held, unheard = town.ask(town.people[1]), *(withdrawn(town, p) for p in town.people[2:5])
    set_flag(town.house.conn, complained.case_id, Flag.COMPLAINT, order("COMPLAINED"))
    town.house.conn.execute("update suppression_run set lifted_at = null where case_id = %s", (held.case_id,))
    owe_notice(town, unheard)

    assert tidy(town.house, later) == Tidied()

    because = {}
    for case in (still_open, held, unheard):
        with pytest.raises(CaseNotTidied) as raised:
            tidy_case(town.house, case.case_id, "an", later)
        because[case.case_id] = str(raised.value.refs[1].value)
    assert list(because.values()) == ["STILL_OPEN", "HOLD_STANDS", "RECIPIENT_NOT_DONE"]
    assert all(sealed(town, case) for case in (still_open, complained, held, unheard))
    with at_terminal(town.desk, monkeypatch):
        told = sluice("case", "tidy", complained.case_id)
        assert (told.exit, told.error) == (1, "SLU-564"), "not yet"
        assert sluice("case", "tidy").document == {"cases": 0, "failed": 0}
    assert tidy_case(town.house, complained.case_id, "an", later), "somebody asked for this one"
    assert not tidy_case(town.house, complained.case_id, "an", later)
    assert sealed(town, complained) == [] and entries(town) == [complained.case_id]


def test_a_complaint_that_comes_while_a_sweep_is_at_work_keeps_what_it_did_not_begin(town: Town) -> None:
    first, second = withdrawn(town, town.people[2]), withdrawn(town, town.people[3])
    objects = town.house.objects

    class Meanwhile:
        """The store; as soon as something of the first case is removed, the person of the second complains."""

        def __getattr__(self, name: str) -> Any:
            return getattr(objects, name)

        def delete_others(self, *named: Any) -> int:
            if not store.get_case(town.house.conn, second.case_id).has_complaint:
                set_flag(town.house.conn, second.case_id, Flag.COMPLAINT, order("COMPLAINED"))
            return objects.delete_others(*named)

    slow: Any = Meanwhile()
    there = sealed(town, second)

    assert tidy(replace(town.house, objects=slow), now() + 400 * DAYS) == Tidied(cases=1)

    assert (sealed(town, first), sealed(town, second)) == ([], there) and there
    assert entries(town) == [first.case_id]


def objected(town: Town, person: Person) -> Case:
    """A case of which a recipient was found but not told yet."""
    case = town.decided(person, Right.OBJECTION, Action.STOP)
    unasked = notice_store.find_unasked(town.house.conn, TO_CARRY_OUT, ERASED)
    assert sum(find_recipients(town.house, *part, now()) for part in unasked) == 1
    return case


def test_what_a_withdrawn_case_never_told_by_file_keeps_nothing_of_it(town: Town) -> None:
    told = objected(town, town.people[5])
    assert tell(town.house, now()).sent == 1
    untold = objected(town, town.people[6])
    half = objected(town, town.people[7])
    [unsent] = notice_store.list_notices(town.house.conn, case_id=half.case_id)
    bucket, later = town.desk.settings.bucket_exchange, now() + 400 * DAYS
    town.house.objects.put_once(bucket, key_of(unsent), document_of(town.house, unsent), JSON)
    for case in (told, untold, half):
        withdraw(town.house.conn, case.case_id, order("WITHDRAWN"))
    follow(town.house, now())
    assert len(town.told(ENERGY)) == 2, "control: one was told, one a dead worker left half-way"

    assert tell(town.house, now()).sent == 0
    assert hear(town.house, now()).dropped == 2

    [left] = town.told(ENERGY)
    assert left["identifiers"][0][0]["value"] == town.people[5].phone, "the one that was told"
    assert tidy(town.house, later) == Tidied(cases=2)
    assert [bool(sealed(town, case)) for case in (told, untold, half)] == [True, False, False]
    with pytest.raises(CaseNotTidied, match="RECIPIENT_NOT_DONE"):
        tidy_case(town.house, told.case_id, "an", later)
    assert tell(town.house, now()).failed == 0 and len(town.told(ENERGY)) == 1, "and nothing of it comes again"


def owe_notice(town: Town, case: Case) -> None:
    """A recipient of this case that has not said that it did."""
    conn, part = town.house.conn, store.get_case(town.house.conn, case.case_id).sub_cases[0]
    conn.execute(
        "insert into propagation (sub_case_id, recipients, found_at, entry_hash) values (%s, 1, now(), %s)",
        (part.sub_case_id, "ab" * 32),
    )
    conn.execute(
        """insert into notice (notice_id, sub_case_id, case_id, principal, recipient, name, side, channel, action,
               field_groups, exchanges, state, found_at)
           values (gen_random_uuid(), %s, %s, %s, 'gas01', 'Gas', 'recipient', 'desk', 'stop', '{}', '{}', 'OWED',
               now())""",
        (part.sub_case_id, case.case_id, ENERGY),
    )


@pytest.mark.evidence
def test_killed_anywhere_a_rerun_removes_the_rest_and_says_it_once(
    town: Town, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    first = withdrawn(town, town.people[0])
    was_killed, steps = victim("all", 0, "tidy")
    assert not was_killed and steps > 20 and sealed(town, first) == [], "control: it does it when nobody kills it"
    halfway, killed = 0, 0
    for point in range(POINTS):
        case = withdrawn(town, town.people[point + 1])
        was_killed, _ = victim("all", 1 + point * (steps - 1) // POINTS, "tidy")
        killed += was_killed
        said, left = case.case_id in entries(town), bool(sealed(town, case))
        assert not (said and left), "nobody says that it is gone while it is there"
        halfway += not said

        tidy(town.house, now() + 367 * DAYS)

        assert sealed(town, case) == [] and entries(town).count(case.case_id) == 1
    assert killed == POINTS and halfway > POINTS // 2
    record_property("SIGKILL while sealed material is removed: finished by a rerun", f"{killed} of {POINTS}")
