"""Answers that an erasure has to take: those of another request, of another name, made late; and none of others."""

import zipfile
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from answers.giving import WE_GIVE, give, now, street_fixtures
from rights.town import DESK, Town, town_fixture
from sluice.answers import store
from sluice.answers.keep import keep
from sluice.answers.make import PackageWish, gather
from sluice.answers.model import AnswerKind, ErasedMeanwhile
from sluice.rights.case.model import Action, Case, Right
from sluice.rights.copies.answer_store import index_key_of
from sluice.rights.copies.answers import _names, run_of_package
from sluice.rights.copies.find import open_request
from sluice.rights.copies.model import Target
from sluice.rights.erasure.control_store import begin_run, end_run
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import RunEnd
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.sealed import open_sealed, seal
from sluice.rights.schedule import sweep
from sluice.subject.columns import normalise_column
from sluice.subject.index import build_run, find_in_run, write_run
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import Principal, SubjectKind

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")


def plant(town: Town) -> None:
    for each in (ENERGY, SOLAR):
        town.arrive(each, town.people)
    town.give_back(ENERGY, town.people)


whole = town_fixture([ENERGY, SOLAR], 2 * 4, plant, WE_GIVE)
streets, town = street_fixtures(2)


def asked(town: Town, right: Right, kind: SubjectKind, value: str, principal: Principal | None = ENERGY) -> Case:
    """A request by one identifier, decided."""
    action = Action.GIVE if right is Right.ACCESS else Action.ERASE
    return town.agree(town.opened(right, [(kind, value)], principal), action)


def told(town: Town) -> None:
    """What told the principals whom to decide about goes once they have."""
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0


def forget_everybody(town: Town, case: Case) -> None:
    """The index of an answer names nobody any more."""
    [answer] = store.find_answers(town.house.conn, case.case_id)
    town.house.objects.put(answer.bucket, index_key_of(answer.key), write_run(build_run([])), "x")


def gone(town: Town, case: Case) -> list[str | None]:
    return [each.gone_why for each in store.find_answers(town.house.conn, case.case_id)]


def test_an_erasure_takes_every_answer_that_names_the_person_and_none_of_others(town: Town) -> None:
    (mine, theirs), house = town.people, town.house
    number = SubjectKind.PRINCIPAL_CUSTOMER_ID
    first, hidden = (asked(town, Right.ACCESS, number, mine.record(ENERGY)) for _ in range(2))
    other = asked(town, Right.ACCESS, number, theirs.record(ENERGY))
    elsewhere = asked(town, Right.ACCESS, SubjectKind.PHONE, mine.phone, SOLAR)
    confirmed = asked(town, Right.ACCESS, SubjectKind.PHONE, theirs.phone)
    again = asked(town, Right.ACCESS, SubjectKind.PHONE, mine.phone)
    for case in (first, other, hidden, elsewhere, confirmed, again):
        give(house, case.case_id)
    forget_everybody(town, hidden)
    asked_by = open_sealed(house, confirmed.subject_key).envelope
    person = ((Identifier(SubjectKind.PHONE, mine.phone),),)
    sealed = seal(house, replace(asked_by, persons=person), f"_cases/{confirmed.case_id}/confirmed.age")
    house.conn.execute("update subject_case set subject_key = %s where case_id = %s", (sealed.key, confirmed.case_id))
    told(town)

    erasure = asked(town, Right.ERASURE, SubjectKind.PHONE, mine.phone)
    give(house, again.case_id)
    report = run(house, erasure.case_id, now())

    assert gone(town, first) == ["erasure"], "asked by another identifier, found by what is in it"
    assert gone(town, confirmed) == ["erasure"], "about whom its request was confirmed to be about"
    assert gone(town, again) == ["erasure", "replaced"], "made again after the release"
    assert (gone(town, other), gone(town, elsewhere), gone(town, hidden)) == ([None], [None], [None])
    assert (report.residual, report.doubts) == (1, 0), "the second scan reads what the index of an answer forgot"
    report = run(house, erasure.case_id, now())
    assert (gone(town, hidden), report.residual) == (["erasure"], 0)
    assert (gone(town, other), gone(town, elsewhere)) == ([None], [None]), "of others, and of other data"


@pytest.mark.parametrize("has_ended", [False, True])
def test_what_was_gathered_before_an_erasure_ended_is_never_kept(town: Town, tmp_path: Path, has_ended: bool) -> None:
    mine, theirs = town.people
    access = asked(town, Right.ACCESS, SubjectKind.PHONE, theirs.phone)
    erasure = asked(town, Right.ERASURE, SubjectKind.PHONE, mine.phone)
    since = store.find_moment(town.house.conn)
    case, envelope = open_request(town.house, access.case_id)
    facts = gather(town.house, case, envelope, AnswerKind.ACCESS, now(), PackageWish())
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "a.txt").write_text("a")
    begin_run(town.house.conn, erasure.case_id)
    if has_ended:
        end_run(town.house.conn, erasure.case_id, RunEnd.CLEAN)

    with pytest.raises(ErasedMeanwhile):
        keep(town.house, facts, tmp_path / "package", [], [case.sub_cases[0].sub_case_id], DESK, since=since)

    assert gone(town, access) == []
    if not has_ended:
        with pytest.raises(ErasedMeanwhile):
            give(town.house, access.case_id)
        end_run(town.house.conn, erasure.case_id, RunEnd.CLEAN)
    assert give(town.house, access.case_id).answer.rows, "once it is over it is made again"


def test_an_erasure_of_another_company_keeps_no_answer_waiting(town: Town) -> None:
    access = asked(town, Right.ACCESS, SubjectKind.PHONE, town.people[0].phone, SOLAR)
    begin_run(town.house.conn, asked(town, Right.ERASURE, SubjectKind.PHONE, town.people[1].phone).case_id)
    assert give(town.house, access.case_id).answer.rows


def test_the_index_of_a_package_knows_what_stands_in_records_that_are_no_rows(tmp_path: Path) -> None:
    key, kind = SubjectKey(b"k" * 32), SubjectKind.PRINCIPAL_CUSTOMER_ID
    (tmp_path / "data").mkdir()
    raw = ("KL0042;Jan;0470", "[4711, 1]", "x;12/345", "K 00123|y", "KL 77~z", r'{"id":"KL\/78"}')
    pl.DataFrame({"record": raw}).write_csv(tmp_path / "data" / "identity.csv")

    run = run_of_package(tmp_path, [key], [])

    there = ("KL0042", "4711", "12/345", "K 00123", "KL 77", "KL/78")
    for written, is_there in (*((each, True) for each in there), ("KL0043", False)):
        refs = ref_column(normalise_column(pl.Series([written]), kind).values, kind, key).to_list()
        assert bool(find_in_run(run, refs).height) is is_there, written


def test_a_longer_word_of_somebody_else_names_nobody(tmp_path: Path) -> None:
    values = ("an.claes@post.example",)
    target = Target(ENERGY, SubjectKey(b"k" * 32), frozenset(), values, frozenset())
    for text, is_named in (
        ("mailt jan.claes@post.example", False),
        ("mailt an.claes@post.example.", True),
        ("jan.claes@post.example;an.claes@post.example", True),
        ("an.claes@post.examples", False),
    ):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("data/note_free_text.csv", f"note\n{text}\n")
        assert _names(tmp_path / "a.zip", target) is is_named, text
